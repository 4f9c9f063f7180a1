package visualize_test

import (
	"fmt"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/visualize"
)

// A map is filled row by row, with the keys that the pattern shows.
func ExamplePicture() {
	pattern := gaze.SlidingWindow{Left: 64, Right: 64}
	const n = 2000
	m, err := visualize.NewMap(n, n, visualize.DefaultCells, visualize.Weight, visualize.MaxPooling)
	if err != nil {
		fmt.Println(err)
		return
	}
	weights := make([]float32, n)
	for query := range n {
		visible := pattern.AppendKeys(nil, query, n)
		for key := visible[0].First; key < visible[0].End; key++ {
			weights[key] = 1 / float32(visible[0].End-visible[0].First)
		}
		if err := m.AddRow(query, weights, visible); err != nil {
			fmt.Println(err)
			return
		}
	}
	picture := visualize.Picture{Map: m, Title: fmt.Sprintf("head 3 - %v, n = %d", pattern, n)}
	img, err := picture.Draw()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m, "as", m.Rows, "x", m.Cols, "cells,", img.Rect.Dx(), "pixels wide")
	// Now visualize.WritePNG("head3.png", img).

	// Output: max of 2 × 2 as 1000 x 1000 cells, 1232 pixels wide
}

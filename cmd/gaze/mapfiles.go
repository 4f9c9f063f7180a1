package main

import (
	"image"
	"io"
	"math"
	"path/filepath"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/visualize"
)

// writePicture writes a picture in the form that the name of the file asks for.
func writePicture(path string, p interface {
	Draw() (*image.RGBA, error)
	WriteSVG(w io.Writer) error
}) error {
	if filepath.Ext(path) == ".svg" {
		return gaze.WriteFile(path, p.WriteSVG)
	}
	img, err := p.Draw()
	if err != nil {
		return err
	}
	return visualize.WritePNG(path, img)
}

// writeMapNPY writes the cells of a map as an array, [rows, columns], NaN where
// all pairs are hidden.
func writeMapNPY(w io.Writer, m *visualize.Map) error {
	rows := make([][]float32, m.Rows)
	for row := range rows {
		rows[row] = make([]float32, m.Cols)
		for col := range rows[row] {
			rows[row][col] = float32(math.NaN())
			if value, visible := m.At(row, col); visible {
				rows[row][col] = float32(value)
			}
		}
	}
	return writeNPY(w, rows)
}

package gaze_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
)

// A layer of ModernBERT's local attention over two packed sequences. All queries
// and keys are alike, so that rotation alone tells keys apart, and the values
// are positions: the output of a query is where it looks on average. That is its
// own place, but for the ends of a sequence, where one side of the window is cut
// off; nobody looks into the other sequence.
func Example() {
	const heads, headDim = 12, 64
	lengths := gaze.Lengths{300, 200}
	in := sameEverywhere(heads, headDim, lengths)

	gpu, err := engine.Open("auto", engine.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer gpu.Close()
	result, err := gpu.Attention(context.Background(), gaze.Attention{
		Heads: heads, HeadDim: headDim, RoPE: gaze.RoPE{Theta: 10000}, Pattern: gaze.SlidingWindow{Left: 64, Right: 64},
	}, lengths, in)
	if err != nil {
		log.Fatal(err)
	}

	fmt.Println("output:", len(result.Output)/headDim, "rows of", headDim)
	for _, row := range []int{0, 150, 299, 300, 400} {
		fmt.Printf("row %d looks at %.1f\n", row, result.Output[row*headDim])
	}
	// Output:
	// output: 6000 rows of 64
	// row 0 looks at 28.0
	// row 150 looks at 150.0
	// row 299 looks at 271.0
	// row 300 looks at 28.0
	// row 400 looks at 100.0
}

// sameEverywhere returns equal queries and keys, and values that are positions.
func sameEverywhere(heads, headDim int, lengths gaze.Lengths) (in engine.Input) {
	for range heads {
		for _, position := range lengths.Positions() {
			for range headDim {
				in.Query, in.Key = append(in.Query, 0.5), append(in.Key, 0.5)
				in.Value = append(in.Value, float32(position))
			}
		}
	}
	return in
}

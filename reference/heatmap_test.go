package reference

import (
	"math"
	"testing"

	"github.com/gazevk/gaze"
)

// Two sequences of 3 and 2 tokens, where weights count up: by hand.
func TestHeatmapByHand(t *testing.T) {
	weights := make([]float64, 25)
	for i := range weights {
		weights[i] = float64(i)
	}
	hidden := math.NaN()
	whole := gaze.Span{End: 5}
	for _, c := range []struct {
		r    gaze.Rectangle
		cell gaze.Cell
		sum  bool
		want []float64
	}{
		{gaze.Rectangle{Queries: whole, Keys: whole}, gaze.Square(2), false, []float64{6, 7, hidden, 11, 18, 19, hidden, 23, 24}},
		{gaze.Rectangle{Queries: whole, Keys: whole}, gaze.Square(2), true, []float64{0 + 1 + 5 + 6, 2 + 7, hidden, 10 + 11, 12 + 18, 19, hidden, 23, 24}},
		{gaze.Rectangle{Queries: gaze.Span{First: 2, End: 3}, Keys: gaze.Span{First: 2, End: 4}}, gaze.Square(1), false, []float64{12, hidden}},
		{gaze.Rectangle{Queries: gaze.Span{First: 1, End: 4}, Keys: gaze.Span{First: 2, End: 5}}, gaze.Cell{Queries: 2, Keys: 4}, true, []float64{7, hidden, 12 + 18, 19}},
		{gaze.Rectangle{Queries: gaze.Span{First: 0, End: 3}, Keys: gaze.Span{First: 3, End: 5}}, gaze.Square(4), true, []float64{hidden, hidden}},
		{gaze.Rectangle{Queries: whole, Keys: whole}, gaze.Cell{Queries: 4, Keys: 1}, true, []float64{0 + 5 + 10, 1 + 6 + 11, 2 + 7 + 12, 18, 19, hidden, hidden, hidden, 23, 24}},
		{gaze.Rectangle{Queries: whole, Keys: whole}, gaze.Cell{Queries: 1, Keys: 4}, false, []float64{2, hidden, 7, hidden, 12, hidden, 18, 19, 23, 24}},
	} {
		got := Heatmap(weights, gaze.Full{}, gaze.Lengths{3, 2}, 1, c.r, c.cell, c.sum)
		for i, want := range c.want {
			if len(got) != len(c.want) || got[i] != want && !(math.IsNaN(got[i]) && math.IsNaN(want)) {
				t.Errorf("%v in cells of %v, sum %v: %v, expected %v", c.r, c.cell, c.sum, got, c.want)
				break
			}
		}
	}
}

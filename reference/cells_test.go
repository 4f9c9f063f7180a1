package reference

import (
	"math"
	"testing"
)

// One plane of two heads, 2 x 2 cells of two pairs and one: by hand.
func TestCellsByHand(t *testing.T) {
	nan := math.NaN()
	from := []float64{
		1, -1, 9, 2, nan, 9, // 9 lies between rows
		4, -1, 9, nan, -1, 9,
	}
	before := []float64{nan, nan, 10, 20}
	at := func(plane, head, row, column int) int { return plane*12 + head*6 + row*3 + column }
	pairs := func(row, column int) int { return 2 - column }
	once := func(row, column int) int { return 1 }
	for name, c := range map[string]struct {
		before []float64
		hidden float64
		pairs  func(row, column int) int
		want   []float64
	}{
		"fresh":         {nil, -1, once, []float64{15, nan, 6, nan}},
		"added":         {before, -1, once, []float64{15, nan, 16, 20}},
		"means":         {before, -1, pairs, []float64{7.5, nan, 13, 20}},
		"-1 is a value": {before, nan, once, []float64{15, -6, 16, 17}},
	} {
		got := Cells(c.before, from, at, 1, 2, 2, 2, c.hidden, 3, c.pairs)
		for i, want := range c.want {
			if len(got) != len(c.want) || got[i] != want && !(math.IsNaN(got[i]) && math.IsNaN(want)) {
				t.Errorf("%s: %v, expected %v", name, got, c.want)
				break
			}
		}
	}
	// Three planes of one head, each a column.
	column := func(plane, head, row, column int) int { return 3*row + plane }
	got := Cells(nil, from, column, 3, 1, 2, 1, nan, 1, once)
	for i, want := range []float64{1, 2, -1, nan, 9, 9} {
		if got[i] != want && !(math.IsNaN(got[i]) && math.IsNaN(want)) {
			t.Errorf("cell %d is %v, expected %v", i, got[i], want)
		}
	}
}

package modernbert

import (
	"slices"
	"testing"
)

// By hand: two heads of four elements, in rows of two.
func TestInterleave(t *testing.T) {
	x := []float32{0, 1, 10, 11, 20, 21, 30, 31, 40, 41, 50, 51, 60, 61, 70, 71}
	interleave(x, 4, 2)
	if want := []float32{0, 1, 20, 21, 10, 11, 30, 31, 40, 41, 60, 61, 50, 51, 70, 71}; !slices.Equal(x, want) {
		t.Errorf("%v, expected %v", x, want)
	}
}

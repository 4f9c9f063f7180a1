package reference

import (
	"math"
	"testing"

	"github.com/gazevk/gaze"
)

// One head, sequences of 2 and 1 tokens, and what is hidden does not count: by hand.
func TestRowStatisticsByHand(t *testing.T) {
	weights := []float64{0.25, 0.75, 9, 1, 0, 9, 9, 9, 1}
	want := []float64{
		1, 0.25*2 + 0.75*math.Log2(4.0/3), 0.75, 0.75 /* roles: */, 0.25, 0, 0.75, 0.25, 0.75, 0.75,
		1, 0, 1, 1, 0, 1, 0, 1, 0, 1,
		1, 0, 0, 1, 1, 0, 0, 1, 1, 0,
	}
	got := RowStatistics(weights, []uint32{5, 5, 5}, gaze.Full{}, gaze.Lengths{2, 1}, 1)
	for i, w := range RowStatistics(weights, []uint32{5, 6, 5}, gaze.Full{}, gaze.Lengths{2, 1}, 1) {
		if i%10 == 9 && w != 0 {
			t.Errorf("%v goes to another token of the same id, and there is none", w)
		}
	}
	for i := range want {
		if len(got) != len(want) || math.Abs(got[i]-want[i]) > 1e-15 {
			t.Fatalf("%v, expected %v", got, want)
		}
	}
}

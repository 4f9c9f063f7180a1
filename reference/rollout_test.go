package reference

import (
	"math"
	"testing"
)

// Two layers of two heads over two tokens: by hand.
func TestRolloutByHand(t *testing.T) {
	// The mean of layer 0 is [[1/2, 1/2], [1, 0]], so A is [[3/4, 1/4], [1/2, 1/2]];
	// that of layer 1 is [[0, 1], [1/4, 3/4]], so A is [[1/2, 1/2], [1/8, 7/8]].
	weights := [][]float64{{1, 0, 1, 0, 0, 1, 1, 0}, {0, 1, 0.5, 0.5, 0, 1, 0, 1}}
	want := [][]float64{{0.125*0.75 + 0.875*0.5, 0.125*0.25 + 0.875*0.5}, {0.125, 0.875}}
	got := Rollout(weights, 1, 2, 2)
	for layer := range want {
		for j := range want[layer] {
			if len(got) != 2 || math.Abs(got[layer][j]-want[layer][j]) > 1e-15 {
				t.Fatalf("%v, expected %v", got, want)
			}
		}
	}
}

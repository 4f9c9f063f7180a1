package tune

import (
	"fmt"
	"math"

	"github.com/gazevk/gaze/engine"
)

// differs says where a candidate's result is not the default's, "" if nowhere.
// Shapes add in different orders, so elements may differ by some roundings of
// their sums, which are about as large as the elements are on average; and in f16
// by those of weights and of the element itself. Whether the default is right is
// for package verify to say; what a driver miscompiles is off by far more.
func differs(got, want []float32, precision engine.Precision) string {
	if len(got) != len(want) {
		return fmt.Sprintf("it has %d elements, and the default has %d", len(got), len(want))
	}
	squares := 0.0
	for _, x := range want {
		squares += float64(x) * float64(x)
	}
	size := math.Sqrt(squares / float64(max(len(want), 1)))
	share := math.Exp2(-14)
	if precision == engine.F16 {
		share = math.Exp2(-8)
	}
	for i, w := range want {
		x, y := float64(got[i]), float64(w)
		if !(math.Abs(x-y) <= share*(math.Abs(y)+size)) { // NaN differs
			return fmt.Sprintf("element %d is %v, and the default's is %v", i, got[i], w)
		}
	}
	return ""
}

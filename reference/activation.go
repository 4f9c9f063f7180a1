package reference

import (
	"fmt"
	"math"
)

// An Activation names a function that transformers' ACT2FN knows.
type Activation string

const (
	Identity Activation = ""
	GELU     Activation = "gelu"      // x/2 (1 + erf(x / sqrt 2)), exact
	GELUTanh Activation = "gelu_tanh" // x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
	SiLU     Activation = "silu"      // x / (1 + exp -x)
	ReLU     Activation = "relu"
	Tanh     Activation = "tanh"
)

// Of returns the activation of x. It panics on a name that it does not know.
func (a Activation) Of(x float64) float64 {
	switch a {
	case Identity:
		return x
	case GELU:
		return x / 2 * math.Erfc(-x/math.Sqrt2) // 1 + erf without its cancellation
	case GELUTanh:
		return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
	case SiLU:
		return x / (1 + math.Exp(-x))
	case ReLU:
		return max(x, 0)
	case Tanh:
		return math.Tanh(x)
	}
	panic(fmt.Sprintf("reference: no activation %q", string(a)))
}

package checkpoint

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// An Activation is a function applied to each element by itself.
type Activation string

const (
	GELU     Activation = "gelu"      // x/2 * (1 + erf(x/sqrt(2)))
	GELUTanh Activation = "gelu_tanh" // x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715*x^3)))
	SiLU     Activation = "silu"      // x / (1 + exp(-x))
	ReLU     Activation = "relu"      // max(x, 0)
	Tanh     Activation = "tanh"      // tanh(x)
	Sigmoid  Activation = "sigmoid"   // 1 / (1 + exp(-x))
	Identity Activation = "identity"  // x
)

// modelActivations are the names that config.json may give, which are those of
// transformers (activations.py, ACT2CLS). Several compute the same function.
var modelActivations = map[string]Activation{
	"gelu": GELU, "gelu_python": GELU,
	"gelu_new": GELUTanh, "gelu_pytorch_tanh": GELUTanh, "gelu_python_tanh": GELUTanh,
	"gelu_fast": GELUTanh, "gelu_accurate": GELUTanh,
	"silu": SiLU, "swish": SiLU,
	"relu": ReLU,
}

var torchActivations = map[string]Activation{
	"Identity": Identity, "Tanh": Tanh, "Sigmoid": Sigmoid, "ReLU": ReLU, "GELU": GELU, "SiLU": SiLU,
}

// torchActivation returns what a class of torch.nn computes, such as
// "torch.nn.modules.activation.Tanh". sentence-transformers names activations so.
func torchActivation(class string) (Activation, error) {
	if strings.HasPrefix(class, "torch.nn.") {
		if activation, ok := torchActivations[class[strings.LastIndexByte(class, '.')+1:]]; ok {
			return activation, nil
		}
	}
	return "", fmt.Errorf("is %.80q: of the classes of torch.nn, %s are supported", class,
		strings.Join(slices.Sorted(maps.Keys(torchActivations)), ", "))
}

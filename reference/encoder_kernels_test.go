package reference

import (
	"math"
	"testing"

	"github.com/gazevk/gaze"
)

func near(t *testing.T, name string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s has %d elements, must have %d", name, len(got), len(want))
	}
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= tolerance) {
			t.Errorf("%s[%d] is %v, must be %v", name, i, got[i], want[i])
		}
	}
}

// The values are torch's, in float64: torch.nn.functional.gelu(x),
// gelu(x, approximate="tanh"), silu, relu, tanh of -3, -1, -0.1, 0, 0.5, 2.
func TestActivations(t *testing.T) {
	x := []float64{-3, -1, -0.1, 0, 0.5, 2}
	for activation, want := range map[Activation][]float64{
		Identity: x,
		GELU:     {-0.00404969409489031, -0.15865525393145707, -0.04601721627229711, 0, 0.34573123063700656, 1.9544997361036416},
		GELUTanh: {-0.003637392081773024, -0.15880800939172324, -0.04601724895456484, 0, 0.34571400982514394, 1.954597694087775},
		SiLU:     {-0.14227761953270035, -0.2689414213699951, -0.04750208125210601, 0, 0.3112296656009273, 1.7615941559557649},
		ReLU:     {0, 0, 0, 0, 0.5, 2},
		Tanh:     {-0.9950547536867305, -0.7615941559557649, -0.09966799462495582, 0, 0.46211715726000973, 0.9640275800758169},
	} {
		got := make([]float64, len(x))
		for i := range x {
			got[i] = activation.Of(x[i])
		}
		near(t, string(activation), got, want, 1e-15)
	}
}

func TestMatMulByHand(t *testing.T) {
	got := MatMul([]float64{1, 2, 3, 4, 5, 6}, []float64{1, 0, -1, 2, 2, 2}, []float64{10, 20}, 2, 2, 3)
	near(t, "product", got, []float64{8, 32, 8, 50}, 0)
	near(t, "without bias", MatMul([]float64{1, 2}, []float64{3, 4}, nil, 1, 1, 2), []float64{11}, 0)
	near(t, "gated", Gated([]float64{-1, 2, 5, 7}, ReLU, 1, 2), []float64{0, 14}, 0)
}

func TestLayerNormByHand(t *testing.T) {
	// mean 2, variance 2/3.
	s := math.Sqrt(2.0/3 + 1)
	near(t, "y", LayerNorm([]float64{1, 2, 3}, []float64{1, 2, 3}, []float64{0, 1, 0}, 1, 1, 3), []float64{-1 / s, 1, 3 / s}, 1e-15)
}

func TestPoolByHand(t *testing.T) {
	x := []float64{9, 9, 1, -5, 3, 4, 5, 1}
	spans := []gaze.Span{{First: 1, End: 4}, {First: 0, End: 1}}
	for pooling, want := range map[Pooling][]float64{
		PoolCLS: {1, -5, 9, 9}, PoolLast: {5, 1, 9, 9}, PoolMax: {5, 4, 9, 9}, PoolMean: {3, 0, 9, 9},
		PoolMeanSqrt: {9 / math.Sqrt(3), 0, 9, 9}, PoolWeightedMean: {22.0 / 6, 1, 9, 9},
	} {
		near(t, string(pooling), Pool(x, spans, pooling, 0, 2), want, 1e-15)
	}
	near(t, "weighted mean after a prompt", Pool(x, spans[:1], PoolWeightedMean, 2, 2), []float64{(3*1 + 4*3 + 5*5) / 12.0, (3*-5 + 4*4 + 5*1) / 12.0}, 1e-15)
}

func TestGatherByHand(t *testing.T) {
	near(t, "rows", Gather([]float64{1, 2, 3, 4, 5, 6}, []uint32{2, 0, 2}, 2), []float64{5, 6, 1, 2, 5, 6}, 0)
}

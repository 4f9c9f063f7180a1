package reference

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gazevk/gaze"
)

// listed shows the tokens that it lists, whoever asks.
type listed []int

func (l listed) AppendKeys(spans []gaze.Span, query, length int) []gaze.Span {
	for _, i := range l {
		spans = append(spans, gaze.Span{First: i, End: i + 1})
	}
	return spans
}

func (listed) Validate() error { return nil }

func (listed) String() string { return "listed tokens" }

// Attention over keys dealt out to shares, merged, is attention over all of them,
// where one share is empty too.
func TestMergeIsAttention(t *testing.T) {
	const heads, n, headDim, shares = 2, 7, 3, 4
	random := rand.New(rand.NewPCG(1, 2))
	tensor := func(scale float64) []float64 {
		x := make([]float64, heads*n*headDim)
		for i := range x {
			x[i] = scale * random.NormFloat64()
		}
		return x
	}
	q, k, v := tensor(20), tensor(20), tensor(1) // scores of some hundreds
	dealt := [shares]listed{{0, 4, 5}, {}, {6}, {1, 2, 3}}
	outputs, lses := make([]float64, heads*shares*n*headDim), make([]float64, heads*shares*n)
	for s, keys := range dealt {
		output, lse := Attention(q, k, v, 1, keys, gaze.Lengths{n}, heads, headDim)
		for h := range heads {
			copy(outputs[(h*shares+s)*n*headDim:], output[h*n*headDim:(h+1)*n*headDim])
			copy(lses[(h*shares+s)*n:], lse[h*n:(h+1)*n])
		}
	}
	want, wantLSE := Attention(q, k, v, 1, gaze.Full{}, gaze.Lengths{n}, heads, headDim)
	got, gotLSE := Merge(outputs, lses, heads, shares, n, headDim)
	near(t, "output", got, want, 1e-12)
	near(t, "lse", gotLSE, wantLSE, 1e-12)
}

// By hand: shares of weights 1/4 and 3/4, one that sees nothing, and a query that
// sees nothing of any.
func TestMergeByHand(t *testing.T) {
	nothing := math.Inf(-1)
	outputs := []float64{8, 0, 4, 0, 0, 0} // [1, 3, 2, 1]
	lses := []float64{math.Log(1), nothing, math.Log(3), nothing, nothing, nothing}
	output, lse := Merge(outputs, lses, 1, 3, 2, 1)
	near(t, "output", output, []float64{5, 0}, 1e-15)
	if near(t, "lse", lse[:1], []float64{math.Log(4)}, 1e-15); !math.IsInf(lse[1], -1) {
		t.Errorf("the log-sum-exp of a query that sees nothing is %v", lse[1])
	}
}

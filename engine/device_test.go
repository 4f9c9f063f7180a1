package engine

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/vk"
)

// open opens the device that the loader offers first; the test fails where
// something is left open at its end.
func open(t *testing.T, options ...vk.Option) *Engine {
	t.Helper()
	e, err := Open("auto", Options{Vulkan: options})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// layer is a small layer with rotation; 32 is the quickest head to compile.
func layer(heads int, p gaze.Pattern) gaze.Attention {
	return gaze.Attention{Heads: heads, HeadDim: 32, RoPE: gaze.RoPE{Theta: 10000}, Pattern: p}
}

func randomInput(seed uint64, a gaze.Attention, l gaze.Lengths) Input {
	random := rand.New(rand.NewPCG(seed, 0))
	tensor := func() []float32 {
		x := make([]float32, a.Heads*l.Tokens()*a.HeadDim)
		for i := range x {
			x[i] = 2*random.Float32() - 1
		}
		return x
	}
	return Input{tensor(), tensor(), tensor()}
}

func mustPlan(t *testing.T, traits Traits, r Request) *Plan {
	t.Helper()
	plan, err := NewPlan(traits, r)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// outcome is all that a run gives.
type outcome struct {
	*Result
	weights []float32 // [heads, n, n] where the plan has them
}

// run runs plan and holds that the weights come row by row, each once, in order.
func run(t *testing.T, e *Engine, plan *Plan, in Input) outcome {
	t.Helper()
	o, err := tryRun(e, plan, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	n := plan.Lengths.Tokens()
	if want := plan.Attention.Heads * n * n; plan.Weights && len(o.weights) != want {
		t.Fatalf("%d of %d weights were delivered", len(o.weights), want)
	}
	return o
}

func tryRun(e *Engine, plan *Plan, in Input, progress func(float64)) (o outcome, err error) {
	n := plan.Lengths.Tokens()
	rows := 0
	o.Result, err = e.Run(context.Background(), plan, in, Watch{
		Progress: progress,
		Weights: func(head, query int, row []float32) error {
			if head*n+query != rows || len(row) != n {
				return fmt.Errorf("row %d of head %d, %d keys, came as number %d", query, head, len(row), rows)
			}
			rows++
			o.weights = append(o.weights, row...)
			return nil
		}})
	return o, err
}

// far is the largest distance of two slices; infinite where their lengths, or
// what is infinite in them, differ.
func far(a, b []float32) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	distance := 0.0
	for i := range a {
		if a[i] != b[i] {
			d := math.Abs(float64(a[i]) - float64(b[i]))
			if math.IsNaN(d) {
				return math.Inf(1)
			}
			distance = max(distance, d)
		}
	}
	return distance
}

func same(a, b outcome) bool {
	return slices.Equal(a.Output, b.Output) && slices.Equal(a.LSE, b.LSE) && slices.Equal(a.weights, b.weights)
}

package modernbert

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/modernbert/testdata/golden"
	"github.com/gazevk/gaze/reference"
)

// replaced returns the checkpoint's attention with layer 2 changed.
func replaced(c checkpoint.Config, change func(*gaze.Attention)) []gaze.Attention {
	attention := c.Attentions()
	change(&attention[2])
	return attention
}

// weights returns all weights of a captured layer, [heads, n, n], which must come
// in order.
func weights(t *testing.T, c *Capture, layer int) []float32 {
	t.Helper()
	n := c.program.Lengths.Tokens()
	var all []float32
	_, err := c.Weights(context.Background(), layer, engine.Watch{Weights: func(head, query int, w []float32) error {
		if len(w) != n || len(all) != (head*n+query)*n {
			t.Fatalf("%d weights of head %d, query %d come after %d", len(w), head, query, len(all))
		}
		all = append(all, w...)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if heads := c.program.Config.Heads; len(all) != heads*n*n {
		t.Fatalf("%d weights, expected %d", len(all), heads*n*n)
	}
	return all
}

// Weights of full and sliding layers are those that transformers gives with
// output_attentions. What a window hides is exactly 0 there and here.
func TestWeightsLikeTransformers(t *testing.T) {
	for _, tier := range tiers(t) {
		for _, name := range []string{"v4 flat", "v5 nested, irregular layers, untied", "other patterns"} {
			c := caseNamed(t, name)
			m := mustLoad(t, open(t, tier), c.Open(t), engine.F32)
			out := mustForward(t, m, golden.Batch(c.Lengths, m.Config.VocabSize), Want{Capture: []int{3, 0, 1}, Attention: c.Attention(m.Config)})
			for _, layer := range []int{0, 1, 3} {
				what := fmt.Sprintf("%s, tier %s, layer %d", name, tier, layer)
				got, want := golden.SampledWeights(weights(t, out.Capture, layer), c.Lengths, m.Config.Heads), c.Output(t, fmt.Sprintf("attentions.%d", layer))
				near(t, what, got, want, 1e-4)
				hidden := 0
				for i := range want {
					if (want[i] == 0) != (got[i] == 0) {
						t.Fatalf("%s: weight %d is %v, expected %v", what, i, got[i], want[i])
					}
					if want[i] == 0 {
						hidden++
					}
				}
				if full := (c.Patterns == nil && m.Config.LayerAttention[layer] == checkpoint.GlobalAttention); full != (hidden == 0) {
					t.Errorf("%s: %d weights are hidden", what, hidden)
				}
			}
			out.Capture.Close()
		}
	}
}

// Layers with other patterns than their own, against the reference: what comes
// out and every weight, those across sequences included.
func TestReplacedAttention(t *testing.T) {
	c := caseNamed(t, "v4 flat").Open(t)
	encoder, err := reference.NewEncoder(c)
	if err != nil {
		t.Fatal(err)
	}
	batch := tokens(3, 131, 1, 66)
	own := encoder.Forward(batch).Last
	encoder.Attention[0].Pattern = gaze.Any{gaze.SlidingWindow{Left: 5, Right: 9}, gaze.GlobalTokens{Tokens: []int{0, 40}}}
	encoder.Attention[1].Pattern = gaze.DilatedWindow{Reach: 6, Dilation: 5}
	encoder.Attention[1].RoPE = gaze.RoPE{Theta: 500}
	encoder.Attention[2].Pattern = gaze.All{gaze.Causal{}, gaze.SlidingWindow{Left: 40, Right: 40}}
	encoder.Attention[2].RoPE = gaze.RoPE{}
	want := encoder.Forward(batch)
	if difference, _ := golden.Difference(want.Last, own); difference < 0.1 {
		t.Fatalf("other patterns change the output by %v alone", difference)
	}
	for _, tier := range tiers(t) {
		for precision, tolerance := range map[engine.Precision]float64{engine.F32: 1e-4, engine.F16: 3e-2} {
			m := mustLoad(t, open(t, tier), c, precision)
			out := mustForward(t, m, batch, Want{Hidden: true, Logits: true, Attention: encoder.Attention, Capture: []int{0, 1, 2, 3}})
			what := fmt.Sprintf("tier %s, %s: ", tier, precision)
			near(t, what+"hidden", out.Hidden, want.Last, tolerance)
			for layer := range m.Config.Layers {
				got, exact := weights(t, out.Capture, layer), encoder.Weights(want, layer)
				near(t, fmt.Sprintf("%sweights of layer %d", what, layer), got, exact, tolerance)
				for i := range exact {
					if exact[i] == 0 && got[i] != 0 {
						t.Fatalf("%sweight %d of layer %d is %v, and hidden", what, i, layer, got[i])
					}
				}
			}
			out.Capture.Close()
			// Without anything replaced the model is what it was.
			near(t, what+"own", mustForward(t, m, batch, Want{Hidden: true}).Hidden, own, tolerance)
		}
	}
}

// Equal patterns share one block map and equal rotations one table, of
// whatever layers they are.
func TestSharedInputs(t *testing.T) {
	c := caseNamed(t, "v4 flat").Open(t) // global, local, local, global
	tokens := make([]int, 9)             // more than a pattern names
	other := slices.Clone(tokens)
	other[8] = 7
	attention := c.Config.Attentions()
	attention[0].Pattern, attention[1].Pattern = gaze.GlobalTokens{Tokens: tokens}, gaze.GlobalTokens{Tokens: slices.Clone(tokens)}
	attention[2].Pattern = gaze.GlobalTokens{Tokens: other}
	for _, test := range []struct {
		attention []gaze.Attention
		maps      []int // the first layer with the same map, by layer
		inputs    string
	}{
		{nil, []int{0, 1, 1, 0}, "block map 0, block map 1, positions, turns 0, turns 1"},
		{attention, []int{0, 0, 2, 3}, "block map 0, block map 2, block map 3, positions, turns 0, turns 1"},
	} {
		p, err := NewProgram(engine.AnyDevice, c.Config, c.Head, engine.F32, gaze.Lengths{30}, Want{Attention: test.attention})
		if err != nil {
			t.Fatal(err)
		}
		for layer, first := range test.maps {
			if slices.Index(p.Maps, p.Maps[layer]) != first {
				t.Errorf("layer %d has the map of layer %d, expected that of %d", layer, slices.Index(p.Maps, p.Maps[layer]), first)
			}
		}
		var names []string
		for name := range p.Inputs {
			names = append(names, name)
		}
		slices.Sort(names)
		if got := strings.Join(names, ", "); got != test.inputs {
			t.Errorf("inputs are %s, expected %s", got, test.inputs)
		}
	}
}

// Weights come a few rows at a time where a buffer holds no more, and are the same.
func TestWeightsInSmallBuffers(t *testing.T) {
	c := caseNamed(t, "v4 flat").Open(t)
	lengths := gaze.Lengths{100, 1, 130}
	for _, tier := range tiers(t) {
		e := open(t, tier)
		want := Want{Capture: []int{0, 1}}
		whole := mustForward(t, mustLoad(t, e, c, engine.F32), golden.Batch(lengths, 101), want)
		defer whole.Capture.Close()
		for _, test := range []struct {
			rows, steps int // rows of weights that a buffer holds; parts that all take
		}{{512, 1}, {256, 2}, {128, 4}, {64, 8}} {
			traits := e.Traits()
			traits.StorageRange = int64(test.rows) * 256 * 4 // 231 keys are padded to 256
			small := *whole.Capture
			small.traits = traits
			for _, layer := range want.Capture {
				near(t, "weights", weights(t, &small, layer), weights(t, whole.Capture, layer), 0)
				steps, buffers, err := small.program.WeightSteps(traits, layer)
				if err != nil || len(steps) != test.steps {
					t.Errorf("%d rows at a time: %d steps, expected %d, error %v", test.rows, len(steps), test.steps, err)
				}
				if bytes := buffers[1].Bytes; bytes > traits.StorageRange || bytes < 64*231*4 {
					t.Errorf("%d rows at a time take %d bytes", test.rows, bytes)
				}
			}
		}
		few := *whole.Capture
		few.traits.StorageRange = 16 * 256 * 4
		if _, err := few.Weights(context.Background(), 0, engine.Watch{}); err == nil || !strings.Contains(err.Error(), "rows of weights over 231 keys need") {
			t.Errorf("16 rows at a time: %v", err)
		}
	}
}

// A capture is of its own forward pass, whatever the model does afterwards, and
// says what it does not hold.
func TestCaptureLasts(t *testing.T) {
	m, encoder := loaded(t, "v4 flat")
	first, second := tokens(70), golden.Batch(gaze.Lengths{7, 70}, 101)[1:]
	a := mustForward(t, m, first, Want{Capture: []int{1}})
	b := mustForward(t, m, second, Want{Capture: []int{1}})
	mustForward(t, m, tokens(3, 5), Want{Hidden: true})
	near(t, "weights of the first", weights(t, a.Capture, 1), encoder.Weights(encoder.Forward(first), 1), 1e-4)
	near(t, "weights of the second", weights(t, b.Capture, 1), encoder.Weights(encoder.Forward(second), 1), 1e-4)
	if _, err := a.Capture.Weights(context.Background(), 0, engine.Watch{}); err == nil || !strings.Contains(err.Error(), "layer 0 was not captured") {
		t.Errorf("the error is %v", err)
	}
	enough := errors.New("enough")
	if _, err := a.Capture.Weights(context.Background(), 1, engine.Watch{Weights: func(_, _ int, _ []float32) error { return enough }}); !errors.Is(err, enough) {
		t.Errorf("the error is %v", err)
	}
	for range 2 {
		if err := errors.Join(a.Capture.Close(), b.Capture.Close()); err != nil {
			t.Error(err)
		}
	}
	if _, err := a.Capture.Weights(context.Background(), 1, engine.Watch{}); err == nil {
		t.Error("a closed capture has weights")
	}
	if out := mustForward(t, m, first, Want{Hidden: true}); out.Capture != nil {
		t.Error("there is a capture that nobody wanted")
	}
}

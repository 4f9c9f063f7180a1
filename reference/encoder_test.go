package reference_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/modernbert/testdata/golden"
	"github.com/gazevk/gaze/reference"
)

// The whole encoder and all heads against transformers, which computes in
// float32: what differs is its rounding.
func TestEncoderLikeTransformers(t *testing.T) {
	known := map[string]bool{}
	for _, c := range golden.Cases() {
		known[c.Name] = true
		if c.Lengths.Longest() > 2048 {
			continue // minutes with the race detector; package modernbert's tests have it
		}
		t.Run(c.Name, func(t *testing.T) {
			model := c.Open(t)
			encoder, err := reference.NewEncoder(model)
			if err != nil {
				t.Fatal(err)
			}
			encoder.Attention = c.Attention(model.Config)
			s := encoder.Forward(golden.Batch(c.Lengths, model.Config.VocabSize))
			rows, hidden := golden.Rows(c.Lengths), model.Config.HiddenSize
			close := func(name string, got []float64) {
				t.Helper()
				want := c.Output(t, name)
				largest := 1.0 // of the stored magnitudes: logits over tied embeddings reach 30
				for _, x := range want {
					largest = max(largest, math.Abs(float64(x)))
				}
				difference, err := golden.Difference(got, want)
				if !(difference <= 3e-6*largest) {
					t.Errorf("%s is %.2g away, with magnitudes up to %.2g, error %v", name, difference, largest, err)
				}
			}
			close("last", golden.Pick(s.Last, rows, hidden))
			if encoder.Head != checkpoint.NoHead {
				logits := encoder.Logits(s)
				if encoder.Head != checkpoint.SequenceClassification && encoder.Head != checkpoint.MultipleChoice {
					logits = golden.Pick(logits, rows, model.Config.Outputs(encoder.Head))
				}
				close("logits", logits)
			}
			if !c.States {
				return
			}
			var states []float64
			for layer := range model.Config.Layers { // the last state is stored after the final norm alone
				states = append(states, golden.Pick(s.HiddenStates[layer], rows, hidden)...)
				close(fmt.Sprintf("attentions.%d", layer), golden.SampledWeights(encoder.Weights(s, layer), c.Lengths, model.Config.Heads))
			}
			close("hidden_states", states)
		})
	}
	for _, name := range golden.Names(t) {
		if name, _, _ = strings.Cut(name, ": "); !known[name] {
			t.Errorf("there are outputs of %q, which is no case", name)
		}
	}
}

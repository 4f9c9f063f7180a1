package modernbert

import (
	"math"
	"testing"

	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/modernbert/testdata/golden"
)

// goldenOnDevice are the cases that run on the device: every head and what has a
// kernel or a pass of its own. The reference is held to all of them.
var goldenOnDevice = []string{
	"v4 flat", "v5 nested, irregular layers, untied", "other patterns", "yarn", "every bias, untied", "no decoder_bias", "gelu_pytorch_tanh", "silu", "relu",
	"head_dim 64", "head_dim 96", "head_dim 128", "F16", "BF16", "encoder alone",
	"one label of the first token", "three labels of the mean", "three labels of each token", "question answering",
	"multiple choice of the first token", "multiple choice of the mean", "500 tokens", "2048 tokens", "8192 tokens",
}

// Everything that a model gives, against transformers in float32.
func TestLikeTransformers(t *testing.T) {
	for _, tier := range tiers(t) {
		for _, precision := range []engine.Precision{engine.F32, engine.F16} {
			for _, name := range goldenOnDevice {
				if name == "8192 tokens" && precision == engine.F16 {
					continue // seconds on a CPU, for what 2048 tokens show
				}
				t.Run(string(tier)+"/"+string(precision)+"/"+name, func(t *testing.T) { compareWithTransformers(t, tier, precision, name) })
			}
		}
	}
}

func compareWithTransformers(t *testing.T, tier engine.Tier, precision engine.Precision, name string) {
	c := caseNamed(t, name)
	compareModel(t, mustLoad(t, open(t, tier), c.Open(t), precision), c)
}

// compareModel compares what m, of case c, gives with what transformers gave.
func compareModel(t *testing.T, m *Model, c golden.Case) {
	t.Helper()
	batch := golden.Batch(c.Lengths, m.Config.VocabSize)
	rows, d := golden.Rows(c.Lengths), m.Config.HiddenSize
	want := Want{Hidden: true, HiddenStates: c.States, Logits: m.Head != checkpoint.NoHead, Attention: c.Attention(m.Config)}
	if m.Head == checkpoint.MaskedLM {
		want.Rows = rows
	}
	out := mustForward(t, m, batch, want)
	close := func(what string, got []float32) {
		t.Helper()
		stored := c.Output(t, what)
		if m.Precision == engine.F32 {
			near(t, what, got, stored, 1e-4)
		} else if cosine := golden.Cosine(got, stored); len(got) != len(stored) || !(cosine >= 0.9999) {
			t.Errorf("%s: %d elements of %d, cosine %v", what, len(got), len(stored), cosine)
		}
		difference, _ := golden.Difference(got, stored)
		t.Logf("%s: largest difference %.2g, 1 - cosine %.2g", what, difference, math.Max(0, 1-golden.Cosine(got, stored)))
	}
	close("last", golden.Pick(out.Hidden, rows, d))
	if want.Logits {
		logits := out.Logits
		if m.Head == checkpoint.TokenClassification || m.Head == checkpoint.QuestionAnswering {
			logits = golden.Pick(logits, rows, out.LogitColumns)
		}
		close("logits", logits)
	}
	if c.States {
		var states []float32
		for _, x := range out.HiddenStates[:m.Config.Layers] { // the last is stored after the final norm alone
			states = append(states, golden.Pick(x, rows, d)...)
		}
		close("hidden_states", states)
	}
}

package modernbert

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/modernbert/testdata/golden"
)

// loadSplit loads a case with its keys split among so many workgroups, or as the
// rule has it on a device of many cores.
func loadSplit(t *testing.T, tier engine.Tier, c golden.Case, precision engine.Precision, splits int) *Model {
	t.Helper()
	e, checkpoint := open(t, tier), c.Open(t)
	traits := e.Traits()
	if splits == 0 {
		traits.CPU, traits.Cores = false, 1000
	} else {
		a := checkpoint.Config.Attentions()[0]
		shape := traits.AttentionShape(engine.FusedAttention{HeadDim: a.HeadDim, Precision: precision, Scale: a.ScoreScale()})
		shape.Splits = splits
		traits.Tuning.Attention = []engine.AttentionChoice{{Shape: shape}}
	}
	m, err := load(context.Background(), e, traits, checkpoint, precision)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// merges returns by how many passes the last forward pass joined shares of keys.
func merges(m *Model) int {
	count := 0
	for _, pass := range lastWork(m).program.Passes {
		if strings.HasPrefix(pass.Kernel, "merge_") {
			count++
		}
	}
	return count
}

// Keys that are split change nothing: short texts, of which most shares see nothing,
// and a long one, of whose layers the rule splits those that see all of it.
func TestSplitKeysLikeTransformers(t *testing.T) {
	for _, tier := range tiers(t) {
		for _, precision := range []engine.Precision{engine.F32, engine.F16} {
			for name, splits := range map[string]int{"v4 flat": 3, "other patterns": 2, "head_dim 96": 8, "500 tokens": 0} {
				t.Run(fmt.Sprint(tier, "/", precision, "/", name), func(t *testing.T) {
					c := caseNamed(t, name)
					m := loadSplit(t, tier, c, precision, splits)
					compareModel(t, m, c)
					want := m.Config.Layers
					if splits == 0 {
						want = 2 // the full ones of four
					}
					if got := merges(m); got != want {
						t.Errorf("%d of %d layers are merged, expected %d", got, m.Config.Layers, want)
					}
				})
			}
		}
	}
}

// Weights follow from the log-sum-exps that were merged, in the capture's own buffer.
func TestSplitWeightsLikeTransformers(t *testing.T) {
	c := caseNamed(t, "other patterns")
	for _, tier := range tiers(t) {
		m := loadSplit(t, tier, c, engine.F32, 3)
		out := mustForward(t, m, golden.Batch(c.Lengths, m.Config.VocabSize), Want{Capture: []int{3, 0, 1}, Attention: c.Attention(m.Config)})
		if got := merges(m); got != m.Config.Layers {
			t.Fatalf("%d of %d layers are merged", got, m.Config.Layers)
		}
		if i := slices.IndexFunc(lastWork(m).program.Captured, func(b engine.BufferSpec) bool { return strings.Contains(b.Name, bufShares) }); i >= 0 {
			t.Errorf("a capture keeps %s", lastWork(m).program.Captured[i].Name)
		}
		for _, layer := range []int{0, 1, 3} {
			got := golden.SampledWeights(weights(t, out.Capture, layer), c.Lengths, m.Config.Heads)
			near(t, fmt.Sprintf("tier %s, layer %d", tier, layer), got, c.Output(t, fmt.Sprintf("attentions.%d", layer)), 1e-4)
		}
		out.Capture.Close()
	}
}

// Layers whose keys are split differently share scratch that has room for each.
func TestSplitProgramsShareScratch(t *testing.T) {
	c := caseNamed(t, "v4 flat").Open(t)
	traits := engine.AnyDevice
	traits.Tier, traits.Units, traits.Cores = engine.Matrix, engine.MatrixUnits{M: 16, N: 16, K: 16, Subgroup: 32}, 1000
	attention := c.Config.Attentions()
	for layer, pattern := range []gaze.Pattern{gaze.SlidingWindow{Left: 300, Right: 300}, gaze.Full{}, gaze.SlidingWindow{Left: 64, Right: 64}, gaze.Full{}} {
		attention[layer].Pattern = pattern
	}
	p, err := NewProgram(traits, c.Config, c.Head, engine.F32, gaze.Lengths{1024}, Want{Hidden: true, Attention: attention, Capture: []int{1}})
	if err != nil {
		t.Fatal(err)
	}
	checkProgram(t, traits, c, p)
	var splits []uint32
	for _, pass := range p.Passes {
		if strings.HasPrefix(pass.Kernel, "merge_") {
			splits = append(splits, pass.Constants["SPLITS"])
		}
	}
	if len(splits) != 3 || splits[0] >= splits[1] || splits[1] != splits[2] {
		t.Errorf("shares of %v are merged, expected fewer of the first layer and none of the third", splits)
	}
	if at := p.Complete[0].Passes; !strings.HasPrefix(p.Passes[at-1].Kernel, "merge_") {
		t.Errorf("the captured layer is complete behind %s", p.Passes[at-1].Kernel)
	}
}

package bench

import (
	"fmt"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
)

// patterns are what the suite attention compares.
var patterns = []struct {
	name string
	gaze.Pattern
}{
	{"full", gaze.Full{}},
	{"window 64", gaze.SlidingWindow{Left: 64, Right: 64}},
	{"dilated 64 by 8", gaze.DilatedWindow{Reach: 64, Dilation: 8}},
	{"window 64, 1 global", gaze.Any{gaze.SlidingWindow{Left: 64, Right: 64}, gaze.GlobalTokens{Tokens: []int{0}}}},
}

// attentionShare is what attention may count on of the device's limit.
const attentionShare = 0.08

const headDim = 64

// headCounts are those of ModernBERT-base, and fewer for slow devices.
var headCounts = []int{12, 4, 1}

func (r *runner) attention() error {
	lengths := r.Lengths
	if len(lengths) == 0 {
		lengths = []int{128, 512, 1024, 2048, 4096, 8192}
		if r.Effort == Quick {
			lengths = []int{512, 2048}
		}
	}
	for i, n := range lengths {
		for _, p := range patterns {
			for _, precision := range r.precisions(engine.F32) {
				if err := r.attend(p.name, p.Pattern, n, precision); err != nil {
					return err
				}
			}
		}
		r.tell("attention", float64(i+1)/float64(len(lengths)))
	}
	return nil
}

// attend measures one pattern over n tokens, with as many heads as there is time for.
func (r *runner) attend(name string, pattern gaze.Pattern, n int, precision engine.Precision) error {
	tiers, err := r.tiersOf(precision)
	if err != nil {
		return err
	}
	for _, tier := range tiers {
		e, err := r.Open(tier)
		if err != nil {
			return err
		}
		traits := e.Traits()
		m := gaze.NewBlockMap(pattern, gaze.Lengths{n}, traits.QueryTile(precision, headDim, 1))
		heads := 0
		for _, heads = range headCounts {
			if r.affords(pairCost(m, heads), attentionShare) {
				break
			}
		}
		if need := pairCost(m, heads); len(r.Lengths) == 0 && !r.affords(need, attentionShare) {
			r.omit("attention", fmt.Sprintf("%s, n %d, 1 head", name, n), need, attentionShare)
			continue
		}
		if err := r.attendHeads(e, name, pattern, n, heads, precision); err != nil {
			return err
		}
	}
	return nil
}

// pairCost returns the multiply-adds of scores and context of the visible pairs.
func pairCost(m *gaze.BlockMap, heads int) int64 { return 2 * int64(heads) * headDim * m.Pairs }

func (r *runner) attendHeads(e *engine.Engine, name string, pattern gaze.Pattern, n, heads int, precision engine.Precision) error {
	c := &Case{Suite: "attention", Name: fmt.Sprintf("%s, n %d, %s", name, n, plural(heads, "head")), Tier: e.Traits().Tier, Precision: precision,
		Series: name, Tokens: n}
	w, err := NewAttention(r.ctx, e, c.Name, pattern, n, heads, precision)
	if err != nil {
		return err
	}
	defer w.Close()
	return r.work(c, w, e)
}

// plural writes "1 head" or "3 heads".
func plural(count int, one string) string {
	if count == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", count, one)
}

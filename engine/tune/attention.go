package tune

import (
	"fmt"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/bench"
)

// layers are the kinds that ModernBERT has.
var layers = []struct {
	name string
	gaze.Pattern
}{{"full", gaze.Full{}}, {"window 64", gaze.SlidingWindow{Left: 64, Right: 64}}}

// heads and headDim are those of ModernBERT-base.
const heads, headDim = 12, 64

// attention tunes fused attention of one precision over heads of headDim.
func (t *tuner) attention(precision engine.Precision) error {
	n := 512
	if len(t.Rows) > 0 {
		n = t.Rows[len(t.Rows)-1]
	}
	var work []*bench.Workload
	defer func() {
		for _, w := range work {
			w.Close()
		}
	}()
	for _, l := range layers {
		w, err := bench.NewAttention(t.ctx, t.engine, fmt.Sprintf("%s, n %d, %d heads", l.name, n, heads), l.Pattern, n, heads, precision)
		if err != nil {
			return err
		}
		work = append(work, w)
	}
	c := &Class{Suite: "attention", Precision: precision, HeadDim: headDim}
	return t.measure(c, work, attentions(t.engine.Traits(), headDim, precision), nil, t.left(), t.tell)
}

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
	// A kernel walks tiles of so many queries, and has a block map of its own for them.
	work := map[int][]*bench.Workload{}
	defer func() {
		for _, list := range work {
			closeAll(list)
		}
	}()
	traits := t.engine.Traits()
	shapes := attentions(traits, precision, headDim)
	tile := func(s Shape) int { return s.traits(traits).QueryTile(precision, headDim, bench.Scale) }
	for _, s := range shapes {
		if work[tile(s)] != nil {
			continue
		}
		for _, l := range layers {
			m := gaze.NewBlockMap(l.Pattern, gaze.Lengths{n}, tile(s))
			w, err := bench.NewAttention(t.ctx, t.engine, fmt.Sprintf("%s, n %d, %d heads", l.name, n, heads), m, heads, precision)
			if err != nil {
				return err
			}
			work[tile(s)] = append(work[tile(s)], w)
		}
	}
	c := &Class{Suite: "attention", Precision: precision, HeadDim: headDim}
	return t.measure(c, shapes, func(s Shape) []*bench.Workload { return work[tile(s)] }, nil, t.left(), t.tell)
}

func closeAll(list []*bench.Workload) {
	for _, w := range list {
		w.Close()
	}
}

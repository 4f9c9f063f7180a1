package verify

import (
	"math"
	"math/rand/v2"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/reference"
)

func statisticsCase(random *rand.Rand, traits engine.Traits, p *problem) (*layerCase, error) {
	a, n := p.Attention, p.Lengths.Tokens()
	r := engine.RowStatistics{
		Heads: a.Heads, HeadDim: a.HeadDim, Scale: a.ScoreScale(), Map: gaze.NewBlockMap(a.Visible(), p.Lengths, engine.HeatmapTile),
		Precision: p.Precision, In: engine.Layout{Row: a.HeadDim, Head: n * a.HeadDim}, LSEHead: n,
	}
	kinds := 1 + random.IntN(5)
	ids := make([]uint32, n)
	for i := range ids {
		ids[i] = uint32(random.IntN(kinds))
	}
	c := newLayerCase("%s, tokens of %d ids", p, kinds)
	c.buffers["tokens"] = engine.TokenWords(ids, p.Lengths)
	r.Tokens = engine.Ref{Buffer: "tokens", Size: int64(len(c.buffers["tokens"]))}
	var lse []float32
	r.Query, r.Key, r.BlockMap, r.LSE, lse = c.captured(p, r.Map)
	e, out := c.result("statistics", a.Heads*n, reference.RowStatisticColumns, engine.F32)
	r.Statistics = out
	var err error
	if c.pass, err = r.Pass(traits); err != nil {
		return nil, err
	}
	weights, bounds := p.recomputed(lse)
	// What each pair may add to the error of the entropy: that of its weight, and
	// of its exponent.
	entropies := make([]float64, len(weights))
	ones := make([]float64, len(weights))
	for i, w := range weights {
		l := float64(lse[i/n])
		exponent := (p.scores[i] - l) * math.Log2E
		rounding := (scoreBound(a.HeadDim, p.magnitude[i]) + 4*u*(math.Abs(p.scores[i])+math.Abs(l))) * math.Log2E
		entropies[i], ones[i] = math.Abs(exponent)*bounds[i]+(w+bounds[i])*rounding+4*u*w*math.Abs(exponent), 1
		if w == 0 { // of an exponent below all of f32
			entropies[i] = tiny
		}
	}
	over := func(x []float64) []float64 { return reference.RowStatistics(x, ids, a.Visible(), p.Lengths, a.Heads) }
	values, errors, counts, doubts := over(weights), over(bounds), over(ones), over(entropies)
	for i, value := range values {
		column := i % reference.RowStatisticColumns
		row := i - column
		bound := errors[i] // of the greatest, and of sums but the entropy
		if column == 1 {
			bound = doubts[row]
		}
		if column != 3 {
			bound += (counts[row] + 4) * 2 * u * math.Abs(value)
		}
		e.set(i, value, bound+tiny)
	}
	return c, nil
}

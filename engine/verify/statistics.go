package verify

import (
	"math"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/reference"
)

func statisticsCase(traits engine.Traits, p *problem) (*layerCase, error) {
	a, n := p.Attention, p.Lengths.Tokens()
	r := engine.RowStatistics{
		Heads: a.Heads, HeadDim: a.HeadDim, Scale: a.ScoreScale(), Map: gaze.NewBlockMap(a.Visible(), p.Lengths, engine.HeatmapTile),
		Precision: p.Precision, In: engine.Layout{Row: a.HeadDim, Head: n * a.HeadDim}, LSEHead: n,
	}
	c := newLayerCase("%s", p)
	var lse []float32
	r.Query, r.Key, r.BlockMap, r.LSE, lse = c.captured(p, r.Map)
	e, out := c.result("statistics", a.Heads*n, 4, engine.F32)
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
	over := func(x []float64) []float64 { return reference.RowStatistics(x, a.Visible(), p.Lengths, a.Heads) }
	values, errors, counts, doubts := over(weights), over(bounds), over(ones), over(entropies)
	for i, value := range values {
		column, row := i%4, i/4*4
		bound := errors[i] // of the sum, the distance and the greatest
		if column == 1 {
			bound = doubts[row]
		}
		if column < 3 {
			bound += (counts[row] + 4) * 2 * u * math.Abs(value)
		}
		e.set(i, value, bound+tiny)
	}
	return c, nil
}

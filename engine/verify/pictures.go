package verify

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/reference"
)

// pictures checks the kernels for looking at attention on one problem's weights.
func (v *verifier) pictures(ctx context.Context, p *problem) error {
	traits := v.Traits()
	// Several heat maps, for rectangles and cells have many edges, and no kernel must be
	// compiled for more of them.
	for i, kernel := range []string{"heatmap", "statistics", "heatmap", "heatmap"} {
		for _, traits.Pictures = range traits.PictureTiers() {
			if !v.wants(fmt.Sprintf("%s_%s_%s", kernel, traits.Pictures, p.Precision)) {
				continue
			}
			// What suits a CPU and what suits a GPU, which never has texels.
			traits.CPU = p.index/cycle%2 == 0 || traits.Pictures == engine.Texels
			p.ready()
			// A generator of its own, so that it may also be checked alone, and both
			// tiers get the same cases.
			random := rand.New(rand.NewPCG(v.options.Seed, uint64(p.index)|uint64(2+i)<<32))
			one := map[string]func(*rand.Rand, engine.Traits, *problem) (*layerCase, error){"heatmap": heatmapCase, "statistics": statisticsCase}[kernel]
			c, err := one(random, traits, p)
			if err != nil {
				return err
			}
			if err := v.layer(ctx, p.index, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// captured adds what a capture holds, and returns the log-sum-exps as stored.
func (c *layerCase) captured(p *problem, m *gaze.BlockMap) (query, key, blockMap, lse engine.Ref, stored []float32) {
	stored = make([]float32, len(p.lse))
	for i, x := range p.lse {
		stored[i] = float32(x)
	}
	c.buffers["block map"] = engine.Words(m)
	return c.stored("q", p.turnedQuery, p.Precision), c.stored("k", p.turnedKey, p.Precision),
		engine.Ref{Buffer: "block map", Size: engine.MapBytes(m)}, c.stored("lse", stored, engine.F32), stored
}

// recomputed returns the weights that follow from the stored log-sum-exps and how
// far each may be, [heads, n, n].
func (p *problem) recomputed(lse []float32) (weights, bounds []float64) {
	if p.again != nil {
		return p.again, p.againBounds
	}
	weights, bounds = make([]float64, len(p.scores)), make([]float64, len(p.scores))
	n := p.Lengths.Tokens()
	for i, score := range p.scores {
		l := float64(lse[i/n])
		weights[i] = math.Exp(score - l)
		bounds[i] = weights[i]*(math.Expm1(scoreBound(p.Attention.HeadDim, p.magnitude[i]))+u*4*math.Abs(score)+exponentBound(score-l)) + tiny
	}
	p.again, p.againBounds = weights, bounds
	return weights, bounds
}

func heatmapCase(random *rand.Rand, traits engine.Traits, p *problem) (*layerCase, error) {
	a, n := p.Attention, p.Lengths.Tokens()
	cell := gaze.Cell{Queries: 1 << random.IntN(7), Keys: 1 << random.IntN(7)}
	// All of it, or a part that begins and ends anywhere.
	part := func() gaze.Span {
		if random.IntN(3) == 0 {
			return gaze.Span{End: n}
		}
		first := random.IntN(n)
		return gaze.Span{First: first, End: first + 1 + random.IntN(n-first)}
	}
	h := engine.Heatmap{
		FirstHead: random.IntN(a.Heads), HeadDim: a.HeadDim, Scale: a.ScoreScale(), Map: gaze.NewBlockMap(a.Visible(), p.Lengths, engine.HeatmapTile),
		Precision: p.Precision, In: engine.Layout{Row: a.HeadDim, Head: n * a.HeadDim}, LSEHead: n,
		Rectangle: gaze.Rectangle{Queries: part(), Keys: part()}, Cell: cell, Sum: random.IntN(2) == 1,
	}
	h.Heads = 1 + random.IntN(a.Heads-h.FirstHead)
	rows, columns := h.Rectangle.Cells(cell)
	c := newLayerCase("%s, heads from %d on, %v in cells of %v, sum %v", p, h.FirstHead, h.Rectangle, cell, h.Sum)
	var lse []float32
	h.Query, h.Key, h.BlockMap, h.LSE, lse = c.captured(p, h.Map)
	e, out := c.result("cells", h.Heads*rows, columns, engine.F32)
	h.Cells = out
	var err error
	if c.pass, err = h.Pass(traits); err != nil {
		return nil, err
	}

	weights, bounds := p.recomputed(lse)
	ones := make([]float64, len(weights))
	for i := range ones {
		ones[i] = 1
	}
	pooled := func(x []float64, sum bool) []float64 {
		all := reference.Heatmap(x, a.Visible(), p.Lengths, a.Heads, h.Rectangle, cell, sum)
		return all[h.FirstHead*rows*columns:][:h.Heads*rows*columns]
	}
	values, bound, counts := pooled(weights, h.Sum), pooled(bounds, h.Sum), pooled(ones, true)
	for i, value := range values {
		if math.IsNaN(value) {
			continue // what is hidden is left alone
		}
		putFloat(c.buffers["cells"], i, engine.HiddenCell)
		if h.Sum {
			bound[i] += (counts[i] + 4) * u * value
		}
		e.set(i, value, bound[i])
	}
	return c, nil
}

// stored adds an input that is exact in precision.
func (c *layerCase) stored(name string, x []float32, precision engine.Precision) engine.Ref {
	c.buffers[name] = engine.Stored(x, precision)
	return engine.Ref{Buffer: name, Size: int64(len(c.buffers[name]))}
}

// picturePasses returns a pass of every specialization of the pictures' kernels.
func picturePasses(traits engine.Traits) ([]engine.Pass, error) {
	var passes []engine.Pass
	all := gaze.Span{End: 64}
	m := gaze.NewBlockMap(gaze.Full{}, gaze.Lengths{all.End}, engine.HeatmapTile)
	for _, headDim := range gaze.HeadDims {
		for _, precision := range []engine.Precision{engine.F32, engine.F16} {
			for _, traits.Pictures = range traits.PictureTiers() {
				pass, err := engine.Heatmap{
					Heads: 1, HeadDim: headDim, Map: m, Precision: precision, Rectangle: gaze.Rectangle{Queries: all, Keys: all}, Cell: gaze.Square(1),
				}.Pass(traits)
				if err != nil {
					return nil, fmt.Errorf("verify: %w", err)
				}
				statistics, err := engine.RowStatistics{Heads: 1, HeadDim: headDim, Map: m, Precision: precision}.Pass(traits)
				if err != nil {
					return nil, fmt.Errorf("verify: %w", err)
				}
				passes = append(passes, pass, statistics)
			}
		}
	}
	return passes, nil
}

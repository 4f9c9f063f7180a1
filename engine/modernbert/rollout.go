package modernbert

import (
	"context"
	"fmt"

	"github.com/gazevk/gaze"
)

// Rollout returns attention rollout (Abnar & Zuidema, "Quantifying Attention Flow in
// Transformers", 2020, https://arxiv.org/abs/2005.00928) of one packed query, [toLayer
// + 1][n]: element [l][j] is the share of what toLayer gives for the query that comes
// from token j as it enters layer l, when each layer passes half of a token on and
// mixes the other half by the mean of its heads' weights W:
//
//	A(l) = 1/2 I + 1/2 mean of W(l) over heads
//	r(l) = r(l + 1) A(l), from the query alone on
//
// Each row adds up to 1. All layers up to toLayer must be captured. It never holds
// n x n numbers. progress, which may be nil, receives the share that is done.
func (c *Capture) Rollout(ctx context.Context, query, toLayer int, progress func(done float64)) ([][]float64, error) {
	n := c.program.Lengths.Tokens()
	if query < 0 || query >= n {
		return nil, fmt.Errorf("query %d: expected one of 0 to %d", query, n-1)
	}
	if toLayer < 0 || toLayer >= c.program.Config.Layers {
		return nil, fmt.Errorf("layer %d: the model has layers 0 to %d", toLayer, c.program.Config.Layers-1)
	}
	for layer := range toLayer + 1 {
		release, err := c.hold(layer)
		if err != nil {
			return nil, fmt.Errorf("rollout from layer %d: %w", toLayer, err)
		}
		defer release()
	}
	all := gaze.Span{End: c.program.Config.Heads}
	shares := make([][]float64, toLayer+1)
	last := make([]float64, n)
	last[query] = 1
	reached := gaze.Span{First: query, End: query + 1} // what is not 0 of it
	for layer := toLayer; layer >= 0; layer-- {
		received, err := c.Received(ctx, layer, all, reached, last[reached.First:reached.End])
		if err != nil {
			return nil, err
		}
		next := make([]float64, n)
		for key := range next {
			for _, head := range received {
				next[key] += head[key]
			}
			next[key] = last[key]/2 + next[key]/float64(2*len(received))
		}
		for reached = (gaze.Span{First: 0, End: n}); next[reached.First] == 0; {
			reached.First++
		}
		for next[reached.End-1] == 0 {
			reached.End--
		}
		shares[layer], last = next, next
		if progress != nil {
			progress(float64(toLayer+1-layer) / float64(toLayer+1))
		}
	}
	return shares, nil
}

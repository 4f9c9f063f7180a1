package verify

import (
	"context"
	"fmt"
	"math"

	"github.com/gazevk/gaze/engine"
)

// whole runs the plan from end to end, rotation, chunks and splitting included,
// and checks output, log-sum-exp and weights.
func (v *verifier) whole(ctx context.Context, p *problem, plan *engine.Plan) error {
	name := fmt.Sprintf("run_%s_%s_%s", plan.Path, plan.Traits.Tier, plan.Precision)
	if !v.wants(name) {
		return nil
	}
	p.ready()
	n, a := p.Lengths.Tokens(), p.Attention
	weights := make([]float32, a.Heads*n*n)
	rows := 0
	result, err := v.Run(ctx, plan, engine.Input{Query: p.query, Key: p.key, Value: p.value}, engine.Watch{
		Weights: func(head, query int, row []float32) error {
			copy(weights[(head*n+query)*n:], row)
			rows++
			return nil
		}})
	if err != nil {
		return err
	}
	share := turnBound(a.RoPE.Enabled(), p.Precision)
	t := part{p: p, plan: plan, n: n, headDim: a.HeadDim, queryTile: plan.Map.QueryTile, heads: a.Heads, tiles: plan.Map.QueryTiles(), matrix: plan.OnMatrixUnits(), splits: planSplits(plan)}
	bounds := t.outputBounds(share)
	var f finding
	if rows != a.Heads*n {
		f = finding{ratio: math.Inf(1), fault: fmt.Sprintf("%d rows of weights were delivered, there are %d", rows, a.Heads*n)}
	}
	t.eachRow(func(h, row int) {
		count, score := t.seen(h, row)
		score *= t.turned(share)
		for d := range a.HeadDim {
			i := (h*n+row)*a.HeadDim + d
			f.add("output", []int{a.Heads, n, a.HeadDim}, i, float64(result.Output[i]), p.output[i], bounds[i])
		}
		lse := p.lse[h*n+row]
		rounding := lseBound(lse, count)
		if t.splits > 1 {
			rounding = t.mergedLSEBound(h, row)
		}
		f.add("lse", []int{a.Heads, n}, h*n+row, float64(result.LSE[h*n+row]), lse, score+rounding)
		for key := range n {
			i := (h*n+row)*n + key
			bound := 0.0
			if w := p.weights[i]; w > 0 || plan.Map.Sees(row, key) {
				// The fused path takes the weights from the log-sum-exp, whose error they share.
				bound = w*(weightBound(p.scores[i]-lse, 2*score, count)+rounding) + tiny
			}
			f.add("weights", []int{a.Heads, n, n}, i, float64(weights[i]), p.weights[i], bound)
		}
	})
	return v.note(p.index, p.String(), name, nil, f)
}

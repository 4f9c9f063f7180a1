package verify

import (
	"math"
	"math/rand/v2"
	"strings"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/reference"
)

// splitCounts are the numbers of shares that problems split their keys into: of 8, most
// see nothing of a short text.
var splitCounts = []int{2, 3, 8}

// splits returns among how many workgroups a problem splits its keys: none of half of
// all of each head dimension and precision. A head dimension meets one other number
// in two cycles, for each is a pipeline to compile.
func (p *problem) splits() int {
	if (p.index/8+p.index)%2 == 0 {
		return 1
	}
	return splitCounts[(p.index%len(gaze.HeadDims)+p.index/(2*cycle))%len(splitCounts)]
}

// splitsOf returns the shares that a pass computes or joins.
func splitsOf(pass engine.Pass) int { return max(int(pass.Constants["SPLITS"]), 1) }

// planSplits returns those of a plan.
func planSplits(plan *engine.Plan) int {
	most := 1
	for _, step := range plan.Steps {
		for _, pass := range step.Passes {
			most = max(most, splitsOf(pass))
		}
	}
	return most
}

// ofShare returns t with one share of the keys alone.
func (t *part) ofShare(s int) *part {
	own := *t
	own.from, own.of = s, t.splits
	return &own
}

// attend returns what a query makes of t's keys: zeros and minus infinity of none.
func (t *part) attend(head, row int) (output []float64, lse float64) {
	p := t.p
	output = make([]float64, t.headDim)
	maximum, sum := math.Inf(-1), 0.0
	score := func(key int) float64 { return p.scores[(head*t.n+row)*t.n+key] }
	t.eachKey(row, func(key int, visible bool) {
		if visible {
			maximum = max(maximum, score(key))
		}
	})
	if math.IsInf(maximum, -1) {
		return output, maximum
	}
	t.eachKey(row, func(key int, visible bool) {
		if visible {
			sum += math.Exp(score(key) - maximum)
		}
	})
	lse = maximum + math.Log(sum)
	t.eachKey(row, func(key int, visible bool) {
		if visible {
			weight := math.Exp(score(key) - lse)
			for d, v := range p.value[(head*t.n+key)*t.headDim:][:t.headDim] {
				output[d] += weight * float64(v)
			}
		}
	})
	return output, lse
}

// mergedLSEBound is how far the log-sum-exp of a query may be that was merged of
// shares, beside what the error of its scores adds: each share's own bound, as much
// as the share weighs, and that of a log-sum-exp over so many.
func (t *part) mergedLSEBound(head, row int) float64 {
	lse := t.p.lse[head*t.n+row]
	sum := 0.0
	for s := range t.splits {
		own := t.ofShare(s)
		if _, value := own.attend(head, row); !math.IsInf(value, -1) {
			count, _ := own.seen(head, row)
			sum += math.Exp(value - lse + lseBound(value, count))
		}
	}
	return math.Log(sum) + lseBound(lse, t.splits)
}

// mergedBounds adds to bound, which is zero, how far each element of a query's output
// may be that was merged of shares: their own bounds, and those of their weights,
// which share the errors of the log-sum-exps that they follow from.
func (t *part) mergedBounds(head, row int, share float64, bound []float64) {
	lse := t.p.lse[head*t.n+row]
	type one struct{ lse, weight, error float64 }
	shares := make([]one, t.splits)
	outputs, sum := make([][]float64, t.splits), 0.0
	for s := range shares {
		own := t.ofShare(s)
		output, value := own.attend(head, row)
		if math.IsInf(value, -1) {
			continue
		}
		count, score := own.seen(head, row)
		shares[s] = one{value, math.Exp(value - lse), score*t.turned(share) + lseBound(value, count)}
		outputs[s] = output
		sum += math.Exp(value - lse + shares[s].error)
	}
	magnitude := make([]float64, t.headDim)
	for s, of := range shares {
		if outputs[s] == nil {
			continue
		}
		own := make([]float64, t.headDim)
		t.ofShare(s).rowBounds(head, row, of.lse, share, own)
		relative := math.Expm1(of.error+math.Log(sum)) + softmaxBound(of.lse-lse, t.splits)
		for d, x := range outputs[s] {
			magnitude[d] += of.weight * math.Abs(x)
			bound[d] += of.weight*(own[d]*(1+relative)+math.Abs(x)*relative) + flushBound(x)
		}
	}
	for d := range bound {
		bound[d] += contextBound(t.splits, magnitude[d])
	}
}

// merge fills in what the shares of the problem's keys give, as the device holds them.
func (t *part) merge(c *check) {
	half := strings.HasSuffix(t.pass.Kernel, "_f16")
	outputs, lses := make([]float64, t.heads*t.splits*t.n*t.headDim), make([]float64, t.heads*t.splits*t.n)
	for h := range t.heads {
		for s := range t.splits {
			for row := range t.n {
				output, lse := t.ofShare(s).attend(t.firstHead+h, row)
				at := (h*t.splits+s)*t.n + row
				lses[at] = float64(float32(lse))
				putFloat(c.buffers["lse of shares"], at, lse)
				for d, x := range output {
					outputs[at*t.headDim+d] = float64(float32(x))
					putFloat(c.buffers["shares"], at*t.headDim+d, x)
				}
			}
		}
	}
	e, lse := c.output("output", half, t.headRows, t.headDim), c.output("lse", false, t.headRows)
	m := engine.Merge{Heads: t.heads, HeadDim: t.headDim, Rows: t.n, Splits: t.splits, LSEHead: t.headRows,
		Out: engine.Layout{Row: t.headDim, Head: t.headRows * t.headDim}}
	expectMerge(m, outputs, lses, t.firstHead, e, lse)
}

// expectMerge expects what m makes of shares, from head first of e and lse on.
func expectMerge(m engine.Merge, outputs, lses []float64, first int, e, lse *expectation) {
	want, wantLSE := reference.Merge(outputs, lses, m.Heads, m.Splits, m.Rows, m.HeadDim)
	magnitude, _ := reference.Merge(absolute(outputs), lses, m.Heads, m.Splits, m.Rows, m.HeadDim)
	for h := range m.Heads {
		for row := range m.Rows {
			value := wantLSE[h*m.Rows+row]
			lse.set((first+h)*m.LSEHead+row, value, lseBound(value, m.Splits))
			for d := range m.HeadDim {
				bound := 0.0
				for s := range m.Splits {
					at := (h*m.Splits+s)*m.Rows + row
					if x := lses[at] - value; !math.IsInf(lses[at], -1) {
						bound += math.Exp(x)*math.Abs(outputs[at*m.HeadDim+d])*softmaxBound(x, m.Splits) + flushBound(outputs[at*m.HeadDim+d])
					}
				}
				i := (h*m.Rows+row)*m.HeadDim + d
				bound += contextBound(m.Splits, magnitude[i]) + storeBound(e.half, want[i])
				e.set((first+h)*m.Out.Head+row*m.Out.Row+d, want[i], bound)
			}
		}
	}
}

// mergeCase joins generated shares, whose log-sum-exps may lie far apart, and whose
// queries may see nothing of some or of all, into a tensor as encoders lay it out.
func mergeCase(random *rand.Rand, index int) *layerCase {
	m := engine.Merge{Heads: 1 + random.IntN(3), HeadDim: 4 * (1 + random.IntN(32)), Rows: 1 + random.IntN(40),
		Splits: []int{2, 3, 8, 16}[random.IntN(4)], OutPrecision: engine.F32}
	if index%2 == 1 {
		m.OutPrecision = engine.F16
	}
	m.Out, m.LSEHead = engine.Layout{Row: m.Heads*m.HeadDim + 8, Head: m.HeadDim}, m.Rows+3
	scale := []float64{1, 30, 1e4}[random.IntN(3)]
	blind := []float64{0, 0.3, 0.9}[random.IntN(3)] // how many see nothing
	c := newLayerCase("%+v, lse of %v", m, scale)
	shares := m.Heads * m.Splits * m.Rows
	outputs, ref := c.tensor(random, "shares", shares*m.HeadDim, 1, engine.F32)
	m.Shares = ref
	lses, ref := c.tensor(random, "lse of shares", shares, scale, engine.F32)
	m.ShareLSE = ref
	for at := range lses {
		if random.Float64() < blind {
			lses[at] = math.Inf(-1)
			putFloat(c.buffers["lse of shares"], at, lses[at])
			for d := at * m.HeadDim; d < (at+1)*m.HeadDim; d++ {
				outputs[d] = 0
				putFloat(c.buffers["shares"], d, 0)
			}
		}
	}
	e, out := c.result("output", m.Rows, m.Out.Row, m.OutPrecision)
	lse, ref := c.result("lse", m.Heads, m.LSEHead, engine.F32)
	m.Output, m.LSE = out, ref
	c.pass = m.Pass()
	c.solve = func() { expectMerge(m, outputs, lses, 0, e, lse) }
	return c
}

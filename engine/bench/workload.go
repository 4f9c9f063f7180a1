package bench

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/checkpoint"
)

// A Workload is one kernel's work on a device, with its tensors. It can be run in
// any shape that the device has.
type Workload struct {
	Name         string
	MultiplyAdds int64 // that it needs, and Bytes: of visible pairs, each element moved once
	Bytes        int64
	Passes       func(engine.Traits) []engine.Pass // the first is the kernel that it is about

	engine    *engine.Engine
	buffers   *engine.Buffers
	out       engine.Ref
	precision engine.Precision // of out
}

// Run runs w once as traits have it.
func (w *Workload) Run(ctx context.Context, traits engine.Traits) (*engine.Timing, error) {
	return w.engine.Execute(ctx, w.Passes(traits), nil, w.buffers)
}

// Output returns what the last run computed.
func (w *Workload) Output(ctx context.Context) ([]float32, error) {
	data := make([]byte, w.out.Size)
	if err := w.buffers.Download(ctx, data, w.out.Buffer, 0); err != nil {
		return nil, err
	}
	x := make([]float32, w.out.Size/elementBytes(w.precision))
	for i := range x {
		if w.precision == engine.F16 {
			x[i] = checkpoint.Float16ToFloat32(binary.LittleEndian.Uint16(data[2*i:]))
		} else {
			x[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
	}
	return x, nil
}

// Close frees the tensors.
func (w *Workload) Close() error { return w.buffers.Close() }

// A Product is one matrix product: [Rows, Depth] by [Columns, Depth].
type Product struct {
	Name                 string
	Rows, Columns, Depth int
	Gated                bool // Columns are of the result, weights have twice as many
}

func (p Product) weights() int {
	if p.Gated {
		return 2 * p.Columns
	}
	return p.Columns
}

// MultiplyAdds returns those that p needs.
func (p Product) MultiplyAdds() int64 { return int64(p.Rows) * int64(p.weights()) * int64(p.Depth) }

// NewProduct puts random factors of p on the device of e. The caller closes it.
func NewProduct(ctx context.Context, e *engine.Engine, p Product, precision engine.Precision) (*Workload, error) {
	t := newTensors()
	m := engine.MatMul{Rows: p.Rows, Columns: p.Columns, Depth: p.Depth, Gated: p.Gated, Precision: precision, OutPrecision: precision}
	if p.Gated {
		m.Activation = engine.GELU
	}
	m.A = t.uniform("a", p.Rows*p.Depth, precision)
	m.W = t.uniform("w", p.weights()*p.Depth, precision)
	m.Out = t.empty("out", int64(p.Rows)*int64(p.Columns)*elementBytes(precision))
	passes := func(traits engine.Traits) []engine.Pass { return []engine.Pass{m.Pass(traits)} }
	return newWorkload(ctx, e, t, &Workload{Name: p.Name, MultiplyAdds: p.MultiplyAdds(), Passes: passes, out: m.Out, precision: precision})
}

// NewAttention puts random queries, keys and values of one layer over n tokens on
// the device of e. The caller closes it.
func NewAttention(ctx context.Context, e *engine.Engine, name string, pattern gaze.Pattern, n, heads int, precision engine.Precision) (*Workload, error) {
	t := newTensors()
	elements := heads * n * headDim
	layout := engine.Layout{Row: headDim, Head: n * headDim}
	f := engine.FusedAttention{Heads: heads, HeadDim: headDim, Scale: 0.125, Precision: precision, OutPrecision: precision,
		In: layout, Out: layout, LSEHead: n, Query: t.uniform("q", elements, precision), Key: t.uniform("k", elements, precision),
		Value: t.uniform("v", elements, precision), Output: t.empty("output", int64(elements)*elementBytes(precision)), LSE: t.empty("lse", 4*int64(heads*n))}
	// Kernels of different tiers walk maps of different tiles.
	maps, words := map[int]*gaze.BlockMap{}, map[int]engine.Ref{}
	for _, tier := range e.Traits().Tiers() {
		if tile := tier.QueryTile(); maps[tile] == nil {
			maps[tile] = gaze.NewBlockMap(pattern, gaze.Lengths{n}, tile)
			words[tile] = t.given(fmt.Sprintf("block map of %d", tile), engine.Words(maps[tile]))
		}
	}
	on := func(traits engine.Traits) engine.FusedAttention {
		tile := traits.QueryTile(precision, headDim, f.Scale)
		own := f
		own.Map, own.BlockMap = maps[tile], words[tile]
		return own
	}
	bytes := t.bytes()
	mostShares, mostLSE := on(e.Traits()).ScratchBytes(e.Traits())
	for _, traits := range shaped(e.Traits()) {
		shares, lse := on(traits).ScratchBytes(traits)
		mostShares, mostLSE = max(mostShares, shares), max(mostLSE, lse)
	}
	if mostShares > 0 {
		f.Shares, f.ShareLSE = t.empty("shares", mostShares), t.empty("lse of shares", mostLSE)
	}
	passes := func(traits engine.Traits) []engine.Pass { return on(traits).Passes(traits) }
	multiplyAdds := pairCost(maps[e.Traits().Tier.QueryTile()], heads)
	return newWorkload(ctx, e, t, &Workload{Name: name, MultiplyAdds: multiplyAdds, Bytes: bytes, Passes: passes, out: f.Output, precision: precision})
}

// shaped returns t with each of the shapes of attention that a workload can be run in.
func shaped(t engine.Traits) []engine.Traits {
	var all []engine.Traits
	for _, tier := range t.Tiers() {
		of := t.Untuned().OfTier(tier)
		for _, s := range of.AttentionShapes(headDim) {
			of.Tuning.Attention = []engine.AttentionChoice{{Shape: s}}
			all = append(all, of)
		}
	}
	return all
}

func newWorkload(ctx context.Context, e *engine.Engine, t *tensors, w *Workload) (*Workload, error) {
	if w.Bytes == 0 {
		w.Bytes = t.bytes()
	}
	err := t.fits(e)
	if err == nil {
		w.engine = e
		w.buffers, err = upload(ctx, e, t)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", w.Name, err)
	}
	return w, nil
}

package modernbert

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
)

// attention adds one layer's attention to the residual stream (ModernBertAttention).
func (b *builder) attention(layer int) {
	c, a := b.Config, b.Attention[layer]
	prefix := fmt.Sprintf("layers.%d.attn", layer)
	if layer == 0 { // transformers has no norm here: the embeddings' own has just been
		b.norm("embeddings.norm", bufEmbedded, bufNormed, b.n, b.Precision)
	} else {
		b.norm(prefix+"_norm", bufResidual, bufNormed, b.n, b.Precision)
	}
	query, key, lse := bufQuery, bufKey, bufLSE // what attention reads and leaves
	if slices.Contains(b.Want.Capture, layer) {
		query, key, lse = b.capture(layer)
	}
	for i, to := range []string{query, key, bufValue} {
		m := engine.MatMul{Rows: b.n, Columns: b.d, Depth: b.d, A: b.own(bufNormed, b.n*b.d), Out: b.own(to, b.n*b.d), Rotary: b.rotary(layer),
			W: engine.Ref{Buffer: prefix + ".Wqkv.weight", Offset: int64(i*b.d*b.d) * b.size, Size: int64(b.d*b.d) * b.size}}
		if to == bufValue { // the same kernel, which leaves them as they are: one less to compile
			m.Rotary.Columns = 0
		}
		b.matmul(fmt.Sprintf("%s.Wqkv[%d]", prefix, i), c.AttentionBias, m)
	}
	layout := b.layout()
	blockMap := b.blockMap(layer)
	b.fused(engine.FusedAttention{Heads: a.Heads, HeadDim: a.HeadDim, Scale: a.ScoreScale(), Map: b.Maps[layer],
		Precision: b.Precision, OutPrecision: b.Precision, In: layout, Out: layout, LSEHead: b.n,
		Query: b.own(query, b.n*b.d), Key: b.own(key, b.n*b.d), Value: b.own(bufValue, b.n*b.d), BlockMap: blockMap,
		Output: b.own(bufContext, b.n*b.d), LSE: b.f32(lse, a.Heads*b.n)})
	if slices.Contains(b.Want.Capture, layer) {
		b.Complete = append(b.Complete, CompleteLayer{layer, len(b.Passes)})
	}
	b.matmul(prefix+".Wo", c.AttentionBias, engine.MatMul{Rows: b.n, Columns: b.d, Depth: b.d, A: b.own(bufContext, b.n*b.d),
		Out: b.f32(bufResidual, b.n*b.d), Residual: true, OutPrecision: engine.F32})
}

// fused adds attention, and makes the scratch of split keys, which layers share, as
// large as it needs.
func (b *builder) fused(f engine.FusedAttention) {
	if shares, lse := f.ScratchBytes(b.traits); shares > 0 {
		f.Shares, f.ShareLSE = b.scratch(bufShares, shares), b.scratch(bufShareLSE, lse)
	}
	b.add(f.Passes(b.traits)...)
}

func (b *builder) scratch(name string, bytes int64) engine.Ref {
	i := slices.IndexFunc(b.Buffers, func(s engine.BufferSpec) bool { return s.Name == name })
	if i < 0 {
		b.buffer(name, bytes)
	} else {
		b.Buffers[i].Bytes = max(b.Buffers[i].Bytes, bytes)
	}
	return engine.Ref{Buffer: name, Size: bytes}
}

// layout is where queries, keys, values and what attention makes of them lie:
// [n, heads, headDim].
func (b *builder) layout() engine.Layout {
	return engine.Layout{Row: b.d, Head: b.Config.HeadDim()}
}

// rotary returns how a layer's queries and keys turn. Layers that turn alike share
// a table, under the number of the first.
func (b *builder) rotary(layer int) engine.Rotary {
	a, longest := b.Attention[layer], b.Lengths.Longest()
	if !a.RoPE.Enabled() {
		return engine.Rotary{}
	}
	first := slices.IndexFunc(b.Attention, func(other gaze.Attention) bool { return other.RoPE == a.RoPE })
	turns := fmt.Sprintf("turns %d", first)
	if b.Inputs[turns] == nil {
		b.input(turns, engine.Bytes(rotaryTurns(a.RoPE, a.HeadDim, longest)))
	}
	return engine.Rotary{HeadDim: a.HeadDim, Columns: b.d, Turns: b.f32(turns, longest*a.HeadDim), Positions: ref(bufPositions, b.n, 4)}
}

// blockMap returns the block map of a layer. Layers of equal patterns and tiles
// share it, under the number of the first.
func (b *builder) blockMap(layer int) engine.Ref {
	tile := func(a gaze.Attention) int { return b.traits.QueryTile(b.Precision, a.HeadDim, a.ScoreScale()) }
	own := b.Attention[layer]
	pattern := own.Visible()
	first := slices.IndexFunc(b.Attention, func(other gaze.Attention) bool {
		return tile(other) == tile(own) && reflect.DeepEqual(other.Visible(), pattern)
	})
	name := fmt.Sprintf("block map %d", first)
	if first == layer {
		b.Maps[layer] = gaze.NewBlockMap(pattern, b.Lengths, tile(own))
		b.input(name, engine.Words(b.Maps[layer]))
	}
	b.Maps[layer] = b.Maps[first]
	return engine.Ref{Buffer: name, Size: engine.MapBytes(b.Maps[layer])}
}

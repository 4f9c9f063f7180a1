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
	rows := b.own(bufNormed, b.n*b.d)
	query, key, lse := bufQueryTurn, bufKeyTurn, bufLSE // what attention reads and leaves
	if slices.Contains(b.Want.Capture, layer) {
		query, key, lse = b.capture(layer)
	}
	plainQuery, plainKey := query, key
	if a.RoPE.Enabled() {
		plainQuery, plainKey = bufQuery, bufKey
	}
	for i, to := range []string{plainQuery, plainKey, bufValue} {
		w := engine.Ref{Buffer: prefix + ".Wqkv.weight", Offset: int64(i*b.d*b.d) * b.size, Size: int64(b.d*b.d) * b.size}
		b.matmul(fmt.Sprintf("%s.Wqkv[%d]", prefix, i), c.AttentionBias,
			engine.MatMul{Rows: b.n, Columns: b.d, Depth: b.d, A: rows, W: w, Out: b.own(to, b.n*b.d)})
	}
	layout := b.layout()
	if a.RoPE.Enabled() {
		cosines, sines, count := b.tables(layer)
		for _, turn := range [][2]string{{plainQuery, query}, {plainKey, key}} {
			b.add(engine.Rotation{Heads: a.Heads, HeadDim: a.HeadDim, Rows: b.n, Precision: b.Precision, From: layout, To: layout,
				X: b.own(turn[0], b.n*b.d), Y: b.own(turn[1], b.n*b.d),
				Cosines: b.f32(cosines, count), Sines: b.f32(sines, count), Positions: ref(bufPositions, b.n, 4)}.Pass())
		}
	}
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

// tables returns the names of a layer's rotary tables and their elements. Layers
// that turn alike share them, under the number of the first.
func (b *builder) tables(layer int) (cosines, sines string, count int) {
	a, longest := b.Attention[layer], b.Lengths.Longest()
	first := slices.IndexFunc(b.Attention, func(other gaze.Attention) bool { return other.RoPE == a.RoPE })
	cosines, sines = fmt.Sprintf("cosines %d", first), fmt.Sprintf("sines %d", first)
	if b.Inputs[cosines] == nil {
		cos, sin := rotaryTable(a.RoPE, a.HeadDim, longest)
		b.input(cosines, engine.Bytes(cos))
		b.input(sines, engine.Bytes(sin))
	}
	return cosines, sines, longest * a.HeadDim / 2
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

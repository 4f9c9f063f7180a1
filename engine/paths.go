package engine

// fused plans what never stores the weights.
func (p *planner) fused() []Pass {
	g := p.group
	f := FusedAttention{
		Heads: g.count, HeadDim: p.Attention.HeadDim, Scale: p.Attention.ScoreScale(), Map: p.Map,
		Precision: p.Precision, OutPrecision: F32, In: p.layout(), Out: p.layout(), LSEHead: int(p.headStride),
		Query: g.of(p.turned(bufQuery, bufQueryTurned), p.tensorBytes()), Key: g.of(p.turned(bufKey, bufKeyTurned), p.tensorBytes()),
		Value: g.of(bufValue, p.tensorBytes()), BlockMap: p.whole(bufMap),
		Output: g.of(bufOutput, p.outputBytes()), LSE: g.of(bufLSE, p.headStride*4),
	}
	if shares, lse := f.ScratchBytes(p.Traits); shares > 0 {
		p.need(bufShares, shares)
		p.need(bufShareLSE, lse)
		f.Shares, f.ShareLSE = Ref{bufShares, 0, shares}, Ref{bufShareLSE, 0, lse}
	}
	return f.Passes(p.Traits)
}

// chunks plans everything that needs the weights in memory: the whole explicit
// path, or recomputing the weights after the fused one. As many rows as fit in
// one buffer are done at a time.
func (p *planner) chunks() error {
	parts, err := weightParts(p.Traits, p.Map, p.group.count)
	if err != nil {
		return err
	}
	whole := p.group
	for _, part := range parts {
		p.need(bufWork, part.bytes())
		p.group = headGroup{whole.first + part.firstHead, part.heads}
		p.chunk(part)
	}
	p.group = whole
	return nil
}

// contextPart returns the elements of a row that one workgroup of context.comp sums.
func contextPart(headDim int) int {
	if headDim%64 == 0 {
		return 64
	}
	return 32
}

// need makes the named buffer at least so large.
func (p *planner) need(name string, bytes int64) {
	for i := range p.Buffers {
		if p.Buffers[i].Name == name {
			p.Buffers[i].Bytes = max(p.Buffers[i].Bytes, bytes)
			return
		}
	}
	p.Buffers = append(p.Buffers, BufferSpec{Name: name, Bytes: bytes})
}

// chunk plans a part of the group's weights, the heads of which the group is.
func (p *planner) chunk(part weightPart) {
	g, groups := p.group, p.Attention.HeadDim/4
	first, end, stride, firstRow, rows := part.firstTile, part.endTile, part.stride, part.firstRow, part.rows
	work := Ref{bufWork, 0, part.bytes()}
	base, grid := [3]uint32{uint32(first)}, [3]uint32{uint32(end - first), uint32(g.count), 1}
	constants := map[string]uint32{"QUERY_TILE": uint32(p.tile), "HEAD_DIM": uint32(p.Attention.HeadDim)}
	pairs := int64(g.count) * p.tilePairs(first, end)
	products := pairs * int64(p.Attention.HeadDim)
	element := int64(g.count) * int64(p.Attention.HeadDim) * p.Precision.size()
	keys := min(int64(p.rows), pairs/int64(g.count*p.tile)) // at most so many of each head are visited
	query := g.of(p.turned(bufQuery, bufQueryTurned), p.tensorBytes())
	key := g.of(p.turned(bufKey, bufKeyTurned), p.tensorBytes())
	lse := g.of(bufLSE, p.headStride*4)
	chunk := map[string]any{"first_row": firstRow, "chunk_rows": rows, "key_stride": stride}
	with := func(more map[string]any) map[string]any {
		for name, value := range chunk {
			more[name] = value
		}
		return p.visit(more)
	}
	inner := map[string]any{"in_row": groups, "in_head": int(p.headStride) * groups, "scale": p.Attention.ScoreScale()}

	if p.Weights {
		p.add(Pass{Bind: []Ref{work}, Bytes: work.Size}) // tiles that nobody visits are zero
	}
	if p.Path == Fused {
		part.firstHead = 0 // what is bound begins with the group's first
		p.add(AttentionWeights{Heads: g.count, HeadDim: p.Attention.HeadDim, Scale: p.Attention.ScoreScale(), Map: p.Map,
			Precision: p.Precision, In: p.layout(), LSEHead: int(p.headStride),
			Query: query, Key: key, BlockMap: p.whole(bufMap), LSE: lse}.pass(part, work))
	} else {
		softmax := with(map[string]any{})
		context := with(map[string]any{"in_row": groups, "in_head": int(p.headStride) * groups, "out_row": groups, "out_head": int(p.headStride) * groups})
		delete(context, "lse_head")
		p.add(
			Pass{Kernel: "scores" + p.suffix, Constants: constants, Push: with(inner),
				Bind: []Ref{query, key, p.whole(bufMap), work}, Base: base, Tiles: p.Map.First, Groups: grid, MultiplyAdds: products, Bytes: element*(int64(rows)+keys) + 4*pairs},
			Pass{Kernel: "softmax", Constants: map[string]uint32{"QUERY_TILE": uint32(p.tile)}, Push: softmax,
				Bind: []Ref{work, p.whole(bufMap), lse}, Base: base, Tiles: p.Map.First, Groups: [3]uint32{grid[0], grid[1], uint32(p.tile)},
				MultiplyAdds: 4 * pairs, Bytes: 12 * pairs},
			Pass{Kernel: "context" + p.suffix, Constants: constants, Push: context,
				Bind: []Ref{work, g.of(bufValue, p.tensorBytes()), p.whole(bufMap), g.of(bufOutput, p.outputBytes())},
				Base: base, Tiles: p.Map.First, Groups: [3]uint32{grid[0], grid[1], uint32(p.Attention.HeadDim / contextPart(p.Attention.HeadDim))},
				MultiplyAdds: products, Bytes: element*keys + 4*int64(g.count)*int64(rows)*int64(p.Attention.HeadDim) + 4*pairs})
	}
	if p.Weights {
		last := &p.Steps[len(p.Steps)-1]
		last.Reads = append(last.Reads, Read{work, g.first, g.count, firstRow, rows, p.rows, stride})
	}
}

package modernbert

import (
	"context"
	"fmt"
	"slices"
	"unsafe"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
)

// Statistics recomputes the attention weights of a captured layer and returns
// what each query's amount to, [heads, n] over the packed tokens.
func (c *Capture) Statistics(ctx context.Context, layer int) ([]engine.RowStatistic, error) {
	p := c.program
	if !slices.Contains(p.Want.Capture, layer) {
		return nil, fmt.Errorf("attention of layer %d was not captured", layer)
	}
	a := p.Attention[layer]
	m := gaze.NewBlockMap(a.Visible(), p.Lengths, engine.HeatmapTile)
	b := builder{Program: p, n: p.Lengths.Tokens(), d: p.Config.HiddenSize, size: elementSize(p.Precision)}
	query, key, lse := captured(layer)
	statistics := make([]engine.RowStatistic, a.Heads*b.n)
	const size = int64(unsafe.Sizeof(engine.RowStatistic{}))
	r := engine.RowStatistics{Heads: a.Heads, HeadDim: a.HeadDim, Scale: a.ScoreScale(), Map: m, Precision: p.Precision, In: b.layout(), LSEHead: b.n,
		Query: b.own(query, b.n*b.d), Key: b.own(key, b.n*b.d), LSE: b.f32(lse, a.Heads*b.n),
		BlockMap: engine.Ref{Buffer: bufMap, Size: engine.MapBytes(m)}, Statistics: ref(bufStatistics, len(statistics), size)}
	pass, err := r.Pass(c.traits)
	if err != nil {
		return nil, err
	}
	buffers, err := c.engine.NewBuffers([]engine.BufferSpec{{Name: bufMap, Bytes: r.BlockMap.Size}, {Name: bufStatistics, Bytes: r.Statistics.Size}})
	if err != nil {
		return nil, fmt.Errorf("statistics of %d rows: %w", len(statistics), err)
	}
	defer buffers.Close()
	if err := buffers.Upload(ctx, bufMap, 0, engine.Words(m)); err != nil {
		return nil, err
	}
	if _, err := c.engine.Execute(ctx, []engine.Pass{pass}, nil, buffers, c.buffers); err != nil {
		return nil, err
	}
	data := unsafe.Slice((*byte)(unsafe.Pointer(&statistics[0])), r.Statistics.Size)
	return statistics, buffers.Download(ctx, data, bufStatistics, 0)
}

const bufStatistics = "statistics"

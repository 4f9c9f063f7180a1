package modernbert

import (
	"context"
	"fmt"
	"unsafe"

	"github.com/gazevk/gaze/engine"
)

// Statistics recomputes the attention weights of a captured layer and returns
// what each query's amount to, [heads, n] over the packed tokens.
func (c *Capture) Statistics(ctx context.Context, layer int) ([]engine.RowStatistic, error) {
	l, release, err := c.layer(layer)
	if err != nil {
		return nil, err
	}
	defer release()
	statistics := make([]engine.RowStatistic, l.Heads*l.n)
	const size = int64(unsafe.Sizeof(engine.RowStatistic{}))
	r := engine.RowStatistics{Heads: l.Heads, HeadDim: l.HeadDim, Scale: l.ScoreScale(), Map: l.blockMap,
		Precision: c.program.Precision, In: l.layout, LSEHead: l.n, Query: l.query, Key: l.key, LSE: l.lse,
		BlockMap: l.words, Tokens: ref(bufTokens, 3*l.n, 4), Statistics: ref(bufStatistics, len(statistics), size)}
	pass, err := r.Pass(c.traits)
	if err != nil {
		return nil, err
	}
	buffers, err := c.with(ctx, l, engine.BufferSpec{Name: bufStatistics, Bytes: r.Statistics.Size}, engine.BufferSpec{Name: bufTokens, Bytes: r.Tokens.Size})
	if err != nil {
		return nil, fmt.Errorf("statistics of %d rows: %w", len(statistics), err)
	}
	defer buffers.Close()
	if err := buffers.Upload(ctx, bufTokens, 0, engine.TokenWords(c.ids, c.program.Lengths)); err != nil {
		return nil, err
	}
	if _, err := c.engine.Execute(ctx, []engine.Pass{pass}, nil, buffers, c.buffers); err != nil {
		return nil, err
	}
	data := unsafe.Slice((*byte)(unsafe.Pointer(&statistics[0])), r.Statistics.Size)
	return statistics, buffers.Download(ctx, data, bufStatistics, 0)
}

const (
	bufStatistics = "statistics"
	bufTokens     = "tokens"
)

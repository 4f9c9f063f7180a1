package engine

import (
	"context"
	"fmt"
	"sync"
	"unsafe"

	"github.com/gazevk/gaze"
)

// A Capture is what the attention weights of one layer follow from, on the device:
// queries and keys as they were rotated, and the log-sum-exps. Weights are
// recomputed in parts, each pooled or summed up at once. Several goroutines may use
// it; it lasts until its buffers are closed.
type Capture struct {
	gaze.Attention
	Lengths         gaze.Lengths
	IDs             []uint32       // of the packed tokens; nil where no two of them are the same
	Map             *gaze.BlockMap // for tiles of HeatmapTile queries
	Precision       Precision      // of query and key
	Layout          Layout         // of both
	LSEHead         int            // elements between two heads' first log-sum-exp
	Query, Key, LSE Ref
	Engine          *Engine
	Buffers         *Buffers // that have the three

	lock      sync.Mutex
	exponents map[Measure][]float32 // kept from the first picture in a measure on
}

// Capture runs p on in, as [Engine.Run] does, and returns what the weights follow
// from in place of the result, which was checked. Between two submits others get
// their turn. The caller closes the capture.
func (e *Engine) Capture(ctx context.Context, p *Plan, in Input, watch Watch) (*Capture, error) {
	a, n := p.Attention, p.Lengths.Tokens()
	stride := int(roundUp(int64(n), 64)) // as the plan's
	c := &Capture{Attention: a, Lengths: p.Lengths, Precision: p.Precision, LSEHead: stride, Engine: e,
		Layout: Layout{Row: a.HeadDim, Head: stride * a.HeadDim}}
	query, key := bufQuery, bufKey
	if a.RoPE.Enabled() {
		query, key = bufQueryTurned, bufKeyTurned
	}
	for name, to := range map[string]*Ref{query: &c.Query, key: &c.Key, bufLSE: &c.LSE} {
		if *to = p.whole(name); to.Size > e.traits.StorageRange {
			return nil, fmt.Errorf("%d heads of %d tokens take %s in one binding; %s has %s at most: use fewer tokens or heads, or f16",
				a.Heads, n, mebibytes(to.Size), e.traits.Device, mebibytes(e.traits.StorageRange))
		}
	}
	r := e.newRunner(p, watch)
	r.shares = true
	var err error
	if c.Buffers, err = r.run(ctx, in, query, key, bufLSE); err != nil {
		return nil, err
	}
	c.Map = gaze.NewBlockMap(a.Visible(), p.Lengths, HeatmapTile)
	return c, nil
}

// Close frees the buffers. No call may be under way. A second call does nothing.
func (c *Capture) Close() error { return c.Buffers.Close() }

// Statistics recomputes the weights and returns what each query's amount to,
// [heads, n] over the packed tokens.
func (c *Capture) Statistics(ctx context.Context) ([]RowStatistic, error) {
	n := c.Lengths.Tokens()
	ids := c.IDs
	if ids == nil {
		for i := range n {
			ids = append(ids, uint32(i))
		}
	}
	statistics := make([]RowStatistic, c.Heads*n)
	const size = int64(unsafe.Sizeof(RowStatistic{}))
	r := RowStatistics{Heads: c.Heads, HeadDim: c.HeadDim, Scale: c.ScoreScale(), Map: c.Map,
		Precision: c.Precision, In: c.Layout, LSEHead: c.LSEHead, Query: c.Query, Key: c.Key, LSE: c.LSE, BlockMap: c.words(),
		Tokens: Ref{Buffer: bufTokens, Size: 12 * int64(n)}, Statistics: Ref{Buffer: bufStatistics, Size: int64(len(statistics)) * size}}
	pass, err := r.Pass(c.Engine.traits)
	if err != nil {
		return nil, err
	}
	buffers, err := c.with(ctx, BufferSpec{Name: bufStatistics, Bytes: r.Statistics.Size}, BufferSpec{Name: bufTokens, Bytes: r.Tokens.Size})
	if err != nil {
		return nil, fmt.Errorf("statistics of %d rows: %w", len(statistics), err)
	}
	defer buffers.Close()
	if err := buffers.Upload(ctx, bufTokens, 0, TokenWords(ids, c.Lengths)); err != nil {
		return nil, err
	}
	if _, err := c.Engine.Execute(ctx, []Pass{pass}, nil, buffers, c.Buffers); err != nil {
		return nil, err
	}
	data := unsafe.Slice((*byte)(unsafe.Pointer(&statistics[0])), r.Statistics.Size)
	return statistics, buffers.Download(ctx, data, bufStatistics, 0)
}

// words is where kernels find the block map.
func (c *Capture) words() Ref { return Ref{Buffer: bufMap, Size: MapBytes(c.Map)} }

// with returns the buffers of specs, and the block map.
func (c *Capture) with(ctx context.Context, specs ...BufferSpec) (*Buffers, error) {
	buffers, err := c.Engine.NewBuffers(append(specs, BufferSpec{Name: bufMap, Bytes: MapBytes(c.Map)}))
	if err != nil {
		return nil, err
	}
	if err := buffers.Upload(ctx, bufMap, 0, Words(c.Map)); err != nil {
		buffers.Close()
		return nil, err
	}
	return buffers, nil
}

// Names of buffers beside a capture's.
const (
	bufTokens     = "tokens"
	bufStatistics = "statistics"
	bufCells      = "cells"
	bufExponents  = "exponents" // in place of the log-sum-exps
)

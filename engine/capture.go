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
	blockMap  *Buffers              // Map on the device, from its first use on
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
		*to = p.whole(name)
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
func (c *Capture) Close() error {
	if c.blockMap != nil {
		c.blockMap.Close()
	}
	return c.Buffers.Close()
}

// A headRange is some heads of a capture, and where queries, keys and log-sum-exps
// are for a kernel that begins with head first of what it is given.
type headRange struct {
	gaze.Span
	first           int
	query, key, lse Ref
}

// ranges returns heads in as few ranges as the device binds whole. Heads between
// which lie those of other tokens are one range.
func (c *Capture) ranges(heads gaze.Span) (list []headRange) {
	if c.Layout.Head <= c.Layout.Row {
		return []headRange{{heads, heads.First, c.Query, c.Key, c.LSE}}
	}
	perHead, perLSE := int64(c.Layout.Head)*c.Precision.size(), 4*int64(c.LSEHead)
	step := max(int(min(c.Engine.traits.StorageRange/perHead, int64(c.Engine.traits.GroupCount[1]))), 1)
	for first := heads.First; first < heads.End; first += step {
		r := headRange{Span: gaze.Span{First: first, End: min(first+step, heads.End)}}
		of := func(whole Ref, bytes int64) Ref {
			return Ref{whole.Buffer, whole.Offset + int64(first)*bytes, int64(r.End-first) * bytes}
		}
		r.query, r.key, r.lse = of(c.Query, perHead), of(c.Key, perHead), of(c.LSE, perLSE)
		list = append(list, r)
	}
	return list
}

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
	ranges := c.ranges(gaze.Span{End: c.Heads})
	statistics := make([]RowStatistic, c.Heads*n)
	const size = int64(unsafe.Sizeof(RowStatistic{}))
	most := Ref{Buffer: bufStatistics, Size: int64((ranges[0].End-ranges[0].First)*n) * size}
	tokens := Ref{Buffer: bufTokens, Size: 12 * int64(n)}
	blockMap, err := c.mapped(ctx)
	if err != nil {
		return nil, err
	}
	buffers, err := c.Engine.NewBuffers([]BufferSpec{{Name: bufStatistics, Bytes: most.Size}, {Name: bufTokens, Bytes: tokens.Size}})
	if err != nil {
		return nil, fmt.Errorf("statistics of %d rows: %w", len(statistics), err)
	}
	defer buffers.Close()
	if err := buffers.Upload(ctx, bufTokens, 0, TokenWords(ids, c.Lengths)); err != nil {
		return nil, err
	}
	for _, heads := range ranges {
		part := statistics[heads.First*n : heads.End*n]
		pass, err := RowStatistics{Heads: heads.End - heads.First, HeadDim: c.HeadDim, Scale: c.ScoreScale(), Map: c.Map,
			Precision: c.Precision, In: c.Layout, LSEHead: c.LSEHead, Query: heads.query, Key: heads.key, LSE: heads.lse, BlockMap: c.words(),
			Tokens: tokens, Statistics: Ref{Buffer: bufStatistics, Size: int64(len(part)) * size}}.Pass(c.Engine.traits)
		if err != nil {
			return nil, err
		}
		if _, err := c.Engine.Execute(ctx, []Pass{pass}, nil, buffers, blockMap, c.Buffers); err != nil {
			return nil, err
		}
		data := unsafe.Slice((*byte)(unsafe.Pointer(&part[0])), int64(len(part))*size)
		if err := buffers.Download(ctx, data, bufStatistics, 0); err != nil {
			return nil, err
		}
	}
	return statistics, nil
}

// words is where kernels find the block map.
func (c *Capture) words() Ref { return Ref{Buffer: bufMap, Size: MapBytes(c.Map)} }

// mapped returns the buffer of the block map, which the first call fills.
func (c *Capture) mapped(ctx context.Context) (*Buffers, error) {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.blockMap != nil {
		return c.blockMap, nil
	}
	buffers, err := c.Engine.NewBuffers([]BufferSpec{{Name: bufMap, Bytes: MapBytes(c.Map)}})
	if err != nil {
		return nil, err
	}
	if err := buffers.Upload(ctx, bufMap, 0, Words(c.Map)); err != nil {
		buffers.Close()
		return nil, err
	}
	c.blockMap = buffers
	return buffers, nil
}

// Names of buffers beside a capture's.
const (
	bufTokens     = "tokens"
	bufStatistics = "statistics"
	bufCells      = "cells"
	bufExponents  = "exponents" // in place of the log-sum-exps
)

package modernbert

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
)

// A View is what to show of the attention of a captured layer.
type View struct {
	Layer     int
	Heads     gaze.Span
	Rectangle gaze.Rectangle // of packed queries and keys; it begins at multiples of Cell
	Cell      int            // pairs along one side of a cell: a power of two, at most engine.HeatmapTile
	Sum       bool           // pool by the sum of a cell's weights, else by the greatest
	Measure   Measure
}

// A Measure says what a view shows of each weight.
type Measure int

const (
	Weight       Measure = iota // itself
	OfRowMaximum                // divided by the greatest of its row
	OverUniform                 // times the number of keys that its query sees
)

// Heatmap recomputes the attention weights that a view shows and returns its
// cells, [heads, rows, columns] of v.Rectangle.Cells(v.Cell), with
// engine.HiddenCell where no pair is visible. It takes memory for the cells alone.
func (c *Capture) Heatmap(ctx context.Context, v View) ([]float32, *engine.Timing, error) {
	p := c.program
	if !slices.Contains(p.Want.Capture, v.Layer) {
		return nil, nil, fmt.Errorf("attention of layer %d was not captured", v.Layer)
	}
	a := p.Attention[v.Layer]
	if v.Heads.First < 0 || v.Heads.End > a.Heads || v.Heads.First >= v.Heads.End {
		return nil, nil, fmt.Errorf("heads %d to %d: expected at least one of 0 to %d", v.Heads.First, v.Heads.End, a.Heads)
	}
	m := gaze.NewBlockMap(a.Visible(), p.Lengths, engine.HeatmapTile)
	b := builder{Program: p, n: p.Lengths.Tokens(), d: p.Config.HiddenSize, size: elementSize(p.Precision)}
	query, key, lse := captured(v.Layer)
	rows, columns := v.Rectangle.Cells(max(v.Cell, 1))
	heads := v.Heads.End - v.Heads.First
	cells := make([]float32, heads*rows*columns)
	h := engine.Heatmap{FirstHead: v.Heads.First, Heads: heads, HeadDim: a.HeadDim, Scale: a.ScoreScale(), Map: m,
		Precision: p.Precision, In: b.layout(), LSEHead: b.n, Rectangle: v.Rectangle, Cell: v.Cell, Sum: v.Sum,
		Query: b.own(query, b.n*b.d), Key: b.own(key, b.n*b.d), LSE: b.f32(lse, a.Heads*b.n),
		BlockMap: engine.Ref{Buffer: bufMap, Size: engine.MapBytes(m)}, Cells: b.f32(bufCells, len(cells))}
	if v.Measure != Weight {
		h.LSE.Buffer = bufMeasure
	}
	passes, err := h.Passes(c.traits)
	if err != nil {
		return nil, nil, err
	}
	buffers, err := c.engine.NewBuffers([]engine.BufferSpec{{Name: bufMap, Bytes: h.BlockMap.Size}, {Name: bufCells, Bytes: h.Cells.Size},
		{Name: bufMeasure, Bytes: h.LSE.Size}})
	if err != nil {
		return nil, nil, fmt.Errorf("a picture of %d cells: %w", len(cells), err)
	}
	defer buffers.Close()
	if err := buffers.Upload(ctx, bufMap, 0, engine.Words(m)); err != nil {
		return nil, nil, err
	}
	if v.Measure != Weight {
		exponents, err := c.measured(ctx, v)
		if err != nil {
			return nil, nil, err
		}
		if err := buffers.Upload(ctx, bufMeasure, 0, engine.Bytes(exponents)); err != nil {
			return nil, nil, err
		}
	}
	timing, err := c.engine.Execute(ctx, passes, nil, buffers, c.buffers)
	if err != nil {
		return nil, nil, err
	}
	return cells, timing, buffers.Download(ctx, engine.Bytes(cells), bufCells, 0)
}

// measured returns what takes the place of the log-sum-exps, [heads, n], so that
// exp(score - it) is a weight in the measure of v: a factor on a row is a term of
// its exponent.
func (c *Capture) measured(ctx context.Context, v View) ([]float32, error) {
	_, _, lse := captured(v.Layer)
	p := c.program
	a, n := p.Attention[v.Layer], p.Lengths.Tokens()
	exponents := make([]float32, a.Heads*n)
	if err := c.buffers.Download(ctx, engine.Bytes(exponents), lse, 0); err != nil {
		return nil, err
	}
	if v.Measure == OfRowMaximum {
		statistics, err := c.Statistics(ctx, v.Layer)
		if err != nil {
			return nil, err
		}
		for i, s := range statistics {
			if s.Greatest > 0 {
				exponents[i] += float32(math.Log(float64(s.Greatest)))
			}
		}
		return exponents, nil
	}
	var spans []gaze.Span
	row := 0
	for _, length := range p.Lengths {
		for i := range length {
			count := 0
			spans = a.Visible().AppendKeys(spans[:0], i, length)
			for _, s := range spans {
				count += s.End - s.First
			}
			for head := range a.Heads {
				exponents[head*n+row] -= float32(math.Log(float64(max(count, 1))))
			}
			row++
		}
	}
	return exponents, nil
}

const (
	bufCells   = "cells"
	bufMeasure = "exponents" // in place of the log-sum-exps
)

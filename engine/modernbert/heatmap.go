package modernbert

import (
	"context"
	"fmt"
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
}

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
	passes, err := h.Passes(c.traits)
	if err != nil {
		return nil, nil, err
	}
	buffers, err := c.engine.NewBuffers([]engine.BufferSpec{{Name: bufMap, Bytes: h.BlockMap.Size}, {Name: bufCells, Bytes: h.Cells.Size}})
	if err != nil {
		return nil, nil, fmt.Errorf("a picture of %d cells: %w", len(cells), err)
	}
	defer buffers.Close()
	if err := buffers.Upload(ctx, bufMap, 0, engine.Words(m)); err != nil {
		return nil, nil, err
	}
	timing, err := c.engine.Execute(ctx, passes, nil, buffers, c.buffers)
	if err != nil {
		return nil, nil, err
	}
	return cells, timing, buffers.Download(ctx, engine.Bytes(cells), bufCells, 0)
}

const bufCells = "cells"

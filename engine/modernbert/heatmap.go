package modernbert

import (
	"context"
	"fmt"
	"math"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
)

// A View is what to show of the attention of a captured layer.
type View struct {
	Layer     int
	Heads     gaze.Span
	Rectangle gaze.Rectangle // of packed queries and keys
	Cell      gaze.Cell      // each side a power of two, at most engine.HeatmapTile
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
	l, release, err := c.layer(v.Layer)
	if err != nil {
		return nil, nil, err
	}
	defer release()
	var exponents []float32
	if v.Measure != Weight {
		if exponents, err = c.measured(ctx, l, measuredLayer{v.Layer, v.Measure}); err != nil {
			return nil, nil, err
		}
	}
	return c.pool(ctx, l, v, exponents)
}

// pool returns the cells of a view of a layer. Exponents, [heads, n], if not nil,
// take the place of the log-sum-exps.
func (c *Capture) pool(ctx context.Context, l *capturedLayer, v View, exponents []float32) ([]float32, *engine.Timing, error) {
	if err := l.checkHeads(v.Heads); err != nil {
		return nil, nil, err
	}
	if err := v.Rectangle.Validate(l.n); err != nil {
		return nil, nil, err
	}
	if err := engine.CheckCell(v.Cell); err != nil {
		return nil, nil, err
	}
	rows, columns := v.Rectangle.Cells(v.Cell)
	heads := v.Heads.End - v.Heads.First
	cells := make([]float32, heads*rows*columns)
	h := engine.Heatmap{FirstHead: v.Heads.First, Heads: heads, HeadDim: l.HeadDim, Scale: l.ScoreScale(), Map: l.blockMap,
		Precision: c.program.Precision, In: l.layout, LSEHead: l.n, Rectangle: v.Rectangle, Cell: v.Cell, Sum: v.Sum,
		Query: l.query, Key: l.key, LSE: l.lse, BlockMap: l.words, Cells: ref(bufCells, len(cells), 4)}
	specs := []engine.BufferSpec{{Name: bufCells, Bytes: h.Cells.Size}}
	if exponents != nil {
		h.LSE.Buffer = bufExponents
		specs = append(specs, engine.BufferSpec{Name: bufExponents, Bytes: h.LSE.Size})
	}
	passes, err := h.Passes(c.traits)
	if err != nil {
		return nil, nil, err
	}
	buffers, err := c.with(ctx, l, specs...)
	if err != nil {
		return nil, nil, fmt.Errorf("a picture of %d cells: %w", len(cells), err)
	}
	defer buffers.Close()
	if exponents != nil {
		if err := buffers.Upload(ctx, bufExponents, 0, engine.Bytes(exponents)); err != nil {
			return nil, nil, err
		}
	}
	timing, err := c.engine.Execute(ctx, passes, nil, buffers, c.buffers)
	if err != nil {
		return nil, nil, err
	}
	return cells, timing, buffers.Download(ctx, engine.Bytes(cells), bufCells, 0)
}

func (l *capturedLayer) checkHeads(heads gaze.Span) error {
	if heads.First < 0 || heads.End > l.Heads || heads.First >= heads.End {
		return fmt.Errorf("heads %d to %d: expected at least one of 0 to %d", heads.First, heads.End, l.Heads)
	}
	return nil
}

// measured returns what takes the place of the log-sum-exps, [heads, n], so that
// exp(score - it) is a weight in a measure: a factor on a row is a term of its
// exponent. It is computed at first use.
func (c *Capture) measured(ctx context.Context, l *capturedLayer, of measuredLayer) ([]float32, error) {
	c.state.Lock()
	exponents := c.state.measures[of]
	c.state.Unlock()
	if exponents != nil {
		return exponents, nil
	}
	exponents, err := c.measure(ctx, l, of)
	if err != nil {
		return nil, err
	}
	c.state.Lock()
	defer c.state.Unlock()
	c.state.measures[of] = exponents
	return exponents, nil
}

func (c *Capture) measure(ctx context.Context, l *capturedLayer, of measuredLayer) ([]float32, error) {
	exponents, err := c.lse(ctx, l)
	if err != nil {
		return nil, err
	}
	if of.measure == OfRowMaximum {
		statistics, err := c.Statistics(ctx, of.layer)
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
	for _, length := range c.program.Lengths {
		for i := range length {
			count := 0
			spans = l.Visible().AppendKeys(spans[:0], i, length)
			for _, s := range spans {
				count += s.End - s.First
			}
			for head := range l.Heads {
				exponents[head*l.n+row] -= float32(math.Log(float64(max(count, 1))))
			}
			row++
		}
	}
	return exponents, nil
}

// lse returns a layer's log-sum-exps, [heads, n].
func (c *Capture) lse(ctx context.Context, l *capturedLayer) ([]float32, error) {
	lse := make([]float32, l.Heads*l.n)
	return lse, c.buffers.Download(ctx, engine.Bytes(lse), l.lse.Buffer, 0)
}

const (
	bufCells     = "cells"
	bufExponents = "exponents" // in place of the log-sum-exps
)

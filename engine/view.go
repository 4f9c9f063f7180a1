package engine

import (
	"context"
	"fmt"
	"math"

	"github.com/gazevk/gaze"
)

// A View is what to show of a capture's weights.
type View struct {
	Heads     gaze.Span
	Rectangle gaze.Rectangle // of packed queries and keys
	Cell      gaze.Cell      // each side a power of two, at most HeatmapTile
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
// cells, [heads, rows, columns] of v.Rectangle.Cells(v.Cell), with HiddenCell
// where no pair is visible. It takes memory for the cells alone.
func (c *Capture) Heatmap(ctx context.Context, v View) ([]float32, *Timing, error) {
	exponents, err := c.measured(ctx, v.Measure)
	if err != nil {
		return nil, nil, err
	}
	return c.pool(ctx, v, exponents)
}

// pool returns the cells of a view. Exponents, [heads, n], if not nil, take the
// place of the log-sum-exps.
func (c *Capture) pool(ctx context.Context, v View, exponents []float32) ([]float32, *Timing, error) {
	if err := c.check(v); err != nil {
		return nil, nil, err
	}
	rows, columns := v.Rectangle.Cells(v.Cell)
	cells := make([]float32, (v.Heads.End-v.Heads.First)*rows*columns)
	done := 0
	timing, err := c.draw(ctx, v, exponents, func(d drawing) (*Timing, error) {
		took, err := c.Engine.Execute(ctx, d.passes, nil, d.buffers...)
		if err != nil {
			return nil, err
		}
		part := cells[done:][:d.cells.Size/4]
		done += len(part)
		return took, d.buffers[0].Download(ctx, Bytes(part), d.cells.Buffer, 0)
	})
	if err != nil {
		return nil, nil, err
	}
	return cells, timing, nil
}

// A drawing is what computes the cells of some heads of a view.
type drawing struct {
	heads   gaze.Span
	cells   Ref // [heads, rows, columns]
	passes  []Pass
	buffers []*Buffers // that they bind, first those of the cells
}

// draw calls do with as many heads of a view at a time as the device binds. Exponents
// are as for pool.
func (c *Capture) draw(ctx context.Context, v View, exponents []float32, do func(drawing) (*Timing, error)) (*Timing, error) {
	timing := &Timing{}
	for _, heads := range c.ranges(v.Heads) {
		took, err := c.drawRange(ctx, v, heads, exponents, do)
		if err != nil {
			return nil, err
		}
		timing.Add(took)
	}
	return timing, nil
}

func (c *Capture) drawRange(ctx context.Context, v View, heads headRange, exponents []float32, do func(drawing) (*Timing, error)) (*Timing, error) {
	rows, columns := v.Rectangle.Cells(v.Cell)
	count := (heads.End - heads.First) * rows * columns
	h := Heatmap{FirstHead: heads.first, Heads: heads.End - heads.First, HeadDim: c.HeadDim, Scale: c.ScoreScale(), Map: c.Map,
		Precision: c.Precision, In: c.Layout, LSEHead: c.LSEHead, Rectangle: v.Rectangle, Cell: v.Cell, Sum: v.Sum,
		Query: heads.query, Key: heads.key, LSE: heads.lse, BlockMap: c.words(), Cells: Ref{Buffer: bufCells, Size: 4 * int64(count)}}
	specs := []BufferSpec{{Name: bufCells, Bytes: h.Cells.Size}}
	if exponents != nil {
		n := c.Lengths.Tokens()
		exponents = exponents[(heads.First-heads.first)*n : heads.End*n] // those of what is bound
		h.LSE, h.LSEHead = Ref{Buffer: bufExponents, Size: 4 * int64(len(exponents))}, n
		specs = append(specs, BufferSpec{Name: bufExponents, Bytes: h.LSE.Size})
	}
	passes, err := h.Passes(c.Engine.traits)
	if err != nil {
		return nil, err
	}
	blockMap, err := c.mapped(ctx)
	if err != nil {
		return nil, err
	}
	buffers, err := c.Engine.NewBuffers(specs)
	if err != nil {
		return nil, fmt.Errorf("a picture of %d cells: %w", count, err)
	}
	defer buffers.Close()
	if exponents != nil {
		if err := buffers.Upload(ctx, bufExponents, 0, Bytes(exponents)); err != nil {
			return nil, err
		}
	}
	return do(drawing{heads.Span, h.Cells, passes, []*Buffers{buffers, blockMap, c.Buffers}})
}

// check reports a view that there is nothing to show of.
func (c *Capture) check(v View) error {
	if err := c.checkHeads(v.Heads); err != nil {
		return err
	}
	if err := v.Rectangle.Validate(c.Lengths.Tokens()); err != nil {
		return err
	}
	return CheckCell(v.Cell)
}

func (c *Capture) checkHeads(heads gaze.Span) error {
	if heads.First < 0 || heads.End > c.Heads || heads.First >= heads.End {
		return fmt.Errorf("heads %d to %d of %d: expected two bounds from 0 to %d, the first below the second", heads.First, heads.End, c.Heads, c.Heads)
	}
	return nil
}

// measured returns what takes the place of the log-sum-exps, [heads, n], so that
// exp(score - it) is a weight in a measure, nil for the weights themselves: a factor
// on a row is a term of its exponent. It is computed at first use.
func (c *Capture) measured(ctx context.Context, m Measure) ([]float32, error) {
	if m == Weight {
		return nil, nil
	}
	c.lock.Lock()
	exponents := c.exponents[m]
	c.lock.Unlock()
	if exponents != nil {
		return exponents, nil
	}
	exponents, err := c.measure(ctx, m)
	if err != nil {
		return nil, err
	}
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.exponents == nil {
		c.exponents = map[Measure][]float32{}
	}
	c.exponents[m] = exponents
	return exponents, nil
}

func (c *Capture) measure(ctx context.Context, m Measure) ([]float32, error) {
	exponents, err := c.lse(ctx)
	if err != nil {
		return nil, err
	}
	if m == OfRowMaximum {
		statistics, err := c.Statistics(ctx)
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
	n := c.Lengths.Tokens()
	var spans []gaze.Span
	row := 0
	for _, length := range c.Lengths {
		for i := range length {
			count := 0
			spans = c.Visible().AppendKeys(spans[:0], i, length)
			for _, s := range spans {
				count += s.End - s.First
			}
			for head := range c.Heads {
				exponents[head*n+row] -= float32(math.Log(float64(max(count, 1))))
			}
			row++
		}
	}
	return exponents, nil
}

// lse returns the log-sum-exps, [heads, n].
func (c *Capture) lse(ctx context.Context) ([]float32, error) {
	lse := make([]float32, c.LSE.Size/4)
	if err := c.Buffers.Download(ctx, Bytes(lse), c.LSE.Buffer, c.LSE.Offset); err != nil {
		return nil, err
	}
	n := c.Lengths.Tokens()
	for head := range c.Heads { // close the gaps between heads
		copy(lse[head*n:][:n], lse[head*c.LSEHead:])
	}
	return lse[:c.Heads*n], nil
}

package engine

import (
	"context"
	"fmt"
	"math"

	"github.com/gazevk/gaze"
)

// sumBytes bounds the cells of one call of the device, which are added up here: whole
// heads, or rows of cells of one. Tests lower it.
var sumBytes int64 = 32 << 20

// nothing is a log-sum-exp beside which every score vanishes: that of a row that
// does not count. It is finite, so that no difference is NaN.
const nothing = 1e38

// Received returns how much attention each of the n packed keys gets from queries,
// [heads][n]: the sum of the weights in its column. Factors, one for each of the
// queries and none below 0, multiply their rows; nil leaves them as they are. The
// weights are recomputed in f32 and added in f32 within tiles of 64 queries, then in
// float64.
func (c *Capture) Received(ctx context.Context, heads, queries gaze.Span, factors []float64) ([][]float64, error) {
	r := gaze.Rectangle{Queries: queries, Keys: gaze.Span{End: c.Lengths.Tokens()}}
	if err := r.Validate(r.Keys.End); err != nil {
		return nil, err
	}
	var exponents []float32
	if factors != nil {
		var err error
		if exponents, err = c.multiplied(ctx, queries, factors); err != nil {
			return nil, err
		}
	}
	v := View{Heads: heads, Rectangle: r, Cell: gaze.Cell{Queries: HeatmapTile, Keys: 1}}
	return c.sum(ctx, v, exponents, func(_, column int) int { return column })
}

// Given returns how much attention each of the n packed queries gives to keys,
// [heads][n]: the sum of the weights of its row there, added in f32 within tiles of
// 64 keys, then in float64.
func (c *Capture) Given(ctx context.Context, heads, keys gaze.Span) ([][]float64, error) {
	r := gaze.Rectangle{Queries: gaze.Span{End: c.Lengths.Tokens()}, Keys: keys}
	if err := r.Validate(r.Queries.End); err != nil {
		return nil, err
	}
	v := View{Heads: heads, Rectangle: r, Cell: gaze.Cell{Queries: 1, Keys: HeatmapTile}}
	return c.sum(ctx, v, nil, func(row, _ int) int { return row })
}

// sum adds the cells of a view up, [heads][n]; at tells where one belongs.
func (c *Capture) sum(ctx context.Context, v View, exponents []float32, at func(row, column int) int) ([][]float64, error) {
	if err := c.checkHeads(v.Heads); err != nil {
		return nil, err
	}
	v.Sum = true
	rows, columns := v.Rectangle.Cells(v.Cell)
	most := int(min(sumBytes, c.Engine.traits.StorageRange) / 4)
	step := max(most/(rows*columns), 1)
	stepRows := min(max(most/columns, 1), rows)
	sums := make([][]float64, v.Heads.End-v.Heads.First)
	for i := range sums {
		sums[i] = make([]float64, c.Lengths.Tokens())
	}
	all := v
	for first := 0; first < len(sums); first += step {
		v.Heads = gaze.Span{First: all.Heads.First + first, End: min(all.Heads.First+first+step, all.Heads.End)}
		for firstRow := 0; firstRow < rows; firstRow += stepRows {
			begin := all.Rectangle.Queries.First/v.Cell.Queries + firstRow
			v.Rectangle.Queries = gaze.Span{First: max(begin*v.Cell.Queries, all.Rectangle.Queries.First),
				End: min((begin+stepRows)*v.Cell.Queries, all.Rectangle.Queries.End)}
			cells, _, err := c.pool(ctx, v, exponents)
			if err != nil {
				return nil, err
			}
			size := len(cells) / (v.Heads.End - v.Heads.First)
			for i, value := range cells {
				if value != HiddenCell {
					sums[first+i/size][at(firstRow+i%size/columns, i%columns)] += float64(value)
				}
			}
		}
	}
	return sums, nil
}

// multiplied returns what takes the place of the log-sum-exps, [heads, n], so that
// the rows of queries have those factors: a factor is a term of the exponent.
func (c *Capture) multiplied(ctx context.Context, queries gaze.Span, factors []float64) ([]float32, error) {
	if len(factors) != queries.End-queries.First {
		return nil, fmt.Errorf("%d factors for %d queries", len(factors), queries.End-queries.First)
	}
	exponents, err := c.lse(ctx)
	if err != nil {
		return nil, err
	}
	for i, factor := range factors {
		if !(factor >= 0 && factor <= math.MaxFloat32) {
			return nil, fmt.Errorf("query %d has the factor %v: expected 0 or more", queries.First+i, factor)
		}
		for head := range c.Heads {
			exponent := &exponents[head*c.Lengths.Tokens()+queries.First+i]
			if factor == 0 {
				*exponent = nothing
			} else {
				*exponent = float32(float64(*exponent) - math.Log(factor))
			}
		}
	}
	return exponents, nil
}

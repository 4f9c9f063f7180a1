package modernbert

import (
	"context"
	"fmt"
	"math"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
)

// sumBytes bounds the cells of one call of the device, which are added up here.
const sumBytes = 32 << 20

// nothing is a log-sum-exp beside which every score vanishes: that of a row that
// does not count. It is finite, so that no difference is NaN.
const nothing = 1e38

// Received returns how much attention each of the n packed keys gets from queries,
// [heads][n]: the sum of the weights in its column. Factors, one for each of the
// queries and none below 0, multiply their rows; nil leaves them as they are. The
// weights are recomputed in f32 and added in f32 within tiles of 64 queries, then in
// float64.
func (c *Capture) Received(ctx context.Context, layer int, heads, queries gaze.Span, factors []float64) ([][]float64, error) {
	l, release, err := c.layer(layer)
	if err != nil {
		return nil, err
	}
	defer release()
	r := gaze.Rectangle{Queries: queries, Keys: gaze.Span{End: l.n}}
	if err := r.Validate(l.n); err != nil {
		return nil, err
	}
	var exponents []float32
	if factors != nil {
		if exponents, err = c.multiplied(ctx, l, queries, factors); err != nil {
			return nil, err
		}
	}
	v := View{Layer: layer, Heads: heads, Rectangle: r, Cell: gaze.Cell{Queries: engine.HeatmapTile, Keys: 1}}
	return c.sum(ctx, l, v, exponents, func(_, column int) int { return column })
}

// Given returns how much attention each of the n packed queries gives to keys,
// [heads][n]: the sum of the weights of its row there, added in f32 within tiles of
// 64 keys, then in float64.
func (c *Capture) Given(ctx context.Context, layer int, heads, keys gaze.Span) ([][]float64, error) {
	l, release, err := c.layer(layer)
	if err != nil {
		return nil, err
	}
	defer release()
	v := View{Layer: layer, Heads: heads, Rectangle: gaze.Rectangle{Queries: gaze.Span{End: l.n}, Keys: keys}, Cell: gaze.Cell{Queries: 1, Keys: engine.HeatmapTile}}
	if err := v.Rectangle.Validate(l.n); err != nil {
		return nil, err
	}
	return c.sum(ctx, l, v, nil, func(row, _ int) int { return row })
}

// sum adds the cells of a view up, [heads][n]; at tells where one belongs.
func (c *Capture) sum(ctx context.Context, l *capturedLayer, v View, exponents []float32, at func(row, column int) int) ([][]float64, error) {
	if err := l.checkHeads(v.Heads); err != nil {
		return nil, err
	}
	v.Sum = true
	rows, columns := v.Rectangle.Cells(v.Cell)
	var sums [][]float64
	step := max(int(min(sumBytes, c.traits.StorageRange))/(4*rows*columns), 1)
	for heads := v.Heads; heads.First < heads.End; heads.First += step {
		v.Heads = gaze.Span{First: heads.First, End: min(heads.First+step, heads.End)}
		cells, _, err := c.pool(ctx, l, v, exponents)
		if err != nil {
			return nil, err
		}
		for range v.Heads.End - v.Heads.First {
			sum := make([]float64, l.n)
			for i, value := range cells[:rows*columns] {
				if value != engine.HiddenCell {
					sum[at(i/columns, i%columns)] += float64(value)
				}
			}
			sums, cells = append(sums, sum), cells[rows*columns:]
		}
	}
	return sums, nil
}

// multiplied returns what takes the place of the log-sum-exps, [heads, n], so that
// the rows of queries have those factors: a factor is a term of the exponent.
func (c *Capture) multiplied(ctx context.Context, l *capturedLayer, queries gaze.Span, factors []float64) ([]float32, error) {
	if len(factors) != queries.End-queries.First {
		return nil, fmt.Errorf("%d factors for %d queries", len(factors), queries.End-queries.First)
	}
	exponents, err := c.lse(ctx, l)
	if err != nil {
		return nil, err
	}
	for i, factor := range factors {
		if !(factor >= 0 && factor <= math.MaxFloat32) {
			return nil, fmt.Errorf("query %d has the factor %v: expected 0 or more", queries.First+i, factor)
		}
		for head := range l.Heads {
			exponent := &exponents[head*l.n+queries.First+i]
			if factor == 0 {
				*exponent = nothing
			} else {
				*exponent = float32(float64(*exponent) - math.Log(factor))
			}
		}
	}
	return exponents, nil
}

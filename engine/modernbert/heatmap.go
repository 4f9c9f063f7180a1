package modernbert

import (
	"context"

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
	Measure   engine.Measure
}

// Heatmap recomputes the attention weights that a view shows and returns its
// cells, as [engine.Capture.Heatmap] does.
func (c *Capture) Heatmap(ctx context.Context, v View) ([]float32, *engine.Timing, error) {
	l, release, err := c.layer(v.Layer)
	if err != nil {
		return nil, nil, err
	}
	defer release()
	return l.Heatmap(ctx, v.ofLayer())
}

// Place recomputes the attention weights that a view shows and puts its cells into a
// room, as [engine.Capture.Place] does.
func (c *Capture) Place(ctx context.Context, v View, to *engine.Room, mix engine.Mix) (*engine.Timing, error) {
	l, release, err := c.layer(v.Layer)
	if err != nil {
		return nil, err
	}
	defer release()
	return l.Place(ctx, v.ofLayer(), to, mix)
}

// ofLayer is the view of the layer by itself.
func (v View) ofLayer() engine.View {
	return engine.View{Heads: v.Heads, Rectangle: v.Rectangle, Cell: v.Cell, Sum: v.Sum, Measure: v.Measure}
}

// Statistics recomputes the attention weights of a captured layer and returns
// what each query's amount to, [heads, n] over the packed tokens.
func (c *Capture) Statistics(ctx context.Context, layer int) ([]engine.RowStatistic, error) {
	l, release, err := c.layer(layer)
	if err != nil {
		return nil, err
	}
	defer release()
	return l.Statistics(ctx)
}

// Received returns how much attention each key of a captured layer gets from
// queries, as [engine.Capture.Received] does.
func (c *Capture) Received(ctx context.Context, layer int, heads, queries gaze.Span, factors []float64) ([][]float64, error) {
	l, release, err := c.layer(layer)
	if err != nil {
		return nil, err
	}
	defer release()
	return l.Received(ctx, heads, queries, factors)
}

// Given returns how much attention each query of a captured layer gives to keys,
// as [engine.Capture.Given] does.
func (c *Capture) Given(ctx context.Context, layer int, heads, keys gaze.Span) ([][]float64, error) {
	l, release, err := c.layer(layer)
	if err != nil {
		return nil, err
	}
	defer release()
	return l.Given(ctx, heads, keys)
}

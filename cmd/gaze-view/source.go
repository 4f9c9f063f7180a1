package main

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/modernbert"
	"github.com/gazevk/gaze/visualize"
	"github.com/gazevk/gaze/visualize/explore"
	"github.com/gazevk/gaze/vk"
)

// A source computes what is seen of one forward pass.
type source struct {
	capture   *modernbert.Capture
	tokens    int
	abandoned atomic.Bool // the pass was cancelled: nothing can be computed any longer
	lost      func()      // the device was lost
}

var measures = map[visualize.Measure]modernbert.Measure{
	visualize.Weight: modernbert.Weight, visualize.RowMaximum: modernbert.OfRowMaximum, visualize.Lift: modernbert.OverUniform,
}

// check turns what is no fault of anybody's into a cancellation.
func (s *source) check(err error) error {
	if err != nil && s.abandoned.Load() {
		return context.Canceled
	}
	if errors.Is(err, vk.ErrDeviceLost) {
		s.lost()
	}
	return err
}

func (s *source) Cells(ctx context.Context, r explore.Request) ([]float32, error) {
	cells, _, err := s.capture.Heatmap(ctx, modernbert.View{Layer: r.Layer, Heads: r.Heads, Rectangle: r.Rectangle,
		Cell: gaze.Square(r.Cell), Sum: r.Pooling == visualize.MeanPooling, Measure: measures[r.Measure]})
	return cells, s.check(err)
}

func (s *source) Summary(ctx context.Context, layer int) ([]explore.Summary, error) {
	rows, err := s.capture.Statistics(ctx, layer)
	if err != nil {
		return nil, s.check(err)
	}
	summaries := make([]explore.Summary, len(rows)/s.tokens)
	for head := range summaries {
		of := &summaries[head]
		for _, row := range rows[head*s.tokens:][:s.tokens] {
			of.Entropy += float64(row.Entropy) / float64(s.tokens)
			of.Distance += float64(row.Distance) / float64(s.tokens)
			of.Sums, of.Spread = append(of.Sums, row.Sum), append(of.Spread, row.Entropy)
		}
		for role, share := range engine.MeanRoles(rows[head*s.tokens:][:s.tokens]) {
			of.Roles = append(of.Roles, explore.Share{Name: engine.Role(role).String(), Share: float64(share)})
		}
	}
	return summaries, nil
}

func (s *source) Received(ctx context.Context, layer, head int, queries gaze.Span) ([]float64, error) {
	return s.strip(ctx, layer, head, gaze.Rectangle{Queries: queries, Keys: gaze.Span{End: s.tokens}}, gaze.Cell{Queries: explore.LargestCell, Keys: 1})
}

func (s *source) Given(ctx context.Context, layer, head int, keys gaze.Span) ([]float64, error) {
	return s.strip(ctx, layer, head, gaze.Rectangle{Queries: gaze.Span{End: s.tokens}, Keys: keys}, gaze.Cell{Queries: 1, Keys: explore.LargestCell})
}

// strip adds up the weights of a rectangle along the longer side of a cell.
func (s *source) strip(ctx context.Context, layer, head int, r gaze.Rectangle, cell gaze.Cell) ([]float64, error) {
	cells, _, err := s.capture.Heatmap(ctx, modernbert.View{Layer: layer, Heads: gaze.Span{First: head, End: head + 1}, Rectangle: r, Cell: cell, Sum: true})
	if err != nil {
		return nil, s.check(err)
	}
	_, columns := r.Cells(cell)
	sums := make([]float64, s.tokens)
	for i, value := range cells {
		if value == explore.Hidden {
			continue
		}
		if cell.Keys == 1 {
			sums[i%columns] += float64(value)
		} else {
			sums[i/columns] += float64(value)
		}
	}
	return sums, nil
}

func (s *source) Rollout(ctx context.Context, layer, query int) ([]float64, error) {
	return nil, errors.New("not there yet")
}

func (s *source) Close() error { return s.capture.Close() }

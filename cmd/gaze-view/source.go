package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/modernbert"
	"github.com/gazevk/gaze/visualize/explore"
	"github.com/gazevk/gaze/vk"
)

// A capture is what the weights follow from: that of a forward pass, or oneLayer.
type capture interface {
	Heatmap(ctx context.Context, v modernbert.View) ([]float32, *engine.Timing, error)
	Place(ctx context.Context, v modernbert.View, to *engine.Room, mix engine.Mix) (*engine.Timing, error)
	Statistics(ctx context.Context, layer int) ([]engine.RowStatistic, error)
	Received(ctx context.Context, layer int, heads, queries gaze.Span, factors []float64) ([][]float64, error)
	Given(ctx context.Context, layer int, heads, keys gaze.Span) ([][]float64, error)
	Rollout(ctx context.Context, query, toLayer int, progress func(done float64)) ([][]float64, error)
	Close() error
}

// A source computes what is seen of one forward pass, or of one run of attention.
type source struct {
	capture   capture // nil while there is none
	run       *explore.Run
	abandoned atomic.Bool   // the pass was cancelled: nothing can be computed any longer
	lost      func() bool   // says that the device was, and reports whether there will be another
	inUse     *sync.RWMutex // of the device
	pool      *engine.Pool  // nil: cells come to the CPU
	spilled   *atomic.Bool  // so they do since what shows frames was lost
}

// check turns what is no fault of anybody's into a cancellation. A device that was
// lost is closed when another takes its place.
func (s *source) check(err error) error {
	if err != nil && s.abandoned.Load() {
		return context.Canceled
	}
	if (errors.Is(err, vk.ErrDeviceLost) || errors.Is(err, vk.ErrClosed)) && s.lost() {
		return context.Canceled
	}
	return err
}

func (s *source) Cells(ctx context.Context, r explore.Request) ([]float32, error) {
	s.inUse.RLock()
	defer s.inUse.RUnlock()
	cells, _, err := s.capture.Heatmap(ctx, view(r))
	return cells, s.check(err)
}

func (s *source) Summary(ctx context.Context, layer int) ([]explore.Summary, error) {
	s.inUse.RLock()
	defer s.inUse.RUnlock()
	rows, err := s.capture.Statistics(ctx, layer)
	if err != nil {
		return nil, s.check(err)
	}
	summaries := make([]explore.Summary, s.run.Heads)
	n := len(s.run.Tokens)
	blind := s.blind(layer)
	_, numbers := s.capture.(oneLayer)
	for head := range summaries {
		of := &summaries[head]
		for i, row := range rows[head*n:][:n] {
			of.Entropy += float64(row.Entropy) / float64(n)
			of.Distance += float64(row.Distance) / float64(n)
			if blind[i] && row.Sum == 0 {
				row.Sum = 1 // as it should be
			}
			of.Sums, of.Spread = append(of.Sums, row.Sum), append(of.Spread, row.Entropy)
		}
		for role, share := range engine.MeanRoles(rows[head*n:][:n]) {
			if numbers && engine.Role(role) == engine.RoleCopy {
				continue // no token is the same as another
			}
			of.Roles = append(of.Roles, explore.Share{Name: engine.Role(role).String(), Share: float64(share)})
		}
	}
	return summaries, nil
}

// blind returns which of the packed queries see nothing in a layer.
func (s *source) blind(layer int) []bool {
	lengths := s.run.Lengths
	if lengths == nil {
		lengths = gaze.Lengths{len(s.run.Tokens)}
	}
	var spans []gaze.Span
	var blind []bool
	for _, length := range lengths {
		for query := range length {
			spans = s.run.Layers[layer].AppendKeys(spans[:0], query, length)
			blind = append(blind, len(spans) == 0)
		}
	}
	return blind
}

func (s *source) Received(ctx context.Context, layer int, heads, queries gaze.Span) ([][]float64, error) {
	s.inUse.RLock()
	defer s.inUse.RUnlock()
	received, err := s.capture.Received(ctx, layer, heads, queries, nil)
	return received, s.check(err)
}

func (s *source) Given(ctx context.Context, layer int, heads, keys gaze.Span) ([][]float64, error) {
	s.inUse.RLock()
	defer s.inUse.RUnlock()
	given, err := s.capture.Given(ctx, layer, heads, keys)
	return given, s.check(err)
}

func (s *source) Rollout(ctx context.Context, layer, query int) ([]float64, error) {
	s.inUse.RLock()
	defer s.inUse.RUnlock()
	layers, err := s.capture.Rollout(ctx, query, layer, nil)
	if err != nil {
		return nil, s.check(err)
	}
	return layers[0], nil
}

func (s *source) Close() error {
	s.inUse.RLock()
	defer s.inUse.RUnlock()
	return s.capture.Close()
}

package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/cmd/internal/load"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/modernbert"
	"github.com/gazevk/gaze/visualize"
	"github.com/gazevk/gaze/visualize/explore"
	"github.com/gazevk/gaze/vk"
)

// poolBytes is how much of a device's memory cells may take that stay there: those of
// four windows of 3840 x 2160 pixels. What has no room is coloured on the CPU.
const poolBytes = 128 << 20

// A room has cells that stay on the device.
type room struct {
	*engine.Room
	of *source
}

func (r room) Read(ctx context.Context, first, rowStride, columnStride, rows, columns int) ([]float32, error) {
	r.of.inUse.RLock()
	defer r.of.inUse.RUnlock()
	values, err := r.Room.Read(ctx, first, rowStride, columnStride, rows, columns)
	return values, r.of.check(err)
}

func (s *source) Room(cells int) explore.Room {
	s.inUse.RLock()
	defer s.inUse.RUnlock()
	if s.pool == nil || s.spilled.Load() {
		return nil
	}
	if r := s.pool.Room(cells); r != nil {
		return room{r, s}
	}
	return nil
}

func (s *source) Place(ctx context.Context, r explore.Request, to explore.Room, mix explore.Mix) error {
	s.inUse.RLock()
	defer s.inUse.RUnlock()
	_, err := s.capture.Place(ctx, view(r), to.(room).Room, engine.Mix(mix))
	if errors.Is(err, engine.ErrElsewhere) {
		return explore.ErrElsewhere
	}
	return s.check(err)
}

// view returns a request as the engine knows it.
func view(r explore.Request) modernbert.View {
	return modernbert.View{Layer: r.Layer, Heads: r.Heads, Rectangle: r.Rectangle,
		Cell: gaze.Square(r.Cell), Sum: r.Pooling == visualize.MeanPooling, Measure: load.Measures[r.Measure]}
}

// newPool returns memory for cells that what shows the window reads where they were
// computed, or nil where the CPU colours them. It waits for the window.
func (p *program) newPool(ctx context.Context, e *engine.Engine) (*engine.Pool, error) {
	if p.options.paint == "cpu" {
		return nil, nil
	}
	select {
	case <-p.opened:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	computes, shows := e.Adapter(), *p.shows.Load()
	able := computes.SharesMemory(shows)
	switch auto := p.options.paint == "auto"; {
	case auto && (!able || shows.Kind == vk.CPU): // whose cells lie in the CPU's memory anyway
		return nil, nil
	case !able:
		return nil, fmt.Errorf("--paint device: %s computes and %s shows the window, and they share no memory: leave --paint out, or choose by --device and --present", computes.Name, shows.Name)
	default:
		pool, err := e.NewPool(min(poolBytes, computes.Limits.StorageRange))
		if auto && err != nil {
			return nil, nil // there is another way
		}
		return pool, err
	}
}

// Presents notes which device shows the window. If another takes the place of one
// that was lost, it cannot read what that one shared.
func (p *program) Presents(device vk.Adapter) {
	if before := p.shows.Swap(&device); before == nil {
		close(p.opened)
	} else if p.live.spill(device) {
		p.explorer.Spill()
	}
}

// Presented says so to the explorer.
func (p *program) Presented() { p.explorer.Presented() }

// Unreadable drops what is in rooms: of a device that was lost they are closed. If there
// is another reason, there are no more rooms.
func (p *program) Unreadable(reason error) (others bool) {
	if !errors.Is(reason, vk.ErrClosed) {
		if p.options.paint == "device" {
			return false
		}
		p.live.spilled.Store(true)
		p.explorer.Warn(fmt.Sprintf("the CPU colours the maps: %v", reason))
	}
	p.explorer.Spill()
	return true
}

// spill takes no more rooms if a device that shows frames now cannot read them, and
// reports whether there may be some.
func (l *live) spill(shows vk.Adapter) bool {
	shared := l.shared.Load()
	if shared == nil || shared.SharesMemory(shows) {
		return false
	}
	l.spilled.Store(true)
	return true
}

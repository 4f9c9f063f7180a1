package modernbert

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
)

const (
	keptWorks  = 16       // programs that a model keeps at most
	keptInputs = 64 << 20 // bytes of their inputs, but those of the last are kept in any case
	atOnce     = 2        // forward passes that may be under way: one computes while another comes or goes
)

// A work is a program with its inputs on the device, and what was recorded of it.
type work struct {
	program *Program
	inputs  *engine.Buffers
	runs    [atOnce]*engine.Prepared // over the buffers of each exchange
}

func (w *work) close() {
	w.forget()
	w.inputs.Close()
}

// forget drops what was recorded, because the buffers are about to change.
func (w *work) forget() {
	for i, run := range w.runs {
		run.Close() // waits for one that is under way
		w.runs[i] = nil
	}
}

// A room is buffers for one program after another, as large as the largest needs.
type room struct {
	buffers *engine.Buffers
	specs   []engine.BufferSpec
}

// fits reports whether the room has all of specs.
func (r *room) fits(specs []engine.BufferSpec) bool {
	return !slices.ContainsFunc(specs, func(s engine.BufferSpec) bool {
		i := slices.IndexFunc(r.specs, func(has engine.BufferSpec) bool { return has.Name == s.Name })
		return i < 0 || r.specs[i].Bytes < s.Bytes
	})
}

// grow makes the room anew, so that it has all of specs beside what it had.
func (r *room) grow(e *engine.Engine, specs []engine.BufferSpec) error {
	larger := slices.Clone(r.specs)
	for _, s := range specs {
		if i := slices.IndexFunc(larger, func(has engine.BufferSpec) bool { return has.Name == s.Name }); i >= 0 {
			larger[i].Bytes = max(larger[i].Bytes, s.Bytes)
		} else {
			larger = append(larger, s)
		}
	}
	r.close()
	buffers, err := e.NewBuffers(larger)
	if err != nil {
		return err
	}
	r.buffers, r.specs = buffers, larger
	return nil
}

func (r *room) close() {
	if r.buffers != nil {
		r.buffers.Close()
	}
	r.buffers, r.specs = nil, nil
}

// An exchange is what one forward pass under way has by itself: the buffers in
// which its ids come and its outputs go.
type exchange struct {
	room
	number int
	busy   bool
}

// take waits for a turn to run, of which there are atOnce, and takes an exchange.
func (m *Model) take(ctx context.Context) (*exchange, error) {
	select {
	case m.under <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	m.lock.Lock()
	defer m.lock.Unlock()
	i := slices.IndexFunc(m.exchanges[:], func(x exchange) bool { return !x.busy })
	x := &m.exchanges[i]
	x.number, x.busy = i, true
	return x, nil
}

func (m *Model) give(x *exchange) {
	m.lock.Lock()
	defer m.lock.Unlock()
	x.busy = false
	<-m.under
}

// find returns the kept work for these lengths, or nil, and makes it the last.
func (m *Model) find(lengths gaze.Lengths, want Want) *work {
	m.lock.Lock()
	defer m.lock.Unlock()
	i := slices.IndexFunc(m.works, func(w *work) bool {
		return slices.Equal(w.program.Lengths, lengths) && reflect.DeepEqual(w.program.Want, want)
	})
	if i < 0 {
		return nil
	}
	w := m.works[i]
	m.works = append(slices.Delete(m.works, i, i+1), w)
	return w
}

// plan returns the program for these lengths, a known one if there is one. It
// takes no turn.
func (m *Model) plan(lengths gaze.Lengths, want Want) (*Program, error) {
	if w := m.find(lengths, want); w != nil {
		return w.program, nil
	}
	return NewProgram(m.traits, m.Config, m.Head, m.Precision, lengths, want)
}

// prepare returns the work of a program whose buffers are there, and where ids and
// outputs are exchanged. The caller has the turn. Where memory is short it drops
// all that other programs left.
func (m *Model) prepare(ctx context.Context, p *Program, x *exchange) (*work, error) {
	w, err := m.provide(ctx, p, x)
	if errors.Is(err, engine.ErrOutOfMemory) {
		m.drop(0, 0)
		m.shared.close()
		x.close()
		w, err = m.provide(ctx, p, x)
	}
	if err != nil {
		return nil, fmt.Errorf("a batch of %d tokens: %w", p.Lengths.Tokens(), err)
	}
	return w, nil
}

func (m *Model) provide(ctx context.Context, p *Program, x *exchange) (*work, error) {
	inputs, exchanged, shared := p.split()
	if !m.shared.fits(shared) {
		for _, w := range m.works {
			w.forget()
		}
		if err := m.shared.grow(m.engine, shared); err != nil {
			return nil, err
		}
	}
	if !x.fits(exchanged) {
		for _, w := range m.works {
			w.runs[x.number].Close()
			w.runs[x.number] = nil
		}
		if err := x.grow(m.engine, exchanged); err != nil {
			return nil, err
		}
	}
	if w := m.find(p.Lengths, p.Want); w != nil {
		return w, nil
	}
	buffers, err := m.engine.NewBuffers(inputs)
	if err != nil {
		return nil, err
	}
	for name, data := range p.Inputs {
		if err := buffers.Upload(ctx, name, 0, data); err != nil {
			buffers.Close()
			return nil, err
		}
	}
	w := &work{program: p, inputs: buffers}
	m.lock.Lock()
	m.works = append(m.works, w)
	m.lock.Unlock()
	m.drop(keptWorks, keptInputs)
	return w, nil
}

// drop closes works, those first that were not used for longest, until at most that
// many with at most that many bytes of inputs are left, or the last alone.
func (m *Model) drop(count int, bytes int64) {
	m.lock.Lock()
	defer m.lock.Unlock()
	for len(m.works) > 0 && (len(m.works) > count || len(m.works) > 1 && m.inputBytes() > bytes) {
		m.works[0].close()
		m.works = slices.Delete(m.works, 0, 1)
	}
}

func (m *Model) inputBytes() int64 {
	sum := int64(0)
	for _, w := range m.works {
		sum += w.inputs.Bytes()
	}
	return sum
}

// split returns the buffers of a program that are its inputs, those in which ids
// come and outputs go, and those that hold nothing from one forward pass to the next.
func (p *Program) split() (inputs, exchanged, shared []engine.BufferSpec) {
	for _, b := range p.Buffers {
		_, constant := p.Inputs[b.Name]
		switch {
		case constant:
			inputs = append(inputs, b)
		case b.Memory != engine.DeviceMemory:
			exchanged = append(exchanged, b)
		default:
			shared = append(shared, b)
		}
	}
	return inputs, exchanged, shared
}

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
	i := 0
	for m.exchanges[i].busy { // by place: what else a busy one has is changing
		i++
	}
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

// known returns where the work for these lengths is among the kept ones, or -1.
func (m *Model) known(lengths gaze.Lengths, want Want) int {
	return slices.IndexFunc(m.works, func(w *work) bool {
		return slices.Equal(w.program.Lengths, lengths) && reflect.DeepEqual(w.program.Want, want)
	})
}

// plan returns the program for these lengths, a known one if there is one. It
// takes no turn.
func (m *Model) plan(lengths gaze.Lengths, want Want) (*Program, error) {
	m.lock.Lock()
	i := m.known(lengths, want)
	if i >= 0 {
		defer m.lock.Unlock()
		return m.works[i].program, nil
	}
	m.lock.Unlock()
	return NewProgram(m.traits, m.Config, m.Head, m.Precision, lengths, want)
}

// prepare returns the work of a program whose buffers are there, and where ids and
// outputs are exchanged. The caller has the turn. Where memory is short it drops
// all that other programs left.
func (m *Model) prepare(ctx context.Context, p *Program, x *exchange) (*work, error) {
	w, err := m.provide(ctx, p, x)
	if errors.Is(err, engine.ErrOutOfMemory) {
		m.empty(x)
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
	if i := m.known(p.Lengths, p.Want); i >= 0 {
		w := m.works[i]
		if i == len(m.works)-1 {
			return w, nil
		}
		m.change(append(slices.Delete(slices.Clone(m.works), i, i+1), w))
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
	m.change(append(slices.Clone(m.works), w))
	m.drop(keptWorks, keptInputs)
	return w, nil
}

// change sets the kept works, the one used last last. The caller has the turn.
func (m *Model) change(works []*work) {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.works = works
}

// drop closes works, those first that were not used for longest, until at most that
// many with at most that many bytes of inputs are left, or the last alone. The
// caller has the turn.
func (m *Model) drop(count int, bytes int64) {
	for len(m.works) > 0 && (len(m.works) > count || len(m.works) > 1 && m.inputBytes() > bytes) {
		first := m.works[0]
		m.change(m.works[1:])
		first.close()
	}
}

func (m *Model) inputBytes() int64 {
	sum := int64(0)
	for _, w := range m.works {
		sum += w.inputs.Bytes()
	}
	return sum
}

// empty gives back all buffers but those of another forward pass under way. The
// caller has the turn and x.
func (m *Model) empty(x *exchange) {
	m.drop(0, 0)
	m.shared.close()
	m.lock.Lock()
	defer m.lock.Unlock()
	for i := range m.exchanges {
		if other := &m.exchanges[i]; other == x || !other.busy {
			other.close()
		}
	}
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

package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"

	"github.com/gazevk/gaze/vk"
)

// Memory says who uses a buffer: its memory is what that one reaches best.
type Memory = vk.Memory

const (
	DeviceMemory   = vk.DeviceMemory
	UploadMemory   = vk.UploadMemory
	ReadbackMemory = vk.ReadbackMemory
)

// ErrOutOfMemory is in the error of what did not fit in the device's memory.
var ErrOutOfMemory = vk.ErrOutOfMemory

// Buffers are named buffers on a device, for passes to bind.
type Buffers struct {
	engine *Engine
	named  map[string]*vk.Buffer
	bytes  int64
}

// NewBuffers makes the buffers that specs name, their contents undefined.
func (e *Engine) NewBuffers(specs []BufferSpec) (*Buffers, error) {
	b := &Buffers{engine: e, named: map[string]*vk.Buffer{}}
	for _, spec := range specs {
		buffer, err := e.device.NewBuffer(spec.Name, spec.Bytes, spec.Memory)
		if err != nil {
			b.Close()
			return nil, err
		}
		b.named[spec.Name] = buffer
		b.bytes += spec.Bytes
	}
	return b, nil
}

// Bytes returns the device memory that the buffers take.
func (b *Buffers) Bytes() int64 { return b.bytes }

// Close frees the buffers, after work in flight has ended. A second call does nothing.
func (b *Buffers) Close() error {
	for _, buffer := range b.named {
		buffer.Close()
	}
	clear(b.named)
	return nil
}

func (b *Buffers) slice(name string, offset int64, size int) (vk.Slice, error) {
	buffer := b.named[name]
	if buffer == nil {
		return vk.Slice{}, fmt.Errorf("engine: no buffer %s", name)
	}
	return vk.Slice{Buffer: buffer, Offset: offset, Size: int64(size)}, nil
}

// Upload copies data to the named buffer from byte offset on.
func (b *Buffers) Upload(ctx context.Context, name string, offset int64, data []byte) error {
	to, err := b.slice(name, offset, len(data))
	if err != nil || len(data) == 0 {
		return err
	}
	return b.engine.device.Upload(ctx, to, data)
}

// Download fills data from the named buffer from byte offset on.
func (b *Buffers) Download(ctx context.Context, data []byte, name string, offset int64) error {
	from, err := b.slice(name, offset, len(data))
	if err != nil || len(data) == 0 {
		return err
	}
	return b.engine.device.Download(ctx, data, from)
}

// Execute runs passes in order over the buffers, in submits of about 80 ms. A
// name that several of buffers have means the first's. Each kernel's very first
// use runs one workgroup of its pass ahead of all others, to be compiled; so
// passes must not change buffers that no earlier pass of the list has filled.
func (e *Engine) Execute(ctx context.Context, passes []Pass, progress func(done float64), buffers ...*Buffers) (*Timing, error) {
	return e.ExecuteSteps(ctx, []Step{{Passes: passes}}, Watch{Progress: progress}, buffers...)
}

// ExecuteSteps is Execute for steps, whose reads watch.Weights hears of. Between
// two submits others who wait for the engine get their turn.
func (e *Engine) ExecuteSteps(ctx context.Context, steps []Step, watch Watch, buffers ...*Buffers) (*Timing, error) {
	p, err := e.Prepare(steps, buffers...)
	if err != nil {
		return nil, err
	}
	p.once = true
	return p.Run(ctx, watch)
}

// A Prepared is steps that are bound to their buffers, to be run any number of
// times: what is submitted is recorded in the first runs, while the engine learns
// how long it takes, and submitted again in those that follow. It must be closed
// before the buffers are.
type Prepared struct {
	engine *Engine
	turn   sync.Mutex // runs take turns
	*recording
}

// Prepare binds steps to the buffers, as Execute does.
func (e *Engine) Prepare(steps []Step, buffers ...*Buffers) (*Prepared, error) {
	named := map[string]*vk.Buffer{}
	for i := len(buffers) - 1; i >= 0; i-- {
		maps.Copy(named, buffers[i].named)
	}
	r, err := newRecording(steps, named)
	if err != nil {
		return nil, err
	}
	return &Prepared{engine: e, recording: r}, nil
}

// Run runs the steps, as ExecuteSteps does.
func (p *Prepared) Run(ctx context.Context, watch Watch) (*Timing, error) {
	p.turn.Lock()
	defer p.turn.Unlock()
	r := &runner{Engine: p.engine, watch: watch, buffers: p.buffers, result: &Result{}, shares: true}
	if err := r.start(ctx); err != nil {
		return nil, err
	}
	defer r.stop()
	if err := r.steps(ctx, p.recording); err != nil {
		if errors.Is(err, vk.ErrOutOfMemory) {
			err = fmt.Errorf("%s: %w", r.traits.Device, err)
		}
		return nil, err
	}
	return &r.result.Timing, nil
}

// Close frees what was recorded. A second call does nothing.
func (p *Prepared) Close() error {
	if p != nil {
		p.turn.Lock()
		defer p.turn.Unlock()
		p.close()
	}
	return nil
}

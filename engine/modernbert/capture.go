package modernbert

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
)

// capture returns where the rotated queries and keys and the log-sum-exps of a
// layer stay: in buffers of their own, which attention reads and writes directly.
func (b *builder) capture(layer int) (query, key, lse string) {
	query, key, lse = captured(layer)
	tensor := int64(b.n*b.d) * b.size
	b.Captured = append(b.Captured, engine.BufferSpec{Name: query, Bytes: tensor}, engine.BufferSpec{Name: key, Bytes: tensor},
		engine.BufferSpec{Name: lse, Bytes: 4 * int64(b.Config.Heads*b.n)})
	return query, key, lse
}

func captured(layer int) (query, key, lse string) {
	return fmt.Sprintf("query of layer %d", layer), fmt.Sprintf("key of layer %d", layer), fmt.Sprintf("lse of layer %d", layer)
}

// bufMap is the block map of the layer whose weights are recomputed.
const bufMap = "block map"

// WeightSteps returns what recomputes a captured layer's attention weights on a
// device with traits t, and the buffers that it takes beside the capture.
func (p *Program) WeightSteps(t engine.Traits, layer int) ([]engine.Step, []engine.BufferSpec, error) {
	if !slices.Contains(p.Want.Capture, layer) {
		return nil, nil, fmt.Errorf("attention of layer %d was not captured", layer)
	}
	a, m := p.Attention[layer], p.Maps[layer]
	b := builder{Program: p, n: p.Lengths.Tokens(), d: p.Config.HiddenSize, size: elementSize(p.Precision)}
	query, key, lse := captured(layer)
	blockMap := engine.Ref{Buffer: bufMap, Size: engine.MapBytes(m)}
	steps, work, err := engine.AttentionWeights{Heads: a.Heads, HeadDim: a.HeadDim, Scale: a.ScoreScale(), Map: m,
		Precision: p.Precision, In: b.layout(), LSEHead: b.n, BlockMap: blockMap,
		Query: b.own(query, b.n*b.d), Key: b.own(key, b.n*b.d), LSE: b.f32(lse, a.Heads*b.n)}.Steps(t)
	return steps, []engine.BufferSpec{{Name: bufMap, Bytes: blockMap.Size}, work}, err
}

// A Capture is what attention weights follow from, of some layers of one forward
// pass, on the device. It lasts until it is closed, whatever the model does
// meanwhile, but not beyond the engine. Several goroutines may use it, also while
// the pass still runs, see [Watch].
type Capture struct {
	engine  *engine.Engine
	traits  engine.Traits
	program *Program
	ids     []uint32 // of the packed tokens
	buffers *engine.Buffers
	state   *captureState
}

// A captureState is what may change of a capture.
type captureState struct {
	sync.Mutex
	computed int // how many layers of the model the pass has been through
	users    int // calls under way, the forward pass among them
	closed   bool

	layers map[int]*engine.Capture // those that were looked at; equal patterns share a block map
}

func (m *Model) newCapture(p *Program, ids []uint32) (*Capture, error) {
	buffers, err := m.engine.NewBuffers(p.Captured)
	if err != nil {
		return nil, fmt.Errorf("what attention weights of %d layers follow from: %w", len(p.Want.Capture), err)
	}
	return &Capture{m.engine, m.traits, p, ids, buffers, &captureState{layers: map[int]*engine.Capture{}}}, nil
}

// complete notes that all captured layers up to that one are there.
func (c *Capture) complete(layer int) {
	c.state.Lock()
	defer c.state.Unlock()
	c.state.computed = layer + 1
}

// hold keeps the buffers of a layer, or for -1 of none in particular, until release
// is called.
func (c *Capture) hold(layer int) (release func(), err error) {
	c.state.Lock()
	defer c.state.Unlock()
	switch {
	case layer >= 0 && !slices.Contains(c.program.Want.Capture, layer):
		return nil, fmt.Errorf("attention of layer %d was not captured", layer)
	case c.state.closed:
		return nil, errors.New("what was captured of attention is closed")
	case layer >= c.state.computed:
		return nil, fmt.Errorf("attention of layer %d is not there yet: the forward pass has not come so far", layer)
	}
	c.state.users++
	return func() {
		c.state.Lock()
		defer c.state.Unlock()
		c.state.users--
		c.free()
	}, nil
}

// free frees the buffers if nobody needs them any longer.
func (c *Capture) free() {
	if c.state.closed && c.state.users == 0 {
		for _, l := range c.state.layers {
			l.Close()
		}
		c.buffers.Close()
	}
}

// Weights recomputes a captured layer's attention weights, [heads, n, n] over the
// packed tokens and 0 from one sequence to another. watch.Weights receives them
// row by row, as [engine.Watch] says.
func (c *Capture) Weights(ctx context.Context, layer int, watch engine.Watch) (*engine.Timing, error) {
	release, err := c.hold(layer)
	if err != nil {
		return nil, err
	}
	defer release()
	steps, specs, err := c.program.WeightSteps(c.traits, layer)
	if err != nil {
		return nil, err
	}
	buffers, err := c.engine.NewBuffers(specs)
	if err != nil {
		return nil, fmt.Errorf("attention weights of layer %d: %w", layer, err)
	}
	defer buffers.Close()
	if err := buffers.Upload(ctx, bufMap, 0, engine.Words(c.program.Maps[layer])); err != nil {
		return nil, err
	}
	return c.engine.ExecuteSteps(ctx, steps, watch, buffers, c.buffers)
}

// Close frees the capture's memory once the calls under way have ended, the forward
// pass among them; later calls fail. Any goroutine may close it at any time. A second
// call does nothing.
func (c *Capture) Close() error {
	c.state.Lock()
	defer c.state.Unlock()
	c.state.closed = true
	c.free()
	return nil
}

// layer returns the layer of that number by itself, to be released.
func (c *Capture) layer(layer int) (_ *engine.Capture, release func(), err error) {
	if release, err = c.hold(layer); err != nil {
		return nil, nil, err
	}
	c.state.Lock()
	defer c.state.Unlock()
	if l := c.state.layers[layer]; l != nil {
		return l, release, nil
	}
	p := c.program
	b := builder{Program: p, n: p.Lengths.Tokens(), d: p.Config.HiddenSize, size: elementSize(p.Precision)}
	query, key, lse := captured(layer)
	a := p.Attention[layer]
	l := &engine.Capture{Attention: a, Lengths: p.Lengths, IDs: c.ids, Precision: p.Precision, Layout: b.layout(), LSEHead: b.n,
		Query: b.own(query, b.n*b.d), Key: b.own(key, b.n*b.d), LSE: b.f32(lse, a.Heads*b.n), Engine: c.engine, Buffers: c.buffers}
	for _, other := range c.state.layers {
		if reflect.DeepEqual(other.Visible(), a.Visible()) {
			l.Map = other.Map
		}
	}
	if l.Map == nil {
		l.Map = gaze.NewBlockMap(a.Visible(), p.Lengths, engine.HeatmapTile)
	}
	c.state.layers[layer] = l
	return l, release, nil
}

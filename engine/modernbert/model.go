package modernbert

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/checkpoint"
)

// A Model is a checkpoint's weights on a device.
type Model struct {
	Config    checkpoint.Config
	Head      checkpoint.Head
	Precision engine.Precision

	engine  *engine.Engine
	traits  engine.Traits // of the engine
	weights *engine.Buffers

	under  chan struct{} // holds one element for each forward pass under way
	turn   chan struct{} // holds one while a forward pass prepares and submits, and guards the next two
	shared room          // what is computed in between
	closed bool

	lock      sync.Mutex // guards the rest; works change in the turn only, so whoever has that may read them
	exchanges [atOnce]exchange
	works     []*work // the one used last is the last
}

// Load brings the weights of c to the device of e: matrices in that precision,
// norms, biases and the small layers of the heads in f32. BF16 is widened. c may
// be closed afterwards.
func Load(ctx context.Context, e *engine.Engine, c *checkpoint.Model, precision engine.Precision) (*Model, error) {
	return load(ctx, e, e.Traits(), c, precision)
}

func load(ctx context.Context, e *engine.Engine, t engine.Traits, c *checkpoint.Model, precision engine.Precision) (*Model, error) {
	m := &Model{Config: c.Config, Head: c.Head, Precision: precision, engine: e, traits: t,
		under: make(chan struct{}, atOnce), turn: make(chan struct{}, 1)}
	parts, err := m.parts(c)
	if err != nil {
		return nil, err
	}
	specs := make([]engine.BufferSpec, len(parts))
	for i, p := range parts {
		specs[i] = engine.BufferSpec{Name: p.name, Bytes: p.bytes()}
	}
	if m.weights, err = e.NewBuffers(specs); err != nil {
		return nil, fmt.Errorf("weights of %d MiB: %w", total(specs)>>20, err)
	}
	var work []float32
	for _, p := range parts {
		data, err := p.data(&work)
		if err == nil {
			err = m.weights.Upload(ctx, p.name, 0, data)
		}
		if err != nil {
			m.Close()
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return m, nil
}

// WeightBytes returns the device memory that c's weights take in that precision
// on a device with traits t.
func WeightBytes(t engine.Traits, c *checkpoint.Model, precision engine.Precision) (int64, error) {
	parts, err := (&Model{Config: c.Config, Head: c.Head, Precision: precision, traits: t}).parts(c)
	sum := int64(0)
	for _, p := range parts {
		sum += p.bytes()
	}
	return sum, err
}

func total(specs []engine.BufferSpec) int64 {
	sum := int64(0)
	for _, s := range specs {
		sum += s.Bytes
	}
	return sum
}

// start waits for the turn to prepare and submit; stop ends it.
func (m *Model) start(ctx context.Context) error {
	select {
	case m.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if m.closed {
		m.stop()
		return errors.New("the model is closed")
	}
	return nil
}

func (m *Model) stop() { <-m.turn }

// Close frees the weights and buffers, after the forward passes under way. A second
// call does nothing.
func (m *Model) Close() error {
	for range atOnce {
		m.under <- struct{}{}
		defer func() { <-m.under }()
	}
	m.closed = true
	m.drop(0, 0)
	m.shared.close()
	for i := range m.exchanges {
		m.exchanges[i].close()
	}
	return m.weights.Close()
}

// WeightBytes returns the device memory that the weights take.
func (m *Model) WeightBytes() int64 { return m.weights.Bytes() }

// A part is what one buffer of weights holds: rows of a tensor, each of width
// elements, filled up with rows of zeros.
type part struct {
	name      string
	tensor    checkpoint.Tensor
	rows      gaze.Span
	width     int
	padded    int // rows that the buffer has
	turned    int // leading rows that give queries and keys, in heads of headDim; see interleave
	headDim   int
	precision engine.Precision
}

func (p part) bytes() int64 {
	return int64(p.padded*p.width) * elementSize(p.precision)
}

// data returns what the buffer has. It may lie in work, which grows, or in the file.
func (p part) data(work *[]float32) ([]byte, error) {
	rows := p.tensor.Rows(p.rows.First, p.rows.End)
	missing := p.padded - (p.rows.End - p.rows.First)
	if rows.DType == checkpoint.F32 && p.precision == engine.F32 && missing == 0 && p.turned == 0 {
		return rows.Bytes(), nil
	}
	x, err := rows.AppendFloat32((*work)[:0])
	if err != nil {
		return nil, err
	}
	if p.precision == engine.F16 {
		for i, v := range x {
			if v > 65504 || v < -65504 {
				return nil, fmt.Errorf("element %d is %v: f16 holds at most 65504; use precision f32", p.rows.First*p.width+i, v)
			}
		}
	}
	interleave(x[:p.turned*p.width], p.headDim, p.width)
	*work = append(x, make([]float32, missing*p.width)...)
	return engine.Stored(*work, p.precision), nil
}

// parts lists the buffers of all weights.
func (m *Model) parts(c *checkpoint.Model) ([]part, error) {
	d := m.Config.HiddenSize
	size := elementSize(m.Precision)
	var parts []part
	for _, shape := range m.Config.Tensors(m.Head) {
		t, ok := c.Tensor(shape.Name)
		if !ok {
			return nil, fmt.Errorf("tensor %s is missing", shape.Name)
		}
		rows, width := shape.Shape[0], 1
		if len(shape.Shape) == 2 {
			width = shape.Shape[1]
		}
		whole := part{name: shape.Name, tensor: t, rows: gaze.Span{End: rows}, width: width, padded: rows, precision: engine.F32}
		switch {
		case strings.HasPrefix(shape.Name, "classifier."):
			whole.padded = Padded(rows)
		case shape.Name == "embeddings.tok_embeddings.weight" || shape.Name == "decoder.weight" || shape.Name == "decoder.bias":
			// The embeddings are the decoder too where they are tied: padded as that is.
			for _, w := range Windows(m.traits, Padded(rows), d, size) {
				p := whole
				p.name, p.rows, p.padded = windowName(shape.Name, w), gaze.Span{First: w.First, End: min(w.End, rows)}, w.End-w.First
				if width > 1 {
					p.precision = m.Precision
				}
				parts = append(parts, p)
			}
			continue
		case strings.HasSuffix(shape.Name, ".attn.Wqkv.weight"):
			whole.precision, whole.turned, whole.headDim = m.Precision, 2*d, m.Config.HeadDim()
		case strings.HasSuffix(shape.Name, ".attn.Wqkv.bias"):
			for i := range 3 { // bound one by one, at offsets of their own
				p := whole
				if i < 2 {
					p.turned, p.headDim = d, m.Config.HeadDim()
				}
				p.name, p.rows, p.padded = strings.TrimSuffix(shape.Name, ".bias")+fmt.Sprintf("[%d].bias", i), gaze.Span{First: i * d, End: (i + 1) * d}, d
				parts = append(parts, p)
			}
			continue
		case strings.HasPrefix(shape.Name, "layers.") && width > 1:
			whole.precision = m.Precision
		}
		parts = append(parts, whole)
	}
	return parts, nil
}

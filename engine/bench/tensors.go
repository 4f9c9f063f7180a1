package bench

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/gazevk/gaze/engine"
)

// tensors gathers the buffers of a case: those with random contents, those with
// given ones and those that kernels write.
type tensors struct {
	specs    []engine.BufferSpec
	contents map[string][]byte
	random   *rand.Rand
}

func newTensors() *tensors {
	return &tensors{contents: map[string][]byte{}, random: rand.New(rand.NewPCG(1, 2))}
}

// uniform adds elements from -1 to 1. Zeros would be quicker on devices that
// save power.
func (t *tensors) uniform(name string, elements int, p engine.Precision) engine.Ref {
	x := make([]float32, elements)
	for i := range x {
		x[i] = 2*t.random.Float32() - 1
	}
	return t.given(name, engine.Stored(x, p))
}

func (t *tensors) given(name string, data []byte) engine.Ref {
	t.contents[name] = data
	return t.empty(name, int64(len(data)))
}

func (t *tensors) empty(name string, bytes int64) engine.Ref {
	t.specs = append(t.specs, engine.BufferSpec{Name: name, Bytes: bytes})
	return engine.Ref{Buffer: name, Size: bytes}
}

// bytes is the size of all so far.
func (t *tensors) bytes() int64 {
	sum := int64(0)
	for _, s := range t.specs {
		sum += s.Bytes
	}
	return sum
}

// upload makes the buffers. The caller closes them.
func upload(ctx context.Context, e *engine.Engine, t *tensors) (*engine.Buffers, error) {
	buffers, err := e.NewBuffers(t.specs)
	if err != nil {
		return nil, err
	}
	for name, data := range t.contents {
		if err := buffers.Upload(ctx, name, 0, data); err != nil {
			buffers.Close()
			return nil, err
		}
	}
	return buffers, nil
}

// fits reports whether every buffer can be bound as a whole on the device of e.
func (t *tensors) fits(e *engine.Engine) error {
	for _, s := range t.specs {
		if limit := e.Traits().StorageRange; s.Bytes > limit {
			return fmt.Errorf("%s of %d bytes, and %s binds %d at most", s.Name, s.Bytes, e.Traits().Device, limit)
		}
	}
	return nil
}

func elementBytes(p engine.Precision) int64 {
	if p == engine.F16 {
		return 2
	}
	return 4
}

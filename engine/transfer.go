package engine

import (
	"context"
	"encoding/binary"
	"unsafe"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/vk"
)

func (r *runner) allocate() error {
	for _, spec := range r.plan.Buffers {
		b, err := r.device.NewBuffer(spec.Name, spec.Bytes, vk.DeviceMemory)
		if err != nil {
			return err
		}
		r.buffers[spec.Name] = b
	}
	r.result.Bytes = r.plan.DeviceBytes()
	return nil
}

func (r *runner) close() {
	for _, b := range r.buffers {
		b.Close()
	}
}

// keep takes the named buffers from the run, so that they outlast it.
func (r *runner) keep(names []string) *Buffers {
	b := &Buffers{engine: r.Engine, named: map[string]*vk.Buffer{}}
	for _, name := range names {
		b.named[name] = r.buffers[name]
		b.bytes += b.named[name].Size()
		delete(r.buffers, name)
	}
	return b
}

// heads calls do with each head's part of a buffer, which begins at an aligned
// offset on the device.
func (r *runner) heads(ctx context.Context, buffer string, do func(head int, part vk.Slice) error) error {
	b, heads := r.buffers[buffer], r.plan.Attention.Heads
	size := b.Size() / int64(heads)
	for h := range heads {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := do(h, vk.Slice{Buffer: b, Offset: int64(h) * size, Size: size}); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) upload(ctx context.Context, in Input) error {
	a := r.plan.Attention
	perHead := r.plan.Lengths.Tokens() * a.HeadDim
	for _, t := range in.tensors() {
		err := r.heads(ctx, t.name, func(h int, part vk.Slice) error {
			return r.device.Upload(ctx, part, Stored(t.data[h*perHead:(h+1)*perHead], r.plan.Precision))
		})
		if err != nil {
			return err
		}
	}
	whole := map[string][]byte{bufMap: Words(r.plan.Map)}
	if a.RoPE.Enabled() {
		cos, sin := a.RoPE.Table(a.HeadDim, r.plan.Lengths.Longest())
		whole[bufCosine], whole[bufSine], whole[bufPositions] = Bytes(cos), Bytes(sin), Bytes(r.plan.Lengths.Positions())
	}
	for name, data := range whole {
		if err := r.device.Upload(ctx, r.buffers[name].Whole(), data); err != nil {
			return err
		}
	}
	return nil
}

// Words returns m as the kernels read it (shaders/include/blockmap.glsl).
func Words(m *gaze.BlockMap) []byte {
	words := make([]uint32, 0, len(m.First)+2*len(m.Tiles)+len(m.Masks))
	words = append(words, m.First...)
	for _, t := range m.Tiles {
		words = append(words, t.Key, t.Mask)
	}
	return Bytes(append(words, m.Masks...))
}

// Stored returns x as the device stores it.
func Stored(x []float32, p Precision) []byte {
	if p == F32 {
		return Bytes(x)
	}
	data := make([]byte, 0, 2*len(x))
	for _, v := range x {
		data = binary.LittleEndian.AppendUint16(data, checkpoint.Float32ToFloat16(v))
	}
	return data
}

// Bytes returns x as the bytes that it consists of; they share memory.
func Bytes[T float32 | uint32](x []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}

func (r *runner) download(ctx context.Context) error {
	get := func(buffer string, perHead int) ([]float32, error) {
		to := make([]float32, r.plan.Attention.Heads*perHead)
		return to, r.heads(ctx, buffer, func(h int, part vk.Slice) error {
			return r.device.Download(ctx, Bytes(to[h*perHead:(h+1)*perHead]), part)
		})
	}
	var err error
	n := r.plan.Lengths.Tokens()
	if r.result.Output, err = get(bufOutput, n*r.plan.Attention.HeadDim); err != nil {
		return err
	}
	if r.result.LSE, err = get(bufLSE, n); err != nil {
		return err
	}
	return r.checkResult()
}

// read brings a chunk of weights back and hands out its rows.
func (r *runner) read(ctx context.Context, read Read) error {
	if r.watch.Weights == nil {
		return nil
	}
	rows := make([]float32, read.Rows*read.Stride)
	for h := range read.Heads {
		from := vk.Slice{Buffer: r.buffers[read.Buffer], Offset: read.Offset}
		from.Offset += int64(h) * int64(len(rows)) * 4
		from.Size = int64(len(rows)) * 4
		if err := r.device.Download(ctx, Bytes(rows), from); err != nil {
			return err
		}
		for i := range read.Rows {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := r.watch.Weights(read.FirstHead+h, read.FirstRow+i, rows[i*read.Stride:][:read.Keys:read.Keys]); err != nil {
				return err
			}
		}
	}
	return nil
}

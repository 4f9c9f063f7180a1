package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
	"unsafe"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/vk"
)

// An Input holds query, key and value before rotation, each [heads, n, headDim].
type Input struct{ Query, Key, Value []float32 }

// A Result is what a run computed.
type Result struct {
	Output []float32 // [heads, n, headDim]
	LSE    []float32 // [heads, n], natural log; -Inf where a query sees nothing
	Passes []PassTime
	// Compile is the time that preparing kernels for their first use took.
	Compile time.Duration
	// Host is the time from the first submit to the last result, compiling and
	// uploading left out.
	Host    time.Duration
	Submits int
	Bytes   int64 // of device memory in the plan's buffers
}

// A PassTime is the time of all dispatches of one kernel.
type PassTime struct {
	Kernel       string
	Dispatches   int
	GPU          time.Duration // 0 where the device has no timestamps
	MultiplyAdds int64
	Bytes        int64
}

// GPU returns the sum over all passes.
func (r *Result) GPU() time.Duration {
	var sum time.Duration
	for _, p := range r.Passes {
		sum += p.GPU
	}
	return sum
}

// A Watch hears of a run as it goes. Either field may be nil.
type Watch struct {
	// Weights receives the weights of one query of one head, [n], for every
	// query of every head, if the plan has Weights. It must not keep the slice.
	Weights func(head, query int, weights []float32) error
	// Progress receives the share of the work that is done, 0 to 1.
	Progress func(done float64)
}

// A runner is the state of one run.
type runner struct {
	*Engine
	plan    *Plan
	watch   Watch
	buffers map[string]*vk.Buffer
	result  *Result
	times   map[string]*PassTime
	done    float64
	total   float64
}

// Run uploads in, runs p and returns the result. When ctx ends, Run returns its
// error within a few milliseconds; the device finishes at most one more submit.
func (e *Engine) Run(ctx context.Context, p *Plan, in Input, watch Watch) (_ *Result, err error) {
	e.running.Lock()
	defer e.running.Unlock()
	if err := p.check(in); err != nil {
		return nil, err
	}
	r := &runner{Engine: e, plan: p, watch: watch, buffers: map[string]*vk.Buffer{}, result: &Result{}, times: map[string]*PassTime{}}
	defer r.close()
	for _, s := range p.Steps {
		for _, pass := range s.Passes {
			r.total += cost(pass)
		}
	}
	if err := r.allocate(); err != nil {
		return nil, err
	}
	if err := r.upload(ctx, in); err != nil {
		return nil, err
	}
	if err := r.warm(ctx); err != nil {
		return nil, err
	}
	start := time.Now()
	for _, s := range p.Steps {
		if err := r.passes(ctx, s.Passes); err != nil {
			return nil, err
		}
		for _, read := range s.Reads {
			if err := r.read(ctx, read); err != nil {
				return nil, err
			}
		}
	}
	r.result.Host = time.Since(start)
	if err := r.download(ctx); err != nil {
		return nil, err
	}
	return r.result, nil
}

func (p *Plan) check(in Input) error {
	a, n := p.Attention, p.Lengths.Tokens()
	for name, x := range map[string][]float32{"q": in.Query, "k": in.Key, "v": in.Value} {
		if want := a.Heads * n * a.HeadDim; len(x) != want {
			return fmt.Errorf("%s has %d elements; %s needs %d", name, len(x), shape(a.Heads, n, a.HeadDim), want)
		}
		if i := finite(x); i >= 0 {
			return fmt.Errorf("%s%s is %v: attention needs finite numbers", name, shape(i/(n*a.HeadDim), i/a.HeadDim%n, i%a.HeadDim), x[i])
		}
		if p.Precision == F16 {
			for i, v := range x {
				if v > 65504 || v < -65504 {
					return fmt.Errorf("%s%s is %v: f16 holds at most 65504; use precision f32", name, shape(i/(n*a.HeadDim), i/a.HeadDim%n, i%a.HeadDim), v)
				}
			}
		}
	}
	return nil
}

func (r *runner) close() {
	for _, b := range r.buffers {
		b.Close()
	}
}

func (r *runner) allocate() error {
	for _, spec := range r.plan.Buffers {
		b, err := r.device.NewBuffer(spec.Name, max(spec.Bytes, 4), vk.DeviceMemory)
		if err != nil {
			if errors.Is(err, vk.ErrOutOfMemory) {
				return fmt.Errorf("%s: %w: the run needs %d MiB in all; use fewer tokens or heads, f16, or the fused path", r.traits.Device, err, r.plan.DeviceBytes()>>20)
			}
			return err
		}
		r.buffers[spec.Name] = b
	}
	r.result.Bytes = r.plan.DeviceBytes()
	return nil
}

// DeviceBytes returns the device memory that p's buffers take.
func (p *Plan) DeviceBytes() int64 {
	sum := int64(0)
	for _, b := range p.Buffers {
		sum += b.Bytes
	}
	return sum
}

func (r *runner) upload(ctx context.Context, in Input) error {
	a := r.plan.Attention
	put := func(name string, data []byte) error { return r.device.Upload(ctx, r.buffers[name].Whole(), data) }
	for name, x := range map[string][]float32{bufQuery: in.Query, bufKey: in.Key, bufValue: in.Value} {
		// Head by head: on the device each head starts at an aligned offset.
		n := r.plan.Lengths.Tokens() * a.HeadDim
		perHead := r.buffers[name].Size() / int64(a.Heads)
		for h := range a.Heads {
			part := vk.Slice{Buffer: r.buffers[name], Offset: int64(h) * perHead, Size: perHead}
			if err := r.device.Upload(ctx, part, stored(x[h*n:(h+1)*n], r.plan.Precision)); err != nil {
				return err
			}
		}
	}
	if a.RoPE.Enabled() {
		cos, sin := a.RoPE.Table(a.HeadDim, r.plan.Lengths.Longest())
		if err := errors.Join(put(bufCosine, bytesOf(cos)), put(bufSine, bytesOf(sin)), put(bufPositions, bytesOf(r.plan.Lengths.Positions()))); err != nil {
			return err
		}
	}
	return put(bufMap, Words(r.plan.Map))
}

// Words returns m as the kernels read it (shaders/include/blockmap.glsl).
func Words(m *gaze.BlockMap) []byte {
	words := make([]uint32, 0, len(m.First)+2*len(m.Tiles)+len(m.Masks))
	words = append(words, m.First...)
	for _, t := range m.Tiles {
		words = append(words, t.Key, t.Mask)
	}
	return bytesOf(append(words, m.Masks...))
}

// stored returns x as the device stores it.
func stored(x []float32, p Precision) []byte {
	if p == F32 {
		return bytesOf(x)
	}
	data := make([]byte, 0, 2*len(x))
	for _, v := range x {
		data = binary.LittleEndian.AppendUint16(data, checkpoint.Float32ToFloat16(v))
	}
	return data
}

func bytesOf[T float32 | uint32](x []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}

func (r *runner) download(ctx context.Context) error {
	a, n := r.plan.Attention, r.plan.Lengths.Tokens()
	r.result.Output = make([]float32, a.Heads*n*a.HeadDim)
	r.result.LSE = make([]float32, a.Heads*n)
	for name, to := range map[string][]float32{bufOutput: r.result.Output, bufLSE: r.result.LSE} {
		perHead := r.buffers[name].Size() / int64(a.Heads)
		part := len(to) / a.Heads
		for h := range a.Heads {
			from := vk.Slice{Buffer: r.buffers[name], Offset: int64(h) * perHead, Size: perHead}
			if err := r.device.Download(ctx, bytesOf(to[h*part:(h+1)*part]), from); err != nil {
				return err
			}
		}
	}
	for i, v := range r.result.Output {
		if math.IsNaN(float64(v)) {
			return fmt.Errorf("output%s is not a number on %s: the driver miscompiles a kernel; gaze verify --device %d tells which",
				shape(i/(n*a.HeadDim), i/a.HeadDim%n, i%a.HeadDim), r.traits.Device, r.device.Adapter().Index)
		}
	}
	for _, s := range r.plan.Steps {
		for _, pass := range s.Passes {
			if t := r.times[pass.Kernel]; t != nil {
				r.result.Passes = append(r.result.Passes, *t)
				delete(r.times, pass.Kernel)
			}
		}
	}
	return nil
}

// warm compiles what has not run yet and runs one workgroup of it: many drivers
// do the better part of compiling at the first dispatch.
func (r *runner) warm(ctx context.Context) error {
	start := time.Now()
	for _, s := range r.plan.Steps {
		for _, pass := range s.Passes {
			if pass.Kernel == "" {
				continue
			}
			p, err := r.pipeline(pass.Kernel, pass.Constants)
			if err != nil {
				return err
			}
			if p.warm {
				continue
			}
			pass.Groups = [3]uint32{1, 1, 1}
			if err := r.submit(ctx, []Pass{pass}, false); err != nil {
				return err
			}
			p.warm = true
		}
	}
	r.result.Compile = time.Since(start)
	return nil
}

// passes runs a step's passes in submits of about submitTime.
func (r *runner) passes(ctx context.Context, passes []Pass) error {
	var batch []Pass
	sum := 0.0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		start := time.Now()
		if err := r.submit(ctx, batch, true); err != nil {
			return err
		}
		r.Engine.pace.took(sum, time.Since(start))
		if r.done += sum; r.watch.Progress != nil {
			r.watch.Progress(min(r.done/r.total, 1))
		}
		batch, sum = nil, 0
		return nil
	}
	for _, pass := range passes {
		for more := true; more; {
			var now Pass
			now, pass, more = pass.split(r.Engine.pace.budget() - sum)
			batch = append(batch, now)
			if sum += cost(now); more || sum >= r.Engine.pace.budget() {
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	return flush()
}

// submit records passes, runs them and waits; it keeps their times if timed.
func (r *runner) submit(ctx context.Context, passes []Pass, timed bool) error {
	recorder, err := r.device.NewRecorder()
	if err != nil {
		return err
	}
	defer recorder.Close()
	recorder.Timestamp()
	for _, pass := range passes {
		if err := r.record(recorder, pass); err != nil {
			return err
		}
		recorder.Timestamp()
	}
	commands, err := recorder.Finish()
	if err != nil {
		return err
	}
	defer commands.Close()
	if err := commands.Run(ctx); err != nil || !timed {
		return err
	}
	r.result.Submits++
	marks, err := commands.Timestamps()
	if err != nil {
		return err
	}
	for i, pass := range passes {
		t := r.times[pass.Kernel]
		if t == nil {
			t = &PassTime{Kernel: pass.Kernel}
			if pass.Kernel == "" {
				t.Kernel = "zero"
			}
			r.times[pass.Kernel] = t
		}
		t.Dispatches++
		t.MultiplyAdds += pass.MultiplyAdds
		t.Bytes += pass.Bytes
		if len(marks) > i+1 {
			t.GPU += marks[i+1] - marks[i]
		}
	}
	return nil
}

func (r *runner) slice(ref Ref) vk.Slice {
	return vk.Slice{Buffer: r.buffers[ref.Buffer], Offset: ref.Offset, Size: ref.Size}
}

func (r *runner) record(recorder *vk.Recorder, pass Pass) error {
	if pass.Kernel == "" {
		recorder.Zero(r.slice(pass.Bind[0]))
		return nil
	}
	p, err := r.pipeline(pass.Kernel, pass.Constants)
	if err != nil {
		return err
	}
	push, err := p.kernel.Encode(pass.Push)
	if err != nil {
		return err
	}
	slices := make([]vk.Slice, len(pass.Bind))
	for i, ref := range pass.Bind {
		slices[i] = r.slice(ref)
	}
	recorder.Dispatch(p.Pipeline, slices, push, pass.Base, pass.Groups)
	return nil
}

// read brings a chunk of weights back and hands out its rows.
func (r *runner) read(ctx context.Context, read Read) error {
	if r.watch.Weights == nil {
		return nil
	}
	n := r.plan.Lengths.Tokens()
	row := make([]float32, read.Rows*read.Stride)
	for h := range read.Heads {
		from := r.slice(read.Ref)
		from.Offset += int64(h) * int64(len(row)) * 4
		from.Size = int64(len(row)) * 4
		if err := r.device.Download(ctx, bytesOf(row), from); err != nil {
			return err
		}
		for i := range read.Rows {
			if err := r.watch.Weights(read.FirstHead+h, read.FirstRow+i, row[i*read.Stride:i*read.Stride+n]); err != nil {
				return err
			}
		}
	}
	return nil
}

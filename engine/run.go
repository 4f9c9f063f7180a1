package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gazevk/gaze/vk"
)

// An Input holds query, key and value before rotation, each [heads, n, headDim].
type Input struct{ Query, Key, Value []float32 }

// A Result is what a run computed.
type Result struct {
	Output []float32 // [heads, n, headDim]
	LSE    []float32 // [heads, n], natural log; -Inf where a query sees nothing
	Timing
	Bytes int64 // of device memory in the plan's buffers
}

// A Watch hears of a run as it goes, on the goroutine that called Run. Any field
// may be nil. None but Step may call a method of the engine that is running.
type Watch struct {
	// Weights receives the weights of one query of one head, [n], if the plan has
	// Weights: once for every query of every head, in the order of the output's
	// rows. It must not keep the slice. Run returns the error that it returns.
	Weights func(head, query int, weights []float32) error
	// Progress receives the share of the work that is done, which only grows; 1
	// is the last.
	Progress func(done float64)
	// Step hears that a step, counted from 0, is complete on the device. Until it
	// returns the engine is free, for it and for others.
	Step func(step int)
}

// A runner is the state of one run.
type runner struct {
	*Engine
	plan    *Plan
	watch   Watch
	buffers map[string]*vk.Buffer
	result  *Result
	times   map[string]*PassTime
	done    float64 // cost of what has run
	total   float64 // cost of everything

	shares bool          // others get a turn between two submits
	taken  bool          // it is this run's turn
	used   bool          // a submit has run in it
	away   time.Duration // of others' turns
}

// start waits for the first turn, as take does.
func (r *runner) start(ctx context.Context) error {
	err := r.take(ctx)
	r.taken, r.used = err == nil, false
	return err
}

// stop ends the turn, if it is this run's.
func (r *runner) stop() {
	if r.taken {
		r.release()
	}
	r.taken = false
}

// pause lets those who wait have their turn, and calls do, if not nil, while the
// engine is free.
func (r *runner) pause(ctx context.Context, do func()) error {
	begin := time.Now()
	r.stop()
	if do != nil {
		do()
	}
	err := r.start(ctx)
	r.away += time.Since(begin)
	return err
}

// Run uploads in, runs p and returns the result. When ctx ends, Run returns its
// error once the submit under way is over, about 80 ms, or the driver has
// compiled the kernel it is at: neither can be called back.
func (e *Engine) Run(ctx context.Context, p *Plan, in Input, watch Watch) (*Result, error) {
	r := e.newRunner(p, watch)
	if _, err := r.run(ctx, in); err != nil {
		return nil, err
	}
	return r.result, nil
}

func (e *Engine) newRunner(p *Plan, watch Watch) *runner {
	return &runner{Engine: e, plan: p, watch: watch, buffers: map[string]*vk.Buffer{}, result: &Result{}, times: map[string]*PassTime{}}
}

// run runs the plan on in. It frees the plan's buffers, but for those that are to
// be kept.
func (r *runner) run(ctx context.Context, in Input, kept ...string) (_ *Buffers, err error) {
	p := r.plan
	if err := p.check(in); err != nil {
		return nil, err
	}
	if err := r.start(ctx); err != nil {
		return nil, err
	}
	defer r.stop()
	defer func() {
		if errors.Is(err, vk.ErrOutOfMemory) {
			err = fmt.Errorf("%s: %w: the run needs %s of device memory in all; use %s", r.traits.Device, err, mebibytes(p.DeviceBytes()), p.smaller())
		}
	}()
	defer r.close()
	if err := r.allocate(); err != nil {
		return nil, err
	}
	if err := r.upload(ctx, in); err != nil {
		return nil, err
	}
	if err := r.steps(ctx, p.Steps); err != nil {
		return nil, err
	}
	if err := r.download(ctx); err != nil {
		return nil, err
	}
	if r.watch.Progress != nil {
		r.watch.Progress(1)
	}
	return r.keep(kept), nil
}

// steps runs steps in order, reads what they say and keeps the times.
func (r *runner) steps(ctx context.Context, steps []Step) error {
	var passes []Pass
	for _, s := range steps {
		passes = append(passes, s.Passes...)
	}
	for _, pass := range passes {
		r.total += cost(pass)
	}
	if err := r.warm(ctx, passes); err != nil {
		return err
	}
	start := time.Now()
	for i, s := range steps {
		err := r.pace.schedule(s.Passes, func(batch []Pass) error { return r.batch(ctx, batch) })
		if err != nil {
			return err
		}
		for _, read := range s.Reads {
			if err := r.read(ctx, read); err != nil {
				return err
			}
		}
		if r.watch.Step != nil {
			if err := r.pause(ctx, func() { r.watch.Step(i) }); err != nil {
				return err
			}
		}
	}
	r.result.Host = time.Since(start) - r.away
	r.sumPasses(passes)
	return nil
}

// warm compiles what has not run yet and runs one workgroup of it: many drivers
// do the better part of compiling at the first dispatch.
func (r *runner) warm(ctx context.Context, passes []Pass) error {
	start := time.Now()
	for _, pass := range passes {
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
		if _, err := r.submit(ctx, []Pass{pass}, false); err != nil {
			return err
		}
		p.warm = true
	}
	r.result.Compile = time.Since(start)
	return nil
}

// batch runs passes in one submit and learns from the time they take.
func (r *runner) batch(ctx context.Context, passes []Pass) error {
	if r.shares && r.used {
		if err := r.pause(ctx, nil); err != nil {
			return err
		}
	}
	r.used = true
	start := time.Now()
	times, err := r.submit(ctx, passes, true)
	if err != nil {
		return err
	}
	r.pace.learn(passes, times, time.Since(start))
	for _, pass := range passes {
		r.done += cost(pass)
	}
	if r.watch.Progress != nil {
		r.watch.Progress(min(r.done/r.total, 1))
	}
	return nil
}

// submit records passes, runs them and waits. If timed it keeps their times,
// which it returns where the device has timestamps.
func (r *runner) submit(ctx context.Context, passes []Pass, timed bool) ([]time.Duration, error) {
	recorder, err := r.device.NewRecorder()
	if err != nil {
		return nil, err
	}
	defer recorder.Close()
	recorder.Timestamp()
	for _, pass := range passes {
		if err := r.record(recorder, pass); err != nil {
			return nil, err
		}
		recorder.Timestamp()
	}
	commands, err := recorder.Finish()
	if err != nil {
		return nil, err
	}
	defer commands.Close()
	if err := commands.Run(ctx); err != nil || !timed {
		return nil, err
	}
	r.result.Submits++
	marks, err := commands.Timestamps()
	if err != nil {
		return nil, err
	}
	var times []time.Duration
	for i, pass := range passes {
		t := r.times[pass.name()]
		if t == nil {
			t = &PassTime{Kernel: pass.name()}
			r.times[pass.name()] = t
		}
		t.Dispatches++
		t.MultiplyAdds += pass.MultiplyAdds
		t.Bytes += pass.Bytes
		if len(marks) > i+1 {
			times = append(times, marks[i+1]-marks[i])
			t.GPU += times[i]
		}
	}
	return times, nil
}

// sumPasses puts the times of all kernels in the order of their first passes.
func (r *runner) sumPasses(passes []Pass) {
	for _, pass := range passes {
		if t := r.times[pass.name()]; t != nil {
			delete(r.times, pass.name())
			r.result.Passes = append(r.result.Passes, *t)
		}
	}
}

// name is what the account calls a pass.
func (p Pass) name() string {
	switch {
	case p.Kernel != "":
		return p.Kernel
	case len(p.Bind) == 2:
		return "copy"
	}
	return "zero"
}

func (r *runner) slice(ref Ref) vk.Slice {
	return vk.Slice{Buffer: r.buffers[ref.Buffer], Offset: ref.Offset, Size: ref.Size}
}

func (r *runner) record(recorder *vk.Recorder, pass Pass) error {
	if pass.Kernel == "" {
		if len(pass.Bind) == 2 {
			recorder.Copy(r.slice(pass.Bind[1]), r.slice(pass.Bind[0]))
		} else {
			recorder.Fill(r.slice(pass.Bind[0]), pass.Fill)
		}
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

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
// may be nil. None but Step and Submitted may call a method of the engine that is
// running.
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
	// Submitted hears that all is on its way and the engine free for others, as a
	// rule before the last submit ends. [Engine.Run] does not call it.
	Submitted func()
}

// A runner is the state of one run.
type runner struct {
	*Engine
	plan    *Plan
	watch   Watch
	buffers map[string]*vk.Buffer
	result  *Result
	times   []PassTime // by kernel of the recording
	done    float64    // cost of what has run
	total   float64    // cost of everything

	flying []flight // submits under way, the oldest first

	shares bool          // others get a turn between two submits
	taken  bool          // it is this run's turn
	used   bool          // a submit has started in it
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
// error once the submits under way are over, two of about 80 ms, or the driver has
// compiled the kernel it is at: neither can be called back.
func (e *Engine) Run(ctx context.Context, p *Plan, in Input, watch Watch) (*Result, error) {
	r := e.newRunner(p, watch)
	if _, err := r.run(ctx, in); err != nil {
		return nil, err
	}
	return r.result, nil
}

func (e *Engine) newRunner(p *Plan, watch Watch) *runner {
	return &runner{Engine: e, plan: p, watch: watch, buffers: map[string]*vk.Buffer{}, result: &Result{}}
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
	rec, err := newRecording(p.Steps, r.buffers)
	if err != nil {
		return nil, err
	}
	rec.once = true
	if err := r.steps(ctx, rec); err != nil {
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

// steps runs a recording's steps in order, reads what they say and keeps the times.
func (r *runner) steps(ctx context.Context, rec *recording) (err error) {
	left := false
	defer func() {
		if err != nil { // the buffers are the caller's again: nothing may be under way
			for _, f := range r.flying {
				f.commands.Close()
			}
			rec.close()
		}
		if left {
			r.landing.Done()
		}
	}()
	r.total, r.times = rec.cost, make([]PassTime, len(rec.kernels))
	if err := r.warm(ctx, rec); err != nil {
		return err
	}
	start := time.Now()
	for i, s := range rec.steps {
		if err := r.step(ctx, rec, i); err != nil {
			return err
		}
		if len(s.Reads) > 0 || r.watch.Step != nil {
			if err := r.show(ctx, i, s.Reads); err != nil {
				return err
			}
		}
	}
	if left = r.shares; left {
		r.landing.Add(1)
		r.stop()
		if r.watch.Submitted != nil {
			r.watch.Submitted()
		}
	}
	if err := r.settle(ctx); err != nil {
		return err
	}
	r.result.Host = time.Since(start) - r.away
	for i, t := range r.times {
		if t.Kernel = rec.kernels[i]; t.Dispatches > 0 {
			r.result.Passes = append(r.result.Passes, t)
		}
	}
	return nil
}

// show waits for the end of a step, and hands out its reads and that it is complete.
func (r *runner) show(ctx context.Context, step int, reads []Read) error {
	if err := r.settle(ctx); err != nil {
		return err
	}
	for _, read := range reads {
		if err := r.read(ctx, read); err != nil {
			return err
		}
	}
	if r.watch.Step == nil {
		return nil
	}
	return r.pause(ctx, func() { r.watch.Step(step) })
}

// warm compiles what has not run yet and runs one workgroup of it: many drivers
// do the better part of compiling at the first dispatch.
func (r *runner) warm(ctx context.Context, rec *recording) error {
	start := time.Now()
	if err := r.resolve(ctx, rec); err != nil {
		return err
	}
	for _, s := range rec.steps {
		for _, pass := range s.Passes {
			if p := pass.call.pipeline; p == nil || p.warm {
				continue
			}
			pass.Groups = [3]uint32{1, 1, 1}
			if err := r.alone(ctx, pass); err != nil {
				return err
			}
			pass.call.warm = true
		}
	}
	r.result.Compile = time.Since(start)
	return nil
}

// alone runs a pass by itself, untimed.
func (r *runner) alone(ctx context.Context, pass Pass) error {
	commands, err := r.record([]Pass{pass})
	if err != nil {
		return err
	}
	defer commands.Close()
	return commands.Run(ctx)
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

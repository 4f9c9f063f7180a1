package engine

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/shaders"
	"github.com/gazevk/gaze/vk"
)

// Options change how an engine is opened. The zero value is what most want.
type Options struct {
	Tier    Tier         // the family of kernels; "" takes the one that suits the device
	Shaders *shaders.Set // nil takes the embedded kernels
	Vulkan  []vk.Option
	// Tuning has the shapes that the kernels take; what it leaves open is up to rules.
	Tuning Tuning
	// TuningDir is where gaze tune keeps its verdicts: that on the device is taken
	// in place of an empty Tuning. Where there is none, or it does not hold (see
	// [Engine.Note]), rules decide, as they do where this is "".
	TuningDir string
}

// An Engine runs plans on one device. It may be used from several goroutines,
// which take turns in the order in which they ask: whole runs, or what Execute does
// submit by submit.
type Engine struct {
	device  *vk.Device
	traits  Traits
	shaders *shaders.Set
	note    string

	waiting atomic.Int32   // those who wait for their turn
	turn    chan struct{}  // holds one element while somebody has his
	landing sync.WaitGroup // what still uses the device without a turn: last submits, and compilers

	compiling sync.Mutex // guards what follows
	pipelines map[string]*pipeline

	pacing sync.Mutex // guards the rest
	pace   pace
	landed time.Time // when the last submit ended
}

// Open opens the device that name picks (see [vk.Open]) and prepares to run plans on it.
func Open(name string, o Options) (*Engine, error) {
	if o.Tier != "" {
		if err := o.Tier.validate(); err != nil {
			return nil, err
		}
	}
	device, err := vk.Open(name, o.Vulkan...)
	if err != nil {
		return nil, err
	}
	e := &Engine{device: device, traits: TraitsOf(device.Adapter()), shaders: o.Shaders,
		turn: make(chan struct{}, 1), pipelines: map[string]*pipeline{}}
	if e.shaders == nil {
		e.shaders = shaders.Embedded
	}
	if err := e.tune(o); err != nil {
		device.Close()
		return nil, err
	}
	if o.Tier != "" {
		e.traits = e.traits.OfTier(o.Tier)
	}
	if !slices.Contains(e.traits.Tiers(), e.traits.Tier) {
		device.Close()
		return nil, fmt.Errorf("kernels of tier %s need %s, which %s has not: use tier %s", o.Tier, needs[o.Tier], e.traits.Device, Tiled)
	}
	e.pace = newPace(e.traits)
	if e.traits.Tier == Matrix && o.Tier == "" {
		e.tryUnits(context.Background())
	}
	return e, nil
}

// tune takes the tuning that the options give or name.
func (e *Engine) tune(o Options) error {
	if o.Tuning.Empty() && o.TuningDir != "" {
		v, err := ReadVerdict(o.TuningDir, e.Adapter(), e.shaders)
		if err != nil {
			e.note = err.Error()
		} else if v != nil {
			e.traits.Tuning = v.Tuning
		}
		return nil
	}
	e.traits.Tuning = o.Tuning
	if err := o.Tuning.validate(e.traits); err != nil {
		return fmt.Errorf("tuning: %w", err)
	}
	return nil
}

// Note says why the verdict in [Options.TuningDir] was not taken, or what matrix
// units the device has that are not used, or are for products alone; "" where there
// is nothing to say.
func (e *Engine) Note() string { return e.note }

// needs says what a tier asks of a device.
var needs = map[Tier]string{
	Lanes:  "shuffles in subgroups of 4 or more",
	Texels: "a driver that runs on a CPU, with shuffles in subgroups of 4 or more and texel buffers of 128 MiB",
	Matrix: "products of f16 matrices summed in f32 (VK_KHR_cooperative_matrix)",
}

// Traits returns what plans for this engine are made for.
func (e *Engine) Traits() Traits { return e.traits }

// Adapter returns the device.
func (e *Engine) Adapter() vk.Adapter { return e.device.Adapter() }

// Attention computes one layer over packed sequences, in f32 and without its
// weights: [NewPlan] and [Engine.Run] in one call, for when nothing else is wanted.
func (e *Engine) Attention(ctx context.Context, a gaze.Attention, lengths gaze.Lengths, in Input) (*Result, error) {
	plan, err := NewPlan(e.traits, Request{Attention: a, Lengths: lengths})
	if err != nil {
		return nil, err
	}
	return e.Run(ctx, plan, in, Watch{})
}

// take waits until it is the caller's turn to use the device, or ctx ends. The
// caller must release it.
func (e *Engine) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e.waiting.Add(1)
	defer e.waiting.Add(-1)
	select {
	case e.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (e *Engine) release() { <-e.turn }

// learn corrects the pace by a submit that began at start and has just ended.
func (e *Engine) learn(passes []Pass, times []time.Duration, start time.Time) {
	e.pacing.Lock()
	defer e.pacing.Unlock()
	if start.Before(e.landed) { // it waited for the one before
		start = e.landed
	}
	e.landed = time.Now()
	e.pace.learn(passes, times, e.landed.Sub(start))
}

// Close frees the kernels and the device, once the turn under way has ended; what
// Execute has yet to do fails. A second call does nothing.
func (e *Engine) Close() error {
	e.take(context.Background())
	defer e.release()
	e.landing.Wait()
	e.compiling.Lock()
	defer e.compiling.Unlock()
	for name, p := range e.pipelines {
		if p.Pipeline != nil {
			p.Close()
		}
		delete(e.pipelines, name)
	}
	return e.device.Close()
}

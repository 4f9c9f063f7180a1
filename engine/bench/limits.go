package bench

import (
	"context"
	"fmt"

	"github.com/gazevk/gaze/engine"
)

// Limits are what a device can do at most, as measured.
type Limits struct {
	Multiply Peak   `json:"multiply_add_f32"`
	Half     Peak   `json:"multiply_add_f16"` // arithmetic in f16
	Matrix   Peak   `json:"matrix_units"`     // f16 matrices, summed in f32
	Copies   []Copy `json:"copies"`           // by their size, ascending
	// Dispatch is the time of a submit with one dispatch that does nothing, from
	// before it is recorded until the host knows that it ended; Next of a further
	// dispatch in it that waits for the one before. Both in seconds, by the host.
	Dispatch Spread  `json:"dispatch_seconds"`
	Next     float64 `json:"next_dispatch_seconds"`
}

// A Peak is how many multiply-adds a device does, each counted as two operations.
type Peak struct {
	GFLOPS  float64   `json:"gflops"` // the best of all; 0 where there is none
	Variant string    `json:"variant,omitempty"`
	Tried   []Variant `json:"tried,omitempty"`
	Missing string    `json:"missing,omitempty"` // why there is none
}

// A Variant is one way to reach a limit, and its best.
type Variant struct {
	Name string  `json:"name"`
	Best float64 `json:"best"` // in the limit's unit
}

// A Copy is how quickly a device copies so many bytes, once or over and over.
type Copy struct {
	Bytes   int64     `json:"bytes"`            // read and written: of both buffers together
	Rate    float64   `json:"gigabytes_second"` // 1e9 bytes, read and written
	Variant string    `json:"variant"`
	Tried   []Variant `json:"tried"`
}

// Bandwidth returns the rate, in 1e9 bytes a second, at which a kernel that
// touches so many bytes can move them at best: that of the quickest copy of at
// least as many.
func (l *Limits) Bandwidth(bytes int64) float64 {
	best := 0.0
	for i, c := range l.Copies {
		if c.Bytes >= bytes || i == len(l.Copies)-1 {
			best = max(best, c.Rate)
		}
	}
	return best
}

// What binds a kernel.
const (
	ByMultiply = "multiply-add"
	ByMemory   = "memory"
)

// A Bound is the limit of the device that binds a case.
type Bound struct {
	By      string  `json:"by,omitempty"` // ByMultiply or ByMemory
	Seconds float64 `json:"seconds,omitempty"`
	Share   float64 `json:"share,omitempty"` // of the limit that is reached: Seconds by what was measured
}

// bound holds what took so many seconds against the least in which its
// multiply-adds can be done in f32 and its bytes be moved, at the same time.
func (l *Limits) bound(multiplyAdds, bytes int64, seconds float64) Bound {
	b := Bound{By: ByMultiply, Seconds: 2 * float64(multiplyAdds) / l.Multiply.GFLOPS / 1e9}
	if memory := float64(bytes) / l.Bandwidth(bytes) / 1e9; memory > b.Seconds {
		b.By, b.Seconds = ByMemory, memory
	}
	b.Share = b.Seconds / seconds
	return b
}

// again measures multiply-adds in f32 once more and keeps the better of both: where
// others use the machine, too, a limit is found only in a quiet moment.
func (l *Limits) again(ctx context.Context, e *engine.Engine, effort Effort) error {
	now, err := (&meter{ctx, e, effort == Quick}).multiply(engine.F32)
	if err == nil && now.GFLOPS > l.Multiply.GFLOPS {
		l.Multiply = now
	}
	return err
}

// Measure measures the limits of a device; with Quick by fewer tries and sizes.
func Measure(ctx context.Context, e *engine.Engine, effort Effort, progress func(done float64)) (*Limits, error) {
	m := &meter{ctx, e, effort == Quick}
	l := &Limits{}
	steps := []struct {
		what string
		do   func() error
	}{
		{"multiply-adds in f32", func() (err error) { l.Multiply, err = m.multiply(engine.F32); return err }},
		{"multiply-adds in f16", func() (err error) { l.Half, err = m.multiply(engine.F16); return err }},
		{"matrix units", func() (err error) { l.Matrix, err = m.matrix(); return err }},
		{"copies", func() (err error) { l.Copies, err = m.copies(); return err }},
		{"dispatches", func() (err error) { l.Dispatch, l.Next, err = m.dispatches(); return err }},
	}
	for i, s := range steps {
		if err := s.do(); err != nil {
			return nil, fmt.Errorf("the limits of %s: %s: %w", e.Traits().Device, s.what, err)
		}
		if progress != nil {
			progress(float64(i+1) / float64(len(steps)))
		}
	}
	return l, nil
}

package engine

import (
	"context"
	"time"
)

// A flight is a submit under way.
type flight struct {
	*submit
	start time.Time
}

// step submits the passes of a step. Two submits are under way at a time, so that
// the device need not wait while the next is prepared; with more, whoever cancels
// or wants his turn would wait longer.
func (r *runner) step(ctx context.Context, rec *recording, step int) error {
	q := queue{rest: rec.steps[step].Passes}
	for n := 0; !q.empty(); n++ {
		if err := r.room(ctx); err != nil {
			return err
		}
		s, err := rec.take(r.Engine, step, n, &q)
		if err != nil {
			return err
		}
		r.flying = append(r.flying, flight{s, time.Now()})
		if err := s.commands.Submit(); err != nil {
			return err
		}
		r.used = true
	}
	return nil
}

// room waits until one more submit may start. If others wait for their turn, they
// get it first, with nothing under way.
func (r *runner) room(ctx context.Context) error {
	if r.shares && r.used && r.waiting.Load() > 0 {
		if err := r.settle(ctx); err != nil {
			return err
		}
		return r.pause(ctx, nil)
	}
	for len(r.flying) > 1 {
		if err := r.land(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// settle waits for all submits under way.
func (r *runner) settle(ctx context.Context) error {
	for len(r.flying) > 0 {
		if err := r.land(ctx); err != nil {
			return err
		}
	}
	return nil
}

// land waits for the oldest submit under way, keeps its passes' times and learns
// from them.
func (r *runner) land(ctx context.Context) error {
	f := r.flying[0]
	if err := f.commands.Wait(ctx); err != nil {
		return err
	}
	marks, err := f.commands.Timestamps()
	if err != nil {
		return err
	}
	r.flying = r.flying[:copy(r.flying, r.flying[1:])]
	r.result.Submits++
	times := marks
	for i, pass := range f.passes {
		t := &r.times[pass.call.account]
		t.Dispatches++
		t.MultiplyAdds += pass.MultiplyAdds
		t.Bytes += pass.Bytes
		if len(marks) > 0 {
			times[i] = marks[i+1] - marks[i]
			t.GPU += times[i]
		}
		r.done += cost(pass)
	}
	r.learn(f.passes, times, f.start)
	if !f.kept {
		f.commands.Close()
	}
	if r.watch.Progress != nil {
		r.watch.Progress(min(r.done/r.total, 1))
	}
	return nil
}

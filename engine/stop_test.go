package engine

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/vk"
)

// quickly is how soon a cancelled call must return on a machine that is busy with
// anything else: the test is for calls that do not return at all.
const quickly = 10 * time.Second

// long returns a plan of a second or more on a CPU, with its input.
func long(t *testing.T, e *Engine) (*Plan, Input) {
	a, lengths := layer(8, nil), gaze.Lengths{3000}
	return mustPlan(t, e.Traits(), Request{Attention: a, Lengths: lengths}), randomInput(8, a, lengths)
}

// usable holds that e still computes.
func usable(t *testing.T, e *Engine) {
	t.Helper()
	a, lengths := layer(1, nil), gaze.Lengths{20}
	run(t, e, mustPlan(t, e.Traits(), Request{Attention: a, Lengths: lengths}), randomInput(9, a, lengths))
}

func TestCancelledBefore(t *testing.T) {
	e := open(t)
	plan, in := long(t, e)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	start := time.Now()
	if _, err := e.Run(ctx, plan, in, Watch{Progress: func(float64) { t.Error("it ran") }}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if err := e.RunPass(ctx, plan.Steps[0].Passes[0], nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if took := time.Since(start); took > quickly {
		t.Errorf("returned after %v", took)
	}
	usable(t, e)
}

func TestCancelledDuring(t *testing.T) {
	e := open(t)
	plan, in := long(t, e)
	var took []time.Duration
	for range 4 { // a machine that is busy with other things may be slow once
		ctx, cancel := context.WithCancel(context.Background())
		start, submits := time.Now(), 0
		var cancelled time.Duration
		_, err := e.Run(ctx, plan, in, Watch{Progress: func(float64) {
			if submits++; submits == 3 {
				// In the middle of the next submit.
				time.AfterFunc(10*time.Millisecond, func() { cancelled = time.Since(start); cancel() })
			}
		}})
		<-ctx.Done() // the clock was read
		took = append(took, time.Since(start)-cancelled)
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("after %d submits: error %v", submits, err)
		}
		if took[len(took)-1] < quickly {
			break
		}
	}
	if took[len(took)-1] > quickly {
		t.Errorf("returned %v after the run was cancelled", took)
	}
	usable(t, e)
}

// TestCancelledInLine holds that a call which waits for its turn can be called off.
func TestCancelledInLine(t *testing.T) {
	e := open(t)
	plan, in := long(t, e)
	started, ended := make(chan struct{}), make(chan error)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		running := false
		_, err := e.Run(ctx, plan, in, Watch{Progress: func(float64) {
			if !running {
				running = true
				close(started)
			}
		}})
		ended <- err
	}()
	<-started
	impatient, done := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer done()
	start := time.Now()
	_, err := e.Run(impatient, plan, in, Watch{})
	if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took > quickly {
		t.Errorf("error %v after %v", err, took)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the run under way ended with %v", err)
	}
	usable(t, e)
}

// TestTurnsBetweenSubmits holds that what Execute does lets others in between its
// submits: a short call that comes later ends before a long one.
func TestTurnsBetweenSubmits(t *testing.T) {
	e := open(t)
	execute := func(length int, progress func(float64)) error {
		a := layer(8, nil)
		plan := mustPlan(t, e.Traits(), Request{Attention: a, Lengths: gaze.Lengths{length}})
		buffers, err := e.NewBuffers(plan.Buffers)
		if err != nil {
			return err
		}
		defer buffers.Close()
		for name, data := range map[string][]byte{bufMap: Words(plan.Map), bufPositions: Bytes(plan.Lengths.Positions())} {
			if err := buffers.Upload(context.Background(), name, 0, data); err != nil {
				return err
			}
		}
		_, err = e.ExecuteSteps(context.Background(), plan.Steps, Watch{Progress: progress}, buffers)
		return err
	}
	if err := execute(20, nil); err != nil { // compiles
		t.Fatal(err)
	}
	short, seen := make(chan error, 1), false
	began := false
	err := execute(6000, func(done float64) {
		if !began {
			began = true
			go func() { short <- execute(20, nil) }()
		}
		if done < 1 && len(short) == 1 {
			seen = true
		}
	})
	if err := errors.Join(err, <-short); err != nil {
		t.Fatal(err)
	}
	if !seen {
		t.Error("the short call had to wait for the long one's end")
	}
	usable(t, e)
}

// TestWatchStops holds that an error of the callback ends the run and comes back
// as it is, and that cancelling in it ends it too.
func TestWatchStops(t *testing.T) {
	e := open(t)
	a := layer(2, nil)
	in := randomInput(10, a, packed)
	for _, path := range []Path{Fused, Explicit} {
		plan := mustPlan(t, e.Traits(), Request{Attention: a, Lengths: packed, Path: path, Weights: true})
		enough, rows := errors.New("enough"), 0
		_, err := e.Run(context.Background(), plan, in, Watch{Weights: func(int, int, []float32) error {
			if rows++; rows == 5 {
				return enough
			}
			return nil
		}})
		if !errors.Is(err, enough) || rows != 5 {
			t.Errorf("%s: error %v after %d rows", path, err, rows)
		}
		ctx, cancel := context.WithCancel(context.Background())
		rows = 0
		_, err = e.Run(ctx, plan, in, Watch{Weights: func(int, int, []float32) error {
			if rows++; rows == 7 {
				cancel()
			}
			return nil
		}})
		if !errors.Is(err, context.Canceled) || rows != 7 {
			t.Errorf("%s: error %v after %d rows", path, err, rows)
		}
		// Nobody has to look at the weights.
		if _, err := e.Run(context.Background(), plan, in, Watch{}); err != nil {
			t.Error(err)
		}
	}
	usable(t, e)
}

// TestAfterClose holds that a closed engine says so.
func TestAfterClose(t *testing.T) {
	e := open(t)
	a, lengths := layer(1, nil), gaze.Lengths{20}
	plan := mustPlan(t, e.Traits(), Request{Attention: a, Lengths: lengths})
	run(t, e, plan, randomInput(9, a, lengths))
	for range 2 {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := e.Run(context.Background(), plan, randomInput(9, a, lengths), Watch{}); !errors.Is(err, vk.ErrClosed) {
		t.Errorf("Run: error %v", err)
	}
	if _, err := e.Statistics(plan.Steps[0].Passes[0]); !errors.Is(err, vk.ErrClosed) {
		t.Errorf("Statistics: error %v", err)
	}
}

package engine

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/vk"
)

// What was compiled ahead, from several goroutines and beside a run, is compiled
// once, and its first run compiles nothing.
func TestCompileAhead(t *testing.T) {
	var pipelines atomic.Int64
	started := make(chan struct{})
	start := sync.OnceFunc(func() { close(started) })
	e := open(t, vk.WithFaults(func(call string) error {
		if strings.HasPrefix(call, "vkCreateComputePipelines") {
			pipelines.Add(1)
			start()
			time.Sleep(20 * time.Millisecond) // so that others come while it compiles
		}
		return nil
	}))
	a, lengths := layer(2, gaze.SlidingWindow{Left: 3, Right: 3}), gaze.Lengths{9, 30}
	in := randomInput(12, a, lengths)
	plan := mustPlan(t, e.Traits(), Request{Attention: a, Lengths: lengths, Path: Explicit, Weights: true})
	passes := []Pass{}
	kernels := map[string]bool{}
	for _, s := range plan.Steps {
		passes = append(passes, s.Passes...)
	}
	for _, pass := range passes {
		if pass.Kernel != "" {
			kernels[pass.Kernel] = true
		}
	}
	if len(kernels) < 3 {
		t.Fatalf("the plan has the kernels %v: too few", kernels)
	}
	pipelines.Store(0) // but what opening the device compiled
	var group sync.WaitGroup
	for range 3 {
		group.Add(1)
		go func() {
			defer group.Done()
			if err := e.Compile(context.Background(), passes); err != nil {
				t.Error(err)
			}
		}()
	}
	<-started // else the run, which has the turn until it ends, would be first
	run(t, e, plan, in)
	group.Wait()
	if n := int(pipelines.Load()); n != len(kernels) {
		t.Errorf("%d pipelines of %d kernels were compiled", n, len(kernels))
	}
}

// Of kernels that fail to compile there is one error, and they may be tried again.
func TestCompileFails(t *testing.T) {
	s := &saboteur{number: -1}
	e := open(t, vk.WithFaults(s.fail))
	plan, in := faultyPlan(t, e)
	s.arm(0, vk.ErrOutOfMemory)
	if err := e.Compile(context.Background(), plan.Steps[0].Passes); !errors.Is(err, vk.ErrOutOfMemory) || !strings.Contains(err.Error(), s.hit) {
		t.Errorf("%s failed: error %v", s.hit, err)
	}
	s.arm(-1, nil)
	run(t, e, plan, in)
	unknown := []Pass{{Kernel: "nothing"}, {Kernel: "rope_f32", Constants: map[string]uint32{"NOTHING": 1}}}
	for i, want := range []string{"nothing", "no specialization constant NOTHING"} {
		if err := e.Compile(context.Background(), unknown[i:]); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, expected %q", err, want)
		}
	}
	stopped, cancel := context.WithCancel(context.Background())
	cancel()
	if err := e.Compile(stopped, plan.Steps[0].Passes); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

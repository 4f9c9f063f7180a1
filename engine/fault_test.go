package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/vk"
)

// A saboteur fails the Vulkan call of one number, counted from 0.
type saboteur struct {
	lock   sync.Mutex
	number int // -1 fails none
	with   error
	calls  []string
	hit    string // the call that failed, "" while none has
}

func (s *saboteur) fail(call string) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	name, _, _ := strings.Cut(call, " ")
	s.calls = append(s.calls, name)
	if len(s.calls)-1 != s.number {
		return nil
	}
	s.hit = name
	return s.with
}

// arm makes the call of that number from now on fail.
func (s *saboteur) arm(number int, with error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.number, s.with, s.calls, s.hit = number, with, nil, ""
}

// faultyPlan has passes of every kind: a fill, rotations, attention and weights,
// which are read back.
func faultyPlan(t *testing.T, e *Engine) (*Plan, Input) {
	a, lengths := layer(2, gaze.Causal{}), gaze.Lengths{5, 3}
	return mustPlan(t, e.Traits(), Request{Attention: a, Lengths: lengths, Weights: true}), randomInput(11, a, lengths)
}

// TestFaults fails every function of a session, at its first and at its last
// call: nothing may panic or be left open, the error must say what happened and
// what to do, and the engine must go on after a failed allocation, but not after
// the device is lost.
func TestFaults(t *testing.T) {
	session := func(number int, with error) (s *saboteur, opening, run, after, closing error) {
		s = &saboteur{number: number, with: with}
		e, err := Open("auto", Options{Vulkan: []vk.Option{vk.WithFaults(s.fail)}})
		if err != nil {
			return s, err, nil, nil, nil
		}
		plan, in := faultyPlan(t, e)
		if _, run = tryRun(e, plan, in, nil); run != nil {
			_, after = tryRun(e, plan, in, nil)
		}
		return s, nil, run, after, e.Close()
	}
	healthy, opening, run, _, closing := session(-1, nil)
	if err := errors.Join(opening, run, closing); err != nil {
		t.Fatal(err)
	}
	numbers := map[int]bool{}
	for i, call := range healthy.calls {
		if i == slices.Index(healthy.calls, call) || !slices.Contains(healthy.calls[i+1:], call) {
			numbers[i] = true
		}
	}
	reported := map[string]bool{}
	for number := range numbers {
		for _, fault := range []error{vk.ErrOutOfMemory, vk.ErrDeviceLost} {
			s, opening, run, after, closing := session(number, fault)
			name := fmt.Sprintf("%v at call %d, %s", fault, number, s.hit)
			if closing != nil {
				t.Errorf("%s: closing: %v", name, closing)
			}
			err := errors.Join(opening, run)
			if err == nil {
				continue // a wait that was shorter this time, or a failure that has a way around
			}
			reported[s.hit] = true
			// Of kernels that are compiled at once another may tell of the loss first.
			named := strings.Contains(err.Error(), s.hit) || fault == vk.ErrDeviceLost && strings.Contains(err.Error(), "kernel ")
			if !errors.Is(err, fault) || !named {
				t.Errorf("%s: error %v", name, err)
			}
			if opening != nil {
				continue
			}
			advice := "use fewer tokens or heads"
			if fault == vk.ErrDeviceLost {
				advice = "open it again"
			}
			if !strings.Contains(err.Error(), advice) {
				t.Errorf("%s: %q does not say what to do", name, err)
			}
			if fault == vk.ErrDeviceLost && !errors.Is(after, vk.ErrDeviceLost) || fault == vk.ErrOutOfMemory && after != nil {
				t.Errorf("%s: a run after it ended with %v", name, after)
			}
		}
	}
	for _, call := range []string{"vkCreateDevice", "vkAllocateMemory", "vkCreateBuffer", "vkBindBufferMemory", "vkCreateComputePipelines",
		"vkBeginCommandBuffer", "vkCreateDescriptorPool", "vkEndCommandBuffer", "vkQueueSubmit", "vkWaitForFences"} {
		if !reported[call] {
			t.Errorf("no failure of %s was reported, only of %v", call, reported)
		}
	}
}

// TestOutOfMemoryAnywhere fails every single call of a run on one engine, which
// must give the right result right after.
func TestOutOfMemoryAnywhere(t *testing.T) {
	s := &saboteur{number: -1}
	e := open(t, vk.WithFaults(s.fail))
	plan, in := faultyPlan(t, e)
	want := run(t, e, plan, in)
	failures := 0
	for number := 0; ; number++ {
		s.arm(number, vk.ErrOutOfMemory)
		_, err := tryRun(e, plan, in, nil)
		if s.hit == "" {
			break // the run has no call of this number
		}
		if !errors.Is(err, vk.ErrOutOfMemory) || !strings.Contains(err.Error(), s.hit) {
			t.Errorf("call %d, %s: error %v", number, s.hit, err)
		}
		failures++
		s.arm(-1, nil)
		if !same(run(t, e, plan, in), want) {
			t.Errorf("call %d, %s: another result after it failed", number, s.hit)
		}
	}
	if failures < 2*len(plan.Buffers) {
		t.Errorf("a run of %d buffers had only %d calls that can fail", len(plan.Buffers), failures)
	}
}

package engine

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/vk"
)

// resident returns the memory of this process in bytes, or 0 where only Linux would tell.
func resident(t *testing.T) int64 {
	t.Helper()
	if runtime.GOOS != "linux" {
		return 0
	}
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// TestThousandRuns holds that runs leave nothing behind: no memory on the device
// or here, and no goroutine. What they leave open on the device, Close reports.
func TestThousandRuns(t *testing.T) {
	var allocations, pipelines atomic.Int64
	e := open(t, vk.WithFaults(func(call string) error {
		if strings.HasPrefix(call, "vkAllocateMemory") {
			allocations.Add(1)
		}
		if strings.HasPrefix(call, "vkCreateComputePipelines") {
			pipelines.Add(1)
		}
		return nil
	}))
	a, lengths := layer(2, gaze.SlidingWindow{Left: 3, Right: 3}), gaze.Lengths{9, 30}
	in := randomInput(12, a, lengths)
	var plans []*Plan
	for _, path := range []Path{Fused, Explicit} {
		plans = append(plans, mustPlan(t, e.Traits(), Request{Attention: a, Lengths: lengths, Path: path, Weights: true}))
	}
	runs := func(count int) {
		for i := range count {
			if _, err := e.Run(context.Background(), plans[i%2], in, Watch{}); err != nil {
				t.Fatal(err)
			}
			if i%50 == 0 { // and some that fail
				stop, cancel := context.WithCancel(context.Background())
				if _, err := e.Run(stop, plans[i%2], in, Watch{Progress: func(float64) { cancel() }, Weights: func(int, int, []float32) error { return nil }}); err == nil {
					t.Fatal("a cancelled run went on")
				}
			}
		}
		runtime.GC()
	}
	runs(200)
	memory, goroutines, allocated, compiled := resident(t), runtime.NumGoroutine(), allocations.Load(), pipelines.Load()
	runs(1000)
	if now := allocations.Load(); now != allocated {
		t.Errorf("a thousand runs made %d allocations of device memory", now-allocated)
	}
	if now := pipelines.Load(); now != compiled {
		t.Errorf("a thousand runs compiled %d kernels", now-compiled)
	}
	if now := runtime.NumGoroutine(); now > goroutines {
		t.Errorf("%d goroutines became %d", goroutines, now)
	}
	// A leak of 16 KiB a run, which is one small buffer, would show.
	if now := resident(t); now > memory+16<<20 {
		t.Errorf("%d bytes of memory became %d", memory, now)
	}
}

// TestShared holds that several goroutines can use one engine, each with its own plan.
func TestShared(t *testing.T) {
	e := open(t)
	var group sync.WaitGroup
	for i := range 4 {
		a, lengths := layer(1+i, patterns[i]), gaze.Lengths{10 * (i + 1), 7}
		plan := mustPlan(t, e.Traits(), Request{Attention: a, Lengths: lengths, Path: []Path{Fused, Explicit}[i%2], Weights: i < 2})
		in := randomInput(uint64(i), a, lengths)
		alone := run(t, e, plan, in)
		group.Add(1)
		go func() {
			defer group.Done()
			for range 6 {
				o, err := tryRun(e, plan, in, nil)
				if err != nil {
					t.Error(err)
					return
				}
				if !same(o, alone) {
					t.Errorf("%v: another result beside other runs", a.Visible())
				}
				e.Traits()
				e.Adapter()
				if _, err := e.Statistics(plan.Steps[0].Passes[0]); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	group.Wait()
}

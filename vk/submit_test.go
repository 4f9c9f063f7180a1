package vk

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	vulkan "github.com/vulkan-go/vulkan"
)

// longWork returns a list that takes the device a second or more, what
// records another such list, and a buffer that they read.
func longWork(t testing.TB, d *Device) (c *Commands, record func() *Commands, from *Buffer) {
	t.Helper()
	const elements, goal = 1 << 18, time.Second
	p := newStep(t, d, 1664525)
	from, to := newBuffer(t, d, "from", 4*elements), newBuffer(t, d, "to", 4*elements)
	rounds := 1000.0
	record = func() *Commands {
		const most = 1 << 15 // lavapipe ends every loop after 65535 rounds
		r := newRecorder(t, d)
		for left := int(rounds); left > 0; left -= most {
			step(r, p, from.Whole(), to.Whole(), 1013904223, uint32(min(left, most)))
		}
		return finish(t, r)
	}
	for {
		c = record()
		run(t, c) // the first run may compile
		start := time.Now()
		run(t, c)
		took := time.Since(start)
		if took > goal {
			return c, record, from
		}
		c.Close()
		rounds *= min(1.5*goal.Seconds()/took.Seconds(), 1000)
	}
}

// Run returns soon after its context ends, and what the device still uses lives
// until it is done.
func TestCancelledRun(t *testing.T) {
	d := openDevice(t)
	c, _, b := longWork(t, d)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if err := c.Run(ended); !errors.Is(err, context.Canceled) || c.flying {
		t.Errorf("%v; in flight: %v", err, c.flying)
	}
	for range 3 {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		err := c.Run(ctx) // the second and third first wait for the one before
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if !c.flying || d.inFlight.Load() != 1 {
			t.Fatalf("in flight: %v, %d", c.flying, d.inFlight.Load())
		}
	}
	done := func() bool { return vulkan.GetFenceStatus(d.handle, c.fence) == vulkan.Success }
	if done() {
		t.Fatal("the work ended too early to tell")
	}
	b.Close() // waits
	if !done() {
		t.Error("a buffer was freed while the device used it")
	}
	wantError(t, c.Run(context.Background()), ErrClosed, "commands that use buffer from: it is already closed")
}

// Commands and kernels that are closed in flight are freed when the work is done.
func TestCloseInFlight(t *testing.T) {
	d := openDevice(t)
	first, record, _ := longWork(t, d)
	closeInFlight := func(c *Commands, what closer) {
		t.Helper()
		if err := c.Submit(); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		what.Close()
		if took := time.Since(start); took < 100*time.Millisecond {
			t.Errorf("it was freed after %v", took)
		}
	}
	closeInFlight(first, first)
	if d.inFlight.Load() != 0 {
		t.Errorf("%d are in flight", d.inFlight.Load())
	}
	second := record()
	for p := range second.pipelines {
		closeInFlight(second, p)
	}
}

func TestUseOfClosed(t *testing.T) {
	d := openDevice(t)
	a, b := newBuffer(t, d, "a", 64), newBuffer(t, d, "b", 64)
	p := newStep(t, d, 1)
	r := newRecorder(t, d)
	step(r, p, a.Whole(), b.Whole(), 1, 1)
	r.Timestamp()
	c := finish(t, r)
	run(t, c)
	p.Close()
	wantError(t, c.Submit(), ErrClosed, "commands that use kernel step")
	c.Close()
	wantError(t, c.Submit(), ErrClosed, "commands")
	_, err := c.Timestamps()
	wantError(t, err, ErrClosed, "commands")

	d.Close()
	_, err = d.NewBuffer("x", 1, DeviceMemory)
	wantError(t, err, ErrClosed, "buffer x: the device: already closed")
	_, err = d.NewPipeline(stepSpec(1))
	wantError(t, err, ErrClosed, "pipeline step")
	_, err = d.NewRecorder()
	wantError(t, err, ErrClosed, "commands")
	wantError(t, d.Upload(context.Background(), a.Whole(), make([]byte, 4)), ErrClosed, "buffer a")
}

// Goroutines that share a device get right results, on their own and on shared kernels.
func TestConcurrentUse(t *testing.T) {
	d := openDevice(t, discreteGPU)
	shared := newStep(t, d, 3)
	var group sync.WaitGroup
	for worker := range uint32(4) {
		group.Add(1)
		go func() {
			defer group.Done()
			own, err := d.NewPipeline(stepSpec(2*worker + 1))
			if err != nil {
				t.Error(err)
				return
			}
			defer own.Close()
			for round := range uint32(12) {
				if err := work(d, shared, own, 2*worker+1, round); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	group.Wait()
}

// work runs two kernels with the factors 3 and factor on buffers of its own.
func work(d *Device, three, own *Pipeline, factor, round uint32) error {
	ctx := context.Background()
	from, err := d.NewBuffer("from", 4*1000, DeviceMemory)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := d.NewBuffer("to", 4*1000, DeviceMemory)
	if err != nil {
		return err
	}
	defer to.Close()
	if err := d.Upload(ctx, from.Whole(), words(count(1000)...)); err != nil {
		return err
	}
	r, err := d.NewRecorder()
	if err != nil {
		return err
	}
	defer r.Close()
	step(r, three, from.Whole(), to.Whole(), round, 1)
	step(r, own, to.Whole(), from.Whole(), 7, 1)
	c, err := r.Finish()
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Run(ctx); err != nil {
		return err
	}
	got := make([]byte, 4*1000)
	if err := d.Download(ctx, got, from.Whole()); err != nil {
		return err
	}
	want := make([]uint32, 1000)
	for i := range want {
		want[i] = apply(apply(uint32(i), 3, round, 1), factor, 7, 1)
	}
	if string(got) != string(words(want...)) {
		return errors.New("a goroutine got another's numbers")
	}
	return nil
}

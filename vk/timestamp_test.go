package vk

import (
	"slices"
	"testing"
	"time"
)

func TestTimestamps(t *testing.T) {
	d := openDevice(t)
	if !d.Adapter().Features.Timestamps {
		t.Fatal("every driver that the tests run on has timestamps")
	}
	p := newStep(t, d, 3)
	a, b := newBuffer(t, d, "a", 1<<20), newBuffer(t, d, "b", 1<<20)
	const marks = 2*timestampsPerPool + 3
	r := newRecorder(t, d)
	for i := range marks - 1 {
		r.Timestamp()
		if i%64 == 0 {
			step(r, p, a.Whole(), b.Whole(), 1, 50)
		}
	}
	r.Timestamp()
	c := finish(t, r)
	_, err := c.Timestamps()
	wantError(t, err, nil, "timestamps of commands that have not run")
	for range 3 {
		start := time.Now()
		if err := c.Submit(); err != nil {
			t.Fatal(err)
		}
		times, err := c.Timestamps() // waits
		if err != nil {
			t.Fatal(err)
		}
		took := time.Since(start)
		last := times[marks-1]
		if len(times) != marks || times[0] != 0 || !slices.IsSorted(times) || last <= 0 || last > took {
			t.Errorf("%d marks up to %v in a run of %v, sorted: %v", len(times), last, took, slices.IsSorted(times))
		}
		// The work lies between the marks around it.
		for i := 0; i < marks-1; i += 64 {
			if work := times[i+1] - times[i]; work <= 0 || work > took {
				t.Errorf("step %d took %v of %v", i/64, work, took)
			}
		}
	}
}

func TestNoTimestamps(t *testing.T) {
	d := openDevice(t)
	d.adapter.Features.Timestamps = false
	r := newRecorder(t, d)
	r.Timestamp()
	c := finish(t, r)
	run(t, c)
	if times, err := c.Timestamps(); err != nil || len(times) > 0 {
		t.Errorf("%v, %v", times, err)
	}
}

func TestElapsed(t *testing.T) {
	for _, c := range []struct {
		ticks  []uint64
		bits   uint32
		period float64
		want   []time.Duration
	}{
		{[]uint64{100, 100, 350}, 64, 1, []time.Duration{0, 0, 250}},
		{[]uint64{100, 350}, 64, 83.333, []time.Duration{0, 20833}},
		{[]uint64{1<<36 - 10, 5}, 36, 10, []time.Duration{0, 150}}, // wrapped
		{[]uint64{1<<64 - 1, 1}, 64, 2, []time.Duration{0, 4}},
	} {
		if got := elapsed(c.ticks, c.bits, c.period); !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.ticks, got, c.want)
		}
	}
}

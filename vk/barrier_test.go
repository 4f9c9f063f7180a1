package vk

import (
	"log/slog"
	"sync/atomic"
	"testing"
)

// chain records n dispatches, each of which reads what the one before wrote, and
// then a read after a write, a write after a read and a write after a write
// between kernels and copies.
func chain(r *Recorder, p *Pipeline, a, b Slice, n int, between func()) {
	for range n {
		step(r, p, a, b, 1, 1)
		between()
		a, b = b, a
	}
	r.Copy(b, a)
	between()
	r.Fill(Slice{a.Buffer, a.Offset, 4}, 0)
	between()
	step(r, p, b, a, 1, 1)
	between()
	r.Fill(Slice{a.Buffer, a.Offset, 4}, 0)
}

func TestChainOfHundred(t *testing.T) {
	d := openDevice(t)
	const elements = 4096
	p := newStep(t, d, 3)
	b := newBuffer(t, d, "both", 8*elements)
	first, second := Slice{b, 0, 4 * elements}, Slice{b, 4 * elements, 4 * elements}
	upload(t, d, first, count(elements)...)
	r := newRecorder(t, d)
	chain(r, p, first, second, 100, func() {})
	run(t, finish(t, r))
	got := download(t, d, first)
	if got[0] != 0 {
		t.Errorf("the last write is lost: %d", got[0])
	}
	for i := 1; i < elements; i++ {
		if want := apply(uint32(i), 3, 1, 101); got[i] != want {
			t.Fatalf("element %d is %d, want %d", i, got[i], want)
		}
	}
}

// Without the recorder's barriers the same chain is reported: the silence that
// openDevice demands proves something.
func TestMissingBarriersAreReported(t *testing.T) {
	messages := new(atomic.Int64)
	d, err := Open("auto", WithValidation(messages))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	p, b := newStep(t, d, 3), newBuffer(t, d, "both", 2<<12)
	r := newRecorder(t, d)
	last := int64(0)
	steps := 0
	chain(r, p, Slice{b, 0, 1 << 12}, Slice{b, 1 << 12, 1 << 12}, 2, func() {
		if now := messages.Load(); steps > 0 && now == last {
			t.Errorf("step %d conflicts with the one before, and nothing was reported", steps)
		} else {
			last = now
		}
		steps++
		r.pending = nil // as if nothing had been touched
	})
	finish(t, r)
	if messages.Load() == last {
		t.Error("the last step conflicts with the one before, and nothing was reported")
	}
}

func TestConflicts(t *testing.T) {
	a, b := &Buffer{label: "a"}, &Buffer{label: "b"}
	for _, c := range []struct {
		before, after use
		want          bool
	}{
		{use{Slice{a, 0, 8}, true}, use{Slice{a, 0, 8}, false}, true},
		{use{Slice{a, 0, 8}, false}, use{Slice{a, 0, 8}, true}, true},
		{use{Slice{a, 0, 8}, true}, use{Slice{a, 0, 8}, true}, true},
		{use{Slice{a, 0, 8}, false}, use{Slice{a, 0, 8}, false}, false},
		{use{Slice{a, 0, 8}, true}, use{Slice{a, 7, 1}, false}, true},
		{use{Slice{a, 0, 8}, true}, use{Slice{a, 8, 8}, true}, false},
		{use{Slice{a, 8, 8}, true}, use{Slice{a, 0, 8}, true}, false},
		{use{Slice{a, 4, 1}, true}, use{Slice{a, 0, 8}, true}, true},
		{use{Slice{a, 0, 8}, true}, use{Slice{b, 0, 8}, true}, false},
	} {
		if got := conflict([]use{c.before}, []use{c.after}); got != c.want {
			t.Errorf("%v then %v: %v", c.before, c.after, got)
		}
	}
}

// Independent steps get no barrier between them: they may overlap on the device.
func TestIndependentStepsOverlap(t *testing.T) {
	d := openDevice(t)
	p := newStep(t, d, 1)
	from := newBuffer(t, d, "from", 1024)
	r := newRecorder(t, d)
	for range 4 {
		step(r, p, from.Whole(), newBuffer(t, d, "to", 1024).Whole(), 1, 1)
	}
	if len(r.pending) != 8 {
		t.Errorf("%d uses are pending since the last barrier, want all 8", len(r.pending))
	}
	r.Fill(from.Whole(), 0)
	if len(r.pending) != 1 {
		t.Errorf("%d uses are pending after a conflict, want 1", len(r.pending))
	}
	finish(t, r)
}

func TestValidationCountsErrors(t *testing.T) {
	messages := new(atomic.Int64)
	log := new(recordedLog)
	d, err := Open("auto", WithValidation(messages), WithLogger(slog.New(slog.NewTextHandler(log, nil))))
	if err != nil {
		t.Fatal(err)
	}
	b, err := d.NewBuffer("forgotten", 64, DeviceMemory)
	if err != nil {
		t.Fatal(err)
	}
	if n := messages.Load(); n != 0 {
		t.Fatalf("%d messages before the error", n)
	}
	d.disown(b) // now Close does not know it
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if messages.Load() == 0 || !log.contains("level=ERROR") || !log.contains("not been destroyed") {
		t.Errorf("%d messages; the log is\n%s", messages.Load(), log)
	}
}

package explore

import (
	"context"
	"testing"
	"time"
)

// A slowPart waits until it may go on, or is told to stop.
type slowPart struct {
	of    *Run
	which int
	at    int // its urgency
	begun chan int
	goOn  chan struct{}
}

func (p slowPart) run() *Run    { return p.of }
func (p slowPart) layer() int   { return 0 }
func (p slowPart) urgency() int { return p.at }

func (p slowPart) compute(ctx context.Context) (any, error) {
	p.begun <- p.which
	select {
	case <-p.goOn:
		return p.which, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// The most urgent comes first, what is no longer wanted not at all, and what
// would make others wait is stopped.
func TestStoreComputesTheMostUrgent(t *testing.T) {
	run, _ := fakeRun(3, 1, 1)
	run.done = 1
	s := newStore(func() {})
	defer s.close()
	begun, goOn := make(chan int), make(chan struct{})
	part := func(which, urgency int) slowPart { return slowPart{run, which, urgency, begun, goOn} }
	want := func(parts ...slowPart) {
		s.begin()
		for _, p := range parts {
			need[int](s, p)
		}
		s.end()
	}
	began := func(which int) {
		t.Helper()
		select {
		case got := <-begun:
			if got != which {
				t.Errorf("part %d begins, not %d", got, which)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("part %d does not begin", which)
		}
	}
	want(part(1, urgentStrip))
	began(1)
	want(part(1, urgentStrip), part(2, urgentThumbnail), part(3, urgentTile), part(4, urgentRow))
	began(4) // 1 was stopped
	want(part(5, urgentTile), part(6, urgentTile))
	goOn <- struct{}{}
	began(5)
	goOn <- struct{}{}
	began(6)
	goOn <- struct{}{}
	for end := time.Now().Add(10 * time.Second); !s.take() || s.results[part(6, urgentTile)] == nil; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("part 6 is not there")
		}
	}
	if value, ok := need[int](s, part(4, urgentRow)); !ok || value != 4 {
		t.Errorf("part 4 is %v, %v", value, ok)
	}
	if s.results[part(1, urgentStrip)] != nil || s.results[part(2, urgentThumbnail)] != nil {
		t.Error("what was stopped, or never begun, has a result")
	}
	run.gone = true
	want(part(7, urgentRow))
	if len(s.waiting) != 0 {
		t.Error("a part of a run that is gone is waited for")
	}
}

// What is computed from two runs is given up with either.
func TestPartsOfTwoRuns(t *testing.T) {
	a, _ := fakeRun(3, 1, 1)
	b, _ := fakeRun(3, 1, 1)
	for _, p := range []part{tilePart{of: a, minus: other{run: b}}, exportPart{tilePart: tilePart{of: a, minus: other{run: b}}}} {
		if !uses(p, a) || !uses(p, b) || uses(p, &Run{}) {
			t.Errorf("%T", p)
		}
	}
	if p := (exportPart{tilePart: tilePart{of: a}}); !uses(p, a) || uses(p, b) {
		t.Error("a part of one run")
	}
	if p := (tilePart{of: a}); !uses(p, a) || uses(p, b) {
		t.Error("a tile of one run")
	}
}

// What no frame wants any longer makes room, the rest stays.
func TestStoreForgets(t *testing.T) {
	run, _ := fakeRun(3, 1, 1)
	s := newStore(func() {})
	defer s.close()
	kept, dropped := rowPart{of: run, query: 1}, rowPart{of: run, query: 2}
	s.results[kept] = &result{value: []float32{1}, bytes: cacheBytes}
	s.results[dropped] = &result{value: []float32{2}, bytes: 100}
	s.bytes = cacheBytes + 100
	for range 3 {
		s.begin()
		need[[]float32](s, kept)
		s.end()
	}
	if s.results[kept] == nil || s.results[dropped] != nil || s.bytes != cacheBytes {
		t.Errorf("kept: %v, dropped: %v, %d bytes", s.results[kept], s.results[dropped], s.bytes)
	}
}

// A part that a frame asks for while it is computed is not computed again.
func TestStoreComputesOnce(t *testing.T) {
	run, _ := fakeRun(3, 1, 1)
	run.done = 1
	s := newStore(func() {})
	defer s.close()
	begun, goOn := make(chan int), make(chan struct{})
	p := slowPart{run, 1, urgentTile, begun, goOn}
	for range 2 {
		s.begin()
		need[int](s, p)
		s.end()
		if s.frame == 1 {
			<-begun
		}
	}
	goOn <- struct{}{}
	select {
	case <-begun:
		t.Error("it begins again")
	case <-time.After(50 * time.Millisecond):
	}
}

// A coarse picture that nobody wants any more is given up.
func TestStoreGivesUpCoarse(t *testing.T) {
	run, source := fakeRun(2048, 1, 1)
	run.done = 1
	begun := make(chan bool, 100)
	stop := make(chan bool)
	source.hold = func(Request) { begun <- true; <-stop }
	s := newStore(func() {})
	defer s.close()
	coarse := tilePart{of: run, cell: 8}.coarse()
	s.begin()
	need[*tile](s, coarse)
	s.end()
	<-begun
	s.begin()
	need[*tile](s, tilePart{of: run, cell: 8})
	s.end()
	close(stop)
	<-begun
	s.lock.Lock()
	current := s.current
	s.lock.Unlock()
	if _, is := current.(coarsePart); is {
		t.Error("it goes on")
	}
}

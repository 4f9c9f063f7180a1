package explore

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// A part is something that a frame shows and that has to be computed. Parts are
// comparable: equal ones are the same.
type part interface {
	compute(ctx context.Context) (any, error)
	run() *Run
	layer() int   // the last that must be complete
	urgency() int // the least is computed first
}

// Urgencies. Within one, parts are computed in the order in which a frame asks
// for them.
const (
	urgentRow = iota // under the mouse
	urgentCoarse
	urgentTile
	urgentSample // of what is there
	urgentSummary
	urgentThumbnail
	urgentStrip
)

// A result is what has become of a part.
type result struct {
	value any
	err   error
	used  int // the last frame that asked for it
	bytes int
}

// cacheBytes is how much the parts may take that no frame asks for; of cells that stay
// on a device about as much as the memory there is for them.
const cacheBytes = 128 << 20

// A store keeps parts, and has a worker compute what is missing. All but the
// worker is of the explorer's goroutine.
type store struct {
	results map[part]*result
	bytes   int
	taken   int // results, ever
	frame   int
	wanted  []part // by the frame under way
	left    []Room // that the frame in sight may still show

	lock    sync.Mutex
	waiting []part // what the worker takes from, the most urgent first
	current part   // that it computes
	cancel  context.CancelFunc
	done    []finished
	pace    pace
	closing []Source
	stopped bool
	work    sync.Cond
	wake    func()
	ended   chan struct{}
}

type finished struct {
	part  part
	value any
	err   error
}

// newStore starts the worker. wake is called, by any goroutine, when there is
// something to take.
func newStore(wake func()) *store {
	s := &store{results: map[part]*result{}, wake: wake, ended: make(chan struct{})}
	s.work.L = &s.lock
	go s.loop()
	return s
}

// begin begins a frame.
func (s *store) begin() {
	s.take()
	s.frame++
	s.wanted = s.wanted[:0]
}

// end gives the worker what the frame lacked, and frees what none wants.
func (s *store) end() {
	slices.SortStableFunc(s.wanted, func(a, b part) int { return a.urgency() - b.urgency() })
	s.lock.Lock()
	s.waiting = append(s.waiting[:0], s.wanted...)
	// What is computed for a view that is gone makes others wait in vain.
	if s.current != nil && len(s.waiting) > 0 && s.waiting[0] != s.current {
		_, coarse := s.current.(coarsePart)
		if coarse && !slices.Contains(s.waiting, s.current) || s.current.urgency() >= urgentThumbnail && s.waiting[0].urgency() < urgentThumbnail {
			s.cancel()
		}
	}
	s.lock.Unlock()
	s.work.Signal()
	for p, r := range s.results {
		if s.bytes > cacheBytes && r.used < s.frame-1 {
			s.remove(p, r)
		}
	}
}

// remove drops a result.
func (s *store) remove(p part, r *result) {
	s.bytes -= r.bytes
	delete(s.results, p)
	s.left = append(s.left, roomsOf(r.value)...)
}

// release gives back the room of what was dropped, once no frame shows it.
func (s *store) release() {
	giveBack(s.left)
	s.left = s.left[:0]
}

// spill drops whatever is in rooms, and what may come to be.
func (s *store) spill() {
	s.lock.Lock()
	if s.current != nil {
		s.cancel()
	}
	s.lock.Unlock()
	s.take()
	for p, r := range s.results {
		if len(roomsOf(r.value)) > 0 {
			s.remove(p, r)
		}
	}
}

func giveBack(rooms []Room) {
	for _, room := range rooms {
		room.Release()
	}
}

// roomsOf returns where on a device the cells of a result are.
func roomsOf(value any) (rooms []Room) {
	switch v := value.(type) {
	case *tile:
		if v != nil && v.room != nil {
			rooms = []Room{v.room}
		}
	case []*tile: // they share one
		if len(v) > 0 {
			rooms = roomsOf(v[0])
		}
	}
	return rooms
}

// take moves what the worker has finished to the results.
func (s *store) take() (any bool) {
	s.lock.Lock()
	done := s.done
	s.done = nil
	s.lock.Unlock()
	for _, f := range done {
		if f.err != nil {
			f.value = nil
		}
		const itself = 256 // there may be many that are small
		r := &result{value: f.value, err: f.err, used: s.frame, bytes: itself + sizeOf(f.value)}
		if before := s.results[f.part]; before != nil {
			s.remove(f.part, before)
		}
		s.results[f.part] = r
		s.bytes += r.bytes
		s.taken++
	}
	return len(done) > 0
}

// expected returns how long the worker will take for so many pairs.
func (s *store) expected(pairs float64) time.Duration {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.pace.expects(pairs)
}

// idle reports whether nothing is wanted and nothing is under way.
func (s *store) idle() bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	return len(s.waiting) == 0 && s.current == nil && len(s.done) == 0
}

// uses reports whether a part is computed from a run.
func uses(p part, run *Run) bool {
	other, two := p.(interface{ subtracted() *Run })
	return p.run() == run || two && other.subtracted() == run
}

// forget drops all parts of a run and closes it, once the worker has left it.
func (s *store) forget(run *Run) {
	for p, r := range s.results {
		if uses(p, run) {
			s.remove(p, r)
		}
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	s.waiting = slices.DeleteFunc(s.waiting, func(p part) bool { return uses(p, run) })
	s.done = slices.DeleteFunc(s.done, func(f finished) bool {
		if uses(f.part, run) {
			giveBack(roomsOf(f.value)) // no frame has seen it
			return true
		}
		return false
	})
	if s.current != nil && uses(s.current, run) {
		s.cancel()
	}
	s.closing = append(s.closing, run.Source)
	s.work.Signal()
}

// close ends the worker, after it has closed what it was told to, and gives all
// room back.
func (s *store) close() {
	s.lock.Lock()
	s.stopped = true
	if s.current != nil {
		s.cancel()
	}
	s.lock.Unlock()
	s.work.Signal()
	<-s.ended
	s.take()
	for p, r := range s.results {
		s.remove(p, r)
	}
	s.release()
}

// loop is the worker.
func (s *store) loop() {
	defer close(s.ended)
	s.lock.Lock()
	defer s.lock.Unlock()
	for {
		switch {
		case len(s.closing) > 0:
			source := s.closing[0]
			s.closing = s.closing[1:]
			s.lock.Unlock()
			source.Close()
			s.lock.Lock()
		case s.stopped:
			return
		case len(s.waiting) > 0:
			p := s.waiting[0]
			s.waiting = s.waiting[1:]
			var ctx context.Context
			ctx, s.cancel = context.WithCancel(context.Background())
			s.current = p
			s.lock.Unlock()
			begun := time.Now()
			value, err := p.compute(ctx)
			took, pairs := time.Since(begun), 0.0
			if counted, ok := p.(interface{ pairs() float64 }); ok {
				pairs = counted.pairs()
			}
			s.lock.Lock()
			cancelled := ctx.Err() != nil || errors.Is(err, context.Canceled)
			s.cancel()
			s.current = nil
			if err != nil || cancelled {
				giveBack(roomsOf(value))
				value = nil // it may be a nil pointer
			}
			if !cancelled {
				s.done = append(s.done, finished{p, value, err})
				s.waiting = slices.DeleteFunc(s.waiting, func(other part) bool { return other == p }) // a frame asked for it meanwhile
			}
			if err == nil && pairs > 0 {
				s.pace.add(took, pairs)
			}
			s.wake()
		default:
			s.work.Wait()
		}
	}
}

// need returns a part of a frame if it is there; otherwise it will be computed.
func need[T any](s *store, p part) (value T, ok bool) {
	if r := s.results[p]; r != nil {
		r.used = s.frame
		value, ok = r.value.(T)
		return value, ok && r.err == nil
	}
	if run := p.run(); p.layer() < run.done && !run.gone && !slices.Contains(s.wanted, p) {
		s.wanted = append(s.wanted, p)
	}
	return value, false
}

// has is need for what is only used if it happens to be there.
func has[T any](s *store, p part) (value T, ok bool) {
	r := s.results[p]
	if r == nil || r.err != nil {
		return value, false
	}
	r.used = s.frame
	value, ok = r.value.(T)
	return value, ok
}

// failure returns the error of a part, nil if it has none.
func (s *store) failure() error {
	for _, r := range s.results {
		if r.err != nil && r.used >= s.frame-1 {
			return r.err
		}
	}
	return nil
}

func sizeOf(value any) int {
	switch v := value.(type) {
	case *tile:
		return 5 * v.rows * v.columns
	case []float32:
		return 4 * len(v)
	case []float64:
		return 8 * len(v)
	case []*tile:
		size := 0
		for _, t := range v {
			size += sizeOf(t)
		}
		return size
	}
	return 1024
}

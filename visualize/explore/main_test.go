package explore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/visualize"
)

// A fakeSource computes weights by a formula, so that any pair of any size is
// known without a model.
type fakeSource struct {
	run    *Run
	weight func(layer, head, query, key int) float64
	wrong  map[[2]int]bool // rows, as head and query, whose sums are not 1
	fail   error
	hold   func(Request) // waits as long as cells are to take
	device *fakeDevice   // that has rooms; nil: none

	lock   sync.Mutex
	calls  int
	cells  []Request
	closed int
	busy   bool // two calls at once are a fault
	faults []string
}

func (s *fakeSource) begin(ctx context.Context, layer int) (end func(), err error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.calls++
	if s.closed > 0 {
		s.faults = append(s.faults, "a call after Close")
	}
	if s.busy {
		s.faults = append(s.faults, "two calls at once")
	}
	if layer >= len(s.run.Layers) {
		s.faults = append(s.faults, fmt.Sprintf("layer %d", layer))
	}
	s.busy = true
	err = s.fail
	if err == nil {
		err = ctx.Err()
	}
	return func() {
		s.lock.Lock()
		s.busy = false
		s.lock.Unlock()
	}, err
}

// visible reports whether a query sees a key.
func (s *fakeSource) visible(layer, query, key int) bool {
	first := 0
	for _, length := range s.run.sequences() {
		if query < first+length {
			return key >= first && key < first+length && gaze.Sees(s.run.Layers[layer], query-first, key-first, length)
		}
		first += length
	}
	return false
}

func (s *fakeSource) Cells(ctx context.Context, r Request) ([]float32, error) {
	end, err := s.begin(ctx, r.Layer)
	defer end()
	if err != nil {
		return nil, err
	}
	s.lock.Lock()
	s.cells = append(s.cells, r)
	s.lock.Unlock()
	if s.hold != nil {
		s.hold(r)
	}
	if r.Rectangle.Queries.First%r.Cell != 0 || r.Rectangle.Keys.First%r.Cell != 0 || r.Cell&(r.Cell-1) != 0 || r.Cell > LargestCell {
		return nil, fmt.Errorf("cells of %d from %v", r.Cell, r.Rectangle)
	}
	rows, columns := ceilDivide(r.Rectangle.Queries.End-r.Rectangle.Queries.First, r.Cell), ceilDivide(r.Rectangle.Keys.End-r.Rectangle.Keys.First, r.Cell)
	var cells []float32
	for h := r.Heads.First; h < r.Heads.End; h++ {
		of := make([]float32, rows*columns)
		for i := range of {
			of[i] = Hidden
		}
		for query := r.Rectangle.Queries.First; query < r.Rectangle.Queries.End; query++ {
			for _, span := range s.run.Layers[r.Layer].AppendKeys(nil, query, len(s.run.Tokens)) {
				for key := max(span.First, r.Rectangle.Keys.First); key < min(span.End, r.Rectangle.Keys.End); key++ {
					at := (query-r.Rectangle.Queries.First)/r.Cell*columns + (key-r.Rectangle.Keys.First)/r.Cell
					w := float32(s.weight(r.Layer, h, query, key))
					if r.Pooling == visualize.MeanPooling && of[at] != Hidden {
						of[at] += w
					} else {
						of[at] = max(of[at], w)
					}
				}
			}
		}
		cells = append(cells, of...)
	}
	return cells, nil
}

func (s *fakeSource) Room(cells int) Room {
	if s.device == nil {
		return nil
	}
	return s.device.room(cells)
}

func (s *fakeSource) Place(ctx context.Context, r Request, to Room, mix Mix) error {
	room := to.(*fakeRoom)
	if s.device != room.device {
		return ErrElsewhere
	}
	cells, err := s.Cells(ctx, r)
	if err != nil {
		return err
	}
	s.lock.Lock()
	s.cells = s.cells[:len(s.cells)-1] // they did not come to the CPU
	s.lock.Unlock()
	return room.mix(cells, r, mix)
}

func (s *fakeSource) Summary(ctx context.Context, layer int) ([]Summary, error) {
	end, err := s.begin(ctx, layer)
	defer end()
	if err != nil {
		return nil, err
	}
	list := make([]Summary, s.run.Heads)
	for h := range list {
		one := Summary{Entropy: float64(layer + h), Distance: float64(10*h + layer),
			Roles: []Share{{"self", 0.1}, {"previous", 0.1 * float64(h)}}}
		for query := range s.run.Tokens {
			sum := float32(1)
			if s.wrong[[2]int{h, query}] {
				sum = 1.5
			}
			one.Sums, one.Spread = append(one.Sums, sum), append(one.Spread, float32(query%3))
		}
		list[h] = one
	}
	return list, err
}

func (s *fakeSource) strip(ctx context.Context, layer int, heads gaze.Span, each func(head, query, key int, add func(token int, w float64))) ([][]float64, error) {
	end, err := s.begin(ctx, layer)
	defer end()
	var list [][]float64
	for h := heads.First; h < heads.End; h++ {
		strip := make([]float64, len(s.run.Tokens))
		for query := range s.run.Tokens {
			for _, span := range s.run.Layers[layer].AppendKeys(nil, query, len(s.run.Tokens)) {
				for key := span.First; key < span.End; key++ {
					each(h, query, key, func(token int, w float64) { strip[token] += w })
				}
			}
		}
		list = append(list, strip)
	}
	return list, err
}

func (s *fakeSource) Received(ctx context.Context, layer int, heads, queries gaze.Span) ([][]float64, error) {
	return s.strip(ctx, layer, heads, func(h, query, key int, add func(int, float64)) {
		if query >= queries.First && query < queries.End {
			add(key, s.weight(layer, h, query, key))
		}
	})
}

func (s *fakeSource) Given(ctx context.Context, layer int, heads, keys gaze.Span) ([][]float64, error) {
	return s.strip(ctx, layer, heads, func(h, query, key int, add func(int, float64)) {
		if key >= keys.First && key < keys.End {
			add(query, s.weight(layer, h, query, key))
		}
	})
}

func (s *fakeSource) Rollout(ctx context.Context, layer, query int) ([]float64, error) {
	end, err := s.begin(ctx, layer)
	defer end()
	roll := make([]float64, len(s.run.Tokens))
	for token := range roll {
		roll[token] = 1 / float64(1+max(token-query, query-token))
	}
	return roll, err
}

func (s *fakeSource) Close() error {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.closed++
	if s.busy {
		s.faults = append(s.faults, "closed while it computes")
	}
	return nil
}

// fakeRun returns a run of n tokens, its layers full and sliding by turns.
func fakeRun(n, layers, heads int) (*Run, *fakeSource) {
	run := &Run{Name: "fake", Heads: heads, Device: "none", Command: []string{"--model", "fake"}}
	var text strings.Builder
	for i := range n {
		word := fmt.Sprintf("w%d", i)
		if i == 0 || i == n-1 {
			run.Tokens = append(run.Tokens, Token{Label: "[X]"})
			continue
		}
		if text.Len() > 0 {
			text.WriteByte(' ')
		}
		first := text.Len()
		text.WriteString(word)
		run.Tokens = append(run.Tokens, Token{Label: word, First: first, End: text.Len()})
	}
	run.Text = text.String()
	for layer := range layers {
		if layer%2 == 0 {
			run.Layers = append(run.Layers, gaze.Full{})
		} else {
			run.Layers = append(run.Layers, gaze.SlidingWindow{Left: 3, Right: 2})
		}
	}
	s := &fakeSource{run: run, weight: fakeWeight}
	run.Source = s
	return run, s
}

// fakeWeight differs from pair to pair and is never 0.
func fakeWeight(layer, head, query, key int) float64 {
	r := rand.New(rand.NewPCG(uint64(layer*1000+head), uint64(query)<<32|uint64(key)))
	return math.Exp(-9 * r.Float64())
}

// A fakeHost notes what the explorer asks for.
type fakeHost struct {
	texts, printed, copied []string
	variants, quits        int
	paused                 bool
	files                  map[string]string
	woken                  chan struct{}
}

func newHost() *fakeHost { return &fakeHost{woken: make(chan struct{}, 1)} }

func (h *fakeHost) Run(text string)   { h.texts = append(h.texts, text) }
func (h *fakeHost) Variant(step int)  { h.variants += step }
func (h *fakeHost) Pause(paused bool) { h.paused = paused }
func (h *fakeHost) Read(path string) (string, error) {
	if text, ok := h.files[path]; ok {
		return text, nil
	}
	return "", errors.New("no such file")
}
func (h *fakeHost) Wake() {
	select {
	case h.woken <- struct{}{}:
	default:
	}
}
func (h *fakeHost) Copy(text string)     { h.copied = append(h.copied, text) }
func (h *fakeHost) Print(line string)    { h.printed = append(h.printed, line) }
func (h *fakeHost) Quit()                { h.quits++ }
func (h *fakeHost) Label(key Key) string { return string(key) }

// opened returns an explorer that shows a run, all of it complete.
func opened(t testing.TB, run *Run, width, height int) (*Explorer, *fakeHost) {
	t.Helper()
	host := newHost()
	e := New(host, DefaultSettings())
	t.Cleanup(e.Close)
	e.Handle(Resize{width, height, 1})
	e.Open(run)
	e.Complete(run, len(run.Layers))
	e.Progress(1)
	rest(t, e, host)
	return e, host
}

// rest draws frames until nothing more comes.
func rest(t testing.TB, e *Explorer, host *fakeHost) {
	t.Helper()
	end := time.After(time.Minute)
	for {
		if _, changed := e.Frame(time.Now()); changed {
			e.Presented()
		}
		if !e.Busy() {
			return
		}
		select {
		case <-host.woken:
		case <-time.After(time.Millisecond):
		case <-end:
			t.Fatal("the explorer does not come to rest")
		}
	}
}

// at returns the value of the cell of a pair, and whether it is visible.
func (t *tile) at(query, key int) (value float32, visible bool) {
	value = t.values[(query-t.rectangle.Queries.First)/t.cell*t.columns+(key-t.rectangle.Keys.First)/t.cell]
	return value, value == value
}

func (s *fakeSource) check(t testing.TB) {
	t.Helper()
	s.lock.Lock()
	defer s.lock.Unlock()
	for _, fault := range s.faults {
		t.Error(fault)
	}
}

func press(e *Explorer, list ...string) {
	for _, text := range list {
		c, err := parseChord(text)
		if err != nil {
			panic(err)
		}
		e.Handle(Press{c.key, c.modifiers})
		if letter, ok := c.types(); ok {
			e.Handle(Rune{letter})
		}
	}
}

package explore

import (
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/visualize"
)

// cheapWeight is a formula for many pairs. It differs between the queries of a band.
func cheapWeight(_, _, query, key int) float64 { return 1 / float64(2+(query*7+key*13)%1009) }

// A heldSource lets a test say when squares are computed; coarse rows come at once.
type heldSource struct {
	*fakeSource
	goOn    chan bool
	release func() // all
}

// pass lets one square be computed.
func (s heldSource) pass(t *testing.T) {
	t.Helper()
	select {
	case s.goOn <- true:
	case <-time.After(10 * time.Second):
		t.Fatal("no square is under way")
	}
}

// openedMap is opened for a map of n tokens that is in sight at once, without an
// overview before it, in a window whose map has about 450 pixels a side.
func openedMap(t *testing.T, n int, held bool) (*Explorer, *fakeHost, heldSource) {
	t.Helper()
	run, source := fakeRun(n, 1, 1)
	source.weight = cheapWeight
	h := heldSource{fakeSource: source, goOn: make(chan bool)}
	if held {
		source.hold = func(r Request) {
			if r.Rectangle.Queries.End-r.Rectangle.Queries.First > coarseCell {
				<-h.goOn
			}
		}
	}
	host := newHost()
	e := New(host, DefaultSettings())
	t.Cleanup(e.Close)
	h.release = sync.OnceFunc(func() { close(h.goOn) })
	t.Cleanup(h.release)
	e.Handle(Resize{900, 660, 1})
	e.Open(run)
	e.Complete(run, 1)
	e.Progress(1)
	if err := e.Do("open"); err != nil {
		t.Fatal(err)
	}
	return e, host, h
}

// requests returns what was asked for so far: rows of a coarse picture, as the
// first queries of each, and squares.
func (s heldSource) requests() (rows []int, squares []gaze.Rectangle, mixed bool) {
	s.lock.Lock()
	defer s.lock.Unlock()
	for _, r := range s.cells {
		switch queries := r.Rectangle.Queries.End - r.Rectangle.Queries.First; {
		case queries <= coarseCell && queries > 1:
			rows = append(rows, r.Rectangle.Queries.First)
			mixed = mixed || len(squares) > 0
		case queries > 1:
			squares = append(squares, r.Rectangle)
		}
	}
	return rows, squares, mixed
}

func until(t *testing.T, e *Explorer, host *fakeHost, what string, is func() bool) {
	t.Helper()
	end := time.After(20 * time.Second)
	for e.Frame(time.Now()); !is(); e.Frame(time.Now()) {
		select {
		case <-host.woken:
		case <-end:
			t.Fatalf("%s does not come", what)
		}
	}
}

// A map of which nothing is there is first sampled as a whole, and says so. No
// number is taken from that: what is read off is exact or not there yet, and an
// export waits. Then it gives way to the exact picture.
func TestCoarsePictureFirst(t *testing.T) {
	const n = 4096
	e, host, source := openedMap(t, n, true)
	until(t, e, host, "a coarse picture", func() bool { return e.coarse > 0 })
	rows, squares, mixed := source.requests()
	var want []int
	for first := 0; first < n; first += 128 {
		want = append(want, first)
	}
	if !slices.Equal(rows, want) || mixed || len(squares) > 1 {
		t.Fatalf("before the squares %v rows at %v were asked for", squares, rows)
	}
	badge := func() bool {
		return slices.ContainsFunc(e.badges(), func(b badge) bool { return b.text == "sampled: 16 of each 128 queries" })
	}
	if !badge() {
		t.Errorf("the badges are %v", e.badges())
	}
	// Each band has the cells of its first rows, in a range that follows from them.
	v, table, pixels := e.view, e.table(), flat(t, &e.canvas.shown)
	if e.r == (visualize.Range{Low: 1e-4, High: 1}) {
		t.Error("the range follows from nothing")
	}
	shown := v.shown()
	for _, at := range []image.Point{shown.Min, {shown.Min.X + 100, shown.Min.Y + 201}, {shown.Min.X + 301, shown.Min.Y + 77}, shown.Max.Sub(image.Pt(1, 1))} {
		query, key, _ := v.pair(float64(at.X)+0.5, float64(at.Y)+0.5)
		greatest := 0.0
		for q := query / 128 * 128; q < query/128*128+16; q++ {
			for k := key / 16 * 16; k < key/16*16+16; k++ {
				greatest = max(greatest, cheapWeight(0, 0, q, k))
			}
		}
		one := tile{values: []float32{float32(greatest)}}
		of := table[one.indices(newLevels(coloring{e.Scale, e.r}))[0]]
		if got := pixels.RGBAAt(at.X, at.Y); got != of {
			t.Errorf("the pixel of query %d and key %d is %v, want %v", query, key, got, of)
		}
	}

	if values, complete := e.inSight(); len(values) > 0 || complete {
		t.Errorf("the histogram has %d sampled values", len(values))
	}
	mouse := Move{float64(shown.Min.X + 300), float64(shown.Min.Y + 77)}
	e.Handle(mouse)
	e.Frame(time.Now())
	query, key, _ := v.pair(mouse.X, mouse.Y)
	names := []string{fmt.Sprintf("query %d “w%d”", query, query), fmt.Sprintf("key %d “w%d”", key, key)}
	if got := e.readout(); !slices.Equal(got, names) {
		t.Errorf("it reads off %q", got)
	}
	path := filepath.Join(t.TempDir(), "a.csv")
	if err := e.Export(path, false); err != nil {
		t.Fatal(err)
	}
	e.Frame(time.Now())
	source.pass(t) // the row under the mouse and the cells to be written are the most urgent
	source.pass(t)
	exact := "weight " + readable(cheapWeight(0, 0, query, key))
	until(t, e, host, "the row under the mouse", func() bool { return slices.Contains(e.readout(), exact) })
	if got := e.readout(); slices.ContainsFunc(got, func(line string) bool { return strings.Contains(line, "of its cell") }) {
		_, isThere := has[*tile](e.store, e.part(&e.panes()[0], 8, query/2048, key/2048))
		if !isThere {
			t.Errorf("of a sampled cell it reads off %q", got)
		}
	}
	until(t, e, host, "what is to be written", func() bool { return e.store.results[e.exporting.part] != nil })
	if _, err := os.Stat(path); err == nil || e.exporting == nil || !badge() {
		t.Errorf("exported before the exact picture is there: %v, %v", err, e.badges())
	}
	source.release()
	until(t, e, host, "the export", func() bool { return e.exporting == nil })
	rest(t, e, host)
	if e.coarse > 0 || badge() {
		t.Error("it is sampled to the end")
	}
	lines := strings.Split(strings.TrimSpace(read(t, path)), "\n")
	var got, cells []float64
	for row, line := range lines[2:] {
		for column, text := range strings.Split(line, ",")[2:] {
			var value float64
			fmt.Sscan(text, &value)
			greatest := 0.0
			for q := row * 4; q < row*4+4; q++ {
				for k := column * 4; k < column*4+4; k++ {
					greatest = max(greatest, cheapWeight(0, 0, q, k))
				}
			}
			got, cells = append(got, value), append(cells, greatest)
		}
	}
	if len(got) != 1024*1024 || !slices.EqualFunc(got, cells, func(a, b float64) bool { return math.Abs(a-b) < 1e-6 }) {
		t.Errorf("%d cells were written, and others than exact ones", len(got))
	}
	if rows, _, _ := source.requests(); len(rows) != len(want) {
		t.Errorf("%d rows were sampled, want %d", len(rows), len(want))
	}

	// The end is as if there had been nothing before it.
	direct, host2, at := openedMap(t, n, false)
	direct.store.pace = pace{1, 1 << 60}
	direct.Handle(Move{float64(e.mouse.X), float64(e.mouse.Y)})
	rest(t, direct, host2)
	if rows, _, _ := at.requests(); len(rows) > 0 {
		t.Errorf("a quick map is sampled at %v", rows)
	}
	e.message = ""
	e.dirty = true
	frame, _ := e.Frame(time.Now())
	other, _ := direct.Frame(time.Now())
	if !slices.Equal(flat(t, frame).Pix, flat(t, other).Pix) {
		t.Error("a map that was sampled first looks otherwise in the end")
	}
}

// Only what is seen of a map and has nothing coarser is sampled, and only where
// the exact picture takes long.
func TestCoarseOnlyWhereNeeded(t *testing.T) {
	e, host, source := openedMap(t, 4096, false)
	e.Pooling = visualize.MeanPooling      // of which there are no thumbnails
	e.store.pace = pace{24 * time.Hour, 1} // slow, whatever is measured
	rest(t, e, host)
	rows, _, _ := source.requests()
	if len(rows) != 32 || e.view.cell() != 16 {
		t.Fatalf("cells of %d, rows %v", e.view.cell(), rows)
	}
	// What is zoomed into has coarser squares.
	press(e, "=", "=", "=", "=")
	rest(t, e, host)
	if more, _, _ := source.requests(); e.view.cell() != 8 || len(more) != len(rows) {
		t.Errorf("cells of %d, and rows %v", e.view.cell(), more)
	}
	// Of another measure there is nothing.
	e.Measure, e.dirty = visualize.Lift, true
	rest(t, e, host)
	if more, _, _ := source.requests(); len(more) <= len(rows) {
		t.Errorf("of another measure no rows are sampled")
	}
	few, host2, at := openedMap(t, 896, false)
	few.store.pace = pace{time.Hour, 1}
	rest(t, few, host2)
	if rows, squares, _ := at.requests(); len(rows) > 0 || len(squares) == 0 {
		t.Errorf("of less than eight bands %v are sampled", rows)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

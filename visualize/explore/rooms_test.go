package explore

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/visualize"
)

// A fakeDevice has rooms for cells, as far as it has any left.
type fakeDevice struct {
	lock   sync.Mutex
	left   int // cells
	rooms  []*fakeRoom
	read   int // cells, ever
	fail   error
	faults []string
}

type fakeRoom struct {
	device   *fakeDevice
	cells    []float32
	released bool
}

func (d *fakeDevice) room(cells int) Room {
	d.lock.Lock()
	defer d.lock.Unlock()
	if cells > d.left {
		return nil
	}
	d.left -= cells
	r := &fakeRoom{device: d, cells: make([]float32, cells)}
	for i := range r.cells {
		r.cells[i] = 777 // whatever was there
	}
	d.rooms = append(d.rooms, r)
	return r
}

// taken returns how many rooms are in use.
func (d *fakeDevice) taken() (count int) {
	d.lock.Lock()
	defer d.lock.Unlock()
	for _, r := range d.rooms {
		if !r.released {
			count++
		}
	}
	return count
}

func (r *fakeRoom) Release() {
	r.device.lock.Lock()
	defer r.device.lock.Unlock()
	if !r.released {
		r.released = true
		r.device.left += len(r.cells)
		for i := range r.cells {
			r.cells[i] = 777
		}
	}
}

func (r *fakeRoom) mix(cells []float32, request Request, mix Mix) error {
	r.device.lock.Lock()
	defer r.device.lock.Unlock()
	if r.released {
		r.device.faults = append(r.device.faults, "cells are placed in a room that was released")
	}
	rows, columns := request.Rectangle.Cells(gaze.Square(request.Cell))
	count := rows * columns
	if mix.Apart {
		count = len(cells)
	}
	if mix.First < 0 || mix.First+count > len(r.cells) {
		return fmt.Errorf("%d cells from %d on of %d", count, mix.First, len(r.cells))
	}
	of := tile{rectangle: request.Rectangle, cell: request.Cell, columns: columns}
	to := r.cells[mix.First:][:count]
	if mix.Fresh {
		for i := range to {
			to[i] = hiddenValue
		}
	}
	for i, value := range cells {
		if value == Hidden {
			continue
		}
		if mix.Mean {
			value /= float32(of.pairs(i % (rows * columns)))
		}
		to[i%count] = orZero(to[i%count]) + value*mix.Factor
	}
	return nil
}

func (r *fakeRoom) Read(ctx context.Context, first, rowStride, columnStride, rows, columns int) (values []float32, err error) {
	r.device.lock.Lock()
	defer r.device.lock.Unlock()
	r.device.read += rows * columns
	for row := range rows {
		for column := range columns {
			values = append(values, r.cells[first+row*rowStride+column*columnStride])
		}
	}
	return values, errors.Join(ctx.Err(), r.device.fail)
}

func (d *fakeDevice) check(t testing.TB) {
	t.Helper()
	for _, fault := range d.faults {
		t.Error(fault)
	}
}

// flat returns the pixels of a frame.
func flat(t testing.TB, f *Frame) *image.RGBA {
	t.Helper()
	img, err := f.Flatten(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// A twin is two explorers of the same run, of which one has its cells in rooms.
type twin struct {
	t      *testing.T
	e      [2]*Explorer
	host   [2]*fakeHost
	source [2]*fakeSource
	device *fakeDevice
}

func newTwin(t *testing.T, n, cells int) *twin {
	w := &twin{t: t, device: &fakeDevice{left: cells}}
	for i := range w.e {
		run, source := fakeRun(n, 2, 3)
		if i == 1 {
			source.device = w.device
		}
		w.source[i] = source
		w.e[i], w.host[i] = opened(t, run, 700, 500)
	}
	return w
}

func (w *twin) do(do func(e *Explorer)) {
	for i, e := range w.e {
		do(e)
		rest(w.t, e, w.host[i])
	}
}

// alike fails unless both look the same, but for two steps of a channel where several
// layers are over a map, and say the same.
func (w *twin) alike(what string) {
	w.t.Helper()
	a, b := w.e[0], w.e[1]
	if a.r != b.r {
		w.t.Errorf("%s: the ranges are %v and %v", what, a.r, b.r)
	}
	if !slices.Equal(a.readout(), b.readout()) {
		w.t.Errorf("%s: they say\n%q\n%q", what, a.readout(), b.readout())
	}
	lookAlike(w.t, what, a, b)
}

func lookAlike(t *testing.T, what string, a, b *Explorer) {
	t.Helper()
	one, other := flat(t, &a.canvas.shown), flat(t, &b.canvas.shown)
	for i := range one.Pix {
		if d := int(one.Pix[i]) - int(other.Pix[i]); max(d, -d) > 2 {
			x, y := i%one.Stride/4, i/one.Stride
			t.Fatalf("%s: at %d, %d one is %v, the other %v", what, x, y, one.RGBAAt(x, y), other.RGBAAt(x, y))
		}
	}
}

// So it is with a coarse picture, its range of colours included.
func TestCoarseRooms(t *testing.T) {
	var twins [2]*Explorer
	for i := range twins {
		e, host, source := openedMap(t, 4096, true)
		if i == 1 {
			source.device = &fakeDevice{left: 1 << 30}
		}
		until(t, e, host, "a coarse picture and its colours", func() bool { return e.coarse > 0 && e.r != (visualize.Range{Low: 1e-4, High: 1}) })
		twins[i] = e
	}
	if twins[0].r != twins[1].r {
		t.Errorf("the ranges are %v and %v", twins[0].r, twins[1].r)
	}
	lookAlike(t, "coarse", twins[0], twins[1])
	if len(twins[0].canvas.shown.Maps) > 0 || len(twins[1].canvas.shown.Maps) == 0 {
		t.Error("the cells are not where they should be")
	}
}

// Where the cells are makes no difference to what is seen and said, and those in rooms
// do not come back but for few.
func TestRooms(t *testing.T) {
	for _, cells := range []int{1 << 30, 30_000, 0} { // all fit, some, none
		t.Run(fmt.Sprint(cells), func(t *testing.T) {
			w := newTwin(t, 400, cells)
			w.alike("overview")
			for _, does := range []string{"open", "zoom_in", "zoom_in", "pan_up", "zoom_in", "zoom_in", "zoom_in", "scale", "scale", "scale", "measure", "pooling", "measure",
				"fit", "measure", "mean", "pooling", "mean", "mean", "keep", "next_head", "compare", "next_layer", "compare", "range_always", "pan_left", "colors",
				"compare", "rollout", "pixel_1", "overview", "order"} {
				w.do(func(e *Explorer) {
					if err := e.Do(does); err != nil {
						t.Fatal(err)
					}
					e.Handle(Move{300, 280})
				})
				w.alike(does)
			}
			w.device.check(t)
			w.source[1].check(t)
			if cells < 1<<30 {
				return
			}
			for _, r := range w.source[1].cells {
				if r.Rectangle.Queries.End-r.Rectangle.Queries.First > 1 {
					t.Errorf("the CPU asked for %+v", r)
				}
			}
		})
	}
}

// A room is given back once nothing shows it: not before the next frame is presented.
func TestRoomsAreGivenBack(t *testing.T) {
	device := &fakeDevice{left: 1 << 30}
	run, source := fakeRun(300, 2, 3)
	source.device = device
	e, host := opened(t, run, 500, 400)
	press(e, "enter", "=", "=")
	rest(t, e, host)
	before := device.taken()
	if before == 0 {
		t.Fatal("no room is taken")
	}
	next, nextSource := fakeRun(200, 2, 3) // of a source without a device
	e.Open(next)
	e.Complete(next, 2)
	e.Progress(1)
	if got := device.taken(); got != before {
		t.Errorf("%d of %d rooms are left while a frame shows them", got, before)
	}
	e.Frame(time.Now())
	if got := device.taken(); got != before {
		t.Errorf("%d of %d rooms are left before the next frame is presented", got, before)
	}
	e.Presented()
	if got := device.taken(); got != 0 {
		t.Errorf("%d rooms are still taken", got)
	}
	rest(t, e, host)
	device.check(t)
	nextSource.check(t)
}

// What one map has in rooms and the other has not is subtracted on the CPU.
func TestDifferenceOfTwoDevices(t *testing.T) {
	one, other := &fakeDevice{left: 1 << 30}, &fakeDevice{left: 1 << 30}
	run, source := fakeRun(40, 1, 1)
	against, sourceAgainst := fakeRun(40, 1, 1)
	source.device, sourceAgainst.device = one, other
	sourceAgainst.weight = func(layer, head, query, key int) float64 { return 0.5 * fakeWeight(layer, head, query, key) }
	part := tilePart{of: run, cell: 1, minus: struct {
		run  *Run
		head head
	}{against, head{}}}
	value, err := part.compute(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := value.(*tile)
	if want := 0.5 * fakeWeight(0, 0, 7, 9); got.values == nil || !near32(got.values[7*40+9], want) {
		t.Errorf("%v, want %v", got.values, want)
	}
	if one.taken()+other.taken() > 0 {
		t.Error("a room is kept")
	}
}

// A tile whose computation fails, or that nobody wants any more, keeps no room.
func TestRoomsOfFailures(t *testing.T) {
	device := &fakeDevice{left: 1 << 30}
	run, source := fakeRun(40, 1, 1)
	source.device = device
	source.fail = fmt.Errorf("out of order")
	if _, err := (tilePart{of: run, cell: 1}).compute(t.Context()); err == nil {
		t.Error("no error")
	}
	if _, err := (thumbnailPart{of: run}).compute(t.Context()); err == nil {
		t.Error("no error")
	}
	source.fail = nil
	if device.taken() > 0 {
		t.Error("a room is kept after a failure")
	}
	s := newStore(func() {})
	run.done = 1
	device.fail = errors.New("out of order") // once the cells are there
	s.begin()
	need[*tile](s, coarsePart{tilePart{of: run, cell: 1}, 40})
	s.end()
	for deadline := time.Now().Add(10 * time.Second); !s.take(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no result comes")
		}
	}
	if s.failure() == nil || device.taken() > 0 {
		t.Errorf("%v, and %d rooms are kept", s.failure(), device.taken())
	}
	device.fail = nil
	started, goOn := make(chan bool), make(chan bool)
	source.hold = func(Request) { started <- true; <-goOn }
	s.begin()
	need[*tile](s, tilePart{of: run, cell: 1})
	s.end()
	<-started
	s.forget(run)
	close(goOn)
	s.close()
	if device.taken() > 0 {
		t.Error("a room is kept after it was cancelled")
	}
}

// A device's levels give a value the colour that the CPU gives it.
func TestLevelsOfFrames(t *testing.T) {
	l := newLevels(coloring{visualize.Log, visualize.Range{Low: 1e-4, High: 1}})
	of := (*Levels)(l.least[:256])
	for _, value := range []float32{hiddenValue, 0, -1, 1e-4, 3e-4, 0.01, 0.5, 1, 2, float32(math.Inf(1)), float32(math.Inf(-1))} {
		want := make([]uint8, 1)
		if l.look(want, []float32{value}); of.index(value) != want[0] {
			t.Errorf("%v has colour %d, want %d", value, of.index(value), want[0])
		}
	}
}

// Cells that the histogram lacks are asked for by each frame until they come.
func TestSamplesAreAskedFor(t *testing.T) {
	run, source := fakeRun(60, 1, 1)
	source.device = &fakeDevice{left: 1 << 30}
	e, host := opened(t, run, 640, 480)
	press(e, "enter")
	rest(t, e, host)
	for p := range e.store.results {
		if _, ok := p.(samplePart); ok {
			delete(e.store.results, p)
		}
	}
	e.sampled = sampling{}
	started, goOn := make(chan bool), make(chan bool)
	source.hold = func(Request) { started <- true; <-goOn }
	shown := e.view.shown()
	e.Handle(Move{float64(shown.Min.X + 100), float64(shown.Min.Y + 100)})
	e.Frame(time.Now())
	<-started // the row under the mouse
	for range 2 {
		e.Handle(Move{float64(shown.Min.X + 101), float64(shown.Min.Y + 100)})
		e.Frame(time.Now())
		if !slices.ContainsFunc(e.store.wanted, func(p part) bool { _, ok := p.(samplePart); return ok }) {
			t.Error("a frame does not ask for them")
		}
	}
	source.hold = nil
	close(goOn)
	rest(t, e, host)
}

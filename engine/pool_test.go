package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/vk"
)

// newPool takes a pool, where the device can share memory.
func newPool(t *testing.T, e *Engine, bytes int64) *Pool {
	t.Helper()
	if !e.Adapter().Features.SharedMemory {
		t.Skipf("%s shares no memory", e.Adapter().Name)
	}
	p, err := e.NewPool(bytes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// newCapture captures a layer over the packed sequences.
func newCapture(t *testing.T, e *Engine, heads int, pattern gaze.Pattern) *Capture {
	t.Helper()
	a := layer(heads, pattern)
	c, err := e.Capture(context.Background(), mustPlan(t, e.Traits(), Request{Attention: a, Lengths: packed}), randomInput(1, a, packed), Watch{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// content returns all cells of a room.
func content(t *testing.T, r *Room) []float32 {
	t.Helper()
	cells, err := r.Read(context.Background(), 0, 0, 1, 1, r.Cells())
	if err != nil {
		t.Fatal(err)
	}
	return cells
}

// raw returns all cells of a pool, with nothing between.
func raw(t *testing.T, p *Pool) []float32 {
	t.Helper()
	cells := make([]float32, p.shared.Buffer().Size()/4)
	if err := p.buffers.Download(context.Background(), Bytes(cells), bufPool, 0); err != nil {
		t.Fatal(err)
	}
	return cells
}

// Cells are read as they lie there, at any distance from each other.
func TestRoomRead(t *testing.T) {
	e := open(t)
	c := newCapture(t, e, 2, gaze.Causal{})
	pool := newPool(t, e, 1<<18)
	pool.Room(33) // so that the other begins elsewhere
	room := pool.Room(2 * 100 * 101)
	v := View{Heads: gaze.Span{End: 2}, Rectangle: gaze.Rectangle{Queries: gaze.Span{End: 100}, Keys: gaze.Span{End: 101}}, Cell: gaze.Square(1)}
	place(t, c, v, room, Mix{Factor: -1, Apart: true, Fresh: true})
	shared, first := room.Memory()
	if shared != pool.shared || first*4%int(e.traits.StorageAlignment) != 0 || first < 33 {
		t.Errorf("the room is at cell %d", first)
	}
	all := raw(t, pool)[first:][:room.Cells()]
	random := rand.New(rand.NewPCG(7, 8))
	for _, r := range [][5]int{{0, 101, 1, 200, 101}, {0, 0, 1, 1, 20200}, {20199, 0, 0, 1, 1}, {100, 101, 101, 1, 200}, {5, 0, 0, 7, 9}, {3, 1, 101, 98, 190}, {20199, 0, 0, 3, 1}} {
		for i := range 20 {
			if i > 0 {
				r = [5]int{random.IntN(9000), random.IntN(200), random.IntN(60), 1 + random.IntN(30), 1 + random.IntN(80)}
			}
			cells, err := room.Read(context.Background(), r[0], r[1], r[2], r[3], r[4])
			if err != nil || len(cells) != r[3]*r[4] {
				t.Fatalf("%v: %d cells, %v", r, len(cells), err)
			}
			for i, cell := range cells {
				if want := all[r[0]+i/r[4]*r[1]+i%r[4]*r[2]]; math.Float32bits(cell) != math.Float32bits(want) {
					t.Fatalf("%v: cell %d is %v, expected %v", r, i, cell, want)
				}
			}
		}
	}
}

// Rooms never overlap, begin where bindings may, and what is released can be had again
// as a whole, whatever goroutines do at a time.
func TestRooms(t *testing.T) {
	e := open(t)
	const all = 50000
	pool := newPool(t, e, 4*all)
	var owners [all]atomic.Int32
	var group sync.WaitGroup
	var full, filled atomic.Int32
	for worker := range 8 {
		group.Add(1)
		go func() {
			defer group.Done()
			random := rand.New(rand.NewPCG(9, uint64(worker)))
			own := func(r *Room, from, to int32) {
				_, first := r.Memory()
				if first < 0 || first+r.Cells() > all || int64(first)*4%e.traits.StorageAlignment != 0 {
					t.Errorf("a room of %d cells from %d on", r.Cells(), first)
					return
				}
				for i := range r.Cells() {
					if !owners[first+i].CompareAndSwap(from, to) {
						t.Errorf("cell %d of a room is another's", first+i)
						return
					}
				}
			}
			var rooms []*Room
			for range 2000 {
				if len(rooms) > 0 && random.IntN(5) < 2 {
					i := random.IntN(len(rooms))
					own(rooms[i], int32(worker)+1, 0)
					rooms[i].Release()
					rooms[i].Release()
					rooms = slices.Delete(rooms, i, i+1)
					continue
				}
				cells := 1 + random.IntN([]int{10, 3000}[random.IntN(2)])
				r := pool.Room(cells)
				if r == nil {
					full.Add(1)
					continue
				}
				filled.Add(1)
				if r.Cells() != cells {
					t.Errorf("%d cells, asked for %d", r.Cells(), cells)
				}
				own(r, 0, int32(worker)+1)
				rooms = append(rooms, r)
			}
			for _, r := range rooms {
				own(r, int32(worker)+1, 0)
				r.Release()
			}
		}()
	}
	group.Wait()
	if full.Load() < 100 || filled.Load() < 1000 {
		t.Errorf("%d rooms were had, %d were not: the test is too easy or too hard", filled.Load(), full.Load())
	}
	whole := pool.Room(all)
	if whole == nil {
		t.Fatal("all was released, and there is no room for as much")
	}
	for _, cells := range []int{-1, 0, all + 1, math.MaxInt} {
		if pool.Room(cells) != nil {
			t.Errorf("a room for %d cells", cells)
		}
	}
	if pool.Room(1) != nil {
		t.Error("a full pool has a room")
	}
	pool.Close()
	whole.Release()
	if pool.Room(1) != nil {
		t.Error("a closed pool has a room")
	}
}

// A room that is released while something is placed there is free once that has ended,
// and a pool that is closed goes then.
func TestReleasedDuring(t *testing.T) {
	var submitted func()
	e := open(t, vk.WithFaults(func(call string) error {
		if strings.HasPrefix(call, "vkQueueSubmit") && submitted != nil {
			submitted()
		}
		return nil
	}))
	c := newCapture(t, e, 1, nil)
	v := View{Heads: gaze.Span{End: 1}, Rectangle: gaze.Rectangle{Queries: gaze.Span{End: 10}, Keys: gaze.Span{End: 10}}, Cell: gaze.Square(1)}
	pool := newPool(t, e, 400)
	room := pool.Room(100)
	heard := 0
	submitted = func() {
		heard++
		room.Release()
		if pool.Room(1) != nil {
			t.Error("a range that is being filled was had again")
		}
	}
	place(t, c, v, room, Mix{Fresh: true, Factor: 1})
	submitted = nil
	if _, err := c.Place(context.Background(), v, room, Mix{}); err == nil || !strings.Contains(err.Error(), "a room for 100 cells was released") {
		t.Errorf("the error is %v", err)
	}
	if _, err := room.Read(context.Background(), 0, 0, 0, 1, 1); err == nil || !strings.Contains(err.Error(), "was released") {
		t.Errorf("the error is %v", err)
	}
	if room = pool.Room(100); room == nil || heard == 0 {
		t.Fatalf("no room; %d submits", heard)
	}
	submitted = func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	}
	place(t, c, v, room, Mix{Fresh: true, Factor: 1})
	submitted = nil
	if err := pool.buffers.Download(context.Background(), make([]byte, 4), bufPool, 0); !errors.Is(err, vk.ErrClosed) {
		t.Errorf("the pool was closed, and its memory is still there: %v", err)
	}
	if _, err := c.Place(context.Background(), v, room, Mix{}); !errors.Is(err, vk.ErrClosed) {
		t.Errorf("the error is %v", err)
	}
	if _, err := room.Read(context.Background(), 0, 0, 0, 1, 1); !errors.Is(err, vk.ErrClosed) {
		t.Errorf("the error is %v", err)
	}
	room.Release()
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
}

// Several goroutines place, read and release at a time.
func TestPlaceConcurrently(t *testing.T) {
	e := open(t)
	c := newCapture(t, e, 2, gaze.Causal{})
	v := View{Heads: gaze.Span{End: 2}, Rectangle: gaze.Rectangle{Queries: gaze.Span{End: 60}, Keys: gaze.Span{End: 60}}, Cell: gaze.Square(1), Measure: OfRowMaximum}
	pool := newPool(t, e, 4*3700*3)
	place(t, c, v, pool.Room(3600), Mix{Fresh: true, Factor: 1})
	want := raw(t, pool)[:3600]
	var group sync.WaitGroup
	var placed atomic.Int32
	for range 4 {
		group.Add(1)
		go func() {
			defer group.Done()
			for range 8 {
				room := pool.Room(3600)
				if room == nil {
					continue
				}
				if _, err := c.Place(context.Background(), v, room, Mix{Fresh: true, Factor: 1}); err != nil {
					t.Error(err)
				}
				cells, err := room.Read(context.Background(), 0, 60, 1, 60, 60)
				if err != nil || !slices.Equal(bits(cells), bits(want)) {
					t.Errorf("other cells: %v", err)
				}
				room.Release()
				placed.Add(1)
			}
		}()
	}
	group.Wait()
	if placed.Load() == 0 {
		t.Error("nobody had a room")
	}
}

func bits(cells []float32) []uint32 {
	words := make([]uint32, len(cells))
	for i, cell := range cells {
		words[i] = math.Float32bits(cell)
	}
	return words
}

func TestPoolErrors(t *testing.T) {
	e, other := open(t), open(t)
	c := newCapture(t, e, 2, nil)
	pool := newPool(t, e, 1<<12)
	room, elsewhere := pool.Room(100), newPool(t, other, 1<<12).Room(100)
	ten := gaze.Span{End: 10}
	good := View{Heads: gaze.Span{End: 2}, Rectangle: gaze.Rectangle{Queries: ten, Keys: ten}, Cell: gaze.Square(1)}
	put := func(to *Room, mix Mix, change func(*View)) error {
		v := good
		if change != nil {
			change(&v)
		}
		_, err := c.Place(context.Background(), v, to, mix)
		return err
	}
	read := func(first, rowStride, columnStride, rows, columns int) error {
		_, err := room.Read(context.Background(), first, rowStride, columnStride, rows, columns)
		return err
	}
	if err := put(room, Mix{Fresh: true, Factor: 1}, nil); err != nil {
		t.Error(err)
	}
	if err := put(elsewhere, Mix{Fresh: true, Factor: 1}, nil); !errors.Is(err, ErrElsewhere) {
		t.Errorf("the error is %v", err)
	}
	_, small := e.NewPool(3)
	_, large := e.NewPool(1 << 50)
	for want, err := range map[string]error{
		"a room for 100 cells lies on ":                                  put(elsewhere, Mix{Fresh: true, Factor: 1}, nil),
		"there is no room for cells":                                     put(nil, Mix{}, nil),
		"100 cells from cell 1 on of a room for 100":                     put(room, Mix{First: 1, Factor: 1}, nil),
		"100 cells from cell -1 on of":                                   put(room, Mix{First: -1, Factor: 1}, nil),
		"from cell 9223372036854775807 on of":                            put(room, Mix{First: math.MaxInt, Factor: 1}, nil),
		"200 cells from cell 0 on of":                                    put(room, Mix{Apart: true, Factor: 1}, nil),
		"110 cells from cell 0 on of":                                    put(room, Mix{Factor: 1}, func(v *View) { v.Rectangle.Keys.End = 11 }),
		"a mean of cells that are not sums":                              put(room, Mix{Mean: true, Factor: 1}, nil),
		"cells times NaN":                                                put(room, Mix{Factor: float32(math.NaN())}, nil),
		"cells times -Inf":                                               put(room, Mix{Factor: float32(math.Inf(-1))}, nil),
		"heads 0 to 3 of 2":                                              put(room, Mix{}, func(v *View) { v.Heads.End = 3 }),
		"cells of 3 x 3 pairs":                                           put(room, Mix{}, func(v *View) { v.Cell = gaze.Square(3) }),
		"keys 10 to 10 of":                                               put(room, Mix{}, func(v *View) { v.Rectangle.Keys.First = 10 }),
		"no cell 100 in a room for 100":                                  read(1, 10, 1, 10, 10),
		"no cell 9223372036854775808 in a room for 100":                  read(0, math.MaxInt, 0, 2, 1),
		"1 x 1 cells from -1 on":                                         read(-1, 0, 0, 1, 1),
		"1 x 1 cells from 0 on, -1 and 0":                                read(0, -1, 0, 1, 1),
		"1 x 1 cells from 0 on, 0 and -1":                                read(0, 0, -1, 1, 1),
		"0 x 1 cells":                                                    read(0, 0, 0, 0, 1),
		"1 x 0 cells":                                                    read(0, 0, 0, 1, 0),
		fmt.Sprintf("%d x %d cells at a time", math.MaxInt, math.MaxInt): read(0, 0, 0, math.MaxInt, math.MaxInt),
		"a pool of 3 bytes: a cell takes 4":                              small,
		"buffer pool":                                                    large,
	} {
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v, expected %q", err, want)
		}
	}
	stopped, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.Place(stopped, good, room, Mix{Factor: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	if _, err := room.Read(stopped, 0, 0, 0, 1, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}

// Any call may fail, that of a pool or what is done with it: the error says which,
// nothing is left open, and without a lost device the next one succeeds.
func TestPoolFaults(t *testing.T) {
	s := &saboteur{number: -1}
	e := open(t, vk.WithFaults(s.fail))
	c := newCapture(t, e, 2, gaze.Causal{})
	v := View{Heads: gaze.Span{End: 2}, Rectangle: gaze.Rectangle{Queries: gaze.Span{End: 10}, Keys: gaze.Span{End: 10}}, Cell: gaze.Square(1), Measure: OfRowMaximum}
	newPool(t, e, 400).Close()
	use := func() ([]float32, error) {
		pool, err := e.NewPool(400)
		if err != nil {
			return nil, err
		}
		defer pool.Close()
		room := pool.Room(100)
		if _, err := c.Place(context.Background(), v, room, Mix{Fresh: true, Factor: 1}); err != nil {
			return nil, err
		}
		return room.Read(context.Background(), 0, 1, 10, 10, 10)
	}
	want, err := use()
	if err != nil {
		t.Fatal(err)
	}
	failures := map[string]bool{}
	for number := 0; ; number++ {
		s.arm(number, vk.ErrOutOfMemory)
		_, err := use()
		if s.hit == "" {
			break
		}
		if !errors.Is(err, vk.ErrOutOfMemory) || !strings.Contains(err.Error(), s.hit) {
			t.Errorf("call %d, %s: error %v", number, s.hit, err)
		}
		failures[s.hit] = true
		s.arm(-1, nil)
		if cells, err := use(); err != nil || !slices.Equal(bits(cells), bits(want)) {
			t.Errorf("after call %d, %s, failed: %v, other cells than before", number, s.hit, err)
		}
	}
	for _, call := range []string{"vkAllocateMemory", "vkGetMemoryFdKHR", "vkCreateBuffer", "vkQueueSubmit"} {
		if !failures[call] {
			t.Errorf("no failure of %s was reported, only of %v", call, failures)
		}
	}
	s.arm(-1, nil)
	pool := newPool(t, e, 400)
	room := pool.Room(100)
	s.arm(-1, nil)
	if _, err := c.Place(context.Background(), v, room, Mix{Fresh: true, Factor: 1}); err != nil {
		t.Fatal(err)
	}
	s.arm(len(s.calls)-1, vk.ErrDeviceLost)
	if _, err := c.Place(context.Background(), v, room, Mix{Fresh: true, Factor: 1}); !errors.Is(err, vk.ErrDeviceLost) || !strings.Contains(err.Error(), "open it again") {
		t.Errorf("%s: error %v", s.hit, err)
	}
	s.arm(-1, nil)
	_, placing := c.Place(context.Background(), v, room, Mix{Fresh: true, Factor: 1})
	_, reading := room.Read(context.Background(), 0, 0, 0, 1, 1)
	_, making := e.NewPool(400)
	for _, err := range []error{placing, reading, making} {
		if !errors.Is(err, vk.ErrDeviceLost) {
			t.Errorf("after the device was lost: %v", err)
		}
	}
}

package engine

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/vk"
)

func place(t *testing.T, c *Capture, v View, to *Room, mix Mix) {
	t.Helper()
	timing, err := c.Place(context.Background(), v, to, mix)
	if err != nil {
		t.Fatal(err)
	}
	if timing.Submits < 1 || !slices.ContainsFunc(timing.Passes, func(p PassTime) bool { return p.Kernel == "cells" }) {
		t.Errorf("timing %+v", timing)
	}
}

// mixed does on the CPU to the cells of a room what Place does with those of a view.
func mixed(room, cells []float32, v View, mix Mix) {
	rows, columns := v.Rectangle.Cells(v.Cell)
	side := func(s gaze.Span, size, i int) int {
		begin := (s.First/size + i) * size
		return min(begin+size, s.End) - max(begin, s.First)
	}
	planes := len(cells)
	if !mix.Apart {
		planes = rows * columns
	}
	if mix.Fresh {
		for i := range planes {
			room[mix.First+i] = math.Float32frombits(HiddenWord)
		}
	}
	for i, value := range cells {
		if value == HiddenCell {
			continue
		}
		if mix.Mean {
			value /= float32(side(v.Rectangle.Queries, v.Cell.Queries, i/columns%rows) * side(v.Rectangle.Keys, v.Cell.Keys, i%columns))
		}
		if cell := &room[mix.First+i%planes]; *cell != *cell {
			*cell = float32(value * mix.Factor)
		} else {
			*cell += float32(value * mix.Factor)
		}
	}
}

// What is placed is what the heat map's cells give, whatever was there and however they
// are mixed, and nothing beside it changes. The validation layer has nothing to say.
func TestPlace(t *testing.T) {
	var messages atomic.Int64
	e := open(t, vk.WithValidation(&messages), vk.WithLogger(slog.New(slog.NewTextHandler(os.Stderr, nil))))
	pool := newPool(t, e, 1<<18)
	n := packed.Tokens()
	captures := []*Capture{newCapture(t, e, 3, gaze.SlidingWindow{Left: 9, Right: 2}), newCapture(t, e, 3, gaze.Causal{}), newCapture(t, e, 3, gaze.All{gaze.Causal{}, gaze.DilatedWindow{Reach: 3, Dilation: 5}})}
	before, room, behind := pool.Room(1001), pool.Room(60001), pool.Room(1001)
	random := rand.New(rand.NewPCG(5, 6))
	whole := e.traits.StorageRange
	t.Cleanup(func() { e.traits.StorageRange = whole })
	met := map[string]int{}
	for i := range 300 {
		c := captures[random.IntN(len(captures))]
		part := func() gaze.Span {
			first := random.IntN(n)
			return gaze.Span{First: first, End: first + 1 + random.IntN(n-first)}
		}
		v := View{Rectangle: gaze.Rectangle{Queries: part(), Keys: part()}, Cell: gaze.Cell{Queries: 1 << random.IntN(7), Keys: 1 << random.IntN(7)},
			Sum: random.IntN(2) == 0, Measure: Measure(random.IntN(3))}
		v.Heads.First = random.IntN(3)
		v.Heads.End = v.Heads.First + 1 + random.IntN(3-v.Heads.First)
		mix := Mix{Factor: []float32{1, -1, 0.25, 1 / 3.0}[random.IntN(4)], Mean: v.Sum && random.IntN(2) == 0, Fresh: random.IntN(2) == 0 || i == 0, Apart: random.IntN(2) == 0}
		cells, _, err := c.Heatmap(context.Background(), v)
		if err != nil {
			t.Fatal(err)
		}
		count := len(cells)
		if !mix.Apart {
			count /= v.Heads.End - v.Heads.First
		}
		if count > room.Cells() {
			continue
		}
		mix.First = random.IntN(room.Cells() - count + 1)
		all := raw(t, pool)
		_, first := room.Memory()
		want := slices.Clone(all)
		mixed(want[first:][:room.Cells()], cells, v, mix)
		if i%3 > 0 { // one head at a time or two, as little as a device may bind
			e.traits.StorageRange = roundUp(int64(n), 64) * int64(c.HeadDim) * 4 * int64(i%3)
		}
		ranges := len(c.ranges(v.Heads))
		place(t, c, v, room, mix)
		e.traits.StorageRange = whole
		for j, got := range raw(t, pool) {
			inside := j >= first+mix.First && j < first+mix.First+count
			hidden := math.Float32bits(want[j]) == HiddenWord
			switch tolerance := 1e-6 * math.Abs(float64(want[j])); {
			case (!inside || hidden) && math.Float32bits(got) != math.Float32bits(want[j]), inside && !hidden && !(math.Abs(float64(got)-float64(want[j])) <= tolerance+1e-6):
				t.Fatalf("%+v of a room from %d on, %+v in %d ranges: cell %d is %v, expected %v", mix, first, v, ranges, j, got, want[j])
			}
			if inside {
				was := math.Float32bits(all[j]) == HiddenWord
				met[fmt.Sprintf("hidden %v after %v, fresh %v", hidden, was, mix.Fresh)]++
			}
		}
		met[fmt.Sprintf("apart %v, %d ranges", mix.Apart, ranges)]++
		met[fmt.Sprintf("mean %v, measure %v", mix.Mean, v.Measure)]++
	}
	for _, want := range []string{"hidden true after true, fresh false", "hidden false after true, fresh false", "hidden false after false, fresh false",
		"hidden true after false, fresh true", "hidden false after true, fresh true", "apart true, 3 ranges", "apart false, 3 ranges", "apart false, 2 ranges",
		"mean true, measure 0", "mean true, measure 1", "mean true, measure 2", "mean false, measure 1"} {
		if met[want] == 0 {
			t.Errorf("%s was never met, only %v", want, met)
		}
	}
	if before == nil || behind == nil || messages.Load() > 0 {
		t.Errorf("%d messages of the validation layer", messages.Load())
	}
}

// The very first cells that an engine adds to others are added once, though a kernel's
// first use runs a workgroup twice.
func TestFirstAdded(t *testing.T) {
	e := open(t)
	c := newCapture(t, e, 1, nil)
	v := View{Heads: gaze.Span{End: 1}, Rectangle: gaze.Rectangle{Queries: gaze.Span{End: 37}, Keys: gaze.Span{End: 37}}, Cell: gaze.Square(1)}
	cells, _, err := c.Heatmap(context.Background(), v) // leaves its cells in memory that is used again
	if err != nil {
		t.Fatal(err)
	}
	pool := newPool(t, e, 1<<16)
	room := pool.Room(len(cells))
	ones := make([]float32, len(cells))
	for i := range ones {
		ones[i] = 1
	}
	if err := pool.buffers.Upload(context.Background(), bufPool, 0, Bytes(ones)); err != nil {
		t.Fatal(err)
	}
	place(t, c, v, room, Mix{Factor: 1})
	for i, cell := range content(t, room) {
		if cell != 1+cells[i] {
			t.Fatalf("cell %d is %v, expected 1 + %v", i, cell, cells[i])
		}
	}
}

// A map taken from itself is 0, but for rounding, where it shows something, and
// nothing where not.
func TestSubtract(t *testing.T) {
	e := open(t)
	pattern := gaze.SlidingWindow{Left: 3, Right: 3}
	c := newCapture(t, e, 2, pattern)
	v := View{Heads: gaze.Span{End: 2}, Rectangle: gaze.Rectangle{Queries: gaze.Span{End: 64}, Keys: gaze.Span{End: 64}}, Cell: gaze.Square(1), Sum: true}
	room := newPool(t, e, 1<<16).Room(64 * 64)
	place(t, c, v, room, Mix{Factor: 0.5, Mean: true, Fresh: true})
	mean := content(t, room)
	place(t, c, v, room, Mix{Factor: -0.5, Mean: true})
	shown := 0
	for i, cell := range content(t, room) {
		sees := visible(pattern, i/64, i%64)
		if sees && !(mean[i] > 0 && math.Abs(float64(cell)) < 1e-7) || !sees && math.Float32bits(cell) != HiddenWord {
			t.Fatalf("cell %d was %v and became %v", i, mean[i], cell)
		}
		if sees {
			shown++
		}
	}
	if shown < 100 {
		t.Errorf("%d cells show something", shown)
	}
}

package vk

import (
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gazevk/gaze/tests/display"
)

// A sample is a frame and what its twin needs beside it.
type sample struct {
	Frame
	values map[*Shared][]float32
	least  [][256]float32 // the least value of each index of a color from 2 on, of Levels
}

// flat is what a frame looks like, pixel by pixel.
func (f *sample) flat(width, height int) *image.RGBA {
	to := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			under, over, covered := color.RGBA{}, color.NRGBA{}, false
			for i := range f.Grids {
				if g := &f.Grids[i]; image.Pt(x, y).In(g.Box) {
					index := f.index(g, x-g.Box.Min.X, y-g.Box.Min.Y)
					if index == 0 && g.Hatch > 0 && (x+y)/g.Hatch%7 == 0 {
						index = 256
					}
					under, covered = f.Palettes[g.Palette][index], true
				}
			}
			if at := image.Pt(x, y).Add(f.Overlay.Rect.Min); at.In(f.Overlay.Rect) {
				over = f.Overlay.NRGBAAt(at.X, at.Y)
			}
			if !covered {
				over.A = 0xff
			}
			alpha := int(over.A) + int(over.A>>7)
			mix := func(a, b uint8) uint8 { return uint8((int(a)*(256-alpha) + int(b)*alpha) >> 8) }
			to.SetRGBA(x, y, color.RGBA{mix(under.R, over.R), mix(under.G, over.G), mix(under.B, over.B), 0xff})
		}
	}
	return to
}

// index is that of the color of a pixel of g.
func (f *sample) index(g *Grid, x, y int) (index int) {
	for r := g.Rows[y]; r == g.Rows[y] || r < g.Rows[y+1]; r++ {
		for c := g.Columns[x]; c == g.Columns[x] || c < g.Columns[x+1]; c++ {
			value := f.values[g.Cells][g.First+int(r)*g.Stride+int(c)]
			if value != value {
				continue
			}
			index = max(index, 1)
			for i := 2; i < 256; i++ {
				if value >= f.least[g.Levels][i] {
					index = max(index, i)
				}
			}
		}
	}
	return index
}

func ordinalOf(value float32) uint32 {
	bits := math.Float32bits(value)
	if bits>>31 == 1 {
		return ^bits
	}
	return bits + 1<<31
}

// randomLeast is neither 0 nor NaN, except for some at the end, which no value reaches.
func randomLeast() (least [256]float32) {
	for i := range least {
		least[i] = float32(rand.NormFloat64())
		switch rand.IntN(20) {
		case 0:
			least[i] = least[max(i-1, 0)] // an index that no value has
		case 1:
			least[i] = []float32{float32(math.Inf(1)), float32(math.Inf(-1)), math.MaxFloat32, math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32}[rand.IntN(5)]
		}
	}
	slices.Sort(least[:])
	for i := 255 - rand.IntN(10); i < 255; i++ {
		least[i+1] = float32(math.NaN())
	}
	return least
}

// randomValues are of all kinds, many at the edges of levels.
func randomValues(count int, least [][256]float32) []float32 {
	values := make([]float32, count)
	for i := range values {
		switch edge := least[rand.IntN(len(least))][rand.IntN(256)]; rand.IntN(8) {
		case 0:
			values[i] = edge
		case 1:
			values[i] = math.Nextafter32(edge, float32(math.Inf(1)))
		case 2:
			values[i] = math.Nextafter32(edge, float32(math.Inf(-1)))
		case 3:
			values[i] = math.Float32frombits(rand.Uint32()) // NaN of either sign among them
		case 4, 5:
			values[i] = float32(math.NaN())
		case 6:
			values[i] = []float32{0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.Inf(-1)), 1e-45, -1e-45, 1e-39}[rand.IntN(7)]
		default:
			values[i] = float32(rand.NormFloat64())
		}
	}
	return values
}

// cells are shared buffers of a device and what they hold.
type cells struct {
	d      *Device
	least  [][256]float32
	values map[*Shared][]float32
	list   []*Shared
}

func newCells(t testing.TB, counts ...int) *cells {
	t.Helper()
	c := &cells{d: openDevice(t), values: map[*Shared][]float32{}}
	sharing(t, c.d)
	for range 3 {
		c.least = append(c.least, randomLeast())
	}
	for _, count := range counts {
		s := newShared(t, c.d, "cells", int64(4*count))
		c.list = append(c.list, s)
		c.write(t, s)
	}
	return c
}

// write gives a buffer other values.
func (c *cells) write(t testing.TB, s *Shared) {
	t.Helper()
	c.values[s] = randomValues(int(s.size/4), c.least)
	var data []byte
	for _, x := range c.values[s] {
		data = binary.NativeEndian.AppendUint32(data, math.Float32bits(x))
	}
	if err := c.d.Upload(context.Background(), s.Buffer().Whole(), data); err != nil {
		t.Fatal(err)
	}
}

// randomAxis says which of so many cells each of so many pixels shows: the whole from
// end to end, the same mirrored, or any.
func randomAxis(pixels, cells int) (axis []uint32) {
	way := rand.IntN(3)
	for i := range pixels + 1 {
		at := i * cells / pixels
		switch {
		case way == 1:
			at = max(cells-1-at, 0)
		case way == 2:
			at = rand.IntN(cells)
		}
		axis = append(axis, uint32(at))
	}
	return axis
}

// grid is one within a frame of that size.
func (c *cells) grid(s *Shared, width, height, palettes int) Grid {
	g := Grid{Cells: s, Levels: rand.IntN(len(c.least)), Palette: rand.IntN(palettes), Hatch: rand.IntN(4)}
	columns, rows := 1+rand.IntN(40), 1+rand.IntN(40)
	g.Stride = columns + rand.IntN(3)
	g.First = rand.IntN(len(c.values[s]) - (rows-1)*g.Stride - columns + 1)
	g.Box = image.Rect(rand.IntN(width), rand.IntN(height), rand.IntN(width), rand.IntN(height))
	g.Box.Max = g.Box.Max.Add(image.Pt(1, 1)) // not empty
	g.Columns, g.Rows = randomAxis(g.Box.Dx(), columns), randomAxis(g.Box.Dy(), rows)
	return g
}

// frame is one with so many grids of c.
func (c *cells) frame(width, height, grids int) *sample {
	f := &sample{values: c.values, least: c.least}
	f.Overlay, f.Palettes = image.NewNRGBA(image.Rect(0, 0, width, height)), make([]Palette, 3)
	for i := range f.Overlay.Pix {
		f.Overlay.Pix[i] = byte(rand.Uint32())
		if i%4 == 3 && rand.IntN(3) > 0 { // often nothing, or opaque
			f.Overlay.Pix[i] = []byte{0, 0xff}[rand.IntN(2)]
		}
	}
	for i := range f.Palettes {
		for j := range f.Palettes[i] {
			f.Palettes[i][j] = color.RGBA{byte(rand.Uint32()), byte(rand.Uint32()), byte(rand.Uint32()), 0xff}
		}
	}
	for _, least := range c.least {
		var levels Levels
		for i := range levels {
			levels[i] = ordinalOf(least[i])
		}
		levels[0], levels[1] = rand.Uint32(), rand.Uint32() // they do not count
		f.Levels = append(f.Levels, levels)
	}
	for i := range grids {
		of := i // each has some, if there are as many grids
		if i >= len(c.list) {
			of = rand.IntN(len(c.list))
		}
		f.Grids = append(f.Grids, c.grid(c.list[of], width, height, len(f.Palettes)))
	}
	rand.Shuffle(grids, func(i, j int) { f.Grids[i], f.Grids[j] = f.Grids[j], f.Grids[i] })
	return f
}

// The screen shows the greatest of each pixel's cells of the last grid that has the
// pixel, in the colours of its levels and its palette, under an overlay of any
// opacity, exactly; also where grids of several buffers lie over each other, and what
// has been written since the last frame.
func TestPresentGrids(t *testing.T) {
	screen := display.Start(t, 640, 480)
	width, height := 301, 203
	c := newCells(t, 5000, 2000, 120_000)
	w := openWindow(t, width, height)
	p := openPresenter(t, w)
	shows := func(f *sample) {
		t.Helper()
		if err := p.Present(context.Background(), &f.Frame); err != nil {
			t.Fatal(err)
		}
		screen.Await(t, f.flat(width, height))
	}
	for i := range 12 {
		shows(c.frame(width, height, i))
		if i%4 == 3 {
			shows(c.frame(width, height, 0))
			for _, s := range c.list {
				c.write(t, s)
			}
		}
	}
	// The frame of another window: what lies beyond is cut off, and black around.
	shows(c.frame(2*width, 2*height, 20))
	shows(c.frame(width/2, height/3, 5))
	// Images of another format would have another pipeline.
	p.closeChain()
	const redFirst = 37 // VK_FORMAT_R8G8B8A8_UNORM
	if err := p.painter.prepare(redFirst); err != nil || p.painter.format != redFirst {
		t.Fatalf("prepared for format %d: %v", p.painter.format, err)
	}
	shows(c.frame(width, height, 5))
	// A larger window takes a larger buffer of the frame, with the same cells.
	width, height = 600, 400
	w.SetSize(width, height)
	settle(w, width, height)
	shows(c.frame(width, height, 10))
	if len(p.painter.imports) != len(c.list) {
		t.Errorf("%d imports of %d buffers", len(p.painter.imports), len(c.list))
	}
}

// The shader's search finds each index, at its least value and just below that.
func TestPresentLevels(t *testing.T) {
	screen := display.Start(t, 640, 480)
	const width, height = 256, 3
	c := newCells(t, width*height)
	for i := range 256 {
		c.least[0][i] = float32(i-100) * 0.37
	}
	f := c.frame(width, height, 0)
	for i, least := range c.least[0] {
		f.Levels[0][i] = ordinalOf(least)
	}
	values := c.values[c.list[0]]
	axis := func(count int) (axis []uint32) {
		for i := range count + 1 {
			axis = append(axis, uint32(i))
		}
		return axis
	}
	for x, least := range c.least[0] {
		values[x], values[width+x], values[2*width+x] = least, math.Nextafter32(least, -1000), math.Nextafter32(least, 1000)
	}
	data := make([]byte, 0, 4*len(values))
	for _, x := range values {
		data = binary.NativeEndian.AppendUint32(data, math.Float32bits(x))
	}
	if err := c.d.Upload(context.Background(), c.list[0].Buffer().Whole(), data); err != nil {
		t.Fatal(err)
	}
	clear(f.Overlay.Pix)
	f.Grids = []Grid{{Box: f.Overlay.Rect, Columns: axis(width), Rows: axis(height), Cells: c.list[0], Stride: width}}
	for i := range f.Palettes[0] {
		f.Palettes[0][i] = color.RGBA{byte(i), byte(i >> 8), 0, 0xff}
	}
	p := openPresenter(t, openWindow(t, width, height))
	if err := p.Present(context.Background(), &f.Frame); err != nil {
		t.Fatal(err)
	}
	want := f.flat(width, height)
	for x := range width {
		at, below := want.RGBAAt(x, 0).R, want.RGBAAt(x, 1).R
		if int(at) != max(x, 1) || int(below) != max(x-1, 1) {
			t.Fatalf("the twin has %d and %d at level %d", at, below, x)
		}
	}
	screen.Await(t, want)
}

// What is shown stays after its buffer was closed, and even the device that made it.
// Once a frame does not show it, it is gone.
func TestPresentClosedCells(t *testing.T) {
	screen := display.Start(t, 640, 480)
	const width, height = 120, 90
	files := 0
	c := newCells(t, 5000, 2000)
	p := openPresenter(t, openWindow(t, width, height))
	shows := func(f *sample) {
		t.Helper()
		if err := p.Present(context.Background(), &f.Frame); err != nil {
			t.Fatal(err)
		}
		screen.Await(t, f.flat(width, height))
	}
	used, fresh := p.d.heap.used, len(p.d.open)
	for range 3 {
		shows(c.frame(width, height, 0))
		files, used, fresh = descriptors(), p.d.heap.used, len(p.d.open)
		more := newCells(t, 5000, 3000, 2000)
		f := more.frame(width, height, 12)
		shows(f)
		more.list[0].Close()
		shows(f)
		more.d.Close() // the others with it
		shows(f)
		shows(more.frame(width, height, 15))
		f = more.frame(width, height, 0)
		f.Grids = []Grid{more.grid(more.list[1], width, height, len(f.Palettes))}
		shows(f)
		if len(p.painter.imports) != 1 {
			t.Errorf("%d imports are left of closed buffers", len(p.painter.imports))
		}
		shows(c.frame(width, height, 0))
		if now := descriptors(); len(p.painter.imports) > 0 || p.d.heap.used != used || len(p.d.open) != fresh || now != files {
			t.Errorf("%d imports are left of closed buffers; %d bytes became %d, %d open files %d, open are %v", len(p.painter.imports), used, p.d.heap.used, files, now, p.d.open)
		}
		wantError(t, p.Present(context.Background(), &f.Frame), ErrClosed, "buffer cells (")
		shows(c.frame(width, height, 0))
	}
	// What was not closed stays, though frames come without it.
	shows(c.frame(width, height, 20))
	shows(c.frame(width, height, 0))
	if len(p.painter.imports) != 2 {
		t.Errorf("%d imports of 2 buffers", len(p.painter.imports))
	}
}

// Cells may be closed at any time: a frame of them is shown or refused, whole.
func TestPresentWhileCellsClose(t *testing.T) {
	display.Start(t, 640, 480)
	c := newCells(t, 5000)
	p := openPresenter(t, openWindow(t, 100, 80))
	shown, refused := 0, 0
	for i := range 60 {
		s := newShared(t, c.d, "cells", 20_000)
		f := c.frame(100, 80, 3)
		f.Grids[1].Cells = s
		closing := make(chan error, 1)
		go func() {
			time.Sleep(time.Duration(rand.IntN(i*20+1)) * time.Microsecond)
			closing <- s.Close()
		}()
		if err := p.Present(context.Background(), &f.Frame); err == nil {
			shown++
		} else if refused++; !errors.Is(err, ErrClosed) {
			t.Fatal(err)
		}
		if err := <-closing; err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d shown, %d refused", shown, refused)
	if shown == 0 || refused == 0 {
		t.Errorf("%d shown, %d refused: nothing met", shown, refused)
	}
	if len(p.painter.imports) > 2 {
		t.Errorf("%d imports are left", len(p.painter.imports))
	}
}

// What only grids need is made once there are some, and then once.
func TestPresentWithoutGrids(t *testing.T) {
	display.Start(t, 640, 480)
	calls := map[string]int{}
	c := newCells(t, 5000)
	p := openPresenter(t, openWindow(t, 100, 80), WithFaults(func(call string) error { calls[call]++; return nil }))
	names := []string{"vkCreateRenderPass", "vkCreateGraphicsPipelines", "vkCreateShaderModule", "vkCreatePipelineLayout", "vkCreateDescriptorSetLayout",
		"vkCreateDescriptorPool", "vkAllocateDescriptorSets", "vkCreateImageView", "vkCreateFramebuffer"}
	for range 3 {
		present(t, p, noise(100, 80))
	}
	for _, name := range names {
		if calls[name] > 0 {
			t.Errorf("%d calls of %s for frames without grids", calls[name], name)
		}
	}
	for i := range 8 {
		if err := p.Present(context.Background(), &c.frame(100, 80, 3).Frame); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			for _, name := range names {
				if calls[name] == 0 {
					t.Errorf("grids are drawn without %s", name)
				}
				calls[name] = 0
			}
		}
	}
	for _, name := range names {
		if calls[name] > 0 {
			t.Errorf("%d further calls of %s", calls[name], name)
		}
	}
}

func TestFramesAreChecked(t *testing.T) {
	screen := display.Start(t, 640, 480)
	c := newCells(t, 5000)
	p := openPresenter(t, openWindow(t, 100, 80))
	closed := newShared(t, c.d, "lost", 20_000)
	closed.Close()
	last := func(g *Grid, of []uint32) int { return len(of) - 1 }
	for what, spoil := range map[string]func(f *Frame, g *Grid){
		"palette 3 of 3":                          func(f *Frame, g *Grid) { g.Palette = 3 },
		"palette -1 of 3":                         func(f *Frame, g *Grid) { g.Palette = -1 },
		"levels 3 of 3":                           func(f *Frame, g *Grid) { g.Levels = 3 },
		"levels -1 of 3":                          func(f *Frame, g *Grid) { g.Levels = -1 },
		"grid 1 of a frame":                       func(f *Frame, g *Grid) { g.Columns = g.Columns[1:] },
		"one more of each is needed":              func(f *Frame, g *Grid) { g.Rows = g.Rows[1:] },
		"in rows of 0":                            func(f *Frame, g *Grid) { g.Stride = 0 },
		"cells from -1 on":                        func(f *Frame, g *Grid) { g.First = -1 },
		"buffer given: false":                     func(f *Frame, g *Grid) { g.Cells = nil },
		"hatch -1":                                func(f *Frame, g *Grid) { g.Hatch = -1 },
		"is empty, or not within them":            func(f *Frame, g *Grid) { g.Box.Max.X, g.Columns = g.Box.Min.X, g.Columns[:1] },
		"frame of 100 x 80 pixels: its box (100,": func(f *Frame, g *Grid) { g.Box = g.Box.Add(image.Pt(100-g.Box.Min.X, 0)) },
		"column 77 of cells in rows of 77":        func(f *Frame, g *Grid) { g.Stride = 77; g.Columns[0] = 77 },
		"column 78 of cells in rows of 78":        func(f *Frame, g *Grid) { g.Stride = 78; g.Columns[last(g, g.Columns)] = 79 },
		"column 4294967295 of cells in row":       func(f *Frame, g *Grid) { g.Columns[0] = math.MaxUint32 },
		"4294967296 rows of":                      func(f *Frame, g *Grid) { g.Rows[0] = math.MaxUint32 },
		"5001 rows of 1, end beyond the 5000 of buffer cells": func(f *Frame, g *Grid) {
			clear(g.Columns)
			g.First, g.Stride, g.Rows[0] = 0, 1, 5000
		},
		"cells from 1 on, 5000 rows of 1, end": func(f *Frame, g *Grid) {
			clear(g.Columns)
			g.First, g.Stride, g.Rows[last(g, g.Rows)] = 1, 1, 5000
		},
		"cells from 5000 on, 1 rows of": func(f *Frame, g *Grid) { clear(g.Columns); clear(g.Rows); g.First = 5000 },
		"rows of 9223372036854775807":   func(f *Frame, g *Grid) { g.Rows[0], g.Stride = 2, math.MaxInt },
		"cells from 922337203685477580": func(f *Frame, g *Grid) { g.First = math.MaxInt },
		"levels 2 of a frame fall from index 254 to 255": func(f *Frame, g *Grid) {
			f.Levels[2][254], f.Levels[2][255] = math.MaxUint32, math.MaxUint32-1
		},
		"levels 0 of a frame fall from index 2 to 3": func(f *Frame, g *Grid) { f.Levels[0][2], f.Levels[0][3] = 1, 0 },
	} {
		f := c.frame(100, 80, 2)
		spoil(&f.Frame, &f.Grids[1])
		if err := p.Present(context.Background(), &f.Frame); err == nil || !strings.HasPrefix(err.Error(), "vk: ") || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
	// To the very last cell, and the end of a column that is the row's.
	f := c.frame(100, 80, 1)
	g := &f.Grids[0]
	g.Box = image.Rect(7, 5, 8, 6)
	g.First, g.Stride, g.Columns, g.Rows = 4990, 4, []uint32{0, 2}, []uint32{1, 3} // 4994, 4995, 4998, 4999
	if err := p.Present(context.Background(), &f.Frame); err != nil {
		t.Fatal(err)
	}
	screen.Await(t, f.flat(100, 80))

	f.Grids[0].Cells = closed
	wantError(t, p.Present(context.Background(), &f.Frame), ErrClosed, "buffer lost (")
	p.d.adapter.raw.driver_uuid[0] ^= 1
	f.Grids[0].Cells = newShared(t, c.d, "far", 20_000)
	wantError(t, p.Present(context.Background(), &f.Frame), ErrNotSupported, "vk: buffer far is in memory of ")
}

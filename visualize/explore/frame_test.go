package explore

import (
	"image"
	"image/color"
	"slices"
	"testing"
	"time"

	"github.com/gazevk/gaze/visualize"
)

// A frame has the cells of the last map at a pixel, hatched where nothing is
// seen, and over it what is drawn, as far as that is opaque.
func TestFlatten(t *testing.T) {
	f := Frame{Over: image.NewNRGBA(image.Rect(0, 0, 9, 2)), Palettes: make([]Palette, 2)}
	for i := range f.Palettes {
		for j := range f.Palettes[i] {
			f.Palettes[i][j] = color.RGBA{uint8(j), uint8(100 * i), uint8(j >> 8), 0xff}
		}
	}
	f.Maps = []Map{
		{Box: image.Rect(0, 0, 9, 2), Columns: []uint32{0, 0, 1, 1, 1, 1, 1, 1, 1}, Rows: []uint32{1, 0}, Cells: []uint8{7, 0, 9, 0}, Stride: 2, Hatch: 1},
		{Box: image.Rect(1, 0, 2, 1), Columns: []uint32{0}, Rows: []uint32{0}, Cells: []uint8{50}, Stride: 1, Palette: 1},
	}
	f.Over.SetNRGBA(1, 1, color.NRGBA{107, 200, 0, 0x80})
	f.Over.SetNRGBA(3, 0, color.NRGBA{1, 2, 3, 0xff})
	flat := f.Flatten()
	for at, want := range map[image.Point]color.RGBA{
		{0, 0}: {9, 0, 0, 0xff}, {0, 1}: {7, 0, 0, 0xff},
		{1, 0}: {50, 100, 0, 0xff}, // the second map
		{7, 0}: {0, 0, 1, 0xff}, {6, 1}: {0, 0, 1, 0xff}, {6, 0}: {0, 0, 0, 0xff},
		{1, 1}: {57, 100, 0, 0xff}, {3, 0}: {1, 2, 3, 0xff},
	} {
		if got := flat.RGBAAt(at.X, at.Y); got != want {
			t.Errorf("pixel %v is %v, want %v", at, got, want)
		}
	}
}

// What is drawn over a map in several layers looks, within two steps, as if it were
// drawn on the map's pixels one after the other.
func TestLayersOverMaps(t *testing.T) {
	var over, direct canvas
	for _, c := range []*canvas{&over, &direct} {
		if err := c.resize(256, 1, 1); err != nil {
			t.Fatal(err)
		}
		c.begin()
	}
	under := color.RGBA{200, 90, 10, 0xff}
	table := new([256]color.RGBA)
	table[1] = under
	direct.fill(direct.img.Rect, under, 0xff)
	over.fill(over.img.Rect, paper, 0xff)
	over.show(Map{Box: over.img.Rect, Columns: make([]uint32, 256), Rows: make([]uint32, 1), Cells: []uint8{1}, Stride: 1, Palette: over.palette(table)})
	for x := range 256 {
		for _, c := range []*canvas{&over, &direct} {
			c.blend(x, 0, color.RGBA{255, 255, 255, 0xff}, uint8(x))
			c.blend(x, 0, color.RGBA{0, 120, 255, 0xff}, uint8(x*7))
			c.blend(x, 0, color.RGBA{30, 0, 90, 0xff}, uint8(x/3))
		}
	}
	a, b := over.shown.Flatten(), direct.shown.Flatten()
	for i := range a.Pix {
		if d := int(a.Pix[i]) - int(b.Pix[i]); max(d, -d) > 2 {
			t.Fatalf("channel %d of pixel %d is %d over a map, %d directly", i%4, i/4, a.Pix[i], b.Pix[i])
		}
	}
	for x := range 256 { // one layer: exactly
		over.show(Map{Box: image.Rect(x, 0, x+1, 1), Columns: make([]uint32, 1), Rows: make([]uint32, 1), Cells: []uint8{1}, Stride: 1})
		direct.fill(image.Rect(x, 0, x+1, 1), under, 0xff)
		over.blend(x, 0, ink, uint8(x))
		direct.blend(x, 0, ink, uint8(x))
	}
	if !slices.Equal(over.shown.Flatten().Pix, direct.shown.Flatten().Pix) {
		t.Error("one layer looks otherwise over a map")
	}
}

// Cells are new ones only where their indices are: not where a map moves or has
// other colours. Those that a frame had are never changed.
func TestCellsAreKept(t *testing.T) {
	run, _ := fakeRun(100, 2, 6) // of more cells than a thumbnail has pixels
	e, host := opened(t, run, 640, 480)
	cells := func() (firsts []*uint8) {
		rest(t, e, host)
		frame, _ := e.Frame(time.Now())
		for _, m := range frame.Maps {
			firsts = append(firsts, &m.Cells[0])
		}
		return firsts
	}
	overview := cells()
	if len(overview) != 12 {
		t.Fatalf("the overview has %d maps", len(overview))
	}
	e.Handle(Move{100, 100})
	if !slices.Equal(cells(), overview) {
		t.Error("the cells of thumbnails are new ones after a move of the mouse")
	}
	press(e, "enter")
	rest(t, e, host)
	press(e, "=", "=", "=", "=")
	before := cells()
	palettes := slices.Clone(e.canvas.shown.Palettes)
	press(e, "m", "w", "d")
	e.Handle(Move{300, 300})
	if !slices.Equal(cells(), before) {
		t.Error("the cells are new ones after a change of colours and of place")
	}
	if slices.Equal(e.canvas.shown.Palettes, palettes) {
		t.Error("the palettes are the same after a change of colours")
	}
	kept := e.canvas.shown.Maps[0].Cells
	copied := slices.Clone(kept)
	e.Range, e.r = RangeLocked, visualize.Range{Low: 0.3, High: 0.4}
	press(e, "l", "l", "l")
	after := cells()
	if after[0] == before[0] {
		t.Error("the cells are the same in another range")
	}
	if !slices.Equal(kept, copied) {
		t.Error("cells that a frame had have changed")
	}
}

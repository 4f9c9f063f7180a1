package explore

import (
	"image"
	"image/color"
	"slices"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/visualize"
)

// shown returns a room with these cells.
func shown(cells ...float32) *fakeRoom { return &fakeRoom{device: &fakeDevice{}, cells: cells} }

// A frame has the strongest cell of the last map at a pixel, hatched where nothing is
// seen, and over it what is drawn, as far as that is opaque.
func TestFlatten(t *testing.T) {
	f := Frame{Over: image.NewNRGBA(image.Rect(0, 0, 9, 2)), Levels: make([]Levels, 2), Palettes: make([]Palette, 2)}
	for i := range f.Palettes {
		for j := range f.Palettes[i] {
			f.Palettes[i][j] = color.RGBA{uint8(j), uint8(100 * i), uint8(j >> 8), 0xff}
		}
		for j := range f.Levels[i] {
			f.Levels[i][j] = ordinal(float32(j + 1000*i))
		}
	}
	nothing := hiddenValue
	f.Maps = []Map{
		{Box: image.Rect(0, 0, 9, 2), Columns: []uint32{0, 0, 1, 1, 1, 1, 1, 1, 1, 1}, Rows: []uint32{1, 0, 0}, Room: shown(-5, 7.5, nothing, 9, nothing), First: 1, Stride: 2, Hatch: 1},
		{Box: image.Rect(1, 0, 3, 1), Columns: []uint32{0, 2, 3}, Rows: []uint32{0, 2}, Room: shown(1050, 1, 1, nothing, 1051, nothing), Stride: 3, Levels: 1, Palette: 1},
	}
	f.Over.SetNRGBA(1, 1, color.NRGBA{107, 200, 0, 0x80})
	f.Over.SetNRGBA(3, 0, color.NRGBA{1, 2, 3, 0xff})
	flat := flat(t, &f)
	for at, want := range map[image.Point]color.RGBA{
		{0, 0}: {9, 0, 0, 0xff}, {0, 1}: {7, 0, 0, 0xff},
		{1, 0}: {51, 100, 0, 0xff}, {2, 0}: {1, 100, 0, 0xff}, // the second map
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
	under := color.RGBA{200, 90, 10, 0xff}
	table := new([256]color.RGBA)
	table[255] = under
	tiles := [2]*tile{{room: shown(1), columns: 1}, {values: []float32{1}, columns: 1}}
	how := coloring{visualize.Linear, visualize.Range{High: 1}}
	var canvases [2]canvas
	paint := func(box image.Rectangle, blend func(c *canvas)) {
		for i := range canvases {
			c := &canvases[i]
			tiles[i].rectangle = gaze.Rectangle{Queries: gaze.Span{End: 1}, Keys: gaze.Span{End: 1}}
			tiles[i].cell, tiles[i].band, tiles[i].rows = 1, 1, 1
			c.paint(box, &view{n: 1, box: image.Rect(0, 0, 256, 256), scale: 256}, tiles[i], how, table)
			blend(c)
		}
	}
	for i := range canvases {
		if err := canvases[i].resize(256, 1, 1); err != nil {
			t.Fatal(err)
		}
		canvases[i].begin()
		canvases[i].fill(canvases[i].img.Rect, paper, 0xff)
	}
	paint(image.Rect(0, 0, 256, 1), func(c *canvas) {
		for x := range 256 {
			c.blend(x, 0, color.RGBA{255, 255, 255, 0xff}, uint8(x))
			c.blend(x, 0, color.RGBA{0, 120, 255, 0xff}, uint8(x*7))
			c.blend(x, 0, color.RGBA{30, 0, 90, 0xff}, uint8(x/3))
		}
	})
	a, b := flat(t, &canvases[0].shown), flat(t, &canvases[1].shown)
	for i := range a.Pix {
		if d := int(a.Pix[i]) - int(b.Pix[i]); max(d, -d) > 2 {
			t.Fatalf("channel %d of pixel %d is %d over a map, %d directly", i%4, i/4, a.Pix[i], b.Pix[i])
		}
	}
	for x := range 256 { // one layer: exactly
		paint(image.Rect(x, 0, x+1, 1), func(c *canvas) { c.blend(x, 0, ink, uint8(x)) })
	}
	if !slices.Equal(flat(t, &canvases[0].shown).Pix, flat(t, &canvases[1].shown).Pix) {
		t.Error("one layer looks otherwise over a map")
	}
}

// A change of colours, of range or of place computes no cell and fetches none but those
// that a range is chosen by.
func TestCellsAreKept(t *testing.T) {
	device := &fakeDevice{left: 1 << 30}
	run, source := fakeRun(100, 2, 6) // of more cells than a thumbnail has pixels
	source.device = device
	e, host := opened(t, run, 640, 480)
	if maps := len(e.canvas.shown.Maps); maps != 12 {
		t.Fatalf("the overview has %d maps", maps)
	}
	press(e, "enter")
	rest(t, e, host)
	press(e, "=", "=", "=", "=")
	e.Handle(Move{-1, -1}) // there is nothing to read off
	rest(t, e, host)
	rooms, calls, read := len(device.rooms), source.calls, device.read
	palettes := slices.Clone(e.canvas.shown.Palettes)
	e.Range, e.r = RangeLocked, visualize.Range{Low: 0.3, High: 0.4}
	press(e, "m", "w", "d", "l", "l", "l")
	rest(t, e, host)
	if slices.Equal(e.canvas.shown.Palettes, palettes) {
		t.Error("the palettes are the same after a change of colours")
	}
	if len(device.rooms) != rooms || source.calls != calls {
		t.Errorf("%d rooms and %d calls for other colours", len(device.rooms)-rooms, source.calls-calls)
	}
	if more := device.read - read; more > 100*100 {
		t.Errorf("%d cells were fetched", more)
	}
	read = device.read
	e.Range, e.view.key, e.view.query = RangeOfView, 30, 30
	e.Handle(Move{-1, -1})
	rest(t, e, host)
	between := device.read - read
	e.view.key, e.view.query = 33, 27
	e.Handle(Move{-1, -1})
	rest(t, e, host)
	if more := device.read - read - between; more > 0 {
		t.Errorf("%d cells were fetched when the map moved a little", more)
	}
}

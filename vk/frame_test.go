package vk

import (
	"context"
	"image"
	"image/color"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gazevk/gaze/tests/display"
)

// flat is what a frame looks like, pixel by pixel.
func flat(f *Frame, width, height int) *image.RGBA {
	to := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			under, over, covered := color.RGBA{}, color.NRGBA{}, false
			for _, g := range f.Grids {
				if at := image.Pt(x, y); at.In(g.Box) {
					index := int(g.Cells[int(g.Rows[y-g.Box.Min.Y])*g.Stride+int(g.Columns[x-g.Box.Min.X])])
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

// randomGrid is one within a frame of that size, with cells of its own.
func randomGrid(width, height, cells, palettes int) Grid {
	side := 1 + rand.IntN(40)
	g := Grid{Stride: side, Palette: rand.IntN(palettes), Hatch: rand.IntN(4), Cells: make([]uint8, max(cells, side*side))}
	for i := range g.Cells {
		g.Cells[i] = uint8(max(rand.IntN(400)-144, 0))
	}
	g.Box = image.Rect(rand.IntN(width), rand.IntN(height), rand.IntN(width), rand.IntN(height))
	g.Box.Max = g.Box.Max.Add(image.Pt(1, 1)) // not empty
	for range g.Box.Dx() {
		g.Columns = append(g.Columns, uint32(rand.IntN(side)))
	}
	for range g.Box.Dy() {
		g.Rows = append(g.Rows, uint32(rand.IntN(side)))
	}
	return g
}

func randomFrame(width, height, grids, cells int) *Frame {
	f := &Frame{Overlay: image.NewNRGBA(image.Rect(0, 0, width, height)), Palettes: make([]Palette, 3)}
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
	for range grids {
		f.Grids = append(f.Grids, randomGrid(width, height, cells, len(f.Palettes)))
	}
	return f
}

// The screen shows the cells of the last grid that has a pixel, in the colours of
// its palette, under an overlay of any opacity, exactly; whether they were there
// before or came with the frame, whether there was room for them or not.
func TestPresentGrids(t *testing.T) {
	screen := display.Start(t, 640, 480)
	const width, height = 301, 203
	p := openPresenter(t, openWindow(t, width, height))
	shows := func(f *Frame) {
		t.Helper()
		if err := p.Present(context.Background(), f); err != nil {
			t.Fatal(err)
		}
		screen.Await(t, flat(f, width, height))
	}
	for i := range 10 {
		shows(randomFrame(width, height, i, 0))
	}
	f := randomFrame(width, height, 12, 40*40)
	shows(f)
	used := p.painter.used
	for range 5 { // other places, colours and overlays of the same cells
		next := randomFrame(width, height, len(f.Grids), 0)
		for i := range next.Grids {
			cells := &f.Grids[rand.IntN(len(f.Grids))]
			next.Grids[i].Cells = cells.Cells
		}
		shows(next)
	}
	if p.painter.used != used {
		t.Errorf("cells that were there come again: %d bytes, then %d", used, p.painter.used)
	}
	for range 8 { // more and more cells, until there is no room
		shows(randomFrame(width, height, 3, 120_001))
	}
	if p.painter.used > leastCells {
		t.Errorf("%d bytes of cells", p.painter.used)
	}
	shows(randomFrame(width, height, 9, 300_003))
	// The frame of another window: what lies beyond is cut off, and black around.
	shows(randomFrame(2*width, 2*height, 20, 0))
	shows(randomFrame(width/2, height/3, 5, 0))
}

func TestFramesAreChecked(t *testing.T) {
	display.Start(t, 640, 480)
	p := openPresenter(t, openWindow(t, 100, 80))
	for what, spoil := range map[string]func(g *Grid){
		"palette 3 of 3":         func(g *Grid) { g.Palette = 3 },
		"grid 1 of a frame":      func(g *Grid) { g.Columns = g.Columns[1:] },
		"in rows of 0":           func(g *Grid) { g.Stride = 0 },
		" 0 cells":               func(g *Grid) { g.Cells = nil },
		"hatch -1":               func(g *Grid) { g.Hatch = -1 },
		"of 0 columns":           func(g *Grid) { g.Box.Max.X, g.Columns = g.Box.Min.X, nil },
		"frame of 100 x 80 pixe": func(g *Grid) { g.Box = g.Box.Add(image.Pt(100, 0)) },
	} {
		f := randomFrame(100, 80, 2, 0)
		spoil(&f.Grids[1])
		if err := p.Present(context.Background(), f); err == nil || !strings.HasPrefix(err.Error(), "vk: ") || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

package vk

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"unsafe"
)

// A Frame is what a window shows: grids of cells, and over them an overlay.
// shaders/frame.frag says how the two give a pixel.
type Frame struct {
	Overlay  *image.NRGBA // opaque, whatever its alpha says, where no grid is
	Grids    []Grid       // drawn in order
	Levels   []Levels
	Palettes []Palette
}

// A Grid is a box of pixels of which each shows cells, f32 in row-major order: it has
// the colour of the greatest of the cells from its column to the next pixel's, without
// that, and likewise from its row; at least of the one cell of its own column and row.
type Grid struct {
	Box           image.Rectangle // within the overlay, from its top left on
	Columns, Rows []uint32        // for each of its pixels and one beyond them, by its column and its row in the box
	Cells         *Shared         // which must not be written until another frame is shown; see Shared
	First, Stride int             // the first cell in them, and cells in a row
	Levels        int             // which of the frame's
	Palette       int             // likewise
	Hatch         int             // pixels of a line of the hatch where all cells are NaN; 0: there is none
}

// Levels say which color of a palette a cell has: color 0 if it is NaN, else that of
// the greatest index from 2 on whose level is not above the cell's ordinal, and color 1
// below all of them. From 2 on they never fall; the first two do not count.
//
// Ordinals number the values of float32 as they follow each other, -0 below 0: all bits
// of a negative one inverted, of others that of the sign. So all that is compared are integers.
type Levels [256]uint32

// A Palette has a color for each index of Levels, and one for the lines of the hatch.
type Palette [257]color.RGBA

// gridWords is how many words describe a grid.
const gridWords = 10

// check returns what is wrong with a frame, which a device would not say.
func (f *Frame) check() error {
	size := image.Rectangle{Max: f.Overlay.Rect.Size()}
	for i := range f.Grids {
		if err := f.Grids[i].check(f, size); err != nil {
			return fmt.Errorf("vk: grid %d of a frame of %d x %d pixels: %w", i, size.Dx(), size.Dy(), err)
		}
	}
	for i := range f.Levels {
		for j := 3; j < len(Levels{}); j++ {
			if f.Levels[i][j] < f.Levels[i][j-1] {
				return fmt.Errorf("vk: levels %d of a frame fall from index %d to %d", i, j-1, j)
			}
		}
	}
	return nil
}

func (g *Grid) check(f *Frame, size image.Rectangle) error {
	if g.Box.Empty() || !g.Box.In(size) {
		return fmt.Errorf("its box %v is empty, or not within them", g.Box)
	}
	if len(g.Columns) != g.Box.Dx()+1 || len(g.Rows) != g.Box.Dy()+1 {
		return fmt.Errorf("%d columns and %d rows for %d x %d pixels: one more of each is needed", len(g.Columns), len(g.Rows), g.Box.Dx(), g.Box.Dy())
	}
	if g.Levels < 0 || g.Levels >= len(f.Levels) || g.Palette < 0 || g.Palette >= len(f.Palettes) || g.Hatch < 0 {
		return fmt.Errorf("levels %d of %d, palette %d of %d, hatch %d", g.Levels, len(f.Levels), g.Palette, len(f.Palettes), g.Hatch)
	}
	if g.Cells == nil || g.First < 0 || g.Stride < 1 {
		return fmt.Errorf("cells from %d on in rows of %d, buffer given: %v", g.First, g.Stride, g.Cells != nil)
	}
	if right := end(g.Columns); right > int64(g.Stride) {
		return fmt.Errorf("column %d of cells in rows of %d", right-1, g.Stride)
	}
	// The last row need not be there to its end, but no cell of it lies beyond the buffer.
	cells := g.Cells.size / 4
	if int64(g.First) > cells || int64(g.Stride) > cells || int64(g.First)+(end(g.Rows)-1)*int64(g.Stride)+end(g.Columns) > cells {
		return fmt.Errorf("cells from %d on, %d rows of %d, end beyond the %d of buffer %s", g.First, end(g.Rows), g.Stride, cells, g.Cells.label)
	}
	return nil
}

// end returns the end of what the pixels of a grid show, by its columns or rows.
func end(of []uint32) (end int64) {
	for _, x := range of[:len(of)-1] {
		end = max(end, int64(x)+1)
	}
	return max(end, int64(of[len(of)-1]))
}

// words returns how many words a frame takes in a window.
func (f *Frame) words(width, height int) int64 {
	count := width*height + gridWords*len(f.Grids) + len(Levels{})*len(f.Levels) + len(Palette{})*len(f.Palettes)
	for i := range f.Grids {
		count += len(f.Grids[i].Columns) + len(f.Grids[i].Rows)
	}
	return int64(count)
}

// lay lays a frame out for a window, and black around it, blue first if asked.
func (f *Frame) lay(to []uint32, width, height int, blueFirst bool) {
	const black = 0xff000000
	size := f.Overlay.Rect.Size()
	used := min(width, size.X)
	for y := range height {
		row := to[y*width:][:width]
		if y >= size.Y {
			used = 0
		} else if used > 0 {
			from := f.Overlay.Pix[y*f.Overlay.Stride:][:4*used]
			if blueFirst {
				for x := range used {
					row[x] = swapRedAndBlue(binary.LittleEndian.Uint32(from[4*x:]))
				}
			} else {
				copy(unsafe.Slice((*byte)(unsafe.Pointer(&row[0])), 4*used), from)
			}
		}
		for x := used; x < width; x++ {
			row[x] = black
		}
	}
	grids := to[width*height:]
	palettes := width*height + gridWords*len(f.Grids)
	at := palettes
	for i := range f.Palettes {
		for _, c := range f.Palettes[i] {
			to[at] = uint32(c.R) | uint32(c.G)<<8 | uint32(c.B)<<16
			if blueFirst {
				to[at] = swapRedAndBlue(to[at])
			}
			at++
		}
	}
	levels := at
	for i := range f.Levels {
		at += copy(to[at:], f.Levels[i][:])
		to[at-len(Levels{})+1] = 0 // no ordinal is below
	}
	for i := range f.Grids {
		g := &f.Grids[i]
		copy(grids[gridWords*i:], []uint32{uint32(g.Box.Min.X), uint32(g.Box.Min.Y), uint32(g.Box.Max.X), uint32(g.Box.Max.Y),
			uint32(at), uint32(g.First), uint32(g.Stride), uint32(palettes + len(Palette{})*g.Palette), uint32(levels + len(Levels{})*g.Levels), uint32(g.Hatch)})
		at += copy(to[at:], g.Columns)
		at += copy(to[at:], g.Rows)
	}
}

func swapRedAndBlue(pixel uint32) uint32 {
	return pixel&0xff00ff00 | pixel>>16&0xff | pixel&0xff<<16
}

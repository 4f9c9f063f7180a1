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
	Palettes []Palette
}

// A Grid is a box of pixels of which each shows a cell, and has its colour.
type Grid struct {
	Box           image.Rectangle // within the overlay, from its top left on
	Columns, Rows []uint32        // of the cell that a pixel shows, by its column and its row in the box
	Cells         []uint8         // row by row. They never change: where the first lies is their identity.
	Stride        int             // cells in a row
	Palette       int             // which one
	Hatch         int             // pixels of a line of the hatch over cells of 0; 0: there is none
}

// A Palette has a color for each value of a cell, and one for the lines of the hatch.
type Palette [257]color.RGBA

// gridWords is how many words describe a grid.
const gridWords = 9

// check returns what is wrong with a frame, which a device would not say.
func (f *Frame) check() error {
	size := image.Rectangle{Max: f.Overlay.Rect.Size()}
	for i, g := range f.Grids {
		if !g.Box.In(size) || g.Box.Dx() != len(g.Columns) || g.Box.Dy() != len(g.Rows) || g.Box.Empty() ||
			g.Stride < 1 || len(g.Cells) < g.Stride || g.Hatch < 0 || g.Palette < 0 || g.Palette >= len(f.Palettes) {
			return fmt.Errorf("vk: grid %d of a frame of %d x %d pixels: %v of %d columns and %d rows, %d cells in rows of %d, palette %d of %d, hatch %d",
				i, size.Dx(), size.Dy(), g.Box, len(g.Columns), len(g.Rows), len(g.Cells), g.Stride, g.Palette, len(f.Palettes), g.Hatch)
		}
	}
	return nil
}

// words returns how many words a frame takes in a window.
func (f *Frame) words(width, height int) int64 {
	count := width*height + gridWords*len(f.Grids) + len(Palette{})*len(f.Palettes)
	for _, g := range f.Grids {
		count += len(g.Columns) + len(g.Rows)
	}
	return int64(count)
}

// lay lays a frame out for a window, and black around it, blue first if asked. The
// cells of a grid begin where cells says.
func (f *Frame) lay(to []uint32, width, height int, blueFirst bool, cells func(g *Grid) int64) {
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
	for i := range f.Grids {
		g := &f.Grids[i]
		copy(grids[gridWords*i:], []uint32{uint32(g.Box.Min.X), uint32(g.Box.Min.Y), uint32(g.Box.Max.X), uint32(g.Box.Max.Y),
			uint32(at), uint32(cells(g)), uint32(g.Stride), uint32(palettes + len(Palette{})*g.Palette), uint32(g.Hatch)})
		at += copy(to[at:], g.Columns)
		at += copy(to[at:], g.Rows)
	}
}

func swapRedAndBlue(pixel uint32) uint32 {
	return pixel&0xff00ff00 | pixel>>16&0xff | pixel&0xff<<16
}

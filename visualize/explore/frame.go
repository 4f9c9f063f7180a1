package explore

import (
	"image"
	"image/color"
)

// A Frame is a picture of the window: maps as cells, which a GPU can look up the
// colours of, and over them what else is drawn. Flatten says how it looks.
type Frame struct {
	Over     *image.NRGBA // transparent where maps show through
	Maps     []Map        // drawn in order
	Palettes []Palette
}

// A Map is a box of pixels of which each shows a cell of a map, in its colour.
type Map struct {
	Box           image.Rectangle
	Columns, Rows []uint32 // of the cell that a pixel shows, by its column and its row in the box
	Cells         []uint8  // indices of colours, row by row; never changed: where the first lies tells them from others
	Stride        int      // cells in a row
	Palette       int      // which one
	Hatch         int      // pixels of a line of the hatch over cells that are masked; 0: there is none
}

// A Palette is the 256 colours of a map, the first that of what is masked, and the
// colour of the lines of its hatch.
type Palette [257]color.RGBA

// hatchColor is the index in a palette of the lines of the hatch.
const hatchColor = 256

// Flatten returns the pixels of a frame. It computes what shaders/frame.frag does.
func (f *Frame) Flatten() *image.RGBA {
	flat := image.NewRGBA(f.Over.Rect)
	for i := range f.Maps {
		m := &f.Maps[i]
		palette := &f.Palettes[m.Palette]
		for y, row := range m.Rows {
			line := flat.Pix[flat.PixOffset(m.Box.Min.X, m.Box.Min.Y+y):][:4*len(m.Columns)]
			cells := m.Cells[int(row)*m.Stride:]
			for x, column := range m.Columns {
				index := int(cells[column])
				if index == hiddenColor && m.Hatch > 0 && (m.Box.Min.X+x+m.Box.Min.Y+y)/m.Hatch%7 == 0 {
					index = hatchColor
				}
				of := &palette[index]
				*(*[4]byte)(line[4*x:]) = [4]byte{of.R, of.G, of.B, 0xff}
			}
		}
	}
	for i := 0; i < len(flat.Pix); i += 4 {
		over, pixel := (*[4]byte)(f.Over.Pix[i:]), (*[4]byte)(flat.Pix[i:])
		alpha := uint32(over[3]) + uint32(over[3]>>7) // of 256
		for c := range 3 {
			pixel[c] = uint8((uint32(pixel[c])*(256-alpha) + uint32(over[c])*alpha) >> 8)
		}
		pixel[3] = 0xff
	}
	return flat
}

// begin starts a frame of the canvas's size.
func (c *canvas) begin() {
	c.shown = Frame{Over: c.img, Maps: c.shown.Maps[:0], Palettes: c.shown.Palettes[:0]}
	c.lookups = c.lookups[:0]
}

// show adds a map to the frame, over what was drawn before.
func (c *canvas) show(m Map) {
	if m.Box.Empty() {
		return
	}
	for y := m.Box.Min.Y; y < m.Box.Max.Y; y++ {
		clear(c.img.Pix[c.img.PixOffset(m.Box.Min.X, y):][:4*m.Box.Dx()])
	}
	c.shown.Maps = append(c.shown.Maps, m)
}

// palette returns which of the frame's palettes has the colours of a table.
func (c *canvas) palette(table *[256]color.RGBA) int {
	var p Palette
	copy(p[:], table[:])
	p[hiddenColor], p[hatchColor] = maskPaper, maskInk
	for i := range c.shown.Palettes {
		if c.shown.Palettes[i] == p {
			return i
		}
	}
	c.shown.Palettes = append(c.shown.Palettes, p)
	return len(c.shown.Palettes) - 1
}

package explore

import (
	"context"
	"encoding/binary"
	"image"
	"image/color"
	"math"
	"slices"
	"sort"
)

// A Frame is a picture of the window. What the CPU has the cells of is in the
// picture; where only a device has them it is transparent, and a map says what
// shows through. Flatten says how both look together.
type Frame struct {
	Over     *image.NRGBA
	Maps     []Map // drawn in order
	Levels   []Levels
	Palettes []Palette
}

// A Map is a box of pixels of which each shows cells that lie in a room, in the
// colour of the strongest.
type Map struct {
	Box image.Rectangle
	// Columns and Rows are the first of the cells that a pixel shows, by its column
	// and its row in the box, and one more of each. Its cells end before those of the next
	// pixel, but it shows one at least.
	Columns, Rows   []uint32
	Room            Room
	First           int // cell
	Stride          int // cells in a row
	Levels, Palette int // which ones
	Hatch           int // pixels of a line of the hatch over cells that are masked; 0: there is none
}

// Levels are the ordinal of the least value of each colour, from the second that is
// not of what is masked. What is less has the first.
type Levels [256]uint32

// A Palette is the 256 colours of a map, the first that of what is masked, and the
// colour of the lines of its hatch.
type Palette [257]color.RGBA

// hatchColor is the index in a palette of the lines of the hatch.
const hatchColor = 256

// rasterize draws the box of a map into rows of pixels, from the indices of its cells.
func (m *Map) rasterize(pixels []uint8, stride int, indices []uint8, of *Palette) {
	width := m.Box.Dx()
	columns, ends := m.Columns[:width], m.Columns[1:][:width]
	single := true // each pixel has one column of cells
	for x, column := range columns {
		single = single && ends[x] <= column+1
	}
	var words [len(of)]uint32
	for i, c := range of {
		words[i] = uint32(c.R) | uint32(c.G)<<8 | uint32(c.B)<<16 | 0xff<<24
	}
	var above []uint8 // the line before, if it can be had again
	for y := range m.Box.Dy() {
		line := pixels[(m.Box.Min.Y+y)*stride+4*m.Box.Min.X:][:4*width]
		first, end := int(m.Rows[y]), max(int(m.Rows[y+1]), int(m.Rows[y])+1)
		if above != nil && m.Rows[y-1] == m.Rows[y] && end == first+1 {
			copy(line, above)
			continue
		}
		cells := indices[first*m.Stride:]
		strongest := func(x int) (index uint8) {
			for row := range end - first {
				index = max(index, slices.Max(cells[row*m.Stride+int(columns[x]):][:max(int(ends[x])-int(columns[x]), 1)]))
			}
			return index
		}
		hatched := false
		for x, column := range columns {
			var index int
			if single && end == first+1 {
				index = int(cells[column])
			} else {
				index = int(strongest(x))
			}
			if index == hiddenColor && m.Hatch > 0 {
				hatched = true
				if (m.Box.Min.X+x+m.Box.Min.Y+y)/m.Hatch%7 == 0 {
					index = hatchColor
				}
			}
			binary.LittleEndian.PutUint32(line[4*x:], words[index])
		}
		if above = line; hatched || end > first+1 {
			above = nil
		}
	}
}

// Flatten returns the pixels of a frame, for which it reads back what only a device
// has. It computes what shaders/frame.frag does.
func (f *Frame) Flatten(ctx context.Context) (*image.RGBA, error) {
	flat := image.NewRGBA(f.Over.Rect)
	for i := range f.Maps {
		m := &f.Maps[i]
		last := len(m.Rows) - 1
		rows := max(m.Rows[last], slices.Max(m.Rows[:last])+1)
		values, err := m.Room.Read(ctx, m.First, m.Stride, 1, int(rows), m.Stride)
		if err != nil {
			return nil, err
		}
		indices := make([]uint8, len(values))
		for i, value := range values {
			indices[i] = f.Levels[m.Levels].index(value)
		}
		m.rasterize(flat.Pix, flat.Stride, indices, &f.Palettes[m.Palette])
	}
	for i := 0; i < len(flat.Pix); i += 4 {
		over, pixel := (*[4]byte)(f.Over.Pix[i:]), (*[4]byte)(flat.Pix[i:])
		alpha := uint32(over[3]) + uint32(over[3]>>7) // of 256
		for c := range 3 {
			pixel[c] = uint8((uint32(pixel[c])*(256-alpha) + uint32(over[c])*alpha) >> 8)
		}
		pixel[3] = 0xff
	}
	return flat, nil
}

// index returns the index of the colour of a value.
func (l *Levels) index(value float32) uint8 {
	if math.IsNaN(float64(value)) {
		return hiddenColor
	}
	at := ordinal(value)
	return uint8(1 + sort.Search(len(l)-2, func(i int) bool { return l[2+i] > at }))
}

// begin starts a frame of the canvas's size.
func (c *canvas) begin() {
	c.shown = Frame{Over: c.img, Maps: c.shown.Maps[:0], Levels: c.shown.Levels[:0], Palettes: c.shown.Palettes[:0]}
	c.lookups = c.lookups[:0]
}

// show adds a map of the cells of a tile to the frame, over what was drawn before.
func (c *canvas) show(m Map, t *tile, how coloring, table *[256]color.RGBA) {
	for y := m.Box.Min.Y; y < m.Box.Max.Y; y++ {
		clear(c.img.Pix[c.img.PixOffset(m.Box.Min.X, y):][:4*m.Box.Dx()])
	}
	m.Room, m.First = t.room, t.first
	m.Levels, c.shown.Levels = indexOf(c.shown.Levels, *(*Levels)(c.levels(how).least[:256]))
	m.Palette, c.shown.Palettes = indexOf(c.shown.Palettes, *paletteOf(table))
	c.shown.Maps = append(c.shown.Maps, m)
}

// indexOf returns where in a list something is, which is added unless it is there.
func indexOf[T comparable](list []T, one T) (int, []T) {
	if at := slices.Index(list, one); at >= 0 {
		return at, list
	}
	return len(list), append(list, one)
}

// paletteOf returns the palette of a table of colours.
func paletteOf(table *[256]color.RGBA) *Palette {
	p := new(Palette)
	copy(p[:], table[:])
	p[hiddenColor], p[hatchColor] = maskPaper, maskInk
	return p
}

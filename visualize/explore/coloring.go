package explore

import (
	"image"
	"image/color"
	"math"
	"slices"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/visualize"
)

// A coloring says which colour of a map's 256 a value has.
type coloring struct {
	scale visualize.Scale
	r     visualize.Range
}

// hiddenColor is the index of what is masked in a tile's colours. The colour map
// gives up its lowest colour for it: values that would have that one take the next.
const hiddenColor = 0

// indices returns the index of the colour of each cell. It looks them up when the
// coloring has changed, and computes no weight ever.
func (t *tile) indices(l *levels) []uint8 {
	if t.colors == nil || t.colored != l.of {
		t.colors, t.colored = make([]uint8, len(t.values)), l.of // a frame keeps the ones before
		l.look(t.colors, t.values)
	}
	return t.colors
}

// axisOf returns the function g of a scale, as visualize.Scale has it.
func axisOf(s visualize.Scale) func(float64) float64 {
	switch s {
	case visualize.Log:
		return func(v float64) float64 {
			if v <= 0 {
				return math.Inf(-1)
			}
			return math.Log(v)
		}
	case visualize.Gamma:
		return func(v float64) float64 { return math.Copysign(math.Sqrt(math.Abs(v)), v) }
	default:
		return func(v float64) float64 { return v }
	}
}

// automatic returns the range that shows some values best. On a log scale it ends
// at the greatest thousandth and begins at the least twentieth, but has at most
// four decades: what is less is next to nothing. A linear one begins at 0, and a
// difference is as wide on either side of 0.
func automatic(s visualize.Scale, difference bool, values []float32) visualize.Range {
	sorted := make([]float32, 0, len(values))
	for _, value := range values {
		if value != value {
			continue
		}
		if difference {
			value = float32(math.Abs(float64(value)))
		}
		if value > 0 {
			sorted = append(sorted, value)
		}
	}
	if len(sorted) == 0 && difference {
		return visualize.Range{Low: -1, High: 1}
	}
	if len(sorted) == 0 {
		return visualize.Range{Low: 1e-4, High: 1}
	}
	slices.Sort(sorted)
	high := float64(sorted[int(0.999*float64(len(sorted)-1)+0.5)])
	switch {
	case difference:
		return visualize.Range{Low: -high, High: high}
	case s != visualize.Log:
		return visualize.Range{High: high}
	}
	low := max(float64(sorted[len(sorted)/20]), high*1e-4)
	if low >= high*0.5 {
		low = high / 10
	}
	return visualize.Range{Low: low, High: high}
}

// paint draws the part of a tile that a view shows within clip.
func (c *canvas) paint(clip image.Rectangle, v *view, t *tile, how coloring, table *[256]color.RGBA) {
	clip = clip.Intersect(c.img.Rect) // a small window lacks room for all of a map's box
	// A pixel belongs to the token at its middle, so that no cell of at least a
	// pixel is lost.
	lookUp := func(first, end, from int, of float64, tokens gaze.Span, cell int) (list []uint32, begin int) {
		before := len(c.lookups)
		for pixel := first; pixel < end; pixel++ {
			token := int(math.Floor(of + (float64(pixel-from)+0.5)/v.scale))
			if token >= tokens.End {
				break
			}
			if token >= tokens.First {
				c.lookups = append(c.lookups, uint32((token-tokens.First)/cell))
			} else {
				begin = pixel + 1 - first
			}
		}
		if count := len(c.lookups); count > before {
			c.lookups = append(c.lookups, c.lookups[count-1])
		}
		return c.lookups[before:len(c.lookups):len(c.lookups)], first + begin
	}
	columns, left := lookUp(clip.Min.X, clip.Max.X, v.box.Min.X, v.key, t.rectangle.Keys, t.cell)
	rows, top := lookUp(clip.Min.Y, clip.Max.Y, v.box.Min.Y, v.query, t.rectangle.Queries, t.band)
	if len(columns) == 0 || len(rows) == 0 {
		return
	}
	m := Map{Box: image.Rect(left, top, left+len(columns)-1, top+len(rows)-1), Columns: columns, Rows: rows, Stride: t.columns, Hatch: c.density}
	if t.values == nil {
		c.show(m, t, how, table)
		return
	}
	m.rasterize(c.img.Pix, c.img.Stride, t.indices(c.levels(how)), paletteOf(table))
}

// paintSmall draws a tile of more cells than the box has pixels: each pixel is
// the strongest of its cells.
func (c *canvas) paintSmall(clip, box image.Rectangle, t *tile, how coloring, table *[256]color.RGBA) {
	m := Map{Box: clip.Intersect(c.img.Rect), Stride: t.columns}
	if m.Box.Empty() {
		return
	}
	rows, columns := t.rows, t.columns
	if t.values != nil { // shrunk, once
		m.Stride, rows, columns = box.Dx(), box.Dy(), box.Dx()
	}
	cells := func(first, end, from, count, pixels int) []uint32 {
		before := len(c.lookups)
		for pixel := first; pixel <= end; pixel++ {
			c.lookups = append(c.lookups, uint32((pixel-from)*count/pixels))
		}
		return c.lookups[before:len(c.lookups):len(c.lookups)]
	}
	m.Columns = cells(m.Box.Min.X, m.Box.Max.X, box.Min.X, columns, box.Dx())
	m.Rows = cells(m.Box.Min.Y, m.Box.Max.Y, box.Min.Y, rows, box.Dy())
	if t.values == nil {
		c.show(m, t, how, table)
		return
	}
	m.rasterize(c.img.Pix, c.img.Stride, t.shrunk(box.Size(), c.levels(how)), paletteOf(table))
}

// shrunk returns indices of colours as indices does, for a picture of that size in
// which each pixel has the greatest of its cells.
func (t *tile) shrunk(size image.Point, l *levels) []uint8 {
	if t.small != nil && t.smallSize == size && t.smallColored == l.of {
		return t.small
	}
	t.small, t.smallSize, t.smallColored = make([]uint8, size.X*size.Y), size, l.of
	colors := t.indices(l)
	for y := range size.Y {
		row := y * t.rows / size.Y
		endRow := max((y+1)*t.rows/size.Y, row+1)
		for x := range size.X {
			column := x * t.columns / size.X
			endColumn := max((x+1)*t.columns/size.X, column+1)
			best := &t.small[y*size.X+x]
			for r := row; r < endRow; r++ {
				*best = max(*best, slices.Max(colors[r*t.columns+column:r*t.columns+endColumn]))
			}
		}
	}
	return t.small
}

// hatch returns 1 where the lines of a hatch run, which continue over everything
// that is masked.
func (c *canvas) hatch(x, y int) int {
	if (x+y)/c.density%7 == 0 {
		return 1
	}
	return 0
}

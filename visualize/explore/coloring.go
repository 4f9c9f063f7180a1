package explore

import (
	"image"
	"image/color"
	"math"
	"slices"

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

// indices returns the index of the colour of each cell. It computes them when
// the coloring has changed, and no weight ever.
func (t *tile) indices(c coloring) []uint8 {
	if t.colors != nil && t.colored == c {
		return t.colors
	}
	if t.colors == nil {
		t.colors = make([]uint8, len(t.values))
	}
	t.colored = c
	axis := axisOf(c.scale)
	low := axis(c.r.Low)
	factor := 256 / (axis(c.r.High) - low)
	for i, value := range t.values {
		if value != value {
			t.colors[i] = hiddenColor
			continue
		}
		index := (axis(float64(value)) - low) * factor
		t.colors[i] = uint8(min(max(index, 1), 255)) // NaN is impossible; below everything, -Inf takes 1
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
	colors := t.indices(how)
	// A pixel belongs to the token at its middle, so that no cell of at least a
	// pixel is lost.
	cellAt := func(pixel int, from int, first float64, begin, end, cell int) int {
		token := int(math.Floor(first + (float64(pixel-from)+0.5)/v.scale))
		if token < begin || token >= end {
			return -1
		}
		return (token - begin) / cell
	}
	r := t.rectangle
	columns := c.columns[:0]
	left := clip.Max.X
	for x := clip.Min.X; x < clip.Max.X; x++ {
		at := cellAt(x, v.box.Min.X, v.key, r.Keys.First, r.Keys.End, t.cell)
		if at >= 0 {
			left = min(left, x)
			columns = append(columns, int32(at))
		} else if len(columns) > 0 {
			break
		}
	}
	c.columns = columns
	var hatched [2][4]byte
	for i, paper := range []color.RGBA{maskPaper, maskInk} {
		hatched[i] = [4]byte{paper.R, paper.G, paper.B, 0xff}
	}
	previous, previousLine := -1, []byte(nil)
	for y := clip.Min.Y; y < clip.Max.Y; y++ {
		row := cellAt(y, v.box.Min.Y, v.query, r.Queries.First, r.Queries.End, t.band)
		if row < 0 || len(columns) == 0 {
			continue
		}
		line := c.img.Pix[c.img.PixOffset(left, y):][:4*len(columns)]
		cells := colors[row*t.columns:][:t.columns]
		if row == previous && !slices.Contains(cells, hiddenColor) {
			copy(line, previousLine)
			continue
		}
		previous, previousLine = row, line
		for i, column := range columns {
			to := (*[4]byte)(line[4*i:])
			if index := cells[column]; index != hiddenColor {
				of := &table[index]
				*to = [4]byte{of.R, of.G, of.B, 0xff}
			} else {
				*to = hatched[c.hatch(left+i, y)]
			}
		}
	}
}

// hatch returns 1 where the lines of a hatch run, which continue over everything
// that is masked.
func (c *canvas) hatch(x, y int) int {
	if (x+y)/c.density%7 == 0 {
		return 1
	}
	return 0
}

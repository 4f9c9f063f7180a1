package visualize

import (
	"image"
	"math"
)

// A bar is a colour bar: what each colour means. Where some value lies beyond
// its range the bar ends in a point there.
type bar struct {
	colors       *ColorMap
	scale        Scale
	measure      Measure
	r            Range
	below, above bool
	height       int
	caption      string // beside the numbers; empty: none
	ticks        []Tick
	labelWidth   int
}

func (t *typesetter) newBar(p panel, maps []*Map, height int, captioned bool) bar {
	b := bar{colors: p.colors, scale: p.scale, measure: p.m.Measure, r: p.r, height: height}
	for _, m := range maps {
		m.eachVisible(func(value float64) {
			b.below = b.below || value < p.r.Low
			b.above = b.above || value > p.r.High
		})
	}
	if captioned {
		for _, caption := range []string{p.m.Measure.Caption(), p.m.Measure.Caption() + ", " + p.scale.String() + " scale"} {
			if t.width(textRole, caption) <= height {
				b.caption = caption
			}
		}
	}
	b.ticks = ValueTicks(b.scale, b.measure, b.r, b.body(t).Dy(), t.height(smallRole)*8/5)
	for _, mark := range b.ticks {
		b.labelWidth = max(b.labelWidth, t.width(smallRole, mark.Label))
	}
	return b
}

// body returns the part of the bar between its points, for a bar at (0, 0).
func (b bar) body(t *typesetter) image.Rectangle {
	box := image.Rect(0, 0, t.px(16), b.height)
	point := min(t.px(11), b.height/4)
	if b.above {
		box.Min.Y += point
	}
	if b.below {
		box.Max.Y -= point
	}
	return box
}

const (
	barTick     = 5  // length of a labelled mark
	barMinor    = 3  // length of a mark without a label
	barLabelGap = 5  // from the mark to its label
	barNameGap  = 12 // from the labels to the name
)

// width returns how far the bar reaches right, with its numbers and its name.
func (b bar) width(t *typesetter) int {
	width := b.body(t).Dx() + t.px(barTick+barLabelGap) + b.labelWidth
	if b.caption != "" {
		width += t.px(barNameGap) + t.height(textRole)
	}
	return width
}

// place adds the bar with its top left corner at (x, y).
func (b bar) place(t *typesetter, s *scene, x, y int) {
	body := b.body(t).Add(image.Pt(x, y))
	s.add(gradient{body, y, y + b.height, b.colors, t.density})
	for _, mark := range b.ticks {
		middle := body.Max.Y - int(math.Round(mark.Position*float64(body.Dy())))
		top := min(middle-t.density/2, body.Max.Y-t.density)
		left := body.Max.X + t.density
		if mark.Label == "" {
			s.add(fill{image.Rect(left, top, left+t.px(barMinor), top+t.density), frameInk})
			continue
		}
		s.add(fill{image.Rect(left, top, left+t.px(barTick), top+t.density), frameInk})
		s.write(t.label(smallRole, ink, mark.Label, left+t.px(barTick+barLabelGap), start, middle, center))
	}
	if b.caption != "" {
		s.write(t.verticalLabel(textRole, ink, b.caption, x+b.width(t), end, y+b.height/2, center))
	}
}

// A gradient is the coloured part of a bar: its body, and points that reach up
// to top and down to bottom.
type gradient struct {
	body        image.Rectangle
	top, bottom int
	colors      *ColorMap
	density     int
}

func (g gradient) draw(dst *image.RGBA) {
	line := float64(g.density)
	for y := g.top - 2*g.density; y < g.bottom+2*g.density; y++ {
		// The outline is the same shape, greater by a line on every side.
		outer := g.halfWidth(float64(y)+0.5, line)
		inner := g.halfWidth(float64(y)+0.5, 0)
		position := (float64(g.body.Max.Y-y) - 0.5) / float64(g.body.Dy())
		for x := g.body.Min.X - 2*g.density; x < g.body.Max.X+2*g.density; x++ {
			blend(dst, x, y, frameInk, g.coverage(x, outer))
			blend(dst, x, y, g.colors.At(position), g.coverage(x, inner))
		}
	}
}

// halfWidth returns half the width of the shape at height y, grown by margin.
func (g gradient) halfWidth(y, margin float64) float64 {
	half := float64(g.body.Dx())/2 + margin
	bodyTop, bodyBottom := float64(g.body.Min.Y), float64(g.body.Max.Y)
	point, distance := float64(g.body.Min.Y-g.top), bodyTop-y
	if y > (bodyTop+bodyBottom)/2 {
		point, distance = float64(g.bottom-g.body.Max.Y), y-bodyBottom
	}
	switch {
	case point == 0 && distance > margin:
		return 0
	case point == 0 || distance <= 0:
		return half
	default:
		return max(half*(1-distance/(point+margin*1.5)), 0)
	}
}

// coverage returns how much of the pixel column x lies within half of the middle.
func (g gradient) coverage(x int, half float64) float64 {
	middle := float64(g.body.Min.X+g.body.Max.X) / 2
	left, right := max(float64(x), middle-half), min(float64(x+1), middle+half)
	return right - left
}

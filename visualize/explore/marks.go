package explore

import (
	"image"
	"image/color"
	"math"
	"slices"

	"github.com/gazevk/gaze"
)

// drawGrid draws lines between tokens where these are large.
func (e *Explorer) drawGrid(v *view, shown image.Rectangle) {
	c := &e.canvas
	if v.scale < float64(c.px(12)) {
		return
	}
	r := v.visible()
	for key := r.Keys.First + 1; key < r.Keys.End; key++ {
		x := int(math.Round(v.x(float64(key))))
		c.fill(image.Rect(x, shown.Min.Y, x+1, shown.Max.Y), color.RGBA{0xff, 0xff, 0xff, 0xff}, 0x20)
	}
	for query := r.Queries.First + 1; query < r.Queries.End; query++ {
		y := int(math.Round(v.y(float64(query))))
		c.fill(image.Rect(shown.Min.X, y, shown.Max.X, y+1), color.RGBA{0xff, 0xff, 0xff, 0xff}, 0x20)
	}
}

// drawMask draws the edges of what each query sees, from the pattern itself.
func (e *Explorer) drawMask(p *pane, shown image.Rectangle) {
	if p.head.layer == mean {
		return
	}
	c, v := &e.canvas, &p.view
	pattern := p.run.Layers[p.head.layer]
	width := max(c.density, 1)
	rest := p.run.sequences()
	sequence := gaze.Span{End: rest[0]} // of the query
	var spans []gaze.Span
	previous := []gaze.Span(nil)
	for y := shown.Min.Y; y < shown.Max.Y; y++ {
		query := int(v.query + (float64(y-v.box.Min.Y)+0.5)/v.scale)
		if query >= v.n {
			break
		}
		for query >= sequence.End {
			rest, previous = rest[1:], nil
			sequence = gaze.Span{First: sequence.End, End: sequence.End + rest[0]}
		}
		spans = pattern.AppendKeys(spans[:0], query-sequence.First, sequence.End-sequence.First)
		for i := range spans {
			s := &spans[i]
			s.First, s.End = sequence.First+s.First, sequence.First+s.End
			for _, edge := range []int{s.First, s.End} {
				if edge == sequence.First || edge == sequence.End {
					continue
				}
				x := int(math.Round(v.x(float64(edge))))
				c.fill(image.Rect(x, y, x+width, y+1).Intersect(shown), accentInk, 0xff)
			}
		}
		// Where the spans change from one query to the next there are edges across.
		if previous != nil && !slices.Equal(previous, spans) {
			for _, s := range differing(previous, spans) {
				box := image.Rect(int(math.Round(v.x(float64(s.First)))), y, int(math.Round(v.x(float64(s.End)))), y+width)
				c.fill(box.Intersect(shown), accentInk, 0xff)
			}
		}
		previous = append(previous[:0], spans...)
	}
}

// drawSequences outlines the block of each of several packed sequences. The lines
// run just outside the block, where attention never reaches, and cover no cell that
// has a pair within one: it may show the first token of a sequence.
func (c *canvas) drawSequences(run *Run, v *view, cell int, shown image.Rectangle) {
	lengths := run.sequences()
	if len(lengths) < 2 {
		return
	}
	// The first pixel of a token is the first whose middle is in it; but where a pixel
	// has several cells, the one that tile.shrunk gives the token's.
	span := func(s gaze.Span, place func(token float64) float64) (first, end int) {
		if float64(cell)*v.scale < 1 {
			return int(math.Ceil(place(float64(s.First+cell)))) - 1, int(math.Ceil(place(float64(s.End))))
		}
		return int(math.Ceil(place(float64(s.First)) - 0.5)), int(math.Ceil(place(float64(s.End)) - 0.5))
	}
	end := 0
	for _, length := range lengths {
		first := end
		end += length
		// The cells that lie within the block, and those that reach into it.
		within := gaze.Span{First: ceilDivide(first, cell) * cell, End: end / cell * cell}
		touch := gaze.Span{First: first / cell * cell, End: ceilDivide(end, cell) * cell}
		if end == v.n {
			within.End = end
		}
		left, right := span(touch, v.x)
		top, bottom := span(touch, v.y)
		fromX, toX := span(within, v.x)
		fromY, toY := span(within, v.y)
		for _, side := range []image.Rectangle{
			image.Rect(left-c.density, fromY, left, toY), image.Rect(right, fromY, right+c.density, toY),
			image.Rect(fromX, top-c.density, toX, top), image.Rect(fromX, bottom, toX, bottom+c.density),
		} {
			c.fill(side.Intersect(shown), quietInk, 0xff)
		}
	}
}

// differing returns the keys that lie in one of two lists of spans alone.
func differing(a, b []gaze.Span) (list []gaze.Span) {
	var cuts []int
	for _, s := range slices.Concat(a, b) {
		cuts = append(cuts, s.First, s.End)
	}
	slices.Sort(cuts)
	in := func(spans []gaze.Span, key int) bool {
		return slices.ContainsFunc(spans, func(s gaze.Span) bool { return key >= s.First && key < s.End })
	}
	for i := 1; i < len(cuts); i++ {
		if cuts[i-1] < cuts[i] && in(a, cuts[i-1]) != in(b, cuts[i-1]) {
			list = append(list, gaze.Span{First: cuts[i-1], End: cuts[i]})
		}
	}
	return list
}

// drawMarks draws the selection, the pin and the lines through the mouse.
func (e *Explorer) drawMarks(p *pane, shown image.Rectangle) {
	c, v := &e.canvas, &p.view
	boxOf := func(r gaze.Rectangle) image.Rectangle {
		return image.Rect(int(v.x(float64(r.Keys.First))), int(v.y(float64(r.Queries.First))), int(math.Ceil(v.x(float64(r.Keys.End)))), int(math.Ceil(v.y(float64(r.Queries.End)))))
	}
	within := func(box image.Rectangle, of color.RGBA, opacity uint8) { c.fill(box.Intersect(shown), of, opacity) }
	frame := func(box image.Rectangle, of color.RGBA) {
		w := max(c.density, 1)
		within(image.Rect(box.Min.X-w, box.Min.Y-w, box.Max.X+w, box.Min.Y), of, 0xff)
		within(image.Rect(box.Min.X-w, box.Max.Y, box.Max.X+w, box.Max.Y+w), of, 0xff)
		within(image.Rect(box.Min.X-w, box.Min.Y, box.Min.X, box.Max.Y), of, 0xff)
		within(image.Rect(box.Max.X, box.Min.Y, box.Max.X+w, box.Max.Y), of, 0xff)
	}
	// Lines from the axes to a pair, but not over it.
	cross := func(at pair, of color.RGBA, opacity uint8) {
		box := boxOf(gaze.Rectangle{Queries: gaze.Span{First: at.query, End: at.query + 1}, Keys: gaze.Span{First: at.key, End: at.key + 1}})
		x, y := (box.Min.X+box.Max.X)/2, (box.Min.Y+box.Max.Y)/2
		within(image.Rect(shown.Min.X, y, box.Min.X, y+c.density), of, opacity)
		within(image.Rect(box.Max.X, y, shown.Max.X, y+c.density), of, opacity/3)
		within(image.Rect(x, shown.Min.Y, x+c.density, box.Min.Y), of, opacity)
		within(image.Rect(x, box.Max.Y, x+c.density, shown.Max.Y), of, opacity/3)
		frame(box, of)
	}
	if e.selection {
		box := boxOf(e.selected)
		within(box, foundInk, 0x28)
		frame(box, foundInk)
	}
	if (e.drag.kind == boxDrag || e.drag.kind == selectDrag) && e.drag.moved {
		frame(image.Rectangle{Min: e.drag.from, Max: e.mouse}.Canon(), ink)
	}
	if e.pin && max(e.pinned.query, e.pinned.key) < v.n {
		cross(e.pinned, accentInk, 0xff)
	}
	if query, key, ok := v.pair(float64(e.mouse.X), float64(e.mouse.Y)); ok && e.drag.kind == noDrag {
		cross(pair{query, key}, ink, 0xa0)
	}
}

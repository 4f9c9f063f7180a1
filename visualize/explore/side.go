package explore

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"

	"github.com/gazevk/gaze/visualize"
)

// drawSide draws the whole map, small, the legend and what is read off.
func (e *Explorer) drawSide() {
	l := &e.layout
	if l.side.Empty() {
		return
	}
	e.canvas.fill(l.side, panelPaper, 0xff)
	e.drawMinimap()
	y := e.drawLegend()
	e.drawReadout(y)
}

// drawMinimap draws the head as a whole, and what is seen of it.
func (e *Explorer) drawMinimap() {
	c, box := &e.canvas, e.layout.minimap
	panes := e.panes()
	p := panes[len(panes)-1]
	c.fill(box, fieldPaper, 0xff)
	n := len(p.run.Tokens)
	if t := e.miniature(p.run, p.head); t != nil {
		how := coloring{visualize.Log, visualize.Range{Low: min(0.25/float64(n), 0.01), High: 1}}
		m, err := visualize.ColorMapByName(e.Colors)
		if err != nil {
			m = visualize.ColorMaps()[0]
		}
		v := view{n: n, box: box, scale: float64(box.Dx()) / float64(n)}
		c.paint(box, &v, t, how, &m.Colors)
		c.drawSequences(p.run, &v, t.cell, box)
	}
	c.outline(box, c.density, lineInk)
	r := p.view.visible()
	at := func(token int) int { return token * box.Dx() / max(n, 1) }
	seen := image.Rect(box.Min.X+at(r.Keys.First), box.Min.Y+at(r.Queries.First), box.Min.X+at(r.Keys.End), box.Min.Y+at(r.Queries.End))
	c.frame(box, seen.Inset(c.density), c.density, ink)
	if e.pin {
		x, y := box.Min.X+at(e.pinned.key), box.Min.Y+at(e.pinned.query)
		c.fill(image.Rect(x-c.px(2), y-c.px(2), x+c.px(2), y+c.px(2)).Intersect(box), accentInk, 0xff)
	}
}

// miniature returns the whole map of a head, small; nil before it is known.
func (e *Explorer) miniature(run *Run, h head) *tile {
	if h.layer == mean || h.head == mean {
		_, cell := run.miniature()
		t, _ := need[*tile](e.store, miniaturePart{tilePart{of: run, head: h, cell: cell}})
		return t
	}
	tiles, ok := need[[]*tile](e.store, thumbnailPart{run, h.layer})
	if !ok {
		return nil
	}
	return tiles[h.head]
}

// drawLegend draws the histogram of what is in sight over the colour bar, and
// returns where it ends.
func (e *Explorer) drawLegend() int {
	c, l := &e.canvas, &e.layout
	table, scale := e.table(), e.drawnScale()
	measure := e.Measure
	if e.compare == difference {
		measure = visualize.Difference
	}
	caption := fmt.Sprintf("%s, %v scale", measure.Caption(), scale)
	c.write(smallRole, quietInk, c.shorten(smallRole, caption, l.bar.Dx()), l.bar.Min.X, l.histogram.Min.Y-c.height(smallRole)-c.px(4))
	e.drawHistogram(table, scale)
	for x := l.bar.Min.X; x < l.bar.Max.X; x++ {
		index := max((x-l.bar.Min.X)*256/l.bar.Dx(), 1)
		c.fill(image.Rect(x, l.bar.Min.Y, x+1, l.bar.Max.Y), table[index], 0xff)
	}
	for _, x := range []int{l.bar.Min.X, l.bar.Max.X} {
		c.fill(image.Rect(x-c.px(2), l.bar.Min.Y-c.px(3), x+c.px(2), l.bar.Max.Y+c.px(3)), ink, 0xff)
	}
	y := l.bar.Max.Y + c.px(4)
	for _, mark := range visualize.ValueTicks(scale, measure, e.r, l.bar.Dx(), c.px(44)) {
		x := l.bar.Min.X + int(math.Round(mark.Position*float64(l.bar.Dx())))
		length := 3
		if mark.Label != "" {
			length = 5
			width := c.width(smallRole, mark.Label)
			at := min(max(x-width/2, l.side.Min.X+c.px(2)), l.side.Max.X-width-c.px(2))
			c.write(smallRole, quietInk, mark.Label, at, y+c.px(5))
		}
		c.fill(image.Rect(x, y, x+c.density, y+c.px(length)), quietInk, 0xff)
	}
	y += c.px(8) + c.height(smallRole)
	swatch := image.Rect(l.bar.Min.X, y+c.px(3), l.bar.Min.X+c.px(14), y+c.px(15))
	for sy := swatch.Min.Y; sy < swatch.Max.Y; sy++ {
		for sx := swatch.Min.X; sx < swatch.Max.X; sx++ {
			of := maskPaper
			if c.hatch(sx, sy) == 1 {
				of = maskInk
			}
			c.fill(image.Rect(sx, sy, sx+1, sy+1), of, 0xff)
		}
	}
	c.write(smallRole, quietInk, "masked", swatch.Max.X+c.px(6), y+c.px(2))
	return y + c.height(smallRole) + c.px(14)
}

// drawHistogram draws how many cells in sight have which colour. What lies beyond
// the range is counted at its ends.
func (e *Explorer) drawHistogram(table *[256]color.RGBA, scale visualize.Scale) {
	c, box := &e.canvas, e.layout.histogram
	values, _ := e.inSight()
	c.fill(box, fieldPaper, 0xff)
	if len(values) == 0 {
		return
	}
	const bins = 64
	var counts [bins]int
	axis := axisOf(scale)
	low := axis(e.r.Low)
	width := axis(e.r.High) - low
	for _, value := range values {
		counts[int(min(max((axis(float64(value))-low)/width*bins, 0), bins-1))]++
	}
	top := math.Sqrt(float64(slices.Max(counts[:])))
	for i, count := range counts {
		height := int(math.Sqrt(float64(count)) / top * float64(box.Dy()))
		x := box.Min.X + i*box.Dx()/bins
		bar := image.Rect(x, box.Max.Y-height, box.Min.X+(i+1)*box.Dx()/bins, box.Max.Y)
		c.fill(bar, table[max(i*256/bins, 1)], 0xff)
	}
}

// drawReadout draws what is read off, and what the head does.
func (e *Explorer) drawReadout(y int) {
	c, side := &e.canvas, e.layout.side
	x, width := e.layout.bar.Min.X, e.layout.bar.Dx()
	put := func(of color.RGBA, text string) {
		for _, line := range c.wrap(textRole, text, width) {
			if y+c.height(textRole) > side.Max.Y-c.px(4) {
				return
			}
			c.write(textRole, of, c.shorten(textRole, line, width), x, y)
			y += c.height(textRole) + c.px(2)
		}
	}
	for i, text := range e.readout() {
		of := ink
		if i > 1 {
			of = quietInk
		}
		put(of, text)
	}
	y += c.px(10)
	if s, ok := e.summary(e.shown()); ok {
		put(quietInk, fmt.Sprintf("entropy %.2f bits", s.Entropy))
		put(quietInk, fmt.Sprintf("mean distance %.*f tokens", decimals(s.Distance), s.Distance))
		for _, role := range s.Roles {
			e.drawShare(&y, role)
		}
		if count := count(s.Sums, wrong); count > 0 {
			put(alarmInk, fmt.Sprintf("%d rows do not add up to 1: mask, scale or rotation differ from the model's", count))
		}
	}
}

func count[T any](list []T, is func(T) bool) (n int) {
	for _, item := range list {
		if is(item) {
			n++
		}
	}
	return n
}

// drawShare draws a bar for how much of the attention goes to a role.
func (e *Explorer) drawShare(y *int, s Share) {
	c, box := &e.canvas, e.layout.bar
	height := c.height(smallRole)
	if *y+height > e.layout.side.Max.Y-c.px(4) {
		return
	}
	text := fmt.Sprintf("%.0f %%", 100*s.Share)
	right := box.Max.X - c.px(40)
	left := box.Min.X + c.px(132)
	c.write(smallRole, quietInk, roleNames[s.Name], box.Min.X, *y)
	bar := image.Rect(left, *y+c.px(3), right, *y+height-c.px(3))
	c.fill(bar, fieldPaper, 0xff)
	bar.Max.X = left + int(min(s.Share, 1)*float64(right-left)+0.5)
	c.fill(bar, accentInk, 0xff)
	c.write(smallRole, quietInk, text, box.Max.X-c.width(smallRole, text), *y)
	*y += height + c.px(2)
}

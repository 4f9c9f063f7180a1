package visualize

import (
	"fmt"
	"image"
	"math"
)

// A legendItem is a swatch with its explanation; swatch may be nil.
type legendItem struct {
	swatch func(box image.Rectangle) shape
	text   string
}

// newLegend explains what the panels show beside the colours of their bar.
func newLegend(t *typesetter, panels []panel) []legendItem {
	masked, bounded := false, false
	for _, p := range panels {
		for _, visible := range p.m.visible {
			masked = masked || !visible
		}
		bounded = bounded || len(p.sequences) > 1
	}
	var items []legendItem
	if masked {
		items = append(items, legendItem{func(box image.Rectangle) shape {
			return framed{hatch{box, box.Min, t.density}, frame{box, t.density, frameInk}}
		}, "masked"})
	}
	if bounded {
		items = append(items, legendItem{func(box image.Rectangle) shape {
			y := (box.Min.Y + box.Max.Y) / 2
			return fill{image.Rect(box.Min.X, y, box.Max.X, y+t.density), boundaryInk}
		}, "sequence boundary"})
	}
	return items
}

// rangeItem says in numbers what the colours of a panel cover.
func rangeItem(p panel) legendItem {
	source := "fixed"
	switch {
	case p.automatic && p.m.Measure == Difference:
		source = "percentile 99.9 of magnitudes"
	case p.automatic && p.scale == Log && p.r.Low == p.r.High/math.Pow10(mostDecades):
		source = fmt.Sprintf("%d decades up to percentile 99.9", mostDecades)
	case p.automatic && p.scale == Log:
		source = "percentiles 1 to 99.9"
	case p.automatic:
		source = "up to percentile 99.9"
	}
	return legendItem{nil, fmt.Sprintf("%v scale from %s to %s (%s)", p.scale, Readable(p.r.Low, 3), Readable(p.r.High, 3), source)}
}

// framed is a shape with a frame around it.
type framed struct {
	shape
	frame frame
}

func (f framed) draw(dst *image.RGBA) {
	f.shape.draw(dst)
	f.frame.draw(dst)
}

// placeLegend adds items from (x, y) rightwards, in further lines where they
// would pass right. It returns the y below the last line.
func placeLegend(t *typesetter, s *scene, items []legendItem, x, y, right int) int {
	lineHeight := t.height(smallRole)
	left := x
	for i, item := range items {
		swatchWidth := 0
		if item.swatch != nil {
			swatchWidth = t.px(22 + 7)
		}
		text := t.shorten(smallRole, item.text, right-left-swatchWidth)
		width := swatchWidth + t.width(smallRole, text)
		if i > 0 && x+width > right {
			x, y = left, y+lineHeight*3/2
		}
		if item.swatch != nil {
			top := y + lineHeight/2 - t.px(6)
			s.add(item.swatch(image.Rect(x, top, x+t.px(22), top+t.px(12))))
		}
		s.write(t.label(smallRole, quietInk, text, x+swatchWidth, start, y, start))
		x += width + t.px(24)
	}
	return y + lineHeight
}

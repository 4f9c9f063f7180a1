package explore

import (
	"image"
	"strings"
)

// drawField draws the text that is shown, or typed.
func (e *Explorer) drawField() {
	c, box := &e.canvas, e.layout.field
	c.fill(box, fieldPaper, 0xff)
	border := lineInk
	if e.editing {
		border = accentInk
	}
	c.outline(box.Inset(c.density), c.density, border)
	inner := box.Inset(c.px(8))
	y := (box.Min.Y + box.Max.Y - c.height(textRole)) / 2
	if !e.editing {
		text, of := "", ink
		switch {
		case e.next != nil:
			text = e.next.Text
		case e.noText != "" && e.run != nil:
			text = e.run.Text
		case e.progress < 1 || e.failed != nil:
			text = e.edit.String()
		case e.run != nil:
			text = e.run.Text
		}
		if text == "" && e.run == nil {
			text = e.edit.String()
		}
		hint := "T edits"
		if e.noText != "" {
			hint, of = "", quietInk
		} else if text == "" {
			text, of = "click, or press T, and type a text", quietInk
		}
		width := c.width(smallRole, hint)
		if inner.Dx() > c.px(300) {
			c.write(smallRole, quietInk, hint, inner.Max.X-width, (box.Min.Y+box.Max.Y-c.height(smallRole))/2)
			inner.Max.X -= width + c.px(12)
		}
		c.write(textRole, of, c.shorten(textRole, c.head(text, inner.Dx()), inner.Dx()), inner.Min.X, y)
		return
	}
	c.drawLine(inner, &e.edit, inner.Min.X, y)
}

// head returns the start of a text, more than fits into a width: the rest is
// not worth measuring.
func (c *canvas) head(text string, width int) string {
	most := max(width, 1) // a letter has at least a pixel
	for i := range text {
		if most--; most == 0 {
			return strings.Map(spaced, text[:i])
		}
	}
	return strings.Map(spaced, text)
}

func spaced(r rune) rune {
	if r < ' ' {
		return ' '
	}
	return r
}

// drawLine draws a line of text with its caret, which is always in sight.
func (c *canvas) drawLine(clip image.Rectangle, l *line, x, y int) {
	// What lies further to the left than the box is wide is not drawn.
	before := l.text[:l.caret]
	first := max(0, len(before)-clip.Dx())
	caret := c.width(textRole, string(before[first:]))
	for caret > clip.Max.X-x-c.px(40) && first < len(before) {
		step := min(8, len(before)-first)
		caret -= c.width(textRole, string(before[first:first+step]))
		first += step
	}
	behind := l.text[l.caret:]
	if most := clip.Dx(); len(behind) > most {
		behind = behind[:most]
	}
	end := c.writeIn(clip, textRole, ink, string(before[first:]), x, y)
	c.writeIn(clip, textRole, ink, string(behind), end, y)
	c.fill(image.Rect(end, y, end+c.px(2), y+c.height(textRole)), accentInk, 0xff)
}

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

// clickField begins to edit the text, where the mouse is.
func (e *Explorer) clickField(at image.Point) {
	c, l := &e.canvas, &e.edit
	before := e.editing
	e.beginEdit()
	if !e.editing {
		return
	}
	inner := e.layout.field.Inset(c.px(8))
	first := 0
	if before {
		first, _ = c.begins(l, inner.Dx())
	}
	l.all = false
	for l.caret = first; l.caret < len(l.text); l.caret++ {
		// Beyond the middle of a letter the caret is behind it.
		x := inner.Min.X + c.width(textRole, string(l.text[first:l.caret]))
		if x >= inner.Max.X || 2*at.X < 2*x+c.width(textRole, string(l.text[l.caret])) {
			break
		}
	}
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
	first, caret := c.begins(l, clip.Max.X-x)
	before, behind := l.text[first:l.caret], l.text[l.caret:]
	if most := clip.Dx(); len(behind) > most {
		behind = behind[:most]
	}
	if l.all {
		c.fill(image.Rect(x, y, x+caret+c.width(textRole, string(behind)), y+c.height(textRole)).Intersect(clip), accentInk, 0x60)
	}
	end := c.writeIn(clip, textRole, ink, string(before), x, y)
	c.writeIn(clip, textRole, ink, string(behind), end, y)
	c.fill(image.Rect(end, y, end+c.px(2), y+c.height(textRole)), accentInk, 0xff)
}

// begins returns the first letter of a line that is drawn in a box that is so wide,
// and how far from it the caret is. What lies further to the left is not drawn.
func (c *canvas) begins(l *line, width int) (first, caret int) {
	before := l.text[:l.caret]
	first = max(0, len(before)-width)
	caret = c.width(textRole, string(before[first:]))
	for caret > width-c.px(40) && first < len(before) {
		step := min(8, len(before)-first)
		caret -= c.width(textRole, string(before[first:first+step]))
		first += step
	}
	return first, caret
}

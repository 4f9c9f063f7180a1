package explore

import (
	"fmt"
	"image"
	"image/color"
	"strings"

	"github.com/gazevk/gaze/visualize"
)

// draw draws the frame.
func (e *Explorer) draw() {
	e.arrange()
	c := &e.canvas
	c.fill(c.img.Rect, paper, 0xff)
	e.drawHeader()
	e.drawField()
	switch {
	case e.run == nil:
		e.drawWaiting()
	case e.screen == overviewScreen:
		e.drawOverview()
	default:
		e.refinePin()
		e.finishExport()
		e.drawMaps()
		e.drawSide()
		e.drawText()
	}
	e.drawStatus()
	if e.help {
		e.drawHelp()
	}
}

// drawWaiting says why there is no map yet.
func (e *Explorer) drawWaiting() {
	text, of := "computing …", quietInk
	switch {
	case e.failed != nil:
		text, of = e.failed.Error(), alarmInk
	case e.progress >= 1:
		text = "type a text: its attention appears here"
	}
	c := &e.canvas
	lines := c.wrap(textRole, text, e.layout.body.Dx()-c.px(40))
	y := (e.layout.body.Min.Y + e.layout.body.Max.Y - len(lines)*c.height(textRole)) / 2
	for _, line := range lines {
		c.write(textRole, of, line, (e.layout.body.Min.X+e.layout.body.Max.X-c.width(textRole, line))/2, y)
		y += c.height(textRole)
	}
}

// wrap breaks a text between words into lines no wider than width.
func (c *canvas) wrap(r role, text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		longer := strings.TrimPrefix(line+" "+word, " ")
		if line != "" && c.width(r, longer) > width {
			lines = append(lines, line)
			longer = word
		}
		line = longer
	}
	return append(lines, line)
}

// headName names what is looked at: "layer 3, head 5".
func (e *Explorer) headName(h head) string {
	switch {
	case h.layer == mean:
		return "mean of all layers and heads"
	case h.head == mean:
		return fmt.Sprintf("layer %d, mean of its heads", h.layer)
	}
	return fmt.Sprintf("layer %d, head %d", h.layer, h.head)
}

func (e *Explorer) drawHeader() {
	c, box := &e.canvas, e.layout.header
	x, y := c.px(gap), (box.Min.Y+box.Max.Y-c.height(titleRole))/2
	title, quiet := "gaze", ""
	if e.run != nil {
		n := len(e.run.Tokens)
		quiet = fmt.Sprintf("%s · %d tokens", e.run.Name, n)
		if e.screen == overviewScreen {
			title = fmt.Sprintf("%d layers of %d heads", len(e.run.Layers), e.run.Heads)
			if len(e.run.Layers) == 1 {
				title = fmt.Sprintf("%d heads", e.run.Heads)
			}
			quiet += " · ordered by " + e.Order
		} else {
			panes := e.panes()
			title = panes[len(panes)-1].name
			if e.Layer != mean {
				quiet = fmt.Sprintf("%v · %s", e.run.Layers[e.Layer], quiet)
			}
		}
	}
	right := e.drawBadges(box.Max.X-c.px(gap), (box.Min.Y+box.Max.Y)/2)
	title = c.shorten(titleRole, title, right-x)
	x = c.write(titleRole, ink, title, x, y) + c.px(14)
	c.write(textRole, quietInk, c.shorten(textRole, quiet, right-x), x, y+c.faces[titleRole].ascent-c.faces[textRole].ascent)
}

// drawBadges draws what is in force, from the right, and returns where it begins.
func (e *Explorer) drawBadges(right, middle int) int {
	c := &e.canvas
	type badge struct {
		text string
		of   color.RGBA
	}
	var badges []badge
	if e.run != nil && e.screen == mapScreen {
		if cell := e.view.cell(); cell > 1 {
			badges = append(badges, badge{fmt.Sprintf("%v of %d × %d", e.Pooling, cell, cell), quietInk})
		}
		switch e.Range {
		case RangeLocked:
			badges = append(badges, badge{"range locked", accentInk})
		case RangeOfView:
			badges = append(badges, badge{"range of view", quietInk})
		}
	}
	if e.paused {
		badges = append(badges, badge{"paused", accentInk})
	} else if e.following && e.run != nil && e.progress < 1 {
		badges = append(badges, badge{fmt.Sprintf("following layer %d", max(e.run.done-1, 0)), foundInk})
	}
	if e.progress < 1 && e.failed == nil {
		badges = append(badges, badge{fmt.Sprintf("running %.0f %%", 100*e.progress), foundInk})
	}
	for _, b := range badges {
		width, height := c.width(smallRole, b.text), c.height(smallRole)
		box := image.Rect(right-width-c.px(16), middle-height/2-c.px(3), right, middle+height/2+c.px(3))
		c.fill(box, panelPaper, 0xff)
		c.fill(image.Rect(box.Min.X, box.Max.Y-c.px(2), box.Max.X, box.Max.Y), b.of, 0xff)
		c.write(smallRole, b.of, b.text, box.Min.X+c.px(8), middle-height/2)
		right = box.Min.X - c.px(6)
	}
	return right - c.px(8)
}

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

// drawStatus draws the lower edge: a prompt, a message or a hint.
func (e *Explorer) drawStatus() {
	c, box := &e.canvas, e.layout.status
	c.fill(box, panelPaper, 0xff)
	y := (box.Min.Y + box.Max.Y - c.height(textRole)) / 2
	inner := box.Inset(c.px(8))
	inner.Min.Y, inner.Max.Y = box.Min.Y, box.Max.Y
	if e.prompt != nil {
		c.fill(box, fieldPaper, 0xff)
		x := c.write(textRole, accentInk, e.prompt.label, inner.Min.X, y)
		c.drawLine(image.Rect(x, box.Min.Y, inner.Max.X, box.Max.Y), &e.prompt.line, x, y)
		return
	}
	hint := "? keys"
	x := inner.Max.X - c.width(smallRole, hint)
	c.write(smallRole, quietInk, hint, x, (box.Min.Y+box.Max.Y-c.height(smallRole))/2)
	text, of := e.message, ink
	if e.alarm {
		of = alarmInk
	}
	if text == "" && e.failed != nil {
		text, of = e.failed.Error(), alarmInk
	}
	if err := e.store.failure(); text == "" && err != nil {
		text, of = err.Error(), alarmInk
	}
	if text == "" && e.run != nil {
		of = quietInk
		if e.screen == overviewScreen {
			text = e.describe(e.hovered())
		} else {
			text = strings.Join(e.readout(), " · ")
		}
	}
	c.write(textRole, of, c.shorten(textRole, text, x-inner.Min.X-c.px(12)), inner.Min.X, y)
}

// drawHelp draws the table of keys over everything.
func (e *Explorer) drawHelp() {
	c := &e.canvas
	c.fill(c.img.Rect, paper, 0xd8)
	var groups []string
	rows := map[string][]action{}
	for _, a := range actions {
		if a.help == "" {
			continue
		}
		if rows[a.group] == nil {
			groups = append(groups, a.group)
		}
		rows[a.group] = append(rows[a.group], a)
	}
	line := c.height(textRole) + c.px(3)
	columns, width := 2, min(c.px(500), (c.img.Rect.Dx()-c.px(40))/2)
	if c.img.Rect.Dx() < c.px(800) {
		columns, width = 1, c.img.Rect.Dx()-c.px(40)
	}
	total := 0
	for _, g := range groups {
		total += len(rows[g]) + 2
	}
	height := (total + len(mouseHelp) + 2 + columns - 1) / columns * line
	x0 := (c.img.Rect.Dx() - columns*width) / 2
	y0 := max((c.img.Rect.Dy()-height)/2, c.px(8))
	x, y := x0, y0
	heading := func(text string) {
		if y > y0+height-3*line && x == x0 && columns > 1 {
			x, y = x0+width, y0
		}
		c.write(titleRole, accentInk, text, x, y)
		y += line + c.px(4)
	}
	row := func(keys, help string) {
		c.write(textRole, ink, c.shorten(textRole, keys, c.px(144)), x, y)
		c.write(textRole, quietInk, c.shorten(textRole, help, width-c.px(156)), x+c.px(148), y)
		y += line
	}
	for _, g := range groups {
		heading(g)
		for _, a := range rows[g] {
			var labels []string
			for _, k := range a.keys[:min(len(a.keys), 2)] {
				labels = append(labels, k.labelled(e.host.Label(k.key)))
			}
			keys := strings.Join(labels, " or ")
			if a.name == "pan_up" {
				keys = "w a s d"
			}
			row(keys, a.help)
		}
		y += line - c.px(4)
	}
	heading("Mouse")
	for _, m := range mouseHelp {
		row(m[0], m[1])
	}
}

var mouseHelp = [][2]string{
	{"wheel", "zoom at the mouse; ctrl: fine, shift: fast"},
	{"drag", "move; right button: zoom into a box"},
	{"shift + drag", "select a box and read its share"},
	{"click", "pin a pair; arrows move it, shift: by 10"},
	{"double click", "open a head; in a map: show everything"},
	{"histogram", "drag either half to move that end of the range"},
}

// readable returns a number in few digits.
func readable(value float64) string { return visualize.Readable(value, 3) }

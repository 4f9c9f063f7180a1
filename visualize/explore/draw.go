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
	e.coarse = 0
	e.drawField()
	switch {
	case e.run == nil:
		e.drawWaiting()
	case e.screen == overviewScreen:
		e.drawOverview()
	default:
		e.refinePin()
		e.drawMaps()
		e.finishExport()
		e.drawSide()
		e.drawText()
	}
	e.drawHeader() // which says what is in sight
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
	case e.run != nil && e.run.Alone && (h.layer == mean || h.head == mean):
		return "mean of all heads"
	case e.run != nil && e.run.Alone:
		return fmt.Sprintf("head %d", h.head)
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

// A badge says in a few words what is in force.
type badge struct {
	text string
	of   color.RGBA
}

// badges returns what is in force, from the right.
func (e *Explorer) badges() (list []badge) {
	add := func(of color.RGBA, format string, values ...any) {
		list = append(list, badge{fmt.Sprintf(format, values...), of})
	}
	if e.run != nil && e.screen == mapScreen {
		if cell := e.view.cell(); cell > 1 {
			add(quietInk, "%v of %d × %d", e.Pooling, cell, cell)
		}
		if e.coarse > 0 {
			add(accentInk, "sampled: %d of each %d queries", e.coarse, coarseRows*e.coarse)
		}
		switch e.Range {
		case RangeLocked:
			add(accentInk, "range locked")
		case RangeOfView:
			add(quietInk, "range of view")
		}
	}
	if e.paused {
		add(accentInk, "paused")
	} else if e.following && e.run != nil && !e.run.Alone && e.progress < 1 {
		add(foundInk, "following layer %d", max(e.run.done-1, 0))
	}
	if e.progress < 1 && e.failed == nil {
		add(foundInk, "running %.0f %%", 100*e.progress)
	}
	return list
}

// drawBadges draws what is in force, from the right, and returns where it begins.
func (e *Explorer) drawBadges(right, middle int) int {
	c := &e.canvas
	for _, b := range e.badges() {
		width, height := c.width(smallRole, b.text), c.height(smallRole)
		box := image.Rect(right-width-c.px(16), middle-height/2-c.px(3), right, middle+height/2+c.px(3))
		c.fill(box, panelPaper, 0xff)
		c.fill(image.Rect(box.Min.X, box.Max.Y-c.px(2), box.Max.X, box.Max.Y), b.of, 0xff)
		c.write(smallRole, b.of, b.text, box.Min.X+c.px(8), middle-height/2)
		right = box.Min.X - c.px(6)
	}
	return right - c.px(8)
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

// readable returns a number in few digits.
func readable(value float64) string { return visualize.Readable(value, 3) }

package explore

import (
	"strings"
)

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
	const keysWidth = 148
	wrapped := func(help string) []string { return c.wrap(textRole, help, width-c.px(keysWidth+8)) }
	total := 2
	for _, g := range groups {
		total += 2
		for _, a := range rows[g] {
			total += len(wrapped(a.help))
		}
	}
	for _, m := range mouseHelp {
		total += len(wrapped(m[1]))
	}
	height := (total + columns - 1) / columns * line
	x0 := (c.img.Rect.Dx() - columns*width) / 2
	lowest := max(height+c.px(16)-c.img.Rect.Dy(), 0)
	e.helpLine = min(max(e.helpLine, 0), ceilDivide(lowest, line))
	y0 := max((c.img.Rect.Dy()-height)/2, c.px(8)) - e.helpLine*line
	x, y := x0, y0
	heading := func(text string) {
		if y > y0+height-3*line && x == x0 && columns > 1 {
			x, y = x0+width, y0
		}
		c.write(titleRole, accentInk, text, x, y)
		y += line + c.px(4)
	}
	row := func(keys, help string) {
		c.write(textRole, ink, c.shorten(textRole, keys, c.px(keysWidth-4)), x, y)
		for _, text := range wrapped(help) {
			c.write(textRole, quietInk, text, x+c.px(keysWidth), y)
			y += line
		}
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

package explore

import (
	"image/color"
	"slices"

	"github.com/gazevk/gaze/visualize"
)

// drawMaps draws the maps in sight with their axes.
func (e *Explorer) drawMaps() {
	panes := e.panes()
	e.fitRange()
	table := e.table()
	for i := range panes {
		e.drawPane(&panes[i], table)
		e.drawAxes(&panes[i])
		if len(panes) > 1 {
			c, box := &e.canvas, panes[i].view.box
			y := box.Min.Y - c.px(topAxis+stripHeight+22)
			c.write(textRole, ink, c.shorten(textRole, panes[i].name, box.Dx()), box.Min.X, y)
		}
	}
}

// table returns the colours in force.
func (e *Explorer) table() *[256]color.RGBA {
	name := e.Colors
	if e.compare == difference {
		name = "blue_red"
	}
	m, err := visualize.ColorMapByName(name)
	if err != nil {
		m = visualize.ColorMaps()[0]
	}
	return &m.Colors
}

// part returns the square of a pane's map at that place.
func (e *Explorer) part(p *pane, cell, row, column int) tilePart {
	return tilePart{p.run, p.head, p.minus, cell, row, column, e.Measure, e.Pooling}
}

// parts calls do for the squares of cells of a size that a view shows, from the
// middle outwards.
func (v *view) parts(cell int, do func(row, column int)) {
	r, side := v.visible(), tileTokens(cell)
	type square struct{ row, column, distance int }
	var squares []square
	middleRow, middleColumn := (r.Queries.First+r.Queries.End)/2, (r.Keys.First+r.Keys.End)/2
	for row := r.Queries.First / side; row*side < r.Queries.End; row++ {
		for column := r.Keys.First / side; column*side < r.Keys.End; column++ {
			dy, dx := row*side+side/2-middleRow, column*side+side/2-middleColumn
			squares = append(squares, square{row, column, dx*dx + dy*dy})
		}
	}
	slices.SortStableFunc(squares, func(a, b square) int { return a.distance - b.distance })
	for _, s := range squares {
		do(s.row, s.column)
	}
}

// available reports whether all layers that a pane shows are complete.
func (p *pane) available() bool {
	return p.head.end(len(p.run.Layers)) <= p.run.done && (p.minus.run == nil || p.minus.head.end(len(p.minus.run.Layers)) <= p.minus.run.done)
}

// drawPane draws a map: what is there of it, coarse where nothing finer is, and
// sampled where nothing else is.
func (e *Explorer) drawPane(p *pane, table *[256]color.RGBA) {
	c, v := &e.canvas, &p.view
	shown := v.shown()
	c.fill(shown, panelPaper, 0xff)
	if !p.available() {
		c.write(textRole, quietInk, "not computed yet", shown.Min.X+c.px(12), shown.Min.Y+c.px(12))
		return
	}
	how := coloring{e.drawnScale(), e.r}
	cell := v.cell()
	paint := func(t *tile) { c.paint(shown, v, t, how, table) }
	var exact []*tile
	whole := true
	v.parts(cell, func(row, column int) {
		t, ok := need[*tile](e.store, e.part(p, cell, row, column))
		if ok {
			exact = append(exact, t)
		}
		whole = whole && ok
	})
	if !whole {
		e.drawCoarse(p, paint)
		if t, ok := e.thumbnail(p); ok {
			paint(t)
		}
		for coarse := LargestCell; coarse > cell; coarse /= 2 {
			v.parts(coarse, func(row, column int) {
				if t, ok := has[*tile](e.store, e.part(p, coarse, row, column)); ok {
					paint(t)
				}
			})
		}
	}
	for _, t := range exact {
		paint(t)
	}
	if e.Overlay {
		e.drawMask(p, shown)
	}
	e.drawGrid(v, shown)
	c.drawSequences(p.run, v, cell, shown)
	e.drawMarks(p, shown)
	c.outline(shown, c.density, lineInk)
}

package explore

import "image"

// A layout says where everything is.
type layout struct {
	header, field, status image.Rectangle
	body                  image.Rectangle // between them, less text and side
	text                  image.Rectangle // the tokens as they follow each other; may be empty
	side                  image.Rectangle // legend and readout; may be empty
	minimap               image.Rectangle // all of the map, in side
	histogram, bar        image.Rectangle // of the legend, in side
	panes                 []image.Rectangle
}

const (
	headerHeight = 40
	fieldHeight  = 34
	statusHeight = 28
	sideWidth    = 264
	gap          = 10
	leftAxis     = 104 // labels of queries
	topAxis      = 84  // labels of keys
	stripHeight  = 22  // of what each token gives or receives
	edgeWidth    = 4   // of the mark at rows that do not add up
)

// arrange computes the layout of a frame.
func (e *Explorer) arrange() {
	c := &e.canvas
	px := c.px
	all := c.img.Rect
	l := layout{}
	l.header = image.Rect(0, 0, all.Max.X, px(headerHeight))
	l.field = image.Rect(px(gap), l.header.Max.Y, all.Max.X-px(gap), l.header.Max.Y+px(fieldHeight))
	l.status = image.Rect(0, max(all.Max.Y-px(statusHeight), l.field.Max.Y), all.Max.X, all.Max.Y)
	l.body = image.Rect(px(gap), l.field.Max.Y+px(gap), all.Max.X-px(gap), l.status.Min.Y-px(gap))
	if e.screen == mapScreen {
		if l.body.Dx() > px(560) {
			l.side = l.body
			l.side.Min.X = l.body.Max.X - px(sideWidth)
			l.body.Max.X = l.side.Min.X - px(gap)
		}
		if l.body.Dy() > px(420) && e.run != nil {
			l.text = l.body
			height := min(l.body.Dy()/5, px(150))
			if lines := len(e.flow(l.text.Dx()).lines); lines < 100 {
				height = min(height, lines*c.pitch()+px(12))
			}
			l.text.Min.Y = l.body.Max.Y - height
			l.body.Max.Y = l.text.Min.Y - px(gap)
		}
		l.panes = e.split(l.body)
	}
	if !l.side.Empty() {
		inner := l.side.Inset(px(14))
		size := min(inner.Dx(), max(l.side.Dy()/4, px(80)))
		l.minimap = image.Rect(inner.Min.X, inner.Min.Y, inner.Min.X+size, inner.Min.Y+size)
		top := l.minimap.Max.Y + px(34)
		l.histogram = image.Rect(inner.Min.X, top, inner.Max.X, top+px(44))
		l.bar = image.Rect(inner.Min.X, l.histogram.Max.Y, inner.Max.X, l.histogram.Max.Y+px(14))
	}
	e.layout = l
	if e.screen == mapScreen {
		e.view.count(e.tokensInSight())
		e.view.resize(l.panes[len(l.panes)-1])
	}
}

// tokensInSight returns how many tokens there are to move among: of two texts side by
// side, those of the longer one.
func (e *Explorer) tokensInSight() int {
	n := 1
	if e.run != nil {
		n = len(e.run.Tokens)
	}
	if e.compare == sideBySide {
		n = max(n, len(e.against.run.Tokens))
	}
	return n
}

// split returns the boxes of the maps, their axes left and above of them.
func (e *Explorer) split(body image.Rectangle) []image.Rectangle {
	px := e.canvas.px
	left, top := px(leftAxis+stripHeight+edgeWidth), px(topAxis+stripHeight)
	if body.Dx() < px(420) {
		left = px(44 + stripHeight + edgeWidth)
	}
	if body.Dy() < px(320) {
		top = px(24 + stripHeight)
	}
	count := 1
	if e.compare == sideBySide {
		count = 2
		top += px(22) // their names
	}
	width := body.Dx() / count
	panes := make([]image.Rectangle, count)
	for i := range panes {
		pane := body
		pane.Min.X = body.Min.X + i*width + left
		pane.Max.X = body.Min.X + (i+1)*width - px(6)
		pane.Min.Y += top
		pane.Max.X, pane.Max.Y = max(pane.Max.X, pane.Min.X+8), max(pane.Max.Y, pane.Min.Y+8)
		panes[i] = pane
	}
	return panes
}

// A pane is one map in sight.
type pane struct {
	run   *Run
	head  head
	minus other // run is nil unless it is a difference
	view  view
	name  string
}

// panes returns the maps in sight.
func (e *Explorer) panes() []pane {
	one := pane{run: e.run, head: e.shown(), name: e.headName(e.shown())}
	list := []pane{one}
	switch e.compare {
	case sideBySide:
		a := pane{run: e.against.run, head: e.against.head, name: "A: " + e.headName(e.against.head)}
		list = []pane{a, one}
	case difference:
		list[0].minus = e.against
		list[0].name += " minus A: " + e.headName(e.against.head)
	}
	if other := e.against.run; e.compare != noComparison && other.Name != e.run.Name {
		list[0].name += " of " + other.Name
		if e.compare == sideBySide {
			list[1].name += " of " + e.run.Name
		}
	}
	for i := range list {
		list[i].view = e.view
		list[i].view.n = len(list[i].run.Tokens)
		list[i].view.box = e.layout.panes[min(i, len(e.layout.panes)-1)]
	}
	return list
}

package explore

import (
	"image"
	"math"
	"time"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/visualize"
)

// A drag is what a held button does.
type drag struct {
	kind  dragKind
	from  image.Point
	moved bool
	upper bool // of the two handles of the range
	pane  int
}

type dragKind int

const (
	noDrag dragKind = iota
	panDrag
	boxDrag    // zooms into a box
	selectDrag // selects one
	rangeDrag
	minimapDrag
)

// A clicked is where and when a button went down last, to tell double clicks.
type clicked struct {
	at   image.Point
	when time.Time
}

// doubleClick is how much later the second click may come.
const doubleClick = 400 * time.Millisecond

func (e *Explorer) click(c Click) {
	e.arrange()
	if !c.Down {
		e.release()
		return
	}
	e.message = ""
	double := e.doubles()
	e.clicked = clicked{e.mouse, time.Now()}
	if double {
		e.clicked.when = time.Time{} // a third click is a first
	}
	if e.help {
		e.help = false
		return
	}
	at, l := e.mouse, &e.layout
	if at.In(l.field) {
		e.clickField(at)
		return
	}
	if e.editing {
		e.editing = false
	}
	if e.run == nil {
		return
	}
	if e.screen == overviewScreen {
		if h, ok := e.thumbnailAt(at); ok {
			e.Layer, e.Head = h.layer, h.head
			e.following = false
			if double {
				e.open()
			}
		}
		return
	}
	switch {
	case at.In(l.minimap):
		e.drag = drag{kind: minimapDrag, from: at}
		e.moved(at)
	case at.In(l.histogram) || at.In(l.bar):
		position := float64(at.X-l.bar.Min.X) / float64(l.bar.Dx())
		e.drag = drag{kind: rangeDrag, from: at, upper: position > 0.5}
		e.lockRange()
	case at.In(l.text):
		if token, ok := e.tokenAt(at); ok {
			e.pinAt(token, token)
		}
	default:
		for i, box := range l.panes {
			if !at.In(box) {
				continue
			}
			e.drag = drag{kind: panDrag, from: at, pane: i}
			switch {
			case double:
				e.drag = drag{}
				e.view.fit()
			case c.Button == Right:
				e.drag.kind = boxDrag
			case c.Button == Left && c.Modifiers&Shift != 0:
				e.drag.kind = selectDrag
			}
		}
	}
}

// doubles reports whether a button that goes down now makes a double click.
func (e *Explorer) doubles() bool {
	return time.Since(e.clicked.when) < doubleClick && near(e.mouse, e.clicked.at, e.canvas.px(4))
}

func near(a, b image.Point, by int) bool {
	return max(a.X-b.X, b.X-a.X, a.Y-b.Y, b.Y-a.Y) <= by
}

// moved is the mouse at a place.
func (e *Explorer) moved(to image.Point) {
	from := e.mouse
	e.mouse = to
	if e.drag.kind == noDrag {
		return
	}
	if !near(to, e.drag.from, e.canvas.px(3)) {
		e.drag.moved = true
	}
	switch e.drag.kind {
	case panDrag:
		if e.drag.moved {
			e.following = false
			e.view.pan(float64(to.X-from.X), float64(to.Y-from.Y))
		}
	case minimapDrag:
		box := e.layout.minimap
		e.view.key = float64(to.X-box.Min.X)/float64(box.Dx())*float64(len(e.run.Tokens)) - float64(e.view.box.Dx())/e.view.scale/2
		e.view.query = float64(to.Y-box.Min.Y)/float64(box.Dy())*float64(len(e.run.Tokens)) - float64(e.view.box.Dy())/e.view.scale/2
		e.view.clamp()
	case rangeDrag:
		e.dragRange(float64(to.X-from.X) / float64(e.layout.bar.Dx()))
	}
}

// lockRange leaves the range as it is until the person changes it.
func (e *Explorer) lockRange() { e.Range = RangeLocked }

// dragRange moves one end of the range by a fraction of its width on the bar.
func (e *Explorer) dragRange(by float64) {
	axis := axisOf(e.drawnScale())
	low, high := axis(e.r.Low), axis(e.r.High)
	width := high - low
	// The bar shows the range as it is, so the end under the mouse follows at a
	// distance: dragging inwards narrows the range, outwards widens it.
	if e.drag.upper {
		high += by * width
	} else {
		low += by * width
	}
	if high-low < 1e-6*max(math.Abs(low), math.Abs(high), 1e-9) {
		return
	}
	r := e.r
	switch e.drawnScale() {
	case visualize.Log:
		r = visualize.Range{Low: math.Exp(low), High: math.Exp(high)}
	case visualize.Gamma:
		r = visualize.Range{Low: math.Copysign(low*low, low), High: math.Copysign(high*high, high)}
	default:
		r = visualize.Range{Low: low, High: high}
	}
	if r.Validate(e.drawnScale()) == nil && r.High < 1e6 && r.Low > -1e6 {
		e.r = r
	}
}

// release ends a drag, which was a click if the mouse did not move.
func (e *Explorer) release() {
	d := e.drag
	e.drag = drag{}
	if e.run == nil || e.screen != mapScreen || d.pane >= len(e.layout.panes) {
		return
	}
	v := e.view
	v.box, v.n = e.layout.panes[d.pane], len(e.run.Tokens)
	switch {
	case d.kind == panDrag && !d.moved, d.kind == selectDrag && !d.moved, d.kind == boxDrag && !d.moved:
		if query, key, ok := v.pair(float64(e.mouse.X), float64(e.mouse.Y)); ok && d.kind != boxDrag {
			e.pinCell(query, key)
		}
	case d.kind == boxDrag:
		if r, ok := v.between(d.from, e.mouse); ok {
			e.view.show(r)
		}
	case d.kind == selectDrag:
		if r, ok := v.between(d.from, e.mouse); ok {
			e.selected, e.selection = r, true
		}
	}
}

// between returns the pairs between two points of the box.
func (v *view) between(a, b image.Point) (r gaze.Rectangle, ok bool) {
	shown := v.shown()
	box := image.Rectangle{Min: a, Max: b}.Canon().Intersect(shown)
	if box.Empty() {
		return r, false
	}
	firstQuery, firstKey, ok1 := v.pair(float64(box.Min.X), float64(box.Min.Y))
	lastQuery, lastKey, ok2 := v.pair(float64(box.Max.X-1), float64(box.Max.Y-1))
	r.Queries = gaze.Span{First: firstQuery, End: lastQuery + 1}
	r.Keys = gaze.Span{First: firstKey, End: lastKey + 1}
	return r, ok1 && ok2
}

// pinAt pins a pair, and says so to who reads along.
func (e *Explorer) pinAt(query, key int) {
	e.pinned, e.pin = pair{query, key}, true
	e.announce = true
}

// pinCell pins the pair under the mouse: of a cell of several, the one of the
// greatest weight, once that is known.
func (e *Explorer) pinCell(query, key int) {
	e.pinAt(query, key)
	if cell := e.view.cell(); cell > 1 && e.compare != difference {
		n := len(e.run.Tokens)
		span := func(at int) gaze.Span {
			return gaze.Span{First: at / cell * cell, End: min(at/cell*cell+cell, n)}
		}
		e.refine = &cellPart{e.run, e.shown(), gaze.Rectangle{Queries: span(query), Keys: span(key)}}
		e.announce = false
	}
}

// wheel zooms at the mouse, or scrolls.
func (e *Explorer) wheel(w Wheel) {
	e.arrange()
	if e.help {
		e.helpLine -= int(math.Copysign(math.Ceil(math.Abs(w.Y)), w.Y))
		return
	}
	if e.run == nil {
		return
	}
	if e.screen == overviewScreen {
		e.scroll -= int(w.Y * float64(e.canvas.px(60)))
		return
	}
	if e.mouse.In(e.layout.text) {
		e.textLine -= int(math.Copysign(math.Ceil(math.Abs(w.Y)), w.Y))
		return
	}
	for _, box := range e.layout.panes {
		if e.mouse.In(box) {
			factor := 1.25
			switch {
			case w.Modifiers&Control != 0:
				factor = 1.05
			case w.Modifiers&Shift != 0:
				factor = 2
			}
			by := w.Y
			if by == 0 {
				by = w.X // where Shift turns the wheel sideways
			}
			v := e.view
			v.box = box
			v.zoom(float64(e.mouse.X), float64(e.mouse.Y), math.Pow(factor, by))
			v.box = e.view.box
			e.view = v
		}
	}
}

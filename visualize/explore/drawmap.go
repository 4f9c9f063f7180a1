package explore

import (
	"image"
	"image/color"
	"math"
	"slices"
	"strconv"

	"github.com/gazevk/gaze"
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

// drawnScale is the scale that is in force: differences have no logarithm.
func (e *Explorer) drawnScale() visualize.Scale {
	if e.compare == difference && e.Scale == visualize.Log {
		return visualize.Gamma
	}
	return e.Scale
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
func (e *Explorer) part(p *pane, cell, row, column int) part {
	t := tilePart{p.run, p.head, cell, row, column, e.Measure, e.Pooling}
	if p.minus.run != nil {
		return differencePart{t, p.minus.run, p.minus.head}
	}
	return t
}

// parts calls do for the squares of cells of a size that a view shows, from the
// middle outwards.
func (v *view) parts(cell int, do func(row, column int)) {
	r, side := v.visible(), tileCells*cell
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

// fitRange chooses the range of colours, unless the person has.
func (e *Explorer) fitRange() {
	panes := e.panes()
	last := panes[len(panes)-1]
	key := rangeKey{run: e.run, head: last.head, cell: e.view.cell(), measure: e.Measure, scale: e.drawnScale(), pooling: e.Pooling, compare: e.compare}
	if e.Range == RangeLocked && e.ranged.compare == e.compare && e.r.Validate(e.drawnScale()) == nil {
		return
	}
	done := key
	done.complete = true
	if e.ranged == done && e.Range == RangeOfHead {
		return
	}
	values, complete := e.inSight()
	e.ranged = key
	e.ranged.complete = complete
	if len(values) > 0 || e.r == (visualize.Range{}) || e.r.Validate(e.drawnScale()) != nil {
		e.r = automatic(e.drawnScale(), e.compare == difference, values)
	}
}

// A sampling is values of cells in sight, and what they were taken of.
type sampling struct {
	panes    []pane
	measure  visualize.Measure
	pooling  visualize.Pooling
	results  int // that had been taken from the worker
	values   []float32
	complete bool
}

// inSight returns values of the cells in sight, and whether all are there. It
// looks at them again only when they are others.
func (e *Explorer) inSight() ([]float32, bool) {
	panes := e.panes()
	s := &e.sampled
	if s.measure == e.Measure && s.pooling == e.Pooling && s.results == e.store.taken && slices.Equal(s.panes, panes) {
		return s.values, s.complete
	}
	*s = sampling{panes, e.Measure, e.Pooling, e.store.taken, s.values[:0], true}
	for i := range panes {
		more, all := e.sample(&panes[i])
		s.values, s.complete = append(s.values, more...), s.complete && all
	}
	return s.values, s.complete
}

// sample returns values of cells that a pane shows, evenly spread, and whether
// all of its squares are there.
func (e *Explorer) sample(p *pane) (values []float32, complete bool) {
	const most = 1 << 15
	complete = true
	r, cell := p.view.visible(), p.view.cell()
	total := ceilDivide(r.Queries.End-r.Queries.First, cell) * ceilDivide(r.Keys.End-r.Keys.First, cell)
	step := cell * max(int(math.Sqrt(float64(total)/most)), 1)
	p.view.parts(cell, func(row, column int) {
		t, ok := has[*tile](e.store, e.part(p, cell, row, column))
		if !ok {
			complete = false
			return
		}
		firstQuery, endQuery := max(r.Queries.First, t.rectangle.Queries.First), min(r.Queries.End, t.rectangle.Queries.End)
		firstKey, endKey := max(r.Keys.First, t.rectangle.Keys.First), min(r.Keys.End, t.rectangle.Keys.End)
		for query := firstQuery; query < endQuery; query += step {
			line := t.values[(query-t.rectangle.Queries.First)/cell*t.columns:]
			for key := firstKey; key < endKey; key += step {
				if value := line[(key-t.rectangle.Keys.First)/cell]; value == value {
					values = append(values, value)
				}
			}
		}
	})
	return values, complete
}

// drawPane draws a map: what is there of it, coarse where nothing finer is.
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
	if p.minus.run == nil && p.head.layer != mean && p.head.head != mean && e.Measure == visualize.Weight && e.Pooling == visualize.MaxPooling {
		if tiles, ok := has[[]*tile](e.store, thumbnailPart{p.run, p.head.layer}); ok && tiles[p.head.head].cell > cell {
			c.paint(shown, v, tiles[p.head.head], how, table)
		}
	}
	for coarse := LargestCell; coarse > cell; coarse /= 2 {
		v.parts(coarse, func(row, column int) {
			if t, ok := has[*tile](e.store, e.part(p, coarse, row, column)); ok {
				c.paint(shown, v, t, how, table)
			}
		})
	}
	v.parts(cell, func(row, column int) {
		if t, ok := need[*tile](e.store, e.part(p, cell, row, column)); ok {
			c.paint(shown, v, t, how, table)
		}
	})
	if e.Overlay {
		e.drawMask(p, shown)
	}
	e.drawGrid(v, shown)
	c.drawSequences(p.run, v, cell, shown)
	e.drawMarks(p, shown)
	c.outline(shown, c.density, lineInk)
}

// drawGrid draws lines between tokens where these are large.
func (e *Explorer) drawGrid(v *view, shown image.Rectangle) {
	c := &e.canvas
	if v.scale < float64(c.px(12)) {
		return
	}
	r := v.visible()
	for key := r.Keys.First + 1; key < r.Keys.End; key++ {
		x := int(math.Round(v.x(float64(key))))
		c.fill(image.Rect(x, shown.Min.Y, x+1, shown.Max.Y), color.RGBA{0xff, 0xff, 0xff, 0xff}, 0x20)
	}
	for query := r.Queries.First + 1; query < r.Queries.End; query++ {
		y := int(math.Round(v.y(float64(query))))
		c.fill(image.Rect(shown.Min.X, y, shown.Max.X, y+1), color.RGBA{0xff, 0xff, 0xff, 0xff}, 0x20)
	}
}

// drawMask draws the edges of what each query sees, from the pattern itself.
func (e *Explorer) drawMask(p *pane, shown image.Rectangle) {
	if p.head.layer == mean {
		return
	}
	c, v := &e.canvas, &p.view
	pattern := p.run.Layers[p.head.layer]
	width := max(c.density, 1)
	rest := p.run.sequences()
	sequence := gaze.Span{End: rest[0]} // of the query
	var spans []gaze.Span
	previous := []gaze.Span(nil)
	for y := shown.Min.Y; y < shown.Max.Y; y++ {
		query := int(v.query + (float64(y-v.box.Min.Y)+0.5)/v.scale)
		if query >= v.n {
			break
		}
		for query >= sequence.End {
			rest, previous = rest[1:], nil
			sequence = gaze.Span{First: sequence.End, End: sequence.End + rest[0]}
		}
		spans = pattern.AppendKeys(spans[:0], query-sequence.First, sequence.End-sequence.First)
		for i := range spans {
			s := &spans[i]
			s.First, s.End = sequence.First+s.First, sequence.First+s.End
			for _, edge := range []int{s.First, s.End} {
				if edge == sequence.First || edge == sequence.End {
					continue
				}
				x := int(math.Round(v.x(float64(edge))))
				c.fill(image.Rect(x, y, x+width, y+1).Intersect(shown), accentInk, 0xff)
			}
		}
		// Where the spans change from one query to the next there are edges across.
		if previous != nil && !slices.Equal(previous, spans) {
			for _, s := range differing(previous, spans) {
				box := image.Rect(int(math.Round(v.x(float64(s.First)))), y, int(math.Round(v.x(float64(s.End)))), y+width)
				c.fill(box.Intersect(shown), accentInk, 0xff)
			}
		}
		previous = append(previous[:0], spans...)
	}
}

// drawSequences outlines the block of each of several packed sequences. The lines
// run just outside the block, where attention never reaches, and cover no cell that
// has a pair within one: it may show the first token of a sequence.
func (c *canvas) drawSequences(run *Run, v *view, cell int, shown image.Rectangle) {
	lengths := run.sequences()
	if len(lengths) < 2 {
		return
	}
	// The first pixel of a token is the first whose middle is in it.
	x := func(token int) int { return int(math.Ceil(v.x(float64(token)) - 0.5)) }
	y := func(token int) int { return int(math.Ceil(v.y(float64(token)) - 0.5)) }
	end := 0
	for _, length := range lengths {
		first := end
		end += length
		// The cells that lie within the block, and those that reach into it.
		within := gaze.Span{First: ceilDivide(first, cell) * cell, End: end / cell * cell}
		touch := gaze.Span{First: first / cell * cell, End: ceilDivide(end, cell) * cell}
		if end == v.n {
			within.End = end
		}
		for _, side := range []image.Rectangle{
			image.Rect(x(touch.First)-c.density, y(within.First), x(touch.First), y(within.End)),
			image.Rect(x(touch.End), y(within.First), x(touch.End)+c.density, y(within.End)),
			image.Rect(x(within.First), y(touch.First)-c.density, x(within.End), y(touch.First)),
			image.Rect(x(within.First), y(touch.End), x(within.End), y(touch.End)+c.density),
		} {
			c.fill(side.Intersect(shown), quietInk, 0xff)
		}
	}
}

// differing returns the keys that lie in one of two lists of spans alone.
func differing(a, b []gaze.Span) (list []gaze.Span) {
	var cuts []int
	for _, s := range slices.Concat(a, b) {
		cuts = append(cuts, s.First, s.End)
	}
	slices.Sort(cuts)
	in := func(spans []gaze.Span, key int) bool {
		return slices.ContainsFunc(spans, func(s gaze.Span) bool { return key >= s.First && key < s.End })
	}
	for i := 1; i < len(cuts); i++ {
		if cuts[i-1] < cuts[i] && in(a, cuts[i-1]) != in(b, cuts[i-1]) {
			list = append(list, gaze.Span{First: cuts[i-1], End: cuts[i]})
		}
	}
	return list
}

// drawMarks draws the selection, the pin and the lines through the mouse.
func (e *Explorer) drawMarks(p *pane, shown image.Rectangle) {
	c, v := &e.canvas, &p.view
	boxOf := func(r gaze.Rectangle) image.Rectangle {
		return image.Rect(int(v.x(float64(r.Keys.First))), int(v.y(float64(r.Queries.First))), int(math.Ceil(v.x(float64(r.Keys.End)))), int(math.Ceil(v.y(float64(r.Queries.End)))))
	}
	within := func(box image.Rectangle, of color.RGBA, opacity uint8) { c.fill(box.Intersect(shown), of, opacity) }
	frame := func(box image.Rectangle, of color.RGBA) {
		w := max(c.density, 1)
		within(image.Rect(box.Min.X-w, box.Min.Y-w, box.Max.X+w, box.Min.Y), of, 0xff)
		within(image.Rect(box.Min.X-w, box.Max.Y, box.Max.X+w, box.Max.Y+w), of, 0xff)
		within(image.Rect(box.Min.X-w, box.Min.Y, box.Min.X, box.Max.Y), of, 0xff)
		within(image.Rect(box.Max.X, box.Min.Y, box.Max.X+w, box.Max.Y), of, 0xff)
	}
	// Lines from the axes to a pair, but not over it.
	cross := func(at pair, of color.RGBA, opacity uint8) {
		box := boxOf(gaze.Rectangle{Queries: gaze.Span{First: at.query, End: at.query + 1}, Keys: gaze.Span{First: at.key, End: at.key + 1}})
		x, y := (box.Min.X+box.Max.X)/2, (box.Min.Y+box.Max.Y)/2
		within(image.Rect(shown.Min.X, y, box.Min.X, y+c.density), of, opacity)
		within(image.Rect(box.Max.X, y, shown.Max.X, y+c.density), of, opacity/3)
		within(image.Rect(x, shown.Min.Y, x+c.density, box.Min.Y), of, opacity)
		within(image.Rect(x, box.Max.Y, x+c.density, shown.Max.Y), of, opacity/3)
		frame(box, of)
	}
	if e.selection {
		box := boxOf(e.selected)
		within(box, foundInk, 0x28)
		frame(box, foundInk)
	}
	if (e.drag.kind == boxDrag || e.drag.kind == selectDrag) && e.drag.moved {
		frame(image.Rectangle{Min: e.drag.from, Max: e.mouse}.Canon(), ink)
	}
	if e.pin && max(e.pinned.query, e.pinned.key) < v.n {
		cross(e.pinned, accentInk, 0xff)
	}
	if query, key, ok := v.pair(float64(e.mouse.X), float64(e.mouse.Y)); ok && e.drag.kind == noDrag {
		cross(pair{query, key}, ink, 0xa0)
	}
}

// drawAxes draws labels of tokens or their numbers, and what each token gives
// and receives.
func (e *Explorer) drawAxes(p *pane) {
	c, v := &e.canvas, &p.view
	shown, r := v.shown(), v.visible()
	strip := c.px(stripHeight)
	labelX, labelY := shown.Min.X-c.px(edgeWidth)-strip-c.px(5), shown.Min.Y-strip-c.px(5)
	room := c.px(leftAxis - 8)
	if v.box.Min.X-e.layout.body.Min.X < c.px(leftAxis) {
		room = c.px(36)
	}
	roomAbove := c.px(topAxis - 8)
	if v.box.Min.Y-e.layout.body.Min.Y < c.px(topAxis) {
		roomAbove = c.px(16)
	}
	words := v.scale >= float64(c.height(smallRole))-2
	step := 1
	if !words {
		step = visualize.TokenStep(v.scale, c.px(46))
	}
	of := func(token int, isQuery bool) color.RGBA {
		switch {
		case e.pin && (isQuery && token == e.pinned.query || !isQuery && token == e.pinned.key):
			return accentInk
		case e.isFound(token):
			return foundInk
		}
		return quietInk
	}
	each := func(s gaze.Span, do func(token int)) {
		for token := ceilDivide(s.First, step) * step; token < s.End; token += step {
			do(token)
		}
	}
	each(r.Queries, func(query int) {
		y := int(v.y(float64(query)+0.5)) - c.height(smallRole)/2
		if y+c.height(smallRole)/2 < shown.Min.Y || y+c.height(smallRole)/2 > shown.Max.Y {
			return
		}
		text := strconv.Itoa(query)
		if words {
			text = p.run.Tokens[query].Label
		}
		text = c.shorten(smallRole, text, room)
		c.write(smallRole, of(query, true), text, labelX-c.width(smallRole, text), y)
	})
	each(r.Keys, func(key int) {
		x := int(v.x(float64(key) + 0.5))
		if x < shown.Min.X || x > shown.Max.X {
			return
		}
		if words {
			c.writeUp(smallRole, of(key, false), c.shorten(smallRole, p.run.Tokens[key].Label, roomAbove), x-c.height(smallRole)/2, labelY)
			return
		}
		text := strconv.Itoa(key)
		c.write(smallRole, of(key, false), text, x-c.width(smallRole, text)/2, labelY-c.height(smallRole))
	})
	e.drawStrips(p, shown)
	e.drawEdge(p, shown)
	for _, token := range e.found {
		if token >= r.Keys.First && token < r.Keys.End {
			x := int(v.x(float64(token)))
			c.fill(image.Rect(x, shown.Min.Y-c.px(3), max(int(v.x(float64(token+1))), x+1), shown.Min.Y), foundInk, 0xff)
		}
		if token >= r.Queries.First && token < r.Queries.End {
			y := int(v.y(float64(token)))
			c.fill(image.Rect(shown.Min.X-c.px(3), y, shown.Min.X, max(int(v.y(float64(token+1))), y+1)), foundInk, 0xff)
		}
	}
}

func (e *Explorer) isFound(token int) bool {
	_, ok := slices.BinarySearch(e.found, token)
	return ok
}

// drawEdge marks rows whose weights, recomputed, do not add up to 1.
func (e *Explorer) drawEdge(p *pane, shown image.Rectangle) {
	if p.head.layer == mean || p.head.head == mean {
		return
	}
	summaries, ok := need[[]Summary](e.store, summaryPart{p.run, p.head.layer})
	if !ok {
		return
	}
	c, v := &e.canvas, &p.view
	sums := summaries[p.head.head].Sums
	for y := shown.Min.Y; y < shown.Max.Y; y++ {
		first := int(v.query + float64(y-v.box.Min.Y)/v.scale)
		end := max(int(v.query+float64(y+1-v.box.Min.Y)/v.scale), first+1)
		for query := first; query < min(end, len(sums)); query++ {
			if wrong(sums[query]) {
				c.fill(image.Rect(shown.Min.X-c.px(edgeWidth), y, shown.Min.X, y+1), alarmInk, 0xff)
				break
			}
		}
	}
}

// wrong reports whether a row's weights do not add up: the mask, the scale, the
// rotation or the log-sum-exp is not the one that the model ran with.
func wrong(sum float32) bool { return !(math.Abs(float64(sum)-1) <= 1e-3) }

// drawStrips draws how much each key in sight receives and each query gives, of
// the selection where there is one.
func (e *Explorer) drawStrips(p *pane, shown image.Rectangle) {
	if !p.available() || p.minus.run != nil {
		return
	}
	c, v := &e.canvas, &p.view
	n := len(p.run.Tokens)
	queries, keys, hasKeys := gaze.Span{End: n}, gaze.Span{}, false
	if e.selection && e.selected.Validate(n) == nil {
		queries, keys, hasKeys = e.selected.Queries, e.selected.Keys, true
	}
	height := c.px(stripHeight - 4)
	of := quietInk
	if hasKeys {
		of = foundInk
	}
	received, ok := need[[]float64](e.store, stripPart{p.run, p.head, false, queries})
	if e.rollout {
		if query, is := e.query(); is && p.head.layer != mean {
			received, ok = need[[]float64](e.store, rolloutPart{p.run, p.head.layer, query})
			of = accentInk
		}
	}
	if ok {
		top := slices.Max(received)
		base := shown.Min.Y - c.px(3)
		for x := shown.Min.X; x < shown.Max.X && top > 0; x++ {
			value := greatestOf(received, v.key+float64(x-v.box.Min.X)/v.scale, 1/v.scale)
			c.fill(image.Rect(x, base-int(value/top*float64(height)+0.5), x+1, base), of, 0xff)
		}
	}
	of = quietInk
	var given []float64
	if hasKeys {
		of = foundInk
		given, ok = need[[]float64](e.store, stripPart{p.run, p.head, true, keys})
	} else if p.head.layer != mean && p.head.head != mean {
		var summaries []Summary
		if summaries, ok = need[[]Summary](e.store, summaryPart{p.run, p.head.layer}); ok {
			given = widen(summaries[p.head.head].Spread)
		}
	} else {
		ok = false
	}
	if ok && len(given) > 0 {
		top := slices.Max(given)
		base := shown.Min.X - c.px(edgeWidth)
		for y := shown.Min.Y; y < shown.Max.Y && top > 0; y++ {
			value := greatestOf(given, v.query+float64(y-v.box.Min.Y)/v.scale, 1/v.scale)
			c.fill(image.Rect(base-int(value/top*float64(height)+0.5), y, base, y+1), of, 0xff)
		}
	}
}

func widen(values []float32) []float64 {
	wide := make([]float64, len(values))
	for i, value := range values {
		wide[i] = float64(value)
	}
	return wide
}

// greatestOf returns the greatest of the values of the tokens that a pixel shows.
func greatestOf(values []float64, first, tokens float64) float64 {
	begin := min(max(int(first), 0), len(values)-1)
	end := min(max(int(first+tokens), begin+1), len(values))
	return slices.Max(values[begin:end])
}

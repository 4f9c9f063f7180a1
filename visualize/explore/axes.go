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
		if query, is := e.query(); is && query < n && p.head.layer != mean {
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

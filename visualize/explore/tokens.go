package explore

import (
	"image"
	"image/color"

	"github.com/gazevk/gaze/visualize"
)

// A flow is a run's text broken into lines, of which each token has a piece.
type flow struct {
	run            *Run
	width, density int
	lines          [][]visualize.Piece
}

// flow returns the lines of the text in a box that is so wide.
func (e *Explorer) flow(width int) *flow {
	c := &e.canvas
	width -= 2 * c.px(10)
	if f := e.flowed; f != nil && f.run == e.run && f.width == width && f.density == c.density {
		return f
	}
	e.flowed = &flow{run: e.run, width: width, density: c.density}
	e.flowed.lines = visualize.Flow(e.run.Text, e.run.Tokens, width, c.px(6), func(text string) int { return c.width(textRole, text) })
	return e.flowed
}

// pitch is the height of a line of the text.
func (c *canvas) pitch() int { return c.height(textRole) + c.px(5) }

// linesInSight returns how many lines of the text fit.
func (e *Explorer) linesInSight() int {
	return max((e.layout.text.Dy()-e.canvas.px(12))/e.canvas.pitch(), 1)
}

// drawText draws the tokens as they follow each other, shaded by the attention
// of the query that is pinned or under the mouse.
func (e *Explorer) drawText() {
	c, box := &e.canvas, e.layout.text
	if box.Empty() {
		return
	}
	c.fill(box, panelPaper, 0xff)
	f := e.flow(box.Dx())
	query, ok := e.query()
	var row []float32
	shade := accentInk
	if ok && query < len(e.run.Tokens) && e.shown().end(len(e.run.Layers)) <= e.run.done {
		if e.rollout && e.Layer != mean {
			roll, _ := need[[]float64](e.store, rolloutPart{e.run, e.Layer, query})
			for _, value := range roll {
				row = append(row, float32(value))
			}
		} else {
			row, _ = need[[]float32](e.store, rowPart{e.run, e.shown(), query})
		}
	}
	var top float32
	for _, weight := range row {
		top = max(top, orZero(weight))
	}
	if query != e.textQuery && ok {
		e.textQuery = query
		if !e.mouse.In(box) {
			e.showToken(f, query)
		}
	}
	e.textLine = min(max(e.textLine, 0), max(len(f.lines)-e.linesInSight(), 0))
	y := box.Min.Y + c.px(8)
	for _, line := range f.lines[e.textLine:min(e.textLine+e.linesInSight(), len(f.lines))] {
		for _, p := range line {
			x := box.Min.X + c.px(10) + p.From
			back := image.Rect(x, y, box.Min.X+c.px(10)+p.To, y+c.height(textRole)).Intersect(box)
			var weight float32
			found := false
			for token := p.Token; token < p.Token+p.Count; token++ {
				if top > 0 {
					weight = max(weight, orZero(row[token])/top)
				}
				found = found || e.isFound(token)
			}
			if weight > 0 {
				c.fill(back, shade, uint8(200*weight))
			}
			if found {
				c.fill(image.Rect(back.Min.X, back.Max.Y, back.Max.X, back.Max.Y+c.px(2)), foundInk, 0xff)
			}
			of := ink
			if token := e.run.Tokens[p.Token]; token.First == token.End {
				of = quietInk
			}
			if weight > 0.6 {
				of = color.RGBA{0, 0, 0, 0xff}
			}
			if ok && query >= p.Token && query < p.Token+p.Count {
				c.outline(back.Inset(c.density), c.density, ink)
			}
			c.writeIn(box, textRole, of, p.Text, x, y)
		}
		y += c.pitch()
	}
	if lines := len(f.lines); lines > e.linesInSight() {
		// A bar for how far down this is.
		bar := image.Rect(box.Max.X-c.px(4), box.Min.Y+box.Dy()*e.textLine/lines, box.Max.X, box.Min.Y+box.Dy()*(e.textLine+e.linesInSight())/lines)
		c.fill(bar, lineInk, 0xff)
	}
}

func orZero(weight float32) float32 {
	if weight != weight {
		return 0
	}
	return weight
}

// showToken scrolls the text to a token.
func (e *Explorer) showToken(f *flow, token int) {
	for i, line := range f.lines {
		if last := line[len(line)-1]; last.Token+last.Count > token {
			if i < e.textLine || i >= e.textLine+e.linesInSight() {
				e.textLine = i - e.linesInSight()/2
			}
			return
		}
	}
}

// tokenAt returns the token at a point of the text.
func (e *Explorer) tokenAt(at image.Point) (int, bool) {
	box := e.layout.text
	if e.run == nil || box.Empty() || !at.In(box) {
		return 0, false
	}
	f := e.flow(box.Dx())
	i := e.textLine + (at.Y-box.Min.Y-e.canvas.px(8))/e.canvas.pitch()
	if i < 0 || i >= len(f.lines) {
		return 0, false
	}
	x := at.X - box.Min.X - e.canvas.px(10)
	for _, p := range f.lines[i] {
		if x >= p.From && x < p.To {
			return p.Token + p.Count*(x-p.From)/(p.To-p.From), true
		}
	}
	return 0, false
}

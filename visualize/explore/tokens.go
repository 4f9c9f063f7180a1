package explore

import (
	"image"
	"image/color"
	"slices"
	"strings"
)

// A flow is a run's text broken into lines, of which each token has a piece.
type flow struct {
	run            *Run
	width, density int
	lines          [][]piece
}

// A piece is a token in a line of text, or the several that are bytes of one letter.
type piece struct {
	token    int
	count    int
	text     string
	from, to int // pixels from the left
}

// flow returns the lines of the text in a box that is so wide.
func (e *Explorer) flow(width int) *flow {
	c := &e.canvas
	width -= 2 * c.px(10)
	if f := e.flowed; f != nil && f.run == e.run && f.width == width && f.density == c.density {
		return f
	}
	f := &flow{run: e.run, width: width, density: c.density}
	var line []piece
	x, end := 0, 0
	for i, token := range e.run.Tokens {
		text := token.Label
		if before := len(line) - 1; before >= 0 && token.End > token.First && token.First < end && token.End <= end {
			line[before].count++
			continue
		}
		if token.End > token.First {
			// What lies between two tokens goes with the second: a space, most often,
			// which other tokenizers make a part of it.
			text = e.run.Text[min(end, token.First):token.End]
			end = token.End
		}
		text = strings.Map(spaced, text)
		padding := 0
		if token.End == token.First {
			padding = c.px(6)
		}
		pieceWidth := c.width(textRole, text) + padding
		if x+pieceWidth > width && len(line) > 0 {
			// A word goes to the next line as a whole, if it has not all of this one.
			begins := len(line)
			for begins > 0 && !strings.HasPrefix(text, " ") && !strings.HasPrefix(line[begins-1].text, " ") {
				begins--
			}
			switch {
			case begins == 0 || strings.HasPrefix(text, " "):
				begins = len(line)
			default:
				begins--
			}
			moved := slices.Clone(line[begins:])
			f.lines = append(f.lines, line[:begins])
			line, x = nil, 0
			for _, p := range append(moved, piece{i, 1, text, 0, 0}) {
				if len(line) == 0 {
					p.text = strings.TrimLeft(p.text, " ")
				}
				p.from, p.to = x, x+c.width(textRole, p.text)
				if added := e.run.Tokens[p.token]; added.End == added.First {
					p.to += c.px(6)
				}
				line, x = append(line, p), p.to
			}
			continue
		}
		line = append(line, piece{i, 1, text, x, x + pieceWidth})
		x += pieceWidth
	}
	f.lines = append(f.lines, line)
	e.flowed = f
	return f
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
			x := box.Min.X + c.px(10) + p.from
			back := image.Rect(x, y, box.Min.X+c.px(10)+p.to, y+c.height(textRole)).Intersect(box)
			var weight float32
			found := false
			for token := p.token; token < p.token+p.count; token++ {
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
			if token := e.run.Tokens[p.token]; token.First == token.End {
				of = quietInk
			}
			if weight > 0.6 {
				of = color.RGBA{0, 0, 0, 0xff}
			}
			if ok && query >= p.token && query < p.token+p.count {
				c.outline(back.Inset(c.density), c.density, ink)
			}
			c.writeIn(box, textRole, of, p.text, x, y)
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
		if last := line[len(line)-1]; last.token+last.count > token {
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
		if x >= p.from && x < p.to {
			return p.token + p.count*(x-p.from)/(p.to-p.from), true
		}
	}
	return 0, false
}

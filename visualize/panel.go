package visualize

import (
	"fmt"
	"image"
	"slices"
	"strconv"

	"github.com/gazevk/gaze"
)

// A panel is one map with its axes, ready to be placed.
type panel struct {
	m          *Map
	colors     *ColorMap
	scale      Scale
	r          Range
	automatic  bool // r was not given
	sequences  gaze.Lengths
	pixels     int   // side of a cell
	queryMarks []int // the tokens that have a mark on the axis
	keyMarks   []int
	texts      []string // of all tokens, in place of their numbers; nil: numbers
	labelWidth int      // of the widest label on an axis
	named      bool     // whether the axes have names
}

// prepare checks a picture and fits its map to about size pixels of the layout.
func (p Picture) prepare(t *typesetter, size int) (panel, error) {
	switch {
	case p.Map == nil:
		return panel{}, fmt.Errorf("no map to draw")
	case p.Scale < Log || p.Scale > Gamma:
		return panel{}, fmt.Errorf("map cannot be drawn: unknown %v", p.Scale)
	case p.Map.Measure == Difference && p.Scale == Log:
		return panel{}, fmt.Errorf("map cannot be drawn: differences have no logarithm, so choose the scale linear or gamma")
	}
	if len(p.Sequences) > 0 {
		if err := p.Sequences.Validate(); err != nil {
			return panel{}, fmt.Errorf("map cannot be drawn: %w", err)
		}
		n := p.Sequences.Tokens()
		queries, keys := p.Map.ends()
		if queries > n || keys > n || p.Map.added != nil && (queries < n || keys < n) {
			return panel{}, fmt.Errorf("map cannot be drawn: its sequences hold %d tokens, but it has %d queries and %d keys", n, queries, keys)
		}
	}
	target := t.px(size)
	m, err := p.Map.Shrink(target + target/4)
	if err != nil {
		return panel{}, fmt.Errorf("map cannot be drawn: %w", err)
	}
	result := panel{m: m, scale: p.Scale, r: p.Range, sequences: p.Sequences, colors: &p.ColorMap}
	result.pixels = cellPixels(max(m.Rows, m.Cols), target)
	if p.ColorMap == (ColorMap{}) {
		result.colors = &viridis
		if m.Measure == Difference {
			result.colors = &blueRed
		}
	}
	if p.Range == (Range{}) {
		result.automatic = true
		result.r = AutomaticRange(p.Scale, m)
	}
	if err := result.r.Validate(p.Scale); err != nil {
		return panel{}, fmt.Errorf("map cannot be drawn: %w", err)
	}
	endQuery, endKey := m.ends()
	last := max(endQuery, endKey) - 1
	if len(p.Tokens) > 0 && len(p.Tokens) <= last {
		return panel{}, fmt.Errorf("map cannot be drawn: it has %d tokens, and the texts of %d", last+1, len(p.Tokens))
	}
	step := 1
	if len(p.Tokens) > 0 && result.pixelsPerToken() >= float64(t.height(smallRole)) {
		result.texts = make([]string, len(p.Tokens))
	} else {
		result.labelWidth = t.width(smallRole, strconv.Itoa(last))
		step = TokenStep(result.pixelsPerToken(), result.labelWidth+t.px(40))
	}
	result.queryMarks, result.keyMarks = multiples(step, m.First.Query, endQuery), multiples(step, m.First.Key, endKey)
	for _, token := range slices.Concat(result.queryMarks, result.keyMarks) {
		if result.texts != nil {
			text := t.shorten(smallRole, p.Tokens[token], t.px(longestText))
			result.texts[token] = text
			result.labelWidth = max(result.labelWidth, t.width(smallRole, text))
		}
	}
	return result, nil
}

// label returns what stands on an axis for a token.
func (p panel) label(token int) string {
	if p.texts != nil {
		return p.texts[token]
	}
	return strconv.Itoa(token)
}

// cellPixels returns the whole number of pixels a cell whose multiple by cells
// comes nearest to target, as a ratio, and at least 1.
func cellPixels(cells, target int) int {
	pixels := max(target/cells, 1)
	if pixels*(pixels+1)*cells*cells < target*target {
		pixels++
	}
	return pixels
}

func (p panel) pixelsPerToken() float64 { return float64(p.pixels) / float64(p.m.Cell) }

// size returns the size of the map alone.
func (p panel) size() image.Point { return image.Pt(p.m.Cols*p.pixels, p.m.Rows*p.pixels) }

const (
	axisTick     = 5  // length of a mark on an axis
	axisLabelGap = 4  // from the mark to its number
	axisNameGap  = 10 // from the numbers to the name
	longestText  = 96 // width to which a token's text is cut
)

// left returns the room that the axis of queries needs.
func (p panel) left(t *typesetter) int {
	width := t.px(1+axisTick+axisLabelGap) + p.labelWidth
	if p.named {
		width += t.px(axisNameGap) + t.height(textRole)
	}
	return width
}

// below returns the room that the axis of keys needs.
func (p panel) below(t *typesetter) int {
	height := t.px(1 + axisTick + axisLabelGap)
	if p.texts != nil {
		height += p.labelWidth // they read upwards
	} else {
		height += t.height(smallRole)
	}
	if p.named {
		height += t.px(axisNameGap) + t.height(textRole)
	}
	return height
}

// place adds the panel with the top left corner of its map at the point at.
func (p panel) place(t *typesetter, s *scene, at image.Point) {
	drawn := cells{at, p.m, p.pixels, p.colors, p.scale, p.r, t.density}
	box := drawn.box()
	s.add(drawn, boundaries{drawn, p.sequences}, frame{box, t.density, frameInk})
	for _, token := range p.keyMarks {
		middle := int((float64(token-p.m.First.Key) + 0.5) * p.pixelsPerToken())
		x, y := box.Min.X+middle-t.density/2, box.Max.Y+t.density
		s.add(fill{image.Rect(x, y, x+t.density, y+t.px(axisTick)), frameInk})
		y += t.px(axisTick + axisLabelGap)
		if p.texts != nil {
			s.write(t.verticalLabel(smallRole, ink, p.label(token), box.Min.X+middle, center, y, start))
		} else {
			s.write(t.label(smallRole, ink, p.label(token), box.Min.X+middle, center, y, start))
		}
	}
	for _, token := range p.queryMarks {
		middle := int((float64(token-p.m.First.Query) + 0.5) * p.pixelsPerToken())
		x, y := box.Min.X-t.density, box.Min.Y+middle-t.density/2
		s.add(fill{image.Rect(x-t.px(axisTick), y, x, y+t.density), frameInk})
		x -= t.px(axisTick + axisLabelGap)
		s.write(t.label(smallRole, ink, p.label(token), x, end, box.Min.Y+middle, center))
	}
	if p.named {
		s.write(
			t.label(textRole, ink, "key", (box.Min.X+box.Max.X)/2, center, box.Max.Y+p.below(t), end),
			t.verticalLabel(textRole, ink, "query", box.Min.X-p.left(t), start, (box.Min.Y+box.Max.Y)/2, center))
	}
}

package visualize

import (
	"fmt"
	"image"
	"image/color"
	"io"
	"math"
)

// A ShadedText is a text of which each token has the colour of a value, once or
// several times below one another.
type ShadedText struct {
	Title    string
	Subtitle string
	Text     string
	Tokens   []Token
	Shades   []Shade
	Caption  string // what the values are
	Marked   int    // the token in a frame; -1: none
	Scale    Scale
	Range    Range    // the zero value: see AutomaticRange
	ColorMap ColorMap // the zero value: viridis
	Size     int      // of the width of the lines; 0: DefaultSize
	Density  int      // as in Picture
}

// A Shade is a value for each token of a text, finite and not below 0. What has 0
// has no colour.
type Shade struct {
	Name   string // above the text; may be empty
	Values []float64
}

// Draw returns the picture, or what makes it impossible to draw.
func (x ShadedText) Draw() (*image.RGBA, error) {
	density, err := checkSize(&x.Size, DefaultSize, x.Density)
	if err != nil {
		return nil, err
	}
	t, err := newTypesetter(density)
	if err != nil {
		return nil, err
	}
	s, err := x.layout(t)
	if err != nil {
		return nil, err
	}
	if s.size.X > largestPixels*largestPixels/s.size.Y {
		return nil, fmt.Errorf("text of %d x %d pixels: choose a smaller density", s.size.X, s.size.Y)
	}
	return s.draw(t), nil
}

// WriteSVG writes the picture as SVG, as Picture.WriteSVG does.
func (x ShadedText) WriteSVG(w io.Writer) error {
	density, err := checkSize(&x.Size, DefaultSize, x.Density)
	if err != nil {
		return err
	}
	return writeSVG(w, density, x.layout)
}

const (
	linePadding    = 3   // above and below the letters of a line
	lineGap        = 3   // between the colours of two lines
	shadeGap       = 12  // between two shades
	shortestBar    = 180 // of a few lines of text
	longestBar     = 480
	paddingOfToken = 6 // behind one that stands for no text
)

// markInk frames a token. No colour map has it.
var markInk = color.RGBA{0xd5, 0x1e, 0x00, 0xff}

// values returns the values as a map of a row a shade, for all that has to do with colours.
func (x ShadedText) values() (panel, error) {
	if len(x.Tokens) == 0 || len(x.Shades) == 0 || x.Marked >= len(x.Tokens) {
		return panel{}, fmt.Errorf("text of %d tokens cannot be shaded %d times with token %d in a frame", len(x.Tokens), len(x.Shades), x.Marked)
	}
	m := newMap(len(x.Shades), len(x.Tokens), 1, Weight, MaxPooling)
	for row, shade := range x.Shades {
		if len(shade.Values) != len(x.Tokens) {
			return panel{}, fmt.Errorf("text of %d tokens cannot be shaded by %d values", len(x.Tokens), len(shade.Values))
		}
		for token, value := range shade.Values {
			if !(value >= 0) || math.IsInf(value, 0) {
				return panel{}, fmt.Errorf("text cannot be shaded: token %d has %v, expected a finite number from 0", token, value)
			}
			m.values[row*m.Cols+token], m.visible[row*m.Cols+token] = value, value > 0
		}
	}
	p := panel{m: m, colors: &x.ColorMap, scale: x.Scale, r: x.Range}
	if x.ColorMap == (ColorMap{}) {
		p.colors = &viridis
	}
	if p.automatic = x.Range == (Range{}); p.automatic {
		p.r = AutomaticRange(x.Scale, m)
	}
	return p, p.r.Validate(x.Scale)
}

func (x ShadedText) layout(t *typesetter) (*scene, error) {
	p, err := x.values()
	if err != nil {
		return nil, err
	}
	lines := Flow(x.Text, x.Tokens, t.px(x.Size), t.px(paddingOfToken), func(text string) int { return t.width(textRole, text) })
	width := t.px(smallestWidth)
	for _, line := range lines {
		width = max(width, line[len(line)-1].To)
	}
	pitch := t.height(textRole) + 2*t.px(linePadding) + t.px(lineGap)
	nameHeight := t.height(smallRole) + t.px(lineGap)
	height := (len(x.Shades) - 1) * t.px(shadeGap)
	for _, shade := range x.Shades {
		height += len(lines) * pitch
		if shade.Name != "" {
			height += nameHeight
		}
	}
	b := t.newBar(p, []*Map{p.m}, min(max(height, t.px(shortestBar)), t.px(longestBar)), false)
	b.caption = t.shorten(textRole, fmt.Sprintf("%s, %v scale", x.Caption, x.Scale), b.height)
	s := &scene{}
	left := t.px(margin)
	right := left + width + t.px(barGap) + b.width(t)
	y := placeHeader(t, s, header{titleRole, x.Title, x.Subtitle, ""}, left, t.px(margin), right)
	b.place(t, s, left+width+t.px(barGap), y)
	below := y + max(height, b.height)
	var marks []shape // over all others
	for _, shade := range x.Shades {
		if shade.Name != "" {
			s.write(t.label(smallRole, quietInk, t.shorten(smallRole, shade.Name, width), left, start, y, start))
			y += nameHeight
		}
		for _, line := range lines {
			marks = append(marks, x.place(t, s, p, shade.Values, line, image.Pt(left, y))...)
			y += pitch
		}
		y += t.px(shadeGap)
	}
	s.add(marks...)
	var items []legendItem
	if x.Marked >= 0 {
		items = append(items, legendItem{func(box image.Rectangle) shape { return frame{box.Inset(t.px(2)), t.px(2), markInk} }, fmt.Sprintf("token %d", x.Marked)})
	}
	y = placeLegend(t, s, append(items, rangeItem(p)), left, below+t.px(18), right)
	s.size = image.Pt(right+t.px(margin), y+t.px(margin))
	return s, nil
}

// place adds a line with one shade, and returns the frame of what is marked in it.
func (x ShadedText) place(t *typesetter, s *scene, p panel, values []float64, line []Piece, at image.Point) (marks []shape) {
	for _, piece := range line {
		box := image.Rect(at.X+piece.From, at.Y, at.X+piece.To, at.Y+t.height(textRole)+2*t.px(linePadding))
		var value float64
		for token := piece.Token; token < piece.Token+piece.Count; token++ {
			value = max(value, values[token])
			if token == x.Marked {
				marks = append(marks, frame{box.Inset(t.px(1)), t.px(2), markInk})
			}
		}
		of := ink
		if value > 0 {
			shade := p.colors.At(p.scale.Position(value, p.r))
			s.add(fill{box, shade})
			of = inkOn(shade)
		}
		s.write(t.label(textRole, of, piece.Text, box.Min.X, start, at.Y+t.px(linePadding), start))
	}
	return marks
}

// inkOn returns the ink that is read best on a paper: the one of the greater contrast.
func inkOn(paperColor color.RGBA) color.RGBA {
	// Relative luminance, of which a contrast is the ratio (WCAG 2): of the two inks, 0.2 lies in the middle.
	linear := func(c uint8) float64 { return math.Pow(float64(c)/0xff, 2.2) }
	if 0.2126*linear(paperColor.R)+0.7152*linear(paperColor.G)+0.0722*linear(paperColor.B) < 0.2 {
		return paper
	}
	return ink
}

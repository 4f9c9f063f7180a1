package visualize

import (
	"fmt"
	"image"

	"github.com/gazevk/gaze"
)

// A Picture is one map with everything a reader needs to understand it: title,
// axes, colour bar, legend. Only Map must be set.
type Picture struct {
	Map       *Map
	Title     string
	Subtitle  string
	Scale     Scale
	Range     Range        // the zero value: see AutomaticRange
	ColorMap  ColorMap     // the zero value: viridis, of differences blue_red
	Sequences gaze.Lengths // packed sequences, to draw their boundaries; may be empty
	Tokens    []string     // the text of each query and key, drawn on the axes where there is room; may be empty
	Size      int          // about the side of the map; 0: DefaultSize
	Density   int          // pixels of the picture per pixel of the layout; 0: 1
}

// DefaultSize is the Size of a picture that gives none.
const DefaultSize = 896

const (
	smallestSize  = 32
	largestPixels = 8192 // of Size times Density; a montage has at most its square
	margin        = 28   // around everything
	barGap        = 26   // between a map and its colour bar
	smallestWidth = 440  // of title and legend, however small the map is
)

// Draw returns the picture. A map of more cells than fit is pooled further. It
// reports what makes the map impossible to draw: rows that were never added, a
// scale that its values or its range have no place on.
func (p Picture) Draw() (*image.RGBA, error) {
	density, err := checkSize(&p.Size, DefaultSize, p.Density)
	if err != nil {
		return nil, err
	}
	t, err := newTypesetter(density)
	if err != nil {
		return nil, err
	}
	s, err := p.layout(t)
	if err != nil {
		return nil, err
	}
	return s.draw(t), nil
}

// checkSize replaces a size of 0 and returns the density, both within bounds.
func checkSize(size *int, defaultSize, density int) (int, error) {
	if *size == 0 {
		*size = defaultSize
	}
	if density == 0 {
		density = 1
	}
	return density, CheckSize(*size, density)
}

// CheckSize reports a size and a density that no picture can have.
func CheckSize(size, density int) error {
	if size < smallestSize || density < 1 || size > largestPixels/density {
		return fmt.Errorf("map of size %d at density %d: the size must be at least %d, the density at least 1, their product at most %d",
			size, density, smallestSize, largestPixels)
	}
	return nil
}

func (p Picture) layout(t *typesetter) (*scene, error) {
	plot, err := p.prepare(t, p.Size)
	if err != nil {
		return nil, err
	}
	plot.named = true
	size := plot.size()
	bar := t.newBar(plot, []*Map{plot.m}, size.Y, true)
	s := &scene{}

	left := t.px(margin) + plot.left(t)
	right := left + max(size.X+t.px(barGap)+bar.width(t), t.px(smallestWidth))
	badge := ""
	if plot.m.Cell > 1 {
		badge = plot.m.String()
	}
	y := placeHeader(t, s, header{titleRole, p.Title, p.Subtitle, badge}, left, t.px(margin), right)

	at := image.Pt(left, y)
	plot.place(t, s, at)
	bar.place(t, s, at.X+size.X+t.px(barGap), at.Y)

	items := append(newLegend(t, []panel{plot}), rangeItem(plot))
	y = placeLegend(t, s, items, left, at.Y+size.Y+plot.below(t)+t.px(18), right)
	s.size = image.Pt(right+t.px(margin), y+t.px(margin))
	return s, nil
}

// A header is the text above a map. Its parts may be empty.
type header struct {
	role            role // of the title
	title, subtitle string
	badge           string // in a pill at the right
}

// height returns the height of a header that may be width wide.
func (h header) height(t *typesetter, width int) int {
	return placeHeader(t, &scene{}, h, 0, 0, width)
}

// placeHeader adds a header between left and right, from y downwards, and
// returns the y of what comes below.
func placeHeader(t *typesetter, s *scene, h header, left, y, right int) int {
	titleRight := right
	if h.badge != "" {
		textBox := t.label(smallRole, quietInk, h.badge, right-t.px(10), end, y+t.height(h.role)/2, center)
		box := textBox.box.Inset(-t.px(3))
		box.Min.X, box.Max.X = box.Min.X-t.px(7), box.Max.X+t.px(7)
		s.add(pill{box, badgePaper})
		s.write(textBox)
		titleRight = box.Min.X - t.px(16)
	}
	top := y
	for _, line := range t.wrap(h.role, h.title, titleRight-left, 3) {
		s.write(t.label(h.role, ink, line, left, start, y, start))
		y += t.height(h.role)
	}
	if h.badge != "" {
		y = max(y, top+t.height(h.role))
	}
	if h.subtitle != "" && y > top {
		y += t.px(4)
	}
	below := textRole
	if h.role == captionRole {
		below = smallRole
	}
	for _, line := range t.wrap(below, h.subtitle, right-left, 3) {
		s.write(t.label(below, quietInk, line, left, start, y, start))
		y += t.height(below)
	}
	if y > top {
		y += t.height(h.role) * 3 / 4
	}
	return y
}

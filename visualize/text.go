package visualize

import (
	"image"
	"image/color"
	"image/draw"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"

	"github.com/gazevk/gaze/visualize/internal/faces"
)

// A role is what a text is for, which decides its size and weight.
type role int

const (
	titleRole   role = iota // of a picture or a montage
	captionRole             // of one map in a montage
	textRole                // subtitles, names of axes
	smallRole               // numbers on axes, legends
	roleCount
)

// A typesetter measures and draws text at one density. It serves one goroutine.
type typesetter struct {
	density int
	faces   [roleCount]font.Face
}

// rolePixels are the sizes of texts at density 1.
var rolePixels = [roleCount]float64{titleRole: 20, captionRole: 14, textRole: 14, smallRole: 12}

// CheckFonts reports fonts that GAZE_FONTS names and that cannot be read, which every
// picture would report.
func CheckFonts() error { return faces.Check() }

func newTypesetter(density int) (*typesetter, error) {
	t := &typesetter{density: density}
	for r, pixels := range rolePixels {
		weight := faces.Regular
		if role(r) == titleRole || role(r) == captionRole {
			weight = faces.Medium
		}
		var err error
		if t.faces[r], err = faces.New(weight, pixels*float64(density), font.HintingNone); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// px scales a length of the layout to pixels.
func (t *typesetter) px(length int) int { return length * t.density }

// width returns the advance of text.
func (t *typesetter) width(r role, text string) int {
	return font.MeasureString(t.faces[r], text).Ceil()
}

// height returns the height of a line, from the top of its ascenders to the
// bottom of its descenders.
func (t *typesetter) height(r role) int {
	metrics := t.faces[r].Metrics()
	return metrics.Ascent.Ceil() + metrics.Descent.Ceil()
}

// wrap breaks text between words into at most maxLines lines no wider than
// width. What does not fit ends in an ellipsis.
func (t *typesetter) wrap(r role, text string, width, maxLines int) []string {
	var lines []string
	line := ""
	words := strings.Fields(text)
	for i, word := range words {
		longer := strings.TrimPrefix(line+" "+word, " ")
		if line == "" || t.width(r, longer) <= width {
			line = longer
			continue
		}
		if len(lines) == maxLines-1 {
			line = strings.Join(append([]string{line}, words[i:]...), " ")
			break
		}
		lines = append(lines, t.shorten(r, line, width))
		line = word
	}
	if line == "" {
		return lines
	}
	return append(lines, t.shorten(r, line, width))
}

// shorten cuts text to width, with an ellipsis where anything is cut.
func (t *typesetter) shorten(r role, text string, width int) string {
	if t.width(r, text) <= width {
		return text
	}
	letters := []rune(text)
	for len(letters) > 0 {
		letters = letters[:len(letters)-1]
		if short := strings.TrimRight(string(letters), " ") + "…"; t.width(r, short) <= width {
			return short
		}
	}
	return ""
}

// A label is a line of text and the box that it fills.
type label struct {
	text     string
	role     role
	color    color.RGBA
	box      image.Rectangle
	vertical bool // reads upwards
}

// An alignment says which part of a box lies at its anchor.
type alignment int

const (
	start  alignment = iota // left or top
	center                  // middle
	end                     // right or bottom
)

// label places a line of text with its anchor at (x, y).
func (t *typesetter) label(r role, ink color.RGBA, text string, x int, across alignment, y int, down alignment) label {
	return label{text, r, ink, anchored(t.width(r, text), t.height(r), x, across, y, down), false}
}

// verticalLabel is label for text that reads upwards.
func (t *typesetter) verticalLabel(r role, ink color.RGBA, text string, x int, across alignment, y int, down alignment) label {
	return label{text, r, ink, anchored(t.height(r), t.width(r, text), x, across, y, down), true}
}

func anchored(width, height, x int, across alignment, y int, down alignment) image.Rectangle {
	x -= width * int(across) / 2
	y -= height * int(down) / 2
	return image.Rect(x, y, x+width, y+height)
}

func (t *typesetter) draw(dst *image.RGBA, l label) {
	face := t.faces[l.role]
	ink := image.NewUniform(l.color)
	ascent := fixed.I(face.Metrics().Ascent.Ceil())
	if !l.vertical {
		dot := fixed.Point26_6{X: fixed.I(l.box.Min.X), Y: fixed.I(l.box.Min.Y) + ascent}
		d := font.Drawer{Dst: dst, Src: ink, Face: face, Dot: dot}
		d.DrawString(l.text)
		return
	}
	level := image.NewAlpha(image.Rect(0, 0, l.box.Dy(), l.box.Dx()))
	d := font.Drawer{Dst: level, Src: image.Opaque, Face: face, Dot: fixed.Point26_6{Y: ascent}}
	d.DrawString(l.text)
	turned := image.NewAlpha(image.Rect(0, 0, l.box.Dx(), l.box.Dy()))
	for y := range turned.Rect.Dy() {
		for x := range turned.Rect.Dx() {
			turned.SetAlpha(x, y, level.AlphaAt(turned.Rect.Dy()-1-y, x))
		}
	}
	draw.DrawMask(dst, l.box, ink, image.Point{}, turned, image.Point{}, draw.Over)
}

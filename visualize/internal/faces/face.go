// Package faces sets text in the fonts that the program carries, and what they
// lack in fonts of the system.
//
// The Go fonts have Latin, Greek and Cyrillic. A letter that they lack is taken
// from a font of the system that has it, on the same baseline and of the same
// size, or smaller where it would reach out of the line; a letter that no font has
// is the box of the Go fonts. Letters stand one after another in the order of the
// text: nothing joins those of Arabic, puts vowels before their consonants, or
// turns what is read from right to left.
package faces

import (
	"fmt"
	"image"
	"sync"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// A Weight is how bold text is.
type Weight int

const (
	Regular Weight = iota
	Medium
	weightCount
)

// The Go fonts, by Bigelow & Holmes, under the BSD license of the Go project.
var carried = [weightCount]func() (*opentype.Font, error){
	Regular: sync.OnceValues(func() (*opentype.Font, error) { return opentype.Parse(goregular.TTF) }),
	Medium:  sync.OnceValues(func() (*opentype.Font, error) { return opentype.Parse(gomedium.TTF) }),
}

// Known reports whether some font has a glyph of r that can be seen.
func Known(r rune) bool {
	regular, err := carried[Regular]()
	return err == nil && (has(regular, r) || !blank(r) && system.find(r) != nil)
}

// blank reports whether a glyph of r may be without a mark: spaces, and what only
// says how its neighbours join or look.
func blank(r rune) bool {
	return unicode.In(r, unicode.Zs, unicode.Cf, unicode.Variation_Selector)
}

func has(f *opentype.Font, r rune) bool {
	index, err := f.GlyphIndex(nil, r)
	return err == nil && index != 0
}

// A face is a Go font of one size, with what it lacks. Its metrics are the Go
// font's, and so is its kerning. It serves one goroutine.
type face struct {
	font.Face
	font    *opentype.Font
	pixels  float64
	library *library
	others  map[rune]other
}

// An other is a letter of another font, in a size: nil if there is none.
type other struct {
	*outline
	size float32
}

// New returns a face whose em has so many pixels. What [Check] reports is an error.
func New(weight Weight, pixels float64, hinting font.Hinting) (font.Face, error) {
	if err := Check(); err != nil {
		return nil, err
	}
	return newFace(&system, weight, pixels, hinting)
}

func newFace(l *library, weight Weight, pixels float64, hinting font.Hinting) (*face, error) {
	parsed, err := carried[weight]()
	if err != nil {
		return nil, fmt.Errorf("cannot read the embedded font: %w", err)
	}
	f := &face{font: parsed, pixels: pixels, library: l, others: map[rune]other{}}
	// At 72 dots per inch a point is a pixel.
	if f.Face, err = opentype.NewFace(parsed, &opentype.FaceOptions{Size: pixels, DPI: 72, Hinting: hinting}); err != nil {
		return nil, fmt.Errorf("cannot use the embedded font: %w", err)
	}
	return f, nil
}

// other returns r of another font if the Go font lacks it, in a size in which it keeps
// within the line; or nothing if that would be far too small. It may hang an eighth of an
// em below: letters of Thai and Devanagari do, and one that is smaller than its neighbours
// is harder to read than one in the gap between two lines.
func (f *face) other(r rune) (o other) {
	if o, ok := f.others[r]; ok {
		return o
	}
	defer func() { f.others[r] = o }()
	if has(f.font, r) {
		return other{}
	}
	found := f.library.find(r)
	if found == nil {
		return other{}
	}
	metrics := f.Metrics()
	top, bottom := -fixed.I(metrics.Ascent.Ceil()), metrics.Descent+fixed.Int26_6(f.pixels*64/8)
	for size := f.pixels; size > f.pixels/4; size *= 0.9 {
		if box := found.box(float32(size)); box.Min.Y >= top && box.Max.Y <= bottom {
			return other{found, float32(size)}
		}
	}
	return other{}
}

// width is the advance of the letter.
func (o other) width() fixed.Int26_6 { return fixed.Int26_6(64*o.size*o.outline.advance + 0.5) }

func (f *face) Glyph(dot fixed.Point26_6, r rune) (image.Rectangle, image.Image, image.Point, fixed.Int26_6, bool) {
	o := f.other(r)
	if o.outline == nil {
		return f.Face.Glyph(dot, r)
	}
	mask, first := o.draw(o.size, dot)
	return mask.Rect.Add(first), mask, image.Point{}, o.width(), true
}

func (f *face) GlyphBounds(r rune) (fixed.Rectangle26_6, fixed.Int26_6, bool) {
	if o := f.other(r); o.outline != nil {
		return o.box(o.size), o.width(), true
	}
	return f.Face.GlyphBounds(r)
}

func (f *face) GlyphAdvance(r rune) (fixed.Int26_6, bool) {
	if o := f.other(r); o.outline != nil {
		return o.width(), true
	}
	return f.Face.GlyphAdvance(r)
}

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
	options opentype.FaceOptions
	library *library
	chosen  map[rune]font.Face
	others  map[fitted]font.Face
}

// A fitted is a font of the system in a size.
type fitted struct {
	font *opentype.Font
	size float64
}

// New returns a face whose em has so many pixels.
func New(weight Weight, pixels float64, hinting font.Hinting) (font.Face, error) {
	return newFace(&system, weight, pixels, hinting)
}

func newFace(l *library, weight Weight, pixels float64, hinting font.Hinting) (*face, error) {
	parsed, err := carried[weight]()
	if err != nil {
		return nil, fmt.Errorf("cannot read the embedded font: %w", err)
	}
	// At 72 dots per inch a point is a pixel.
	f := &face{font: parsed, options: opentype.FaceOptions{Size: pixels, DPI: 72, Hinting: hinting}, library: l,
		chosen: map[rune]font.Face{}, others: map[fitted]font.Face{}}
	if f.Face, err = opentype.NewFace(parsed, &f.options); err != nil {
		return nil, fmt.Errorf("cannot use the embedded font: %w", err)
	}
	return f, nil
}

// of returns the face that has r.
func (f *face) of(r rune) font.Face {
	if chosen, ok := f.chosen[r]; ok {
		return chosen
	}
	chosen := f.Face
	if !has(f.font, r) {
		if other := f.library.find(r); other != nil {
			if smaller := f.fit(other, r); smaller != nil {
				chosen = smaller
			}
		}
	}
	f.chosen[r] = chosen
	return chosen
}

// fit returns the face of another font in which r keeps within the line, or nil if
// that would be far too small. It may hang an eighth of an em below: letters of Thai
// and Devanagari do, and one that is smaller than its neighbours is harder to read than
// one in the gap between two lines.
func (f *face) fit(other *opentype.Font, r rune) font.Face {
	metrics := f.Metrics()
	top, bottom := -fixed.I(metrics.Ascent.Ceil()), metrics.Descent+fixed.Int26_6(f.options.Size*64/8)
	for size := f.options.Size; size > f.options.Size/4; size *= 0.9 {
		key := fitted{other, size}
		if f.others[key] == nil {
			options := f.options
			options.Size = size
			made, err := opentype.NewFace(other, &options)
			if err != nil {
				return nil
			}
			f.others[key] = made
		}
		bounds, advance, ok := f.others[key].GlyphBounds(r)
		if !ok || !sound(bounds, advance, size) {
			return nil
		}
		if bounds.Min.Y >= top && bounds.Max.Y <= bottom {
			return f.others[key]
		}
	}
	return nil
}

// mostEms is how wide and how high the glyph of a font that is not damaged may be.
const mostEms = 16

// sound reports whether a glyph in a size has measures to be believed.
func sound(bounds fixed.Rectangle26_6, advance fixed.Int26_6, size float64) bool {
	most := fixed.Int26_6(mostEms * size * 64)
	within := fixed.Rectangle26_6{Min: fixed.Point26_6{X: -most, Y: -most}, Max: fixed.Point26_6{X: most, Y: most}}
	return bounds.In(within) && advance >= 0 && advance <= most
}

func (f *face) Glyph(dot fixed.Point26_6, r rune) (image.Rectangle, image.Image, image.Point, fixed.Int26_6, bool) {
	return f.of(r).Glyph(dot, r)
}

func (f *face) GlyphBounds(r rune) (fixed.Rectangle26_6, fixed.Int26_6, bool) {
	return f.of(r).GlyphBounds(r)
}

func (f *face) GlyphAdvance(r rune) (fixed.Int26_6, bool) {
	return f.of(r).GlyphAdvance(r)
}

package explore

import (
	"image"
	"image/color"
	"image/draw"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"

	"github.com/gazevk/gaze/visualize/internal/faces"
)

// Colours of the window. What is masked is of the same grey, and not of any
// colour map.
var (
	paper      = color.RGBA{0x15, 0x17, 0x1c, 0xff}
	panelPaper = color.RGBA{0x1f, 0x22, 0x29, 0xff}
	fieldPaper = color.RGBA{0x0e, 0x10, 0x13, 0xff}
	lineInk    = color.RGBA{0x3a, 0x40, 0x4a, 0xff}
	ink        = color.RGBA{0xe8, 0xea, 0xed, 0xff}
	quietInk   = color.RGBA{0x9b, 0xa5, 0xb1, 0xff}
	accentInk  = color.RGBA{0xff, 0xb4, 0x54, 0xff}
	alarmInk   = color.RGBA{0xff, 0x4f, 0x4f, 0xff}
	foundInk   = color.RGBA{0x5c, 0xd6, 0xff, 0xff}
	maskPaper  = color.RGBA{0x2b, 0x2f, 0x36, 0xff}
	maskInk    = color.RGBA{0x3a, 0x40, 0x4a, 0xff}
)

// A role is what a text is for.
type role int

const (
	smallRole role = iota // numbers, labels
	textRole
	titleRole
	roleCount
)

var rolePixels = [roleCount]float64{smallRole: 12, textRole: 14, titleRole: 17}

// A typeface has the glyphs of one role at one density, as masks.
type typeface struct {
	face            font.Face
	ascent, descent int
	glyphs          map[rune]glyph
}

type glyph struct {
	mask    *image.Alpha // its bounds are relative to the pen
	advance fixed.Int26_6
}

// A canvas is a frame, and what draws on it.
type canvas struct {
	shown   Frame
	img     *image.NRGBA // what is over its maps
	density int
	faces   [roleCount]*typeface
	lookups []uint32  // columns and rows of the frame's maps
	known   []*levels // of the colorings used last
}

// resize makes the canvas so large.
func (c *canvas) resize(width, height, density int) error {
	if c.img == nil || c.img.Rect.Dx() != width || c.img.Rect.Dy() != height {
		c.img = image.NewNRGBA(image.Rect(0, 0, width, height))
	}
	if density == c.density {
		return nil
	}
	c.density = density
	for r := range roleCount {
		weight := faces.Regular
		if r == titleRole {
			weight = faces.Medium
		}
		face, err := faces.New(weight, rolePixels[r]*float64(density), font.HintingFull)
		if err != nil {
			return err
		}
		metrics := face.Metrics()
		c.faces[r] = &typeface{face, metrics.Ascent.Ceil(), metrics.Descent.Ceil(), map[rune]glyph{}}
	}
	return nil
}

// px scales a length of the layout to pixels.
func (c *canvas) px(length int) int { return length * c.density }

func (f *typeface) glyph(r rune) glyph {
	if g, ok := f.glyphs[r]; ok {
		return g
	}
	// What no font has is drawn as the box for that.
	bounds, source, at, advance, _ := f.face.Glyph(fixed.Point26_6{}, r)
	mask := image.NewAlpha(bounds)
	if !bounds.Empty() {
		draw.Draw(mask, bounds, source, at, draw.Src)
	}
	g := glyph{mask, advance}
	f.glyphs[r] = g
	return g
}

// width returns the advance of a text in pixels.
func (c *canvas) width(r role, text string) int {
	var sum fixed.Int26_6
	for _, letter := range text {
		sum += c.faces[r].glyph(letter).advance
	}
	return sum.Ceil()
}

// height returns the height of a line.
func (c *canvas) height(r role) int { return c.faces[r].ascent + c.faces[r].descent }

// shorten cuts a text to a width, with an ellipsis where anything is cut.
func (c *canvas) shorten(r role, text string, width int) string {
	if c.width(r, text) <= width {
		return text
	}
	room := fixed.I(width) - c.faces[r].glyph('…').advance
	for i, letter := range text {
		if room -= c.faces[r].glyph(letter).advance; room < 0 {
			if i == 0 {
				return ""
			}
			return text[:i] + "…"
		}
	}
	return text
}

// write draws a line of text with the top left corner of its box at (x, y), and
// returns where it ends.
func (c *canvas) write(r role, of color.RGBA, text string, x, y int) int {
	return c.writeIn(c.img.Rect, r, of, text, x, y)
}

// writeIn is write within a box.
func (c *canvas) writeIn(clip image.Rectangle, r role, of color.RGBA, text string, x, y int) int {
	f := c.faces[r]
	pen := fixed.I(x)
	for _, letter := range text {
		g := f.glyph(letter)
		c.stencil(clip, g.mask, image.Pt(pen.Round(), y+f.ascent), of)
		pen += g.advance
	}
	return pen.Ceil()
}

// writeUp draws text that reads upwards, its box ending at (x, y) at the bottom left.
func (c *canvas) writeUp(r role, of color.RGBA, text string, x, y int) {
	f := c.faces[r]
	pen := fixed.I(0)
	for _, letter := range text {
		g := f.glyph(letter)
		for gy := g.mask.Rect.Min.Y; gy < g.mask.Rect.Max.Y; gy++ {
			for gx := g.mask.Rect.Min.X; gx < g.mask.Rect.Max.X; gx++ {
				c.blend(x+f.ascent+gy, y-pen.Round()-gx, of, g.mask.AlphaAt(gx, gy).A)
			}
		}
		pen += g.advance
	}
}

// stencil draws a colour through a mask whose origin is at the point at.
func (c *canvas) stencil(clip image.Rectangle, mask *image.Alpha, at image.Point, of color.RGBA) {
	box := mask.Rect.Add(at).Intersect(clip).Intersect(c.img.Rect)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		line := mask.Pix[mask.PixOffset(box.Min.X-at.X, y-at.Y):]
		for x := box.Min.X; x < box.Max.X; x++ {
			if coverage := line[x-box.Min.X]; coverage != 0 {
				c.blend(x, y, of, coverage)
			}
		}
	}
}

// blend lays an opaque colour over a pixel that it covers in part.
func (c *canvas) blend(x, y int, of color.RGBA, coverage uint8) {
	if !(image.Point{X: x, Y: y}).In(c.img.Rect) || coverage == 0 {
		return
	}
	pixel := (*[4]byte)(c.img.Pix[c.img.PixOffset(x, y):])
	if under := uint32(pixel[3]); under < 0xff { // a map shows through
		rest := under * (255 - uint32(coverage)) / 255
		sum := uint32(coverage) + rest
		for i, over := range [3]uint8{of.R, of.G, of.B} {
			pixel[i] = uint8((uint32(pixel[i])*rest + uint32(over)*uint32(coverage) + sum/2) / sum)
		}
		pixel[3] = uint8(sum)
		return
	}
	alpha := uint32(coverage) + uint32(coverage>>7) // of 256
	for i, over := range [3]uint8{of.R, of.G, of.B} {
		pixel[i] = uint8((uint32(pixel[i])*(256-alpha) + uint32(over)*alpha) >> 8)
	}
}

// fill draws a box, of an opacity of 0 to 255.
func (c *canvas) fill(box image.Rectangle, of color.RGBA, opacity uint8) {
	box = box.Intersect(c.img.Rect)
	if box.Empty() {
		return
	}
	if opacity < 0xff {
		for y := box.Min.Y; y < box.Max.Y; y++ {
			for x := box.Min.X; x < box.Max.X; x++ {
				c.blend(x, y, of, opacity)
			}
		}
		return
	}
	first := c.img.Pix[c.img.PixOffset(box.Min.X, box.Min.Y):][:4*box.Dx()]
	for i := 0; i < len(first); i += 4 {
		*(*[4]byte)(first[i:]) = [4]byte{of.R, of.G, of.B, 0xff}
	}
	for y := box.Min.Y + 1; y < box.Max.Y; y++ {
		copy(c.img.Pix[c.img.PixOffset(box.Min.X, y):], first)
	}
}

// outline draws a line of some width around a box, outside of it.
func (c *canvas) outline(box image.Rectangle, width int, of color.RGBA) {
	outer := box.Inset(-width)
	c.fill(image.Rect(outer.Min.X, outer.Min.Y, outer.Max.X, box.Min.Y), of, 0xff)
	c.fill(image.Rect(outer.Min.X, box.Max.Y, outer.Max.X, outer.Max.Y), of, 0xff)
	c.fill(image.Rect(outer.Min.X, box.Min.Y, box.Min.X, box.Max.Y), of, 0xff)
	c.fill(image.Rect(box.Max.X, box.Min.Y, outer.Max.X, box.Max.Y), of, 0xff)
}

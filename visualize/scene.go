package visualize

import (
	"image"
	"image/color"
	"image/draw"
)

var (
	paper       = color.RGBA{0xff, 0xff, 0xff, 0xff}
	ink         = color.RGBA{0x1b, 0x1f, 0x24, 0xff}
	quietInk    = color.RGBA{0x57, 0x60, 0x6a, 0xff}
	frameInk    = color.RGBA{0x6e, 0x77, 0x81, 0xff}
	badgePaper  = color.RGBA{0xea, 0xee, 0xf2, 0xff}
	maskPaper   = color.RGBA{0xee, 0xee, 0xee, 0xff}
	maskInk     = color.RGBA{0xd9, 0xd9, 0xd9, 0xff}
	gridInk     = color.RGBA{0x40, 0x40, 0x40, 0x40} // premultiplied white, a quarter opaque
	boundaryInk = color.RGBA{0x1b, 0x1f, 0x24, 0xff}
)

// A scene is a layout: what a picture shows and where, before a pixel is drawn.
type scene struct {
	size   image.Point
	shapes []shape // in drawing order, all below the labels
	labels []label
}

type shape interface {
	draw(dst *image.RGBA)
	vector(s *svg)
}

func (s *scene) add(shapes ...shape)   { s.shapes = append(s.shapes, shapes...) }
func (s *scene) write(labels ...label) { s.labels = append(s.labels, labels...) }

func (s *scene) draw(t *typesetter) *image.RGBA {
	dst := image.NewRGBA(image.Rectangle{Max: s.size})
	fill{dst.Rect, paper}.draw(dst)
	for _, shape := range s.shapes {
		shape.draw(dst)
	}
	for _, l := range s.labels {
		t.draw(dst, l)
	}
	return dst
}

// A fill is a box of one colour.
type fill struct {
	box   image.Rectangle
	color color.RGBA
}

func (f fill) draw(dst *image.RGBA) {
	draw.Draw(dst, f.box, image.NewUniform(f.color), image.Point{}, draw.Over)
}

// A frame is a line of some width around a box, outside of it.
type frame struct {
	box   image.Rectangle
	width int
	color color.RGBA
}

// sides returns the boxes that make up f.
func (f frame) sides() [4]image.Rectangle {
	outer := f.box.Inset(-f.width)
	return [4]image.Rectangle{
		image.Rect(outer.Min.X, outer.Min.Y, outer.Max.X, f.box.Min.Y),
		image.Rect(outer.Min.X, f.box.Max.Y, outer.Max.X, outer.Max.Y),
		image.Rect(outer.Min.X, f.box.Min.Y, f.box.Min.X, f.box.Max.Y),
		image.Rect(f.box.Max.X, f.box.Min.Y, outer.Max.X, f.box.Max.Y),
	}
}

func (f frame) draw(dst *image.RGBA) {
	for _, side := range f.sides() {
		fill{side, f.color}.draw(dst)
	}
}

// A pill is a box with round ends.
type pill struct {
	box   image.Rectangle
	color color.RGBA
}

func (p pill) draw(dst *image.RGBA) {
	const samples = 4 // along either side of a pixel
	radius := float64(p.box.Dy()) / 2
	for y := p.box.Min.Y; y < p.box.Max.Y; y++ {
		for x := p.box.Min.X; x < p.box.Max.X; x++ {
			inside := 0
			for i := range samples * samples {
				sampleX := float64(x-p.box.Min.X) + (float64(i%samples)+0.5)/samples
				sampleY := float64(y-p.box.Min.Y) + (float64(i/samples)+0.5)/samples
				// Distance to the segment between the centres of both ends.
				dx := max(radius-sampleX, sampleX-(float64(p.box.Dx())-radius), 0)
				dy := sampleY - radius
				if dx*dx+dy*dy <= radius*radius {
					inside++
				}
			}
			blend(dst, x, y, p.color, float64(inside)/(samples*samples))
		}
	}
}

// blend lays an opaque colour over a pixel that it covers in part.
func blend(dst *image.RGBA, x, y int, c color.RGBA, coverage float64) {
	if coverage <= 0 || !(image.Point{X: x, Y: y}.In(dst.Rect)) {
		return
	}
	below := dst.RGBAAt(x, y)
	mix := func(under, over uint8) uint8 {
		return uint8(float64(under) + (float64(over)-float64(under))*coverage + 0.5)
	}
	dst.SetRGBA(x, y, color.RGBA{mix(below.R, c.R), mix(below.G, c.G), mix(below.B, c.B), 0xff})
}

// A hatch is how masked pairs look: soft diagonals on a neutral grey. It
// continues from box to box, because its phase depends on origin alone.
type hatch struct {
	box     image.Rectangle
	origin  image.Point
	density int
}

func (h hatch) draw(dst *image.RGBA) {
	for y := h.box.Min.Y; y < h.box.Max.Y; y++ {
		for x := h.box.Min.X; x < h.box.Max.X; x++ {
			dst.SetRGBA(x, y, h.at(x, y))
		}
	}
}

// hatchPeriod is how far apart its lines are, across.
const hatchPeriod = 7

func (h hatch) at(x, y int) color.RGBA {
	if (x-h.origin.X+y-h.origin.Y)/h.density%hatchPeriod == 0 {
		return maskInk
	}
	return maskPaper
}

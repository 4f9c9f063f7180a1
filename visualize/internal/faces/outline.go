package faces

import (
	"image"
	"math"
	"slices"

	"github.com/go-text/typesetting/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// An outline is a glyph in ems, its origin on the line, y upwards.
type outline struct {
	segments []opentype.Segment
	advance  float32
	min, max opentype.SegmentPoint // of all points, on the outline or off it
}

func newOutline(segments []opentype.Segment, advance, em float32) *outline {
	infinity := float32(math.Inf(1))
	o := &outline{segments: slices.Clone(segments), advance: advance / em,
		min: opentype.SegmentPoint{X: infinity, Y: infinity}, max: opentype.SegmentPoint{X: -infinity, Y: -infinity}}
	for i := range o.segments {
		points := o.segments[i].ArgsSlice()
		for j := range points {
			p := &points[j]
			p.X, p.Y = p.X/em, p.Y/em
			o.min.X, o.min.Y, o.max.X, o.max.Y = min(o.min.X, p.X), min(o.min.Y, p.Y), max(o.max.X, p.X), max(o.max.Y, p.Y)
		}
	}
	if len(segments) == 0 {
		o.min, o.max = opentype.SegmentPoint{}, opentype.SegmentPoint{}
	}
	return o
}

// sound reports whether the glyph has measures to be believed.
func (o *outline) sound() bool {
	const most = 16 // ems that the glyph of a font that is not damaged is wide and high at most
	return o.min.X >= -most && o.min.Y >= -most && o.max.X <= most && o.max.Y <= most && o.advance >= 0 && o.advance <= most
}

// visible reports whether there is anything of the glyph when it is drawn.
func (o *outline) visible() bool {
	mask, _ := o.draw(24, fixed.Point26_6{})
	return slices.ContainsFunc(mask.Pix, func(coverage uint8) bool { return coverage > 0 })
}

// box returns what the glyph fills with an em of so many pixels, y downwards.
func (o *outline) box(size float32) fixed.Rectangle26_6 {
	pixels := func(ems float32) fixed.Int26_6 { return fixed.Int26_6(math.Round(float64(64 * size * ems))) }
	return fixed.Rectangle26_6{Min: fixed.Point26_6{X: pixels(o.min.X), Y: -pixels(o.max.Y)}, Max: fixed.Point26_6{X: pixels(o.max.X), Y: -pixels(o.min.Y)}}
}

// draw returns the coverage of the pixels that the glyph fills with its origin at a
// point, and where the first of them is.
func (o *outline) draw(size float32, origin fixed.Point26_6) (*image.Alpha, image.Point) {
	box := o.box(size).Add(origin)
	first := image.Pt(box.Min.X.Floor(), box.Min.Y.Floor())
	width, height := box.Max.X.Ceil()-first.X, box.Max.Y.Ceil()-first.Y
	x, y := float32(origin.X)/64-float32(first.X), float32(origin.Y)/64-float32(first.Y)
	at := func(p opentype.SegmentPoint) (float32, float32) { return x + size*p.X, y - size*p.Y }
	r := vector.NewRasterizer(width, height)
	for i := range o.segments {
		p := &o.segments[i].Args
		ax, ay := at(p[0])
		bx, by := at(p[1])
		cx, cy := at(p[2])
		switch o.segments[i].Op {
		case opentype.SegmentOpMoveTo:
			r.ClosePath()
			r.MoveTo(ax, ay)
		case opentype.SegmentOpLineTo:
			r.LineTo(ax, ay)
		case opentype.SegmentOpQuadTo:
			r.QuadTo(ax, ay, bx, by)
		case opentype.SegmentOpCubeTo:
			r.CubeTo(ax, ay, bx, by, cx, cy)
		}
	}
	r.ClosePath()
	mask := image.NewAlpha(image.Rect(0, 0, width, height))
	r.Draw(mask, mask.Rect, image.Opaque, image.Point{})
	return mask, first
}

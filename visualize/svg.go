package visualize

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"strings"
)

// WriteSVG writes the picture as SVG: text stays text, lines stay lines, and the
// cells are an image. What makes it impossible to draw is an
// error, as in Draw.
func (p Picture) WriteSVG(w io.Writer) error {
	density, err := checkSize(&p.Size, DefaultSize, p.Density)
	if err != nil {
		return err
	}
	return writeSVG(w, density, p.layout)
}

// WriteSVG writes the montage as SVG, as Picture.WriteSVG does.
func (m Montage) WriteSVG(w io.Writer) error {
	density, err := checkSize(&m.Size, DefaultMontageSize, m.Density)
	if err != nil {
		return err
	}
	return writeSVG(w, density, m.layout)
}

// WriteSVG writes the page as SVG, as Picture.WriteSVG does.
func (p ChartPage) WriteSVG(w io.Writer) error {
	density, err := checkSize(&p.Size, DefaultChartSize, p.Density)
	if err != nil {
		return err
	}
	return writeSVG(w, density, p.layout)
}

func writeSVG(w io.Writer, density int, layout func(*typesetter) (*scene, error)) error {
	t, err := newTypesetter(density)
	if err != nil {
		return err
	}
	s, err := layout(t)
	if err != nil {
		return err
	}
	out := &svg{density: density}
	out.element(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="Go, 'DejaVu Sans', sans-serif">`,
		s.size.X, s.size.Y, s.size.X, s.size.Y)
	out.element(`<pattern id="masked" width="%d" height="%d" patternUnits="userSpaceOnUse"><rect width="100%%" height="100%%" fill="%s"/>`+
		`<path d="M%d 0L0 %d" stroke="%s" stroke-width="%d"/></pattern>`, hatchPeriod*density, hatchPeriod*density, webColor(maskPaper),
		hatchPeriod*density, hatchPeriod*density, webColor(maskInk), density)
	fill{image.Rectangle{Max: s.size}, paper}.vector(out)
	for _, shape := range s.shapes {
		shape.vector(out)
	}
	for _, l := range s.labels {
		t.vector(out, l)
	}
	out.element("</svg>")
	if out.err != nil {
		return out.err
	}
	_, err = w.Write(out.text.Bytes())
	return err
}

// An svg is a picture in the making.
type svg struct {
	text      bytes.Buffer
	density   int
	gradients int // defined so far
	err       error
}

func (s *svg) element(format string, arguments ...any) {
	fmt.Fprintf(&s.text, format+"\n", arguments...)
}

func (s *svg) rectangle(box image.Rectangle, attributes string) {
	if box = box.Canon(); !box.Empty() {
		s.element(`<rect x="%d" y="%d" width="%d" height="%d" %s/>`, box.Min.X, box.Min.Y, box.Dx(), box.Dy(), attributes)
	}
}

// webColor writes a premultiplied colour as SVG has it, without its opacity.
func webColor(c color.RGBA) string {
	plain := color.NRGBAModel.Convert(c).(color.NRGBA)
	return fmt.Sprintf("#%02x%02x%02x", plain.R, plain.G, plain.B)
}

// paint is the attributes of an area of one colour.
func paint(c color.RGBA) string {
	if c.A == 0xff {
		return fmt.Sprintf(`fill="%s"`, webColor(c))
	}
	return fmt.Sprintf(`fill="%s" fill-opacity="%.3g"`, webColor(c), float64(c.A)/0xff)
}

func (f fill) vector(s *svg) { s.rectangle(f.box, paint(f.color)) }

func (f frame) vector(s *svg) {
	for _, side := range f.sides() {
		s.rectangle(side, paint(f.color))
	}
}

func (p pill) vector(s *svg) {
	s.rectangle(p.box, fmt.Sprintf(`rx="%d" %s`, p.box.Dy()/2, paint(p.color)))
}

func (h hatch) vector(s *svg) { s.rectangle(h.box, `fill="url(#masked)"`) }

func (f framed) vector(s *svg) {
	f.shape.vector(s)
	f.frame.vector(s)
}

// vector draws the cells as an image, transparent where the hatch below it shows:
// in all its pixels, because not every reader of SVG can enlarge without a blur.
func (c cells) vector(s *svg) {
	hatch{c.box(), c.at, c.density}.vector(s)
	box := c.box()
	img := image.NewNRGBA(image.Rectangle{Max: box.Size()})
	for row := range c.m.Rows {
		for col := range c.m.Cols {
			if value, visible := c.m.At(row, col); visible {
				block := image.Rect(col*c.pixels, row*c.pixels, (col+1)*c.pixels, (row+1)*c.pixels)
				draw.Draw(img, block, image.NewUniform(c.colors.At(c.scale.Position(value, c.r))), image.Point{}, draw.Src)
			}
		}
	}
	var data bytes.Buffer
	if err := png.Encode(&data, img); err != nil {
		s.err = err
		return
	}
	s.element(`<image x="%d" y="%d" width="%d" height="%d" href="data:image/png;base64,%s"/>`,
		box.Min.X, box.Min.Y, box.Dx(), box.Dy(), base64.StdEncoding.EncodeToString(data.Bytes()))
	if c.pixels < gridPixels*c.density {
		return
	}
	var lines strings.Builder
	half := float64(c.density) / 2
	for col := 1; col < c.m.Cols; col++ {
		fmt.Fprintf(&lines, "M%g %dV%d", float64(c.at.X+col*c.pixels)+half, box.Min.Y, box.Max.Y)
	}
	for row := 1; row < c.m.Rows; row++ {
		fmt.Fprintf(&lines, "M%d %gH%d", box.Min.X, float64(c.at.Y+row*c.pixels)+half, box.Max.X)
	}
	s.element(`<path d="%s" stroke="%s" stroke-opacity="%.3g" stroke-width="%d"/>`, lines.String(), webColor(gridInk), float64(gridInk.A)/0xff, c.density)
}

func (b boundaries) vector(s *svg) {
	for _, block := range b.blocks() {
		for _, side := range block.sides() {
			// Up to the block's own corners: beyond them another one may begin.
			if side.Dx() > side.Dy() {
				side.Min.X, side.Max.X = block.box.Min.X, block.box.Max.X
			}
			s.rectangle(side.Intersect(b.box().Sub(b.at)).Add(b.at), paint(block.color))
		}
	}
}

// vector draws the bar as one outline with a gradient of many stops.
func (g gradient) vector(s *svg) {
	const stops = 32
	s.gradients++
	name := fmt.Sprintf("colors%d", s.gradients)
	s.element(`<linearGradient id="%s" gradientUnits="userSpaceOnUse" x1="0" y1="%d" x2="0" y2="%d">`, name, g.body.Max.Y, g.body.Min.Y)
	for i := range stops + 1 {
		position := float64(i) / stops
		s.element(`<stop offset="%.4g" stop-color="%s"/>`, position, webColor(g.colors.At(position)))
	}
	s.element("</linearGradient>")
	left, right := g.body.Min.X, g.body.Max.X
	middle := (left + right) / 2
	s.element(`<path d="M%d %dV%dL%d %dL%d %dV%dL%d %dZ" fill="url(#%s)" stroke="%s" stroke-width="%d"/>`,
		left, g.body.Max.Y, g.body.Min.Y, middle, g.top, right, g.body.Min.Y, g.body.Max.Y, middle, g.bottom, name, webColor(frameInk), g.density)
}

// vector draws a label. Whatever font there is, it fills the width laid out for it.
func (t *typesetter) vector(s *svg, l label) {
	if l.text == "" {
		return
	}
	metrics := t.faces[l.role].Metrics()
	ascent := metrics.Ascent.Ceil()
	x, y, length, turn := l.box.Min.X, l.box.Min.Y+ascent, l.box.Dx(), ""
	if l.vertical {
		x, y, length = l.box.Min.X+ascent, l.box.Max.Y, l.box.Dy()
		turn = fmt.Sprintf(` transform="rotate(-90 %d %d)"`, x, y)
	}
	weight := ""
	if l.role == titleRole || l.role == captionRole {
		weight = ` font-weight="500"`
	}
	var text bytes.Buffer
	if err := xml.EscapeText(&text, []byte(l.text)); err != nil {
		s.err = err
	}
	s.element(`<text x="%d" y="%d" font-size="%g"%s fill="%s" textLength="%d" lengthAdjust="spacingAndGlyphs"%s xml:space="preserve">%s</text>`,
		x, y, rolePixels[l.role]*float64(t.density), weight, webColor(l.color), length, turn, text.String())
}

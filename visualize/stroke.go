package visualize

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"strings"
)

// A spot is a place between pixels.
type spot struct{ x, y float64 }

// A stroke is a line through spots, with round ends and corners.
type stroke struct {
	spots []spot
	width float64
	color color.RGBA
}

func (s stroke) draw(dst *image.RGBA) {
	if len(s.spots) == 0 {
		return
	}
	low, high := s.spots[0], s.spots[0]
	for _, p := range s.spots {
		low, high = spot{min(low.x, p.x), min(low.y, p.y)}, spot{max(high.x, p.x), max(high.y, p.y)}
	}
	reach := s.width/2 + 1
	box := image.Rect(int(low.x-reach), int(low.y-reach), int(high.x+reach)+1, int(high.y+reach)+1).Intersect(dst.Rect)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			blend(dst, x, y, s.color, min(s.width/2+0.5-s.distance(spot{float64(x) + 0.5, float64(y) + 0.5}), 1))
		}
	}
}

// distance returns how far p is from the middle of the line.
func (s stroke) distance(p spot) float64 {
	least := math.Hypot(p.x-s.spots[0].x, p.y-s.spots[0].y)
	for i := range len(s.spots) - 1 {
		a, b := s.spots[i], s.spots[i+1]
		dx, dy := b.x-a.x, b.y-a.y
		along := 0.0
		if length := dx*dx + dy*dy; length > 0 {
			along = min(max(((p.x-a.x)*dx+(p.y-a.y)*dy)/length, 0), 1)
		}
		least = min(least, math.Hypot(p.x-a.x-along*dx, p.y-a.y-along*dy))
	}
	return least
}

func (s stroke) vector(out *svg) {
	var path strings.Builder
	for i, p := range s.spots {
		fmt.Fprintf(&path, "%s%.4g %.4g", map[bool]string{true: "M", false: "L"}[i == 0], p.x, p.y)
	}
	out.element(`<path d="%s" fill="none" stroke="%s" stroke-width="%g" stroke-linecap="round" stroke-linejoin="round"/>`,
		path.String(), webColor(s.color), s.width)
}

// A dot is a disc, or a ring around paper.
type dot struct {
	at     spot
	radius float64
	color  color.RGBA
	hollow bool
}

// inner is the radius of the paper in a hollow dot.
func (d dot) inner() float64 { return d.radius * 0.55 }

func (d dot) draw(dst *image.RGBA) {
	for y := int(d.at.y - d.radius - 1); y <= int(d.at.y+d.radius+1); y++ {
		for x := int(d.at.x - d.radius - 1); x <= int(d.at.x+d.radius+1); x++ {
			distance := math.Hypot(float64(x)+0.5-d.at.x, float64(y)+0.5-d.at.y)
			blend(dst, x, y, d.color, min(d.radius+0.5-distance, 1))
			if d.hollow {
				blend(dst, x, y, paper, min(d.inner()+0.5-distance, 1))
			}
		}
	}
}

func (d dot) vector(out *svg) {
	out.element(`<circle cx="%.4g" cy="%.4g" r="%g" fill="%s"/>`, d.at.x, d.at.y, d.radius, webColor(d.color))
	if d.hollow {
		out.element(`<circle cx="%.4g" cy="%.4g" r="%.4g" fill="%s"/>`, d.at.x, d.at.y, d.inner(), webColor(paper))
	}
}

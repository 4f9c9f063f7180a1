package visualize

import (
	"image"
	"image/color"

	"github.com/gazevk/gaze"
)

// gridPixels is the side of a cell, in pixels of the layout, from which grid
// lines are drawn.
const gridPixels = 12

// cells draws the cells of a map, each as a block of pixels x pixels: blocks,
// not a blur, because what lies between two tokens has no weight.
type cells struct {
	at      image.Point // top left
	m       *Map
	pixels  int
	colors  *ColorMap
	scale   Scale
	r       Range
	density int
}

func (c cells) box() image.Rectangle {
	return image.Rectangle{c.at, c.at.Add(image.Pt(c.m.Cols*c.pixels, c.m.Rows*c.pixels))}
}

func (c cells) draw(dst *image.RGBA) {
	for row := range c.m.Rows {
		for col := range c.m.Cols {
			corner := c.at.Add(image.Pt(col*c.pixels, row*c.pixels))
			block := image.Rectangle{corner, corner.Add(image.Pt(c.pixels, c.pixels))}
			value, visible := c.m.At(row, col)
			if !visible {
				hatch{block, c.at, c.density}.draw(dst)
				continue
			}
			shade := c.colors.At(c.scale.Position(value, c.r))
			for y := block.Min.Y; y < block.Max.Y; y++ {
				for x := block.Min.X; x < block.Max.X; x++ {
					dst.SetRGBA(x, y, shade)
				}
			}
		}
	}
	if c.pixels >= gridPixels*c.density {
		c.drawGrid(dst)
	}
}

// drawGrid draws the lines between the cells, the outer ones excepted.
func (c cells) drawGrid(dst *image.RGBA) {
	box := c.box()
	for col := 1; col < c.m.Cols; col++ {
		x := c.at.X + col*c.pixels
		fill{image.Rect(x, box.Min.Y, x+c.density, box.Max.Y), gridInk}.draw(dst)
	}
	for row := 1; row < c.m.Rows; row++ {
		y := c.at.Y + row*c.pixels
		fill{image.Rect(box.Min.X, y, box.Max.X, y+c.density), gridInk}.draw(dst)
	}
}

// boundaries outlines the block of each of several packed sequences. The line
// runs just outside the block, where attention never reaches, and spares every
// cell that is not masked: it must not cover the first token of a sequence.
type boundaries struct {
	cells
	sequences gaze.Lengths
}

func (b boundaries) draw(dst *image.RGBA) {
	for _, block := range b.blocks() {
		for _, side := range block.sides() {
			b.drawWhereMasked(dst, side.Intersect(b.box().Sub(b.at)), block.color)
		}
	}
}

// blocks returns the outlines, which count from the top left, of several sequences.
func (b boundaries) blocks() []frame {
	if len(b.sequences) < 2 {
		return nil
	}
	var blocks []frame
	first := 0
	for _, length := range b.sequences {
		blocks = append(blocks, frame{image.Rect(b.pixel(first-b.m.First.Key), b.pixel(first-b.m.First.Query),
			b.pixel(first+length-b.m.First.Key), b.pixel(first+length-b.m.First.Query)), b.density, boundaryInk})
		first += length
	}
	return blocks
}

// drawWhereMasked fills the masked part of a box that counts from the top left.
func (b boundaries) drawWhereMasked(dst *image.RGBA, box image.Rectangle, ink color.RGBA) {
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			if _, visible := b.m.At(y/b.pixels, x/b.pixels); !visible {
				dst.SetRGBA(b.at.X+x, b.at.Y+y, ink)
			}
		}
	}
}

// pixel returns where the first of a token's pixels lies, from that of the first token shown.
func (b boundaries) pixel(token int) int {
	return (2*token*b.pixels + b.m.Cell) / (2 * b.m.Cell)
}

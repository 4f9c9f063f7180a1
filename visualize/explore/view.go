package explore

import (
	"image"
	"math"

	"github.com/gazevk/gaze"
)

// A view is the part of a map of n x n pairs that a box of pixels shows. Keys
// run across and queries down, both at the same scale.
type view struct {
	n          int
	box        image.Rectangle
	scale      float64 // pixels a token
	key, query float64 // at the top left corner of the box, in tokens
}

// largestScale is the most pixels a token has, at density 1.
const largestScale = 96

// fitted returns the scale that shows everything.
func (v *view) fitted() float64 {
	return float64(min(v.box.Dx(), v.box.Dy())) / float64(max(v.n, 1))
}

// fit shows everything.
func (v *view) fit() {
	v.scale = v.fitted()
	v.key, v.query = 0, 0
}

// count sets how many tokens there are. What was seen as a whole still is.
func (v *view) count(n int) {
	if n == v.n {
		return
	}
	all := v.scale <= v.fitted()*1.001
	if v.n = n; all && v.scale > 0 {
		v.fit()
	}
	v.clamp()
}

// zoom multiplies the scale, and keeps the pair at (x, y) where it is.
func (v *view) zoom(x, y, factor float64) {
	v.rescale(x, y, v.scale*factor)
}

// rescale sets the scale, and keeps the pair at (x, y) where it is.
func (v *view) rescale(x, y, scale float64) {
	dx, dy := x-float64(v.box.Min.X), y-float64(v.box.Min.Y)
	key, query := v.key+dx/v.scale, v.query+dy/v.scale
	v.scale = min(max(scale, min(v.fitted()/2, 1)), largestScale)
	v.key, v.query = key-dx/v.scale, query-dy/v.scale
	// Where the map as a whole leaves room beside it, that room may stay: otherwise the
	// pair would slip away as the map grows into it.
	side := float64(min(v.box.Dx(), v.box.Dy()))
	v.within(float64(v.n)-side/v.scale, float64(v.n)-side/v.scale)
}

// pan moves what is seen by so many pixels.
func (v *view) pan(dx, dy float64) {
	lastKey, lastQuery := v.last()
	lastKey, lastQuery = max(lastKey, v.key), max(lastQuery, v.query)
	v.key -= dx / v.scale
	v.query -= dy / v.scale
	v.within(lastKey, lastQuery)
}

// show brings a rectangle into the box, as large as it can be.
func (v *view) show(r gaze.Rectangle) {
	width, height := float64(r.Keys.End-r.Keys.First), float64(r.Queries.End-r.Queries.First)
	v.scale = min(float64(v.box.Dx())/width, float64(v.box.Dy())/height, largestScale)
	v.key = float64(r.Keys.First) + width/2 - float64(v.box.Dx())/v.scale/2
	v.query = float64(r.Queries.First) + height/2 - float64(v.box.Dy())/v.scale/2
	v.clamp()
}

// reveal moves as little as is needed for a pair to be in sight.
func (v *view) reveal(query, key int) {
	const margin = 3 // tokens
	spanX, spanY := float64(v.box.Dx())/v.scale, float64(v.box.Dy())/v.scale
	v.key = min(max(v.key, float64(key+1+margin)-spanX), max(float64(key-margin), 0))
	v.query = min(max(v.query, float64(query+1+margin)-spanY), max(float64(query-margin), 0))
	v.clamp()
}

// jump has a pair that is out of sight come into the middle.
func (v *view) jump(query, key int) {
	r := v.visible()
	if query >= r.Queries.First && query < r.Queries.End && key >= r.Keys.First && key < r.Keys.End {
		v.reveal(query, key) // from the edge
		return
	}
	v.key = float64(key) + 0.5 - float64(v.box.Dx())/v.scale/2
	v.query = float64(query) + 0.5 - float64(v.box.Dy())/v.scale/2
	v.clamp()
}

// snap makes the pixels of a token a whole number, or the tokens of a pixel.
func (v *view) snap(scale float64) {
	if scale < 1 {
		scale = 1 / math.Round(1/scale)
	}
	middle := v.box.Min.Add(v.box.Size().Div(2))
	v.rescale(float64(middle.X), float64(middle.Y), scale)
}

// resize shows the same middle in another box.
func (v *view) resize(box image.Rectangle) {
	if box == v.box || box.Empty() {
		return
	}
	all := v.scale <= v.fitted()*1.001
	middleX, middleY := v.key+float64(v.box.Dx())/v.scale/2, v.query+float64(v.box.Dy())/v.scale/2
	v.box = box
	if all || v.scale == 0 {
		v.fit()
		return
	}
	v.key, v.query = middleX-float64(box.Dx())/v.scale/2, middleY-float64(box.Dy())/v.scale/2
	v.clamp()
}

// clamp keeps the map in the box: its edge never leaves the box's, and one that
// is smaller than the box lies at its left and its top.
func (v *view) clamp() {
	if v.scale == 0 { // there is no box yet
		return
	}
	v.within(v.last())
}

// last returns the last key and the last query that the box may begin with without
// showing what lies behind the map.
func (v *view) last() (key, query float64) {
	return float64(v.n) - float64(v.box.Dx())/v.scale, float64(v.n) - float64(v.box.Dy())/v.scale
}

// within has the box begin at no later key and query than these, and not before the map.
func (v *view) within(lastKey, lastQuery float64) {
	v.key, v.query = max(min(v.key, lastKey), 0), max(min(v.query, lastQuery), 0)
}

// cell returns how many pairs make one side of a cell: the fewest, as a power of
// two, for which a cell has at least one pixel.
func (v *view) cell() int {
	cell := 1
	for float64(cell)*v.scale < 1 && cell < LargestCell {
		cell *= 2
	}
	return cell
}

// x and y return where a token begins, in pixels.
func (v *view) x(key float64) float64   { return float64(v.box.Min.X) + (key-v.key)*v.scale }
func (v *view) y(query float64) float64 { return float64(v.box.Min.Y) + (query-v.query)*v.scale }

// pair returns the pair at a pixel, and whether there is one.
func (v *view) pair(x, y float64) (query, key int, ok bool) {
	key = int(math.Floor(v.key + (x-float64(v.box.Min.X))/v.scale))
	query = int(math.Floor(v.query + (y-float64(v.box.Min.Y))/v.scale))
	ok = image.Pt(int(x), int(y)).In(v.box) && query >= 0 && query < v.n && key >= 0 && key < v.n
	return query, key, ok
}

// visible returns the pairs that the box shows, in part or as a whole.
func (v *view) visible() gaze.Rectangle {
	span := func(first float64, pixels int) gaze.Span {
		end := first + float64(pixels)/v.scale
		return gaze.Span{First: max(int(first), 0), End: min(int(math.Ceil(end-1e-9)), v.n)}
	}
	return gaze.Rectangle{Queries: span(v.query, v.box.Dy()), Keys: span(v.key, v.box.Dx())}
}

// shown returns the pixels of the box that the map covers.
func (v *view) shown() image.Rectangle {
	box := v.box
	box.Max.X = min(box.Max.X, int(math.Round(v.x(float64(v.n)))))
	box.Max.Y = min(box.Max.Y, int(math.Round(v.y(float64(v.n)))))
	return box
}

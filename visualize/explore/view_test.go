package explore

import (
	"image"
	"math"
	"testing"

	"github.com/gazevk/gaze"
)

func testView(n int) view {
	v := view{n: n, box: image.Rect(30, 20, 630, 420)}
	v.fit()
	return v
}

func TestViewFits(t *testing.T) {
	v := testView(8192)
	if v.scale != 400.0/8192 || v.visible() != (gaze.Rectangle{Queries: gaze.Span{End: 8192}, Keys: gaze.Span{End: 8192}}) {
		t.Errorf("scale %v, %v in sight", v.scale, v.visible())
	}
	if got := v.cell(); got != 32 { // 16 would have 0.78 pixels
		t.Errorf("cells of %d", got)
	}
	if got := v.shown(); got != image.Rect(30, 20, 430, 420) {
		t.Errorf("the map covers %v", got)
	}
}

// From a whole map that leaves room beside it, too: neither does the pair slip away
// while the map grows into the room, nor the map when it is dragged then.
func TestViewZoomsIntoRoom(t *testing.T) {
	v := testView(40)
	for range 6 {
		x, y := 210.0, 300.0
		query, key, _ := v.pair(x, y)
		v.zoom(x, y, 1.25)
		if query2, key2, _ := v.pair(x, y); query2 != query || key2 != key {
			t.Fatalf("scale %v: pair %d, %d became %d, %d", v.scale, query, key, query2, key2)
		}
		before := v
		if v.pan(0.01, 0); math.Abs(v.key-before.key) > 0.1 {
			t.Fatalf("scale %v: a small drag went from key %v to %v", v.scale, before.key, v.key)
		}
	}
	if v.pan(-1e9, 0); v.shown().Max.X < 430 {
		t.Errorf("the map ends at %d, %d when it is dragged away", v.shown().Max.X, v.shown().Max.Y)
	}
	for range 100 {
		v.zoom(500, 300, 0.8)
	}
	if v.key != 0 || v.query != 0 {
		t.Errorf("zoomed out: %+v", v)
	}
}

// Zooming keeps the pair at the mouse where it is, unless an edge comes in.
func TestViewZoomsAtTheMouse(t *testing.T) {
	v := testView(8192)
	v.zoom(330, 220, 8)
	for _, factor := range []float64{1.25, 2, 3, 0.5, 7, 0.8} {
		x, y := 301.0, 207.0
		key, query := v.key+(x-30)/v.scale, v.query+(y-20)/v.scale
		v.zoom(x, y, factor)
		key2, query2 := v.key+(x-30)/v.scale, v.query+(y-20)/v.scale
		if math.Abs(key-key2) > 1e-6 || math.Abs(query-query2) > 1e-6 {
			t.Errorf("%v: pair %v, %v became %v, %v", factor, query, key, query2, key2)
		}
	}
	for range 100 {
		v.zoom(100, 100, 2)
	}
	if v.scale != largestScale {
		t.Errorf("scale %v", v.scale)
	}
	for range 100 {
		v.zoom(100, 100, 0.5)
	}
	if v.key != 0 || v.query != 0 || v.scale != v.fitted()/2 {
		t.Errorf("zoomed out: %+v", v)
	}
}

func TestViewPairs(t *testing.T) {
	v := testView(100)
	v.rescale(30, 20, 10)
	v.pan(-25, -50) // 2.5 keys and 5 queries
	for _, c := range []struct {
		x, y       float64
		query, key int
		ok         bool
	}{{30, 20, 5, 2, true}, {34.9, 29.9, 5, 2, true}, {35, 30, 6, 3, true}, {629, 419, 44, 62, true}, {29, 20, 0, 0, false}, {630, 30, 0, 0, false}} {
		query, key, ok := v.pair(c.x, c.y)
		if ok != c.ok || ok && (query != c.query || key != c.key) {
			t.Errorf("%v, %v is %d, %d, %v", c.x, c.y, query, key, ok)
		}
	}
	if got := v.visible(); got != (gaze.Rectangle{Queries: gaze.Span{First: 5, End: 45}, Keys: gaze.Span{First: 2, End: 63}}) {
		t.Errorf("%v in sight", got)
	}
	v.pan(1e9, 1e9)
	if v.key != 0 || v.query != 0 {
		t.Errorf("beyond the edge: %v, %v", v.query, v.key)
	}
	v.pan(-1e9, -1e9)
	if got := v.visible(); got.Queries.End != 100 || got.Keys.End != 100 || got.Keys.First != 40 {
		t.Errorf("beyond the other edge: %v", got)
	}
}

func TestViewSnaps(t *testing.T) {
	v := testView(8192)
	for _, c := range []struct{ scale, want float64 }{{1, 1}, {2, 2}, {8, 8}, {0.3, 1.0 / 3}} {
		if v.snap(c.scale); v.scale != c.want {
			t.Errorf("snapped to %v: %v", c.scale, v.scale)
		}
	}
}

func TestViewShowsAndReveals(t *testing.T) {
	v := testView(1000)
	r := gaze.Rectangle{Queries: gaze.Span{First: 100, End: 120}, Keys: gaze.Span{First: 500, End: 530}}
	v.show(r)
	if got := v.visible(); got.Keys != r.Keys || got.Queries != r.Queries {
		t.Errorf("%v shows %v", r, got)
	}
	before := v
	v.reveal(110, 510)
	if v != before {
		t.Error("what is in sight was moved")
	}
	v.jump(111, 511)
	if v != before {
		t.Error("a jump to what is in sight moved it")
	}
	v.jump(700, 200)
	if x, y := v.x(200.5), v.y(700.5); math.Abs(x-330) > 1 || math.Abs(y-220) > 1 {
		t.Errorf("the pair that was jumped to is at %v, %v", x, y)
	}
	v.reveal(999, 0)
	if got := v.visible(); got.Queries.End != 1000 || got.Keys.First != 0 {
		t.Errorf("revealed: %v", got)
	}
}

// The middle stays in the middle, and what was seen as a whole still is.
func TestViewResizes(t *testing.T) {
	v := testView(1000)
	v.resize(image.Rect(0, 0, 200, 100))
	if v.scale != 0.1 {
		t.Errorf("a whole map has scale %v", v.scale)
	}
	v.rescale(50, 50, 5)
	v.pan(-1000, -1000)
	key, query := v.key+20, v.query+10
	v.resize(image.Rect(7, 9, 107, 409))
	if math.Abs(v.key+10-key) > 1e-9 || math.Abs(v.query+40-query) > 1e-9 || v.scale != 5 {
		t.Errorf("the middle moved from %v, %v: %+v", query, key, v)
	}
	v.resize(image.Rectangle{})
	if v.box.Empty() {
		t.Error("a minimized window changed the view")
	}
}

package explore

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/visualize"
)

// want is the colour of a pixel, worked out from the weights themselves: that of
// the cell of the pair at its middle, or false where it is masked.
func want(s *fakeSource, v *view, h head, cell int, pooling visualize.Pooling, how coloring, table *[256]color.RGBA, x, y int) (color.RGBA, bool) {
	n := len(s.run.Tokens)
	query := int(math.Floor(v.query + (float64(y-v.box.Min.Y)+0.5)/v.scale))
	key := int(math.Floor(v.key + (float64(x-v.box.Min.X)+0.5)/v.scale))
	best, sum, pairs, any := 0.0, 0.0, 0, false
	for q := query / cell * cell; q < min(query/cell*cell+cell, n); q++ {
		for k := key / cell * cell; k < min(key/cell*cell+cell, n); k++ {
			pairs++
			if s.visible(h.layer, q, k) {
				any = true
				w := s.weight(h.layer, h.head, q, k)
				best, sum = max(best, w), sum+w
			}
		}
	}
	value := best
	if pooling == visualize.MeanPooling {
		value = sum / float64(pairs)
	}
	index := how.scale.Position(float64(float32(value)), how.r) * 256
	return table[int(min(max(index, 1), 255))], any
}

// Every pixel of a map has the colour of its cell, at every zoom and pooling, in
// full and in windowed layers, on every scale.
func TestEveryPixelHasItsColour(t *testing.T) {
	table := &visualize.ColorMaps()[0].Colors
	for _, n := range []int{7, 100, 300} {
		run, source := fakeRun(n, 2, 2)
		for _, layer := range []int{0, 1} {
			for _, scale := range []float64{0.3, 0.55, 1, 1.7, 9.3} {
				for _, pooling := range []visualize.Pooling{visualize.MaxPooling, visualize.MeanPooling} {
					name := fmt.Sprintf("%d tokens, layer %d, scale %v, %v", n, layer, scale, pooling)
					e, host := opened(t, run, 500, 400)
					run.Source = source
					e.screen, e.Layer, e.Head, e.Pooling = mapScreen, layer, 1, pooling
					e.Scale = visualize.Scale(n % 3)
					e.arrange()
					e.view.rescale(float64(e.view.box.Min.X), float64(e.view.box.Min.Y), scale)
					e.view.pan(-37, -91)
					e.dirty = true
					rest(t, e, host)
					how := coloring{e.drawnScale(), e.r}
					shown, cell, pixels := e.view.shown(), e.view.cell(), flat(t, &e.canvas.shown)
					wrong := 0
					for y := shown.Min.Y; y < shown.Max.Y; y += 7 {
						for x := shown.Min.X; x < shown.Max.X; x += 5 {
							if e.view.scale >= 9 && (nearLine(e.view.x, x, e.view.scale) || nearLine(e.view.y, y, e.view.scale)) {
								continue // the grid
							}
							got := pixels.RGBAAt(x, y)
							want, visible := want(source, &e.view, head{layer, 1}, cell, pooling, how, table, x, y)
							if !visible {
								want = maskPaper
								if e.canvas.hatch(x, y) == 1 {
									want = maskInk
								}
							}
							if !alike(got, want) {
								if wrong++; wrong < 3 {
									t.Errorf("%s: pixel %d, %d is %v, want %v (visible: %v)", name, x, y, got, want, visible)
								}
							}
						}
					}
					source.check(t)
					e.run = nil // the next explorer has it
				}
			}
		}
	}
}

// alike allows a neighbour in the table, for the rounding of float32.
func alike(a, b color.RGBA) bool {
	d := func(x, y uint8) int { return max(int(x)-int(y), int(y)-int(x)) }
	return d(a.R, b.R)+d(a.G, b.G)+d(a.B, b.B) <= 9
}

func nearLine(at func(float64) float64, pixel int, scale float64) bool {
	offset := math.Mod(float64(pixel)-at(0)+scale*1e6, scale)
	return offset < 2 || offset > scale-2
}

// A single strong pair is seen at every zoom.
func TestNoStrongPairIsLost(t *testing.T) {
	const n = 1500
	run, source := fakeRun(n, 1, 1)
	strong := pair{777, 1203}
	source.weight = func(_, _, query, key int) float64 {
		if query == strong.query && key == strong.key {
			return 1
		}
		return 1e-3
	}
	e, host := opened(t, run, 700, 500)
	e.screen = mapScreen
	top := visualize.ColorMaps()[0].Colors[255]
	e.arrange()
	for scale := e.view.fitted(); scale < 4; scale *= 1.13 {
		e.arrange()
		e.view.rescale(float64(e.view.box.Min.X), float64(e.view.box.Min.Y), scale)
		e.view.reveal(strong.query, strong.key)
		e.Range, e.r = RangeLocked, visualize.Range{Low: 1e-4, High: 1}
		e.ranged = rangeKey{}
		e.dirty = true
		rest(t, e, host)
		seen := false
		shown, pixels := e.view.shown(), flat(t, &e.canvas.shown)
		for y := shown.Min.Y; y < shown.Max.Y; y++ {
			for x := shown.Min.X; x < shown.Max.X; x++ {
				seen = seen || pixels.RGBAAt(x, y) == top
			}
		}
		if !seen {
			t.Errorf("at %v pixels a token, in cells of %d, the strong pair is lost", scale, e.view.cell())
		}
	}
}

func TestMeansOfHeadsAndLayers(t *testing.T) {
	run, source := fakeRun(20, 2, 3)
	run.done = 2
	r := gaze.Rectangle{Queries: gaze.Span{End: 20}, Keys: gaze.Span{End: 20}}
	for _, h := range []head{{0, mean}, {1, mean}, {mean, mean}} {
		tile, err := newTile(t.Context(), run, h, r, 1, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		for query := range 20 {
			for key := range 20 {
				sum, count, any := 0.0, 0, false
				for layer := h.first(); layer < h.end(2); layer++ {
					for one := range 3 {
						count++
						if source.visible(layer, query, key) {
							any = true
							sum += source.weight(layer, one, query, key)
						}
					}
				}
				got, visible := tile.at(query, key)
				if visible != any || any && math.Abs(float64(got)-sum/float64(count)) > 1e-6 {
					t.Fatalf("%v, pair %d, %d: %v, %v; want %v", h, query, key, got, visible, sum/float64(count))
				}
			}
		}
	}
}

func TestDifference(t *testing.T) {
	run, source := fakeRun(12, 2, 2)
	part := tilePart{of: run, head: head{0, 1}, cell: 1, minus: other{run, head{1, 0}}}
	value, err := part.compute(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for query := range 12 {
		for key := range 12 {
			want := source.weight(0, 1, query, key)
			if source.visible(1, query, key) {
				want -= source.weight(1, 0, query, key)
			}
			if got, visible := value.(*tile).at(query, key); !visible || math.Abs(float64(got)-want) > 1e-6 {
				t.Fatalf("pair %d, %d: %v, want %v", query, key, got, want)
			}
		}
	}
}

func TestAutomaticRange(t *testing.T) {
	var values []float32
	for i := range 10000 {
		values = append(values, float32(i+1)/10000)
	}
	values = append(values, hiddenValue)
	for _, c := range []struct {
		scale      visualize.Scale
		difference bool
		want       visualize.Range
	}{
		{visualize.Log, false, visualize.Range{Low: 0.05, High: 0.999}},
		{visualize.Linear, false, visualize.Range{Low: 0, High: 0.999}},
		{visualize.Gamma, true, visualize.Range{Low: -0.999, High: 0.999}},
	} {
		got := automatic(c.scale, c.difference, values)
		if math.Abs(got.Low-c.want.Low) > 2e-4 || math.Abs(got.High-c.want.High) > 2e-4 {
			t.Errorf("%v: %v, want %v", c.scale, got, c.want)
		}
	}
	for _, values := range [][]float32{nil, {hiddenValue}, {0, 0}, {0.5}, {0.3, 0.3}} {
		for scale := visualize.Log; scale <= visualize.Gamma; scale++ {
			for _, difference := range []bool{false, true} {
				if difference && scale == visualize.Log {
					continue
				}
				r := automatic(scale, difference, values)
				if difference && len(values) == 0 {
					continue
				}
				if err := r.Validate(scale); err != nil {
					t.Errorf("%v of %v: %v", scale, values, err)
				}
			}
		}
	}
}

// Colours change without any weight computed again.
func TestColoursRecomputeNothing(t *testing.T) {
	run, source := fakeRun(60, 1, 1)
	e, host := opened(t, run, 900, 600)
	press(e, "enter")
	rest(t, e, host)
	source.lock.Lock()
	before := source.calls
	source.lock.Unlock()
	picture := flat(t, &e.canvas.shown).Pix
	press(e, "l", "m", "c", "shift+c", "o", "l", "l")
	e.Handle(Move{float64(e.layout.bar.Max.X - 4), float64(e.layout.bar.Min.Y + 2)})
	e.Handle(Click{Left, true, 0})
	e.Handle(Move{float64(e.layout.bar.Max.X - 60), float64(e.layout.bar.Min.Y + 2)})
	e.Handle(Click{Left, false, 0})
	rest(t, e, host)
	source.lock.Lock()
	defer source.lock.Unlock()
	if source.calls != before {
		t.Errorf("%d parts were computed again", source.calls-before)
	}
	if string(picture) == string(flat(t, &e.canvas.shown).Pix) {
		t.Error("the picture did not change")
	}
}

func TestPaintStaysInItsBox(t *testing.T) {
	var c canvas
	if err := c.resize(100, 80, 1); err != nil {
		t.Fatal(err)
	}
	c.begin()
	c.fill(c.img.Rect, paper, 0xff)
	v := view{n: 50, box: image.Rect(10, 10, 60, 60), scale: 3, key: 7.3, query: 11.8}
	tile := emptyTile(gaze.Rectangle{Queries: gaze.Span{End: 50}, Keys: gaze.Span{End: 50}}, 1)
	tile.values = make([]float32, 50*50)
	table := &visualize.ColorMaps()[0].Colors
	c.paint(v.box, &v, tile, coloring{visualize.Linear, visualize.Range{High: 1}}, table)
	pixels := flat(t, &c.shown)
	for y := range 80 {
		for x := range 100 {
			inside := image.Pt(x, y).In(v.box)
			if got := pixels.RGBAAt(x, y); (got == paper) == inside {
				t.Fatalf("pixel %d, %d is %v", x, y, got)
			}
		}
	}
}

// The small map of a mean is the mean of the small maps; what one head hides and
// another sees counts as 0.
func TestMiniatureOfMean(t *testing.T) {
	run, source := fakeRun(40, 3, 2)
	run.Layers[1] = gaze.SlidingWindow{Left: 2, Right: 2}
	e, host := opened(t, run, 900, 600)
	press(e, "enter", "h")
	for _, h := range []head{{0, mean}, {mean, mean}} {
		rest(t, e, host)
		small := e.miniature(run, h)
		if small == nil {
			t.Fatalf("there is none of %v", h)
		}
		for _, p := range []pair{{3, 4}, {30, 5}, {20, 20}} {
			want, heads, seen := 0.0, 0, false
			for layer := h.first(); layer < h.end(3); layer++ {
				for of := range 2 {
					heads++
					if source.visible(layer, p.query, p.key) {
						want, seen = want+source.weight(layer, of, p.query, p.key), true
					}
				}
			}
			if got, visible := small.at(p.query, p.key); visible != seen || seen && !near32(got, want/float64(heads)) {
				t.Errorf("%v, %v: %v, %v, want %v", h, p, got, visible, want/float64(heads))
			}
		}
		press(e, "h")
	}
}

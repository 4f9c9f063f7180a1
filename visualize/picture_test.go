package visualize

import (
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
)

var longformer = gaze.Any{gaze.SlidingWindow{Left: 5, Right: 5}, gaze.GlobalTokens{Tokens: []int{0}}}

// drawnCells returns where the map of a picture lies, and its pixels.
func drawnCells(t *testing.T, p Picture) (cells, *image.RGBA) {
	t.Helper()
	s, set := layoutOf(t, p)
	for _, shape := range s.shapes {
		if c, ok := shape.(cells); ok {
			return c, s.draw(set)
		}
	}
	t.Fatal("the picture has no map")
	return cells{}, nil
}

func TestEveryCellHasItsColour(t *testing.T) {
	lengths := gaze.Lengths{9, 4}
	a := newAttention(gaze.SlidingWindow{Left: 2, Right: 1}, lengths, 3)
	for _, density := range []int{1, 2} {
		p := Picture{Map: a.pooled(t, 64, Weight, MaxPooling), Range: Range{1e-3, 1}, Sequences: lengths, Size: 200, Density: density}
		c, img := drawnCells(t, p)
		for query := range 13 {
			for key := range 13 {
				x, y := c.at.X+key*c.pixels+c.pixels/2, c.at.Y+query*c.pixels+c.pixels/2
				got := img.RGBAAt(x, y)
				if !a.sees(query, key) {
					if got != maskInk && got != maskPaper {
						t.Errorf("masked pair %d, %d is %v", query, key, got)
					}
					continue
				}
				want := viridis.At(Log.Position(float64(a.weights[query][key]), p.Range))
				if got != want {
					t.Errorf("query %d, key %d is %v, want %v", query, key, got, want)
				}
			}
		}
	}
}

func TestQueriesRunDownAndKeysAcross(t *testing.T) {
	m, _ := NewMap(4, 4, 8, Weight, MaxPooling)
	for query := range 4 {
		row := []float32{0.1, 0.1, 0.1, 0.1}
		if query == 0 {
			row[3] = 0.7
		}
		if err := m.AddRow(query, row, []gaze.Span{{First: 0, End: 4}}); err != nil {
			t.Fatal(err)
		}
	}
	c, img := drawnCells(t, Picture{Map: m, Size: 64})
	box := c.box()
	if got := img.RGBAAt(box.Max.X-3, box.Min.Y+3); got != viridis.Colors[255] {
		t.Errorf("query 0, key 3 at the top right is %v", got)
	}
	if got := img.RGBAAt(box.Min.X+3, box.Max.Y-3); got != viridis.Colors[0] {
		t.Errorf("query 3, key 0 at the bottom left is %v", got)
	}
}

func TestBoundariesCoverNothingVisible(t *testing.T) {
	lengths := gaze.Lengths{30, 21, 9}
	a := newAttention(gaze.Any{gaze.Causal{}, gaze.GlobalTokens{Tokens: []int{0}}}, lengths, 8)
	for _, size := range []int{32, 60, 200} { // several tokens a pixel, one, several pixels a token
		with := Picture{Map: a.pooled(t, 60, Weight, MaxPooling), Sequences: lengths, Size: size}
		without := with
		without.Sequences = nil
		c, img := drawnCells(t, with)
		_, plain := drawnCells(t, without)
		lines := 0
		for y := range c.m.Rows * c.pixels {
			for x := range c.m.Cols * c.pixels {
				at := c.at.Add(image.Pt(x, y))
				if img.RGBAAt(at.X, at.Y) == plain.RGBAAt(at.X, at.Y) {
					continue
				}
				lines++
				if _, visible := c.m.At(y/c.pixels, x/c.pixels); visible {
					t.Fatalf("size %d: the boundary covers a visible cell at %d, %d", size, x, y)
				}
			}
		}
		if lines < 60 {
			t.Errorf("size %d: boundaries are %d pixels", size, lines)
		}
	}
}

func TestGridAppearsFromTwelvePixels(t *testing.T) {
	a := newAttention(gaze.Full{}, gaze.Lengths{10}, 8)
	m := a.pooled(t, 60, Weight, MaxPooling)
	for _, size := range []int{110, 120} {
		c, img := drawnCells(t, Picture{Map: m, Size: size})
		x, y := c.at.X+5*c.pixels, c.at.Y+c.pixels/2
		grid := img.RGBAAt(x, y) != img.RGBAAt(x+c.pixels/2, y)
		if want := c.pixels >= 12; grid != want {
			t.Errorf("%d pixels a cell: grid %v, want %v", c.pixels, grid, want)
		}
	}
}

func textsOf(s *scene) string {
	var texts []string
	for _, l := range s.labels {
		texts = append(texts, l.text)
	}
	return strings.Join(texts, "|")
}

func TestPictureSaysWhatItShows(t *testing.T) {
	lengths := gaze.Lengths{20, 20}
	window := newAttention(gaze.SlidingWindow{Left: 3, Right: 3}, lengths, 1)
	full := newAttention(gaze.Full{}, gaze.Lengths{40}, 1)
	longer := newAttention(gaze.Full{}, gaze.Lengths{41}, 1)
	for _, c := range []struct {
		picture      Picture
		says, silent []string
	}{
		{Picture{Map: window.pooled(t, 10, Weight, MaxPooling), Sequences: lengths},
			[]string{"max of 4 × 4", "masked", "sequence boundary", "key", "query", "attention weight, log scale", "percentiles 1 to 99.9"}, []string{"fixed"}},
		{Picture{Map: window.pooled(t, 10, Lift, MeanPooling)},
			[]string{"mean of 4 × 4", "masked", "lift over uniform attention, log scale"}, []string{"boundary"}},
		{Picture{Map: full.pooled(t, 40, RowMaximum, MaxPooling), Scale: Linear, Range: Range{0, 1}},
			[]string{"weight / greatest of its row, linear scale", "linear scale from 0 to 1 (fixed)"}, []string{"masked", "boundary", " of 1"}},
		{Picture{Map: full.pooled(t, 40, Weight, MaxPooling), Size: 32, Title: "T", Subtitle: "S"}, // barely fits
			[]string{"T|S|", "|0|"}, []string{"of 1", "of 2", "attention weight"}},
		{Picture{Map: longer.pooled(t, 41, Weight, MaxPooling), Size: 32}, []string{"max of 2 × 2"}, nil},
		{Picture{Map: longer.pooled(t, 41, Weight, MaxPooling), Size: 32, Density: 2}, nil, []string{" × "}},
	} {
		s, _ := layoutOf(t, c.picture)
		texts := textsOf(s)
		for _, want := range c.says {
			if !strings.Contains(texts, want) {
				t.Errorf("%q is not in %q", want, texts)
			}
		}
		for _, unwanted := range c.silent {
			if strings.Contains(texts, unwanted) {
				t.Errorf("%q is in %q", unwanted, texts)
			}
		}
	}
}

func TestBarPointsWhereValuesLieBeyond(t *testing.T) {
	m := rowMap(t, Weight, 0, 0.1, 0.5)
	for _, c := range []struct {
		scale        Scale
		r            Range
		below, above bool
	}{
		{Linear, Range{0, 0.5}, false, false},
		{Linear, Range{0, 0.4}, false, true},
		{Linear, Range{0.1, 0.5}, true, false},
		{Log, Range{0.1, 0.4}, true, true},
	} {
		s, _ := layoutOf(t, Picture{Map: m, Scale: c.scale, Range: c.r, Size: 100})
		for _, shape := range s.shapes {
			if g, ok := shape.(gradient); ok && (g.body.Min.Y > g.top != c.above || g.body.Max.Y < g.bottom != c.below) {
				t.Errorf("%v %v: body %v of %d to %d", c.scale, c.r, g.body, g.top, g.bottom)
			}
		}
	}
}

func TestColourBarShowsTheColourMap(t *testing.T) {
	s, set := layoutOf(t, Picture{Map: rowMap(t, Weight, 0.1, 0.5), Size: 512})
	img := s.draw(set)
	for _, shape := range s.shapes {
		g, ok := shape.(gradient)
		if !ok {
			continue
		}
		x := (g.body.Min.X + g.body.Max.X) / 2
		seen := map[color.RGBA]bool{}
		for y := g.body.Min.Y; y < g.body.Max.Y; y++ {
			seen[img.RGBAAt(x, y)] = true
		}
		if img.RGBAAt(x, g.body.Min.Y) != viridis.Colors[255] || img.RGBAAt(x, g.body.Max.Y-1) != viridis.Colors[0] {
			t.Error("the bar does not run from the lowest colour at the bottom to the highest at the top")
		}
		for _, c := range viridis.Colors {
			if g.body.Dy() >= 256 && !seen[c] {
				t.Fatalf("the bar lacks %v", c)
			}
		}
	}
}

func TestDrawRefuses(t *testing.T) {
	m := rowMap(t, Weight, 0.5)
	incomplete, _ := NewMap(3, 3, 3, Weight, MaxPooling)
	for _, c := range []struct {
		picture Picture
		want    string
	}{
		{Picture{}, "no map"},
		{Picture{Map: incomplete}, "query 0 was never added"},
		{Picture{Map: m, Scale: Scale(5)}, "scale(5)"},
		{Picture{Map: rowMap(t, Difference, 0.5)}, "no logarithm"},
		{Picture{Map: m, Range: Range{2, 1}}, "range is 2 to 1"},
		{Picture{Map: m, Range: Range{0, 1}}, "above 0"},
		{Picture{Map: m, Sequences: gaze.Lengths{1, 1}}, "2 tokens"},
		{Picture{Map: m, Sequences: gaze.Lengths{1, 0}}, "sequence 1"},
		{Picture{Map: m, Size: 5}, "size 5"},
		{Picture{Map: m, Size: -1}, "size -1"},
		{Picture{Map: m, Density: -2}, "density -2"},
		{Picture{Map: m, Size: 4096, Density: 3}, "density 3"},
		{Picture{Map: m, Density: 1 << 62}, "density"},
	} {
		img, err := c.picture.Draw()
		if img != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

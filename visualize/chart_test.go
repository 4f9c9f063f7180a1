package visualize

import (
	"fmt"
	"image"
	"math"
	"strings"
	"testing"
)

func testChart() Chart {
	return Chart{Title: "Throughput", Subtitle: "with a limit", X: Axis{Name: "tokens", Base: 2}, Y: Axis{Name: "GFLOP/s"}, Series: []Series{
		{Name: "limit", Limit: true, Points: []Point{{X: 128, Y: 90}, {X: 4096, Y: 90}}},
		{Name: "full", Joined: true, Points: []Point{{X: 128, Y: 5, Low: 4, High: 6}, {X: 512, Y: 20, Low: 3, High: 21}, {X: 4096, Y: 40, Low: 40, High: 41}}},
		{Name: "window", Points: []Point{{X: 128, Y: 3}, {X: 4096, Y: 2.5}}},
	}}
}

func chartLayout(t *testing.T, p ChartPage) *scene {
	t.Helper()
	set, err := newTypesetter(1)
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.layout(set)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Points lie where their values say, and lines join them.
func TestChartPlaces(t *testing.T) {
	s := chartLayout(t, ChartPage{Size: 400, Charts: []Chart{testChart()}})
	checkLayout(t, "chart", s)
	var body image.Rectangle
	var dots []dot
	var strokes []stroke
	for _, shape := range s.shapes {
		switch shape := shape.(type) {
		case frame:
			body = shape.box
		case dot:
			dots = append(dots, shape)
		case stroke:
			strokes = append(strokes, shape)
		}
	}
	// Five points, and two in the legend; a limit and its swatch, a joined series, three spreads.
	if len(dots) != 7 || len(strokes) != 6 {
		t.Fatalf("%d dots and %d strokes", len(dots), len(strokes))
	}
	// The axes reach from 64 to 8192 tokens, and from 2 to 128 GFLOP/s: seven and six doublings.
	place := func(x, y float64) spot {
		return spot{float64(body.Min.X) + math.Log2(x/64)/7*float64(body.Dx()), float64(body.Max.Y) - math.Log2(y/2)/6*float64(body.Dy())}
	}
	for i, p := range []Point{{X: 128, Y: 5}, {X: 512, Y: 20}, {X: 4096, Y: 40}, {X: 128, Y: 3}, {X: 4096, Y: 2.5}} {
		want := place(p.X, p.Y)
		if math.Abs(dots[i].at.x-want.x) > 0.1 || math.Abs(dots[i].at.y-want.y) > 0.1 {
			t.Errorf("%v lies at %v, expected %v", p, dots[i].at, want)
		}
	}
	if joined := strokes[1]; len(joined.spots) != 3 || joined.spots[1] != dots[1].at || joined.color != dots[1].color || joined.color == dots[4].color {
		t.Errorf("the line is %+v", joined)
	}
	if low := strokes[3].spots[0]; math.Abs(low.y-place(512, 3).y) > 0.1 || low.x != dots[1].at.x {
		t.Errorf("the spread at 512 begins at %v", low)
	}
	for _, want := range []string{"tokens", "GFLOP/s", "full", "limit", "256", "4096", "10", "Throughput"} {
		found := false
		for _, l := range s.labels {
			found = found || l.text == want
		}
		if !found {
			t.Errorf("the chart lacks the text %q", want)
		}
	}
}

// A line has its colour in the middle and leaves the paper alone beside it.
func TestStrokeAndDot(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 40, 40))
	fill{img.Rect, paper}.draw(img)
	hue := seriesColors[0]
	stroke{[]spot{{5, 5}, {35, 5}, {35, 30}}, 3, hue}.draw(img)
	dot{spot{15.5, 25.5}, 6, hue, true}.draw(img)
	for at, inked := range map[image.Point]bool{{20, 4}: true, {34, 20}: true, {20, 7}: false, {28, 20}: false, {5, 30}: false,
		{15, 20}: true, {10, 25}: true, {15, 25}: false, {15, 33}: false} {
		want := paper
		if inked {
			want = hue
		}
		if got := img.RGBAAt(at.X, at.Y); got != want {
			t.Errorf("pixel %v is %v, expected %v", at, got, want)
		}
	}
}

func TestChartErrors(t *testing.T) {
	with := func(p Point) ChartPage {
		return ChartPage{Charts: []Chart{{Series: []Series{{Name: "s", Points: []Point{p}}}}}}
	}
	many := Chart{}
	for i := range MostSeries + 1 {
		many.Series = append(many.Series, Series{Name: fmt.Sprint(i), Points: []Point{{X: 1, Y: 1}}})
	}
	backwards := testChart()
	backwards.X.Range = Range{10, 1}
	for want, page := range map[string]ChartPage{
		"page of 0 charts":                          {},
		`chart 0: point 0 of "s" is at 0, 1`:        with(Point{X: 0, Y: 1}),
		`point 0 of "s" is at 1, -2`:                with(Point{X: 1, Y: -2}),
		`point 0 of "s" is at 1, NaN`:               with(Point{X: 1, Y: math.NaN()}),
		`point 0 of "s" is at +Inf, 1`:              with(Point{X: math.Inf(1), Y: 1}),
		`point 0 of "s" reaches from 2 to 3, and 1`: with(Point{X: 1, Y: 1, Low: 2, High: 3}),
		"13 series with 13 points":                  {Charts: []Chart{many}},
		"0 series with 0 points":                    {Charts: []Chart{{}}},
		"range":                                     {Charts: []Chart{backwards}},
		"charts of size 199":                        {Size: 199, Charts: []Chart{testChart()}},
		"density 1000":                              {Density: 1000, Charts: []Chart{testChart()}},
	} {
		if _, err := page.Draw(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, expected %q in it", err, want)
		}
	}
}

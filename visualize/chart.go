package visualize

import (
	"fmt"
	"image"
	"image/color"
	"math"
)

// A Chart plots values over values, all above 0, on logarithmic axes.
type Chart struct {
	Title    string
	Subtitle string
	X, Y     Axis
	Series   []Series // in drawing order, at most MostSeries that are no limits
}

// An Axis is one of a chart's.
type Axis struct {
	Name  string
	Base  float64 // of the powers that have labels: 10, or 2 for sizes; 0: 10
	Range Range   // the zero value: that of all points, to whole powers of two
}

// A Series is points with one colour and one name.
type Series struct {
	Name   string
	Points []Point
	Joined bool // by a line, in their order
	Limit  bool // what no other can pass: a line in black or grey
}

// A Point is one value over another. A line stands from Low to High, where they are not 0.
type Point struct{ X, Y, Low, High float64 }

// A ChartPage is charts side by side.
type ChartPage struct {
	Title    string
	Subtitle string
	Charts   []Chart
	Size     int // of the width of one chart; 0: DefaultChartSize
	Density  int // as in Picture
}

// DefaultChartSize is the Size of a page of charts that gives none.
const DefaultChartSize = 560

// seriesColors tell series apart, also for who sees few colours (Okabe and Ito,
// without the yellow, which is too pale for a line).
var seriesColors = []color.RGBA{
	{0x00, 0x72, 0xb2, 0xff}, {0xd5, 0x5e, 0x00, 0xff}, {0x00, 0x9e, 0x73, 0xff}, {0xcc, 0x79, 0xa7, 0xff}, {0x56, 0xb4, 0xe9, 0xff}, {0xe6, 0x9f, 0x00, 0xff},
}

// limitColors are those of limits.
var limitColors = []color.RGBA{ink, frameInk, {0xaf, 0xb8, 0xc1, 0xff}}

// MostSeries is how many series there are colours for, in filled and then in
// hollow points.
const MostSeries = 12

// Draw returns the page, or what makes it impossible to draw.
func (p ChartPage) Draw() (*image.RGBA, error) {
	density, err := checkSize(&p.Size, DefaultChartSize, p.Density)
	if err != nil {
		return nil, err
	}
	t, err := newTypesetter(density)
	if err != nil {
		return nil, err
	}
	s, err := p.layout(t)
	if err != nil {
		return nil, err
	}
	return s.draw(t), nil
}

const (
	chartGap      = 48
	chartRatio    = 0.72 // of height to width
	tickLength    = 5
	smallestChart = 200
)

func (p ChartPage) layout(t *typesetter) (*scene, error) {
	if len(p.Charts) < 1 || len(p.Charts) > 8 {
		return nil, fmt.Errorf("page of %d charts: from 1 to 8 are needed", len(p.Charts))
	}
	if p.Size < smallestChart {
		return nil, fmt.Errorf("charts of size %d: at least %d is needed", p.Size, smallestChart)
	}
	s := &scene{}
	left, width := t.px(margin), t.px(p.Size)
	across := width + t.px(chartGap)
	right := left + len(p.Charts)*across - t.px(chartGap)
	y := placeHeader(t, s, header{titleRole, p.Title, p.Subtitle, ""}, left, t.px(margin), right)
	bottom := y
	top := 0
	for _, c := range p.Charts {
		top = max(top, header{captionRole, c.Title, c.Subtitle, ""}.height(t, width))
	}
	for i, c := range p.Charts {
		x := left + i*across
		h := header{captionRole, c.Title, c.Subtitle, ""}
		placeHeader(t, s, h, x, y+top-h.height(t, width), x+width)
		below, err := c.place(t, s, image.Rect(x, y+top, x+width, y+top+int(chartRatio*float64(width))))
		if err != nil {
			return nil, fmt.Errorf("chart %d: %w", i, err)
		}
		bottom = max(bottom, below)
	}
	s.size = image.Pt(right+t.px(margin), bottom+t.px(margin))
	return s, nil
}

// check reports what cannot be plotted.
func (c Chart) check() error {
	colored, points := 0, 0
	for _, series := range c.Series {
		if !series.Limit {
			colored++
		}
		for i, p := range series.Points {
			points++
			for _, value := range []float64{p.X, p.Y} {
				if !(value > 0) || math.IsInf(value, 0) {
					return fmt.Errorf("point %d of %q is at %v, %v: both must be above 0 and finite", i, series.Name, p.X, p.Y)
				}
			}
			if (p.Low != 0 || p.High != 0) && !(p.Low > 0 && p.Low <= p.Y && p.Y <= p.High && !math.IsInf(p.High, 0)) {
				return fmt.Errorf("point %d of %q reaches from %v to %v, and %v is not between them", i, series.Name, p.Low, p.High, p.Y)
			}
		}
	}
	if colored > MostSeries || points == 0 {
		return fmt.Errorf("%d series with %d points: at most %d series and at least one point are needed", colored, points, MostSeries)
	}
	return nil
}

// place adds the chart to s, with its axes and numbers within box and its legend
// below, and returns the y of what comes then.
func (c Chart) place(t *typesetter, s *scene, box image.Rectangle) (int, error) {
	if err := c.check(); err != nil {
		return 0, err
	}
	c.X.fit(c.Series, func(p Point) []float64 { return []float64{p.X} })
	c.Y.fit(c.Series, func(p Point) []float64 { return []float64{p.Y, p.Low, p.High} })
	for _, a := range []Axis{c.X, c.Y} {
		if err := a.Range.Validate(Log); err != nil {
			return 0, fmt.Errorf("%s: %w", a.Name, err)
		}
	}
	line, gap := t.height(smallRole), t.px(7)
	left := t.height(textRole) + gap + t.width(smallRole, "10,000") + gap + t.px(tickLength)
	body := image.Rect(box.Min.X+left, box.Min.Y+line/2, box.Max.X-t.px(12), box.Max.Y-line-t.height(textRole)-2*gap-t.px(tickLength))

	s.write(t.verticalLabel(textRole, ink, c.Y.Name, box.Min.X, start, (body.Min.Y+body.Max.Y)/2, center))
	s.write(t.label(textRole, ink, c.X.Name, (body.Min.X+body.Max.X)/2, center, box.Max.Y, end))
	for _, k := range c.Y.ticks(body.Dy(), 2*line) {
		y := body.Max.Y - int(k.Position*float64(body.Dy()))
		s.add(fill{image.Rect(body.Min.X, y, body.Max.X, y+t.density), badgePaper})
		if k.Label != "" {
			s.add(fill{image.Rect(body.Min.X-t.px(tickLength), y, body.Min.X, y+t.density), frameInk})
			s.write(t.label(smallRole, quietInk, k.Label, body.Min.X-t.px(tickLength)-gap, end, y, center))
		}
	}
	for _, k := range c.X.ticks(body.Dx(), t.width(smallRole, "10,000")+gap) {
		x := body.Min.X + int(k.Position*float64(body.Dx()))
		s.add(fill{image.Rect(x, body.Min.Y, x+t.density, body.Max.Y), badgePaper})
		if k.Label != "" {
			s.add(fill{image.Rect(x, body.Max.Y, x+t.density, body.Max.Y+t.px(tickLength)), frameInk})
			s.write(t.label(smallRole, quietInk, k.Label, x, center, body.Max.Y+t.px(tickLength)+gap/2, start))
		}
	}
	s.add(frame{body, t.density, frameInk})
	items := c.plot(t, s, body)
	return placeLegend(t, s, items, box.Min.X+left, box.Max.Y+gap, box.Max.X), nil
}

// plot adds the series, and returns what explains them.
func (c Chart) plot(t *typesetter, s *scene, body image.Rectangle) []legendItem {
	// To a sixteenth of a pixel, so that it does not depend on a processor's last bit.
	fine := func(x float64) float64 { return math.Round(16*x) / 16 }
	at := func(x, y float64) spot {
		return spot{fine(float64(body.Min.X) + c.X.position(x)*float64(body.Dx())), fine(float64(body.Max.Y) - c.Y.position(y)*float64(body.Dy()))}
	}
	var items, limits []legendItem
	for _, series := range c.Series {
		hue, hollow := seriesColors[len(items)%len(seriesColors)], len(items) >= len(seriesColors)
		if series.Limit {
			hue = limitColors[len(limits)%len(limitColors)]
		}
		line := stroke{width: 1.5 * float64(t.density), color: hue}
		for _, p := range series.Points {
			line.spots = append(line.spots, at(p.X, p.Y))
		}
		if series.Joined || series.Limit {
			s.add(line)
		}
		if series.Limit {
			limits = append(limits, legendItem{func(box image.Rectangle) shape {
				y := float64(box.Min.Y+box.Max.Y) / 2
				return stroke{[]spot{{float64(box.Min.X), y}, {float64(box.Max.X), y}}, line.width, hue}
			}, series.Name})
			continue
		}
		for i, p := range series.Points {
			if p.Low > 0 {
				s.add(stroke{[]spot{at(p.X, p.Low), at(p.X, p.High)}, float64(t.density), hue})
			}
			s.add(dot{line.spots[i], 4 * float64(t.density), hue, hollow})
		}
		items = append(items, legendItem{func(box image.Rectangle) shape {
			return dot{spot{float64(box.Min.X+box.Max.X) / 2, float64(box.Min.Y+box.Max.Y) / 2}, 4 * float64(t.density), hue, hollow}
		}, series.Name})
	}
	return append(limits, items...)
}

// fit gives an axis that has none the range of all values, to whole powers of two.
func (a *Axis) fit(series []Series, of func(Point) []float64) {
	if a.Base == 0 {
		a.Base = 10
	}
	if a.Range != (Range{}) {
		return
	}
	low, high := math.Inf(1), 0.0
	for _, s := range series {
		for _, p := range s.Points {
			for _, value := range of(p) {
				if value > 0 {
					low, high = min(low, value), max(high, value)
				}
			}
		}
	}
	a.Range = Range{math.Pow(2, math.Floor(math.Log2(low/1.2))), math.Pow(2, math.Ceil(math.Log2(high*1.2)))}
}

func (a Axis) position(value float64) float64 {
	return (math.Log(value) - math.Log(a.Range.Low)) / (math.Log(a.Range.High) - math.Log(a.Range.Low))
}

// ticks returns the marks of an axis that is length pixels long.
func (a Axis) ticks(length, gap int) []Tick {
	text := func(value float64, digits int) string { return Readable(value, digits) }
	if ticks := powerTicks(a.Range, a.Base, length, gap, text); ticks != nil {
		return ticks
	}
	return evenTicks(Log, a.Range, length, gap, text)
}

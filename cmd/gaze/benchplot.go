package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/gazevk/gaze/engine/bench"
	"github.com/gazevk/gaze/visualize"
)

// plot draws throughput over tokens, and all cases under the limits of the device.
func (r *benchReport) plot(path string) error {
	page := visualize.ChartPage{
		Title:    "gaze on " + r.Device.Name,
		Subtitle: fmt.Sprintf("%s, %s; medians of %d runs, %s", r.Device.Driver, r.Host.line(), r.Runs, r.Date),
		Density:  2,
	}
	if chart := r.throughput(); len(chart.Series) > 0 {
		page.Charts = append(page.Charts, chart)
	}
	if chart := r.roofline(); len(chart.Series) > 0 {
		page.Charts = append(page.Charts, chart)
	}
	if len(page.Charts) == 0 {
		return fmt.Errorf("%s: there is nothing to draw in the suites that were measured", path)
	}
	return writePicture(path, page)
}

// throughput draws the series of cases that differ in their tokens.
func (r *benchReport) throughput() visualize.Chart {
	chart := visualize.Chart{Title: "Throughput over sequence length", Subtitle: "of visible pairs; bars reach from the slowest to the quickest run",
		X: visualize.Axis{Name: "tokens", Base: 2}, Y: visualize.Axis{Name: "GFLOP/s"}}
	tiers := map[string]bool{}
	for _, c := range r.Cases {
		tiers[string(c.Tier)] = true
	}
	for _, c := range r.Cases {
		if c.Series == "" || c.Tokens == 0 || c.MultiplyAdds == 0 {
			continue
		}
		name := c.Series
		if c.Precision != "f32" {
			name += " " + string(c.Precision)
		}
		if len(tiers) > 2 { // one is the empty one, of startup
			name += " " + string(c.Tier)
		}
		s := c.GPU
		if s.Median == 0 {
			s = c.Host
		}
		y := c.GFLOPS()
		point := visualize.Point{X: float64(c.Tokens), Y: y, Low: y * s.Median / s.Most, High: y * s.Median / s.Least}
		addPoint(&chart, name, point, true)
	}
	return chart
}

// addPoint adds a point to the series of that name, while there are colours.
func addPoint(chart *visualize.Chart, name string, p visualize.Point, joined bool) {
	i := slices.IndexFunc(chart.Series, func(s visualize.Series) bool { return s.Name == name })
	if i < 0 {
		colored := 0
		for _, s := range chart.Series {
			if !s.Limit {
				colored++
			}
		}
		if colored == visualize.MostSeries {
			return
		}
		chart.Series = append(chart.Series, visualize.Series{Name: name, Joined: joined})
		i = len(chart.Series) - 1
	}
	chart.Series[i].Points = append(chart.Series[i].Points, p)
}

// roofline draws all cases by their intensity, under the limits that bind them
// (Williams, Waterman and Patterson 2009).
func (r *benchReport) roofline() visualize.Chart {
	chart := visualize.Chart{Title: "Roofline", Subtitle: "every case under the limits of the device",
		X: visualize.Axis{Name: "operations a byte that must be moved"}, Y: visualize.Axis{Name: "GFLOP/s"}}
	least, most := math.Inf(1), 0.0
	for _, c := range r.Cases {
		if c.MultiplyAdds == 0 || c.Bytes == 0 || c.Seconds() <= 0 {
			continue
		}
		intensity := 2 * float64(c.MultiplyAdds) / float64(c.Bytes)
		least, most = min(least, intensity), max(most, intensity)
		addPoint(&chart, mainKernel(c).Name, visualize.Point{X: intensity, Y: c.GFLOPS()}, false)
	}
	if most == 0 {
		return chart
	}
	l := r.Limits
	memory, cache := l.Copies[len(l.Copies)-1], slices.MaxFunc(l.Copies, func(a, b bench.Copy) int { return cmp.Compare(a.Rate, b.Rate) })
	roof := func(c bench.Copy) visualize.Series {
		bend := l.Multiply.GFLOPS / c.Rate
		from := min(least, bend) / 4
		return visualize.Series{Name: fmt.Sprintf("copy within %s: %s GB/s", size(c.Bytes), significant(c.Rate)), Limit: true,
			Points: []visualize.Point{{X: from, Y: from * c.Rate}, {X: bend, Y: l.Multiply.GFLOPS}}}
	}
	limits := []visualize.Series{{Name: fmt.Sprintf("multiply-add: %s GFLOP/s", significant(l.Multiply.GFLOPS)), Limit: true, Points: []visualize.Point{
		{X: l.Multiply.GFLOPS / cache.Rate, Y: l.Multiply.GFLOPS}, {X: 2 * max(most, l.Multiply.GFLOPS/memory.Rate), Y: l.Multiply.GFLOPS}}}, roof(memory)}
	if cache.Rate > 1.2*memory.Rate {
		limits = append(limits, roof(cache))
	}
	chart.Series = append(limits, chart.Series...)
	return chart
}

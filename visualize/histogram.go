package visualize

import "math"

// Percentiles of an automatic range: a few outliers at either end take the end
// colours, so that the rest is seen.
const (
	lowPercentile  = 1
	highPercentile = 99.9
)

// mostDecades bounds an automatic range on a log scale. Softmax weights have tens of
// them, and what lies further below the greatest is next to nothing: with all of them in
// sight, what matters would share a few colours.
const mostDecades = 4

// histogramBins is coarse on purpose: a device can count as many in one pass.
const histogramBins = 256

// A histogram counts values in bins of equal width along the axis of a scale.
type histogram struct {
	scale     Scale
	low, high float64 // least and greatest value
	counts    [histogramBins]int
	total     int
}

// newHistogram counts the values that each visits, all finite. It visits twice.
// Values that the scale does not show are left out.
func newHistogram(scale Scale, each func(visit func(value float64))) *histogram {
	h := &histogram{scale: scale, low: math.Inf(1), high: math.Inf(-1)}
	each(func(value float64) {
		if scale.shows(value) {
			h.low, h.high = min(h.low, value), max(h.high, value)
			h.total++
		}
	})
	low, high := scale.axis(h.low), scale.axis(h.high)
	each(func(value float64) {
		if scale.shows(value) {
			bin := 0
			if high > low {
				bin = int((scale.axis(value) - low) / (high - low) * histogramBins)
			}
			h.counts[min(max(bin, 0), histogramBins-1)]++
		}
	})
	return h
}

// percentile returns the edges of the bin that holds the value which percent of
// all values do not exceed: the exact percentile lies between them. The outer
// edges are the least and the greatest value themselves.
func (h *histogram) percentile(percent float64) (lower, upper float64) {
	rank := max(int(math.Ceil(percent/100*float64(h.total))), 1)
	bin, counted := 0, h.counts[0]
	for counted < rank && bin < histogramBins-1 {
		bin++
		counted += h.counts[bin]
	}
	return h.edge(bin), h.edge(bin + 1)
}

func (h *histogram) edge(bin int) float64 {
	if h.low == h.high { // not to pass through the scale and its rounding
		return h.low
	}
	return h.scale.Value(float64(bin)/histogramBins, Range{h.low, h.high})
}

// AutomaticRange returns a range for the visible cells of maps, which must hold
// the same measure. Its ends are percentiles from a histogram of 256 bins along
// the scale, taken at the outer edges of their bins:
//
//   - on a log scale from the 1st to the 99.9th, of the values above 0, but of at most
//     four decades;
//   - on the other scales from 0 to the 99.9th, so that the lowest colour means
//     a weight of 0;
//   - for differences from -limit to +limit, with the 99.9th of the magnitudes.
//
// A single value becomes the top of its range. The range is valid for the
// scale, but that differences have none on a log scale.
func AutomaticRange(scale Scale, maps ...*Map) Range {
	h := newHistogram(scale, func(visit func(float64)) {
		for _, m := range maps {
			m.eachVisible(func(value float64) {
				if m.Measure == Difference {
					value = math.Abs(value)
				}
				visit(value)
			})
		}
	})
	if h.total == 0 || h.high <= 0 {
		h.low, h.high = 1, 1 // all masked, or nothing but zeros
	}
	low, _ := h.percentile(lowPercentile)
	_, high := h.percentile(highPercentile)
	switch {
	case len(maps) > 0 && maps[0].Measure == Difference:
		low = -high
	case scale != Log:
		low = 0
	case low >= high:
		low = high / 10
	default:
		low = max(low, high/math.Pow10(mostDecades))
	}
	return Range{low, high}
}

// eachVisible visits the value of every cell that is not masked.
func (m *Map) eachVisible(visit func(value float64)) {
	for row := range m.Rows {
		for col := range m.Cols {
			if value, visible := m.At(row, col); visible {
				visit(value)
			}
		}
	}
}

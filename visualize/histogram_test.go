package visualize

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gazevk/gaze"
)

// rowMap returns a map of one query with the given weights, all visible.
func rowMap(t *testing.T, measure Measure, weights ...float32) *Map {
	t.Helper()
	a := attention{1, len(weights), [][]float32{weights}, [][]gaze.Span{{{First: 0, End: len(weights)}}}}
	return a.pooled(t, MaxCells, measure, MaxPooling)
}

func TestPercentileLiesInItsBin(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, s := range scales {
		for _, count := range []int{1, 2, 3, 10, 999, 5000} {
			values := make([]float64, count)
			for i := range values {
				values[i] = math.Exp(4 * random.NormFloat64())
			}
			h := newHistogram(s, func(visit func(float64)) {
				for _, v := range values {
					visit(v)
				}
			})
			slices.Sort(values)
			least, greatest := s.axis(values[0]), s.axis(values[count-1])
			for _, percent := range []float64{0, 1, 25, 50, 75, 99, 99.9, 100} {
				exact := values[max(int(math.Ceil(percent/100*float64(count))), 1)-1]
				lower, upper := h.percentile(percent)
				slack := 1e-12 * exact
				if lower > exact+slack || upper < exact-slack {
					t.Errorf("%v, %d values: percentile %v is %v, not within %v to %v", s, count, percent, exact, lower, upper)
				}
				if width := s.axis(upper) - s.axis(lower); width > (greatest-least)/histogramBins*1.0001+1e-12 {
					t.Errorf("%v, %d values: percentile %v is known to %v only", s, count, percent, width)
				}
			}
		}
	}
}

func TestAutomaticRangeOfSpecialMaps(t *testing.T) {
	masked, _ := NewMap(1, 3, 8, Weight, MaxPooling)
	if err := masked.AddRow(0, make([]float32, 3), nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		scale Scale
		maps  []*Map
		want  Range
	}{
		{"no map", Log, nil, Range{0.1, 1}},
		{"all masked, log", Log, []*Map{masked}, Range{0.1, 1}},
		{"all masked, linear", Linear, []*Map{masked}, Range{0, 1}},
		{"zeros, log", Log, []*Map{rowMap(t, Weight, 0, 0)}, Range{0.1, 1}},
		{"zeros, linear", Linear, []*Map{rowMap(t, Weight, 0, 0)}, Range{0, 1}},
		{"zeros, gamma", Gamma, []*Map{rowMap(t, Weight, 0, 0)}, Range{0, 1}},
		{"zero difference", Linear, []*Map{rowMap(t, Difference, 0, 0)}, Range{-1, 1}},
		{"one value, log", Log, []*Map{rowMap(t, Weight, 0.5, 0.5)}, Range{0.05, 0.5}},
		{"one value, gamma", Gamma, []*Map{rowMap(t, Weight, 0.5, 0.5)}, Range{0, 0.5}},
		{"one value and zeros, log", Log, []*Map{rowMap(t, Weight, 0, 0.5, 0)}, Range{0.05, 0.5}},
		{"two values, log", Log, []*Map{rowMap(t, Weight, 0.25, 0.75)}, Range{0.25, 0.75}},
		{"two values, linear", Linear, []*Map{rowMap(t, Weight, 0.25, 0.75)}, Range{0, 0.75}},
		{"twenty decades, log", Log, []*Map{rowMap(t, Weight, 1e-20, 1e-12, 1e-3, 0.5)}, Range{0.5e-4, 0.5}},
		{"twenty decades, gamma", Gamma, []*Map{rowMap(t, Weight, 1e-20, 1e-12, 1e-3, 0.5)}, Range{0, 0.5}},
		{"difference", Gamma, []*Map{rowMap(t, Difference, -0.75, 0.25)}, Range{-0.75, 0.75}},
		{"two maps", Log, []*Map{rowMap(t, Weight, 0.5), rowMap(t, Weight, 0.125)}, Range{0.125, 0.5}},
	} {
		got := AutomaticRange(c.scale, c.maps...)
		if got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		if err := got.Validate(c.scale); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestAutomaticRangeLeavesOutOutliers(t *testing.T) {
	weights := make([]float32, 4000)
	for i := range weights {
		weights[i] = 0.01 * (1 + float32(i%100)/100) // 0.01 to 0.02
	}
	weights[17], weights[18] = 0.9, 1e-30
	r := AutomaticRange(Log, rowMap(t, Weight, weights...))
	// 256 bins over 30 decades are a factor of 1.3 each.
	if r.Low < 0.01/1.35 || r.Low > 0.01 || r.High < 0.02/1.02 || r.High > 0.02*1.35 {
		t.Errorf("range is %v, want about 0.01 to 0.02", r)
	}
}

func TestAutomaticRangeIsAlwaysValid(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		weights := make([]float32, 1+random.IntN(30))
		for i := range weights {
			if random.IntN(3) > 0 {
				weights[i] = math.Float32frombits(random.Uint32N(0x7f800000)) // any finite weight, subnormal too
			}
		}
		for _, measure := range []Measure{Weight, RowMaximum, Lift, Difference} {
			m := rowMap(t, measure, weights...)
			for _, s := range scales {
				if measure == Difference && s == Log {
					continue
				}
				if r := AutomaticRange(s, m); r.Validate(s) != nil {
					t.Fatalf("%v of %v on %v: %v", measure, weights, s, r.Validate(s))
				}
			}
		}
	}
}

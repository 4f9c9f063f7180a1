package visualize

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestStep125(t *testing.T) {
	for _, c := range [][2]float64{{1, 1}, {1.1, 2}, {2, 2}, {3, 5}, {5, 5}, {7, 10}, {10, 10}, {101, 200}, {0.03, 0.05}, {0.001, 0.001}, {1e-7, 1e-7}} {
		if got := step125(c[0]); math.Abs(got/c[1]-1) > 1e-12 {
			t.Errorf("step for %v is %v, want %v", c[0], got, c[1])
		}
	}
}

func TestTokenTicks(t *testing.T) {
	for _, c := range []struct {
		count          int
		pixelsPerToken float64
		want           []int
	}{
		{1, 896, []int{0}},
		{4, 200, []int{0, 1, 2, 3}},
		{12, 20, []int{0, 5, 10}},
		{812, 1, []int{0, 100, 200, 300, 400, 500, 600, 700, 800}},
		{8192, 0.125, []int{0, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000}},
	} {
		if got := multiples(TokenStep(c.pixelsPerToken, 64), 0, c.count); !slices.Equal(got, c.want) {
			t.Errorf("%d tokens of %v pixels: %v, want %v", c.count, c.pixelsPerToken, got, c.want)
		}
	}
}

func TestMultiples(t *testing.T) {
	for _, c := range []struct {
		step, first, end int
		want             []int
	}{{5, 0, 11, []int{0, 5, 10}}, {5, 3, 10, []int{5}}, {5, 5, 6, []int{5}}, {5, 6, 9, nil}, {1, 7, 9, []int{7, 8}}} {
		if got := multiples(c.step, c.first, c.end); !slices.Equal(got, c.want) {
			t.Errorf("multiples of %d from %d to %d: %v, want %v", c.step, c.first, c.end, got, c.want)
		}
	}
}

// labels returns what a bar of 900 pixels says, from its bottom upwards.
func barLabels(scale Scale, measure Measure, r Range) []string {
	ticks := ValueTicks(scale, measure, r, 900, 24)
	slices.SortFunc(ticks, func(a, b Tick) int { return int(math.Copysign(1, a.Position-b.Position)) })
	var labels []string
	for _, mark := range ticks {
		if mark.Label != "" {
			labels = append(labels, mark.Label)
		}
	}
	return labels
}

func TestValueTickLabels(t *testing.T) {
	for _, c := range []struct {
		scale   Scale
		measure Measure
		r       Range
		want    string
	}{
		{Log, Weight, Range{9e-8, 0.4}, "1e−7 1e−6 1e−5 1e−4 0.001 0.01 0.1"},
		{Log, Weight, Range{0.01, 1}, "0.01 0.02 0.05 0.1 0.2 0.5 1"},
		{Log, Weight, Range{1e-40, 1}, "1e−40 1e−35 1e−30 1e−25 1e−20 1e−15 1e−10 1e−5 1"},
		{Log, Weight, Range{0.002, 0.008}, "0.002 0.004 0.006 0.008"},
		{Linear, Weight, Range{0, 0.42}, "0 0.1 0.2 0.3 0.4"},
		{Linear, Weight, Range{0, 1}, "0 0.2 0.4 0.6 0.8 1"},
		{Linear, Weight, Range{0.5, 0.5004}, "0.5 0.5001 0.5002 0.5003 0.5004"},
		{Linear, Difference, Range{-0.3, 0.3}, "−0.2 0 0.2"},
		{Linear, Weight, Range{-7, -2}, "−7 −6 −5 −4 −3 −2"},
		{Gamma, Weight, Range{0, 1}, "0 0.01 0.05 0.1 0.2 0.4 0.6 0.8 1"},
		{Gamma, Difference, Range{-1, 1}, "−1 −0.5 −0.2 −0.05 0 0.05 0.2 0.5 1"},
		{Log, Lift, Range{0.2, 70}, "1/4× 1/2× 1× 2× 4× 8× 16× 32× 64×"},
		{Linear, Lift, Range{0, 4}, "0× 1× 2× 3× 4×"},
	} {
		if got := strings.Join(barLabels(c.scale, c.measure, c.r), " "); got != c.want {
			t.Errorf("%v of %v over %v:\n got %s\nwant %s", c.scale, c.measure, c.r, got, c.want)
		}
	}
}

func TestValueTicksStandAtTheirValues(t *testing.T) {
	r := Range{0.001, 1}
	for _, mark := range ValueTicks(Log, Weight, r, 900, 24) {
		want := map[string]float64{"0.001": 0, "0.01": 1.0 / 3, "0.1": 2.0 / 3, "1": 1}
		if position, ok := want[mark.Label]; ok && math.Abs(mark.Position-position) > 1e-9 {
			t.Errorf("%s stands at %v, want %v", mark.Label, mark.Position, position)
		}
	}
}

func TestValueTicksKeepTheirDistance(t *testing.T) {
	for _, s := range scales {
		for _, measure := range []Measure{Weight, Lift} {
			for _, r := range []Range{{1e-9, 1}, {0.3, 0.31}, {1e-3, 2e-3}, {5, 5e5}, {1e-300, 1e-299}, {1e20, 1e21},
				{1, 1 + 1e-15}, {1e6, 1e6 + 1.2e-10}, {5e-324, 1}, {1e-300, 1e300}, {-7, 3}, {-3, -2.9}, {0, 1e-300}} {
				if r.Validate(s) != nil {
					continue
				}
				for _, length := range []int{10, 60, 300, 900} {
					var positions []float64
					for _, mark := range ValueTicks(s, measure, r, length, 20) {
						if mark.Position < 0 || mark.Position > 1 {
							t.Errorf("%v %v: a mark at %v", s, r, mark.Position)
						}
						if mark.Label != "" {
							positions = append(positions, mark.Position*float64(length))
						}
					}
					slices.Sort(positions)
					for i := 1; i < len(positions); i++ {
						if positions[i]-positions[i-1] < 19.99 {
							t.Errorf("%v %v on %d pixels: labels at %v", s, r, length, positions)
							break
						}
					}
				}
			}
		}
	}
}

func TestReadable(t *testing.T) {
	for _, c := range []struct {
		value  float64
		digits int
		want   string
	}{
		{0, 3, "0"}, {1, 3, "1"}, {0.5, 3, "0.5"}, {0.123456, 3, "0.123"}, {0.001, 3, "0.001"}, {0.00099999, 3, "0.001"},
		{9.12e-4, 3, "9.12e−4"}, {1e-4, 3, "1e−4"}, {1.50e-7, 3, "1.5e−7"}, {-0.25, 3, "−0.25"}, {1234567, 3, "1.23e6"},
		{123456, 3, "123000"}, {2048, 5, "2048"}, {5e-324, 3, "4.94e−324"}, {math.Inf(1), 3, "+Inf"},
	} {
		if got := Readable(c.value, c.digits); got != c.want {
			t.Errorf("%v to %d digits is %q, want %q", c.value, c.digits, got, c.want)
		}
	}
}

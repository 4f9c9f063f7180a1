package visualize

import (
	"encoding"
	"math"
	"strings"
	"testing"
)

var scales = []Scale{Log, Linear, Gamma}

func TestPositionRisesFromBottomToTop(t *testing.T) {
	ranges := []Range{{1e-12, 1}, {0.1, 0.2}, {1, 1 + 1e-15}, {5e-324, 1e-300}, {1e-300, 1e300}, {0, 1}, {-2, 2}, {-3, -1}, {0, 1e-300}}
	for _, s := range scales {
		for _, r := range ranges {
			if r.Validate(s) != nil {
				continue
			}
			if low, high := s.Position(r.Low, r), s.Position(r.High, r); low != 0 || high != 1 {
				t.Errorf("%v %v: ends lie at %v and %v", s, r, low, high)
			}
			before := 0.0
			for i := range 101 {
				value := r.Low + (r.High-r.Low)*float64(i)/100
				position := s.Position(value, r)
				if !(position >= before && position <= 1) {
					t.Errorf("%v %v: %v lies at %v, the one below at %v", s, r, value, position, before)
				}
				before = position
			}
		}
	}
}

func TestPositionIsNeverNaN(t *testing.T) {
	values := []float64{math.NaN(), math.Inf(-1), -math.MaxFloat64, -1, math.Copysign(0, -1), 0, 5e-324, 1e-40, 0.5, 1, math.MaxFloat64, math.Inf(1)}
	for _, s := range scales {
		for _, low := range values {
			for _, high := range values {
				r := Range{low, high}
				if r.Validate(s) != nil {
					continue
				}
				for _, value := range values {
					if p := s.Position(value, r); !(p >= 0 && p <= 1) {
						t.Errorf("%v %v: %v lies at %v", s, r, value, p)
					}
				}
			}
		}
	}
}

func TestPositionOfKnownValues(t *testing.T) {
	for _, c := range []struct {
		scale Scale
		r     Range
		value float64
		want  float64
	}{
		{Log, Range{1e-4, 1}, 1e-2, 0.5},
		{Log, Range{1e-4, 1}, 0, 0}, // a weight of 0 is at the bottom
		{Log, Range{0.25, 4}, 2, 0.75},
		{Linear, Range{0, 0.4}, 0.1, 0.25},
		{Linear, Range{-1, 1}, 0, 0.5},
		{Gamma, Range{0, 1}, 0.25, 0.5},
		{Gamma, Range{-1, 1}, 0, 0.5},
		{Gamma, Range{-1, 1}, -0.25, 0.25},
		{Gamma, Range{0.04, 0.16}, 0.09, 0.5},
	} {
		if got := c.scale.Position(c.value, c.r); math.Abs(got-c.want) > 1e-15 {
			t.Errorf("%v %v: %v lies at %v, want %v", c.scale, c.r, c.value, got, c.want)
		}
	}
}

func TestValueUndoesPosition(t *testing.T) {
	for _, s := range scales {
		for _, r := range []Range{{1e-6, 0.7}, {0.1, 0.2}, {-2, 2}} {
			if r.Validate(s) != nil {
				continue
			}
			for i := range 65 {
				position := float64(i) / 64
				if got := s.Position(s.Value(position, r), r); math.Abs(got-position) > 1e-13 {
					t.Errorf("%v %v: the value at %v lies at %v", s, r, position, got)
				}
			}
		}
	}
}

func TestRangeValidate(t *testing.T) {
	for _, c := range []struct {
		scale Scale
		r     Range
		valid bool
	}{
		{Linear, Range{0, 1}, true}, {Linear, Range{-1, 1}, true}, {Gamma, Range{0, 1}, true}, {Log, Range{0.1, 1}, true},
		{Log, Range{0, 1}, false}, {Log, Range{-1, 1}, false}, {Linear, Range{1, 1}, false}, {Linear, Range{2, 1}, false}, {Linear, Range{0, 5e-324}, false},
		{Linear, Range{math.NaN(), 1}, false}, {Linear, Range{0, math.NaN()}, false}, {Linear, Range{0, math.Inf(1)}, false},
		{Gamma, Range{-math.MaxFloat64, math.MaxFloat64}, false},
	} {
		if err := c.r.Validate(c.scale); (err == nil) != c.valid {
			t.Errorf("%v %v: %v", c.scale, c.r, err)
		}
	}
}

func TestNamesAreReadAsTheyAreWritten(t *testing.T) {
	var scale Scale
	var measure Measure
	var pooling Pooling
	for _, c := range []struct {
		target encoding.TextUnmarshaler
		names  []string
		marked func() ([]byte, error)
	}{
		{&scale, scaleNames, func() ([]byte, error) { return scale.MarshalText() }},
		{&measure, measureNames, func() ([]byte, error) { return measure.MarshalText() }},
		{&pooling, poolingNames, func() ([]byte, error) { return pooling.MarshalText() }},
	} {
		for _, name := range c.names {
			if err := c.target.UnmarshalText([]byte(name)); err != nil {
				t.Error(err)
			}
			if got, _ := c.marked(); string(got) != name {
				t.Errorf("%q was read as %q", name, got)
			}
		}
		err := c.target.UnmarshalText([]byte("logarithmic"))
		if err == nil || !strings.Contains(err.Error(), strings.Join(c.names, ", ")) {
			t.Errorf("a wrong name gives %v, which must list %v", err, c.names)
		}
	}
	if Scale(9).String() != "scale(9)" || Measure(-1).String() != "measure(-1)" {
		t.Errorf("numbers without a name read %v and %v", Scale(9), Measure(-1))
	}
}

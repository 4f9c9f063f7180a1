package visualize

import (
	"fmt"
	"math"
)

// A Scale says how the values of a [Range] spread over a colour map: each is a
// rising function g, and a value v lies at (g(v)-g(Low)) / (g(High)-g(Low)).
type Scale int

const (
	// Log has g(v) = ln v: the natural scale of a softmax, whose weights are
	// exponentials. A value of 0 or less lies at the bottom.
	Log Scale = iota
	// Linear has g(v) = v.
	Linear
	// Gamma has g(v) = sign(v) |v|^0.5: it shows more of the small values than
	// Linear does, and 0 as well.
	Gamma
)

var scaleNames = []string{"log", "linear", "gamma"}

func (s Scale) String() string { return nameAt("scale", scaleNames, int(s)) }

// MarshalText returns the name of s.
func (s Scale) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText sets s from a name; its error lists the names.
func (s *Scale) UnmarshalText(text []byte) error {
	choice, err := choiceOf("scale", scaleNames, text)
	if err == nil {
		*s = Scale(choice)
	}
	return err
}

// A Range is the interval of values that a colour map covers. The zero value
// asks for an automatic range, see [AutomaticRange].
type Range struct{ Low, High float64 }

// Validate reports a range that scale s cannot spread.
func (r Range) Validate(s Scale) error {
	// An infinite or absent bound makes the width infinite or NaN; narrower
	// widths would vanish when a fraction of them is taken.
	const narrowest = 1e-300
	if width := r.High - r.Low; !(width >= narrowest) || math.IsInf(width, 0) {
		return fmt.Errorf("range is %v to %v: two finite numbers, the lower first, are needed", r.Low, r.High)
	}
	if s == Log && r.Low <= 0 {
		return fmt.Errorf("range is %v to %v: on a log scale it must start above 0", r.Low, r.High)
	}
	return nil
}

// Position returns where a value lies in r, from 0 at Low to 1 at High and
// beyond; it is never NaN. r must be valid for s.
func (s Scale) Position(value float64, r Range) float64 {
	if !(value > r.Low) {
		return 0
	}
	if value >= r.High {
		return 1
	}
	low, high := s.axis(r.Low), s.axis(r.High)
	if low == high { // bounds so close that g rounds them to one number
		return 1
	}
	return min(max((s.axis(value)-low)/(high-low), 0), 1)
}

// Value returns the value at a position between 0 and 1 of r.
func (s Scale) Value(position float64, r Range) float64 {
	if position <= 0 {
		return r.Low
	}
	if position >= 1 {
		return r.High
	}
	low, high := s.axis(r.Low), s.axis(r.High)
	return s.inverse(low + (high-low)*position)
}

// axis is the function g.
func (s Scale) axis(value float64) float64 {
	switch s {
	case Log:
		return math.Log(value)
	case Gamma:
		return math.Copysign(math.Sqrt(math.Abs(value)), value)
	default:
		return value
	}
}

// inverse undoes axis.
func (s Scale) inverse(g float64) float64 {
	switch s {
	case Log:
		return math.Exp(g)
	case Gamma:
		return math.Copysign(g*g, g)
	default:
		return g
	}
}

// shows reports whether a value has a place on the axis at all.
func (s Scale) shows(value float64) bool { return s != Log || value > 0 }

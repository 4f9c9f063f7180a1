package gaze_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
)

// A predicate says whether the query at position i sees the key at j.
type predicate func(i, j int) bool

// A patternCase pairs a pattern with its definition, written for single pairs.
type patternCase struct {
	pattern gaze.Pattern
	sees    predicate
}

func always(i, j int) bool { return true }
func never(i, j int) bool  { return false }
func causal(i, j int) bool { return j <= i }

func within(left, right int) predicate {
	return func(i, j int) bool {
		if j < i {
			return i-j <= left
		}
		return j-i <= right
	}
}

func dilated(reach, dilation int) predicate {
	return func(i, j int) bool {
		distance := max(i-j, j-i)
		return distance%dilation == 0 && distance/dilation <= reach
	}
}

func global(tokens ...int) predicate {
	return func(i, j int) bool { return slices.Contains(tokens, i) || slices.Contains(tokens, j) }
}

// or and and join predicates.
func or(list ...predicate) predicate {
	return func(i, j int) bool {
		return slices.ContainsFunc(list, func(p predicate) bool { return p(i, j) })
	}
}

func and(list ...predicate) predicate {
	return func(i, j int) bool {
		return !slices.ContainsFunc(list, func(p predicate) bool { return !p(i, j) })
	}
}

// patternCases holds every pattern, at its extremes and combined.
func patternCases() []patternCase {
	cases := []patternCase{
		{gaze.Full{}, always},
		{gaze.Causal{}, causal},
	}
	for _, left := range []int{0, 1, 5, 64, math.MaxInt} {
		for _, right := range []int{0, 1, 7, math.MaxInt - 1, math.MaxInt} {
			cases = append(cases, patternCase{gaze.SlidingWindow{Left: left, Right: right}, within(left, right)})
		}
	}
	for _, reach := range []int{0, 1, 4, math.MaxInt} {
		for _, dilation := range []int{1, 2, 7, 33, math.MaxInt} {
			cases = append(cases, patternCase{gaze.DilatedWindow{Reach: reach, Dilation: dilation}, dilated(reach, dilation)})
		}
	}
	for _, tokens := range [][]int{nil, {0}, {3, 4}, {69, 5, 5, 0}, {31, 32, 1000}, {math.MaxInt}} {
		cases = append(cases, patternCase{gaze.GlobalTokens{Tokens: tokens}, global(tokens...)})
	}
	window := patternCase{gaze.SlidingWindow{Left: 3, Right: 2}, within(3, 2)}
	strided := patternCase{gaze.DilatedWindow{Reach: 9, Dilation: 3}, dilated(9, 3)}
	ends := patternCase{gaze.GlobalTokens{Tokens: []int{0, 12}}, global(0, 12)}
	late := patternCase{gaze.GlobalTokens{Tokens: []int{500}}, global(500)}
	return append(cases,
		patternCase{gaze.Any{window.pattern}, window.sees},
		patternCase{gaze.All{window.pattern}, window.sees},
		patternCase{gaze.Any{window.pattern, ends.pattern}, or(window.sees, ends.sees)},
		patternCase{gaze.All{window.pattern, ends.pattern}, and(window.sees, ends.sees)},
		patternCase{gaze.Any{strided.pattern, window.pattern, ends.pattern}, or(strided.sees, window.sees, ends.sees)},
		patternCase{gaze.All{gaze.Causal{}, strided.pattern}, and(causal, strided.sees)},
		patternCase{gaze.All{gaze.Causal{}, gaze.Any{strided.pattern, ends.pattern}}, and(causal, or(strided.sees, ends.sees))},
		patternCase{gaze.Any{gaze.All{gaze.Causal{}, window.pattern}, gaze.All{strided.pattern, ends.pattern}}, or(and(causal, window.sees), and(strided.sees, ends.sees))},
		patternCase{gaze.All{gaze.Full{}, late.pattern}, never},
		patternCase{gaze.Any{late.pattern, late.pattern}, never},
		patternCase{gaze.All{late.pattern, gaze.Full{}, window.pattern}, never},
	)
}

func TestPatternsAgainstPredicates(t *testing.T) {
	for _, c := range patternCases() {
		t.Run(c.pattern.String(), func(t *testing.T) {
			for length := 1; length <= 70; length++ {
				seen := make([]bool, length)
				for query := range length {
					clear(seen)
					for _, s := range appendKeys(t, c.pattern, query, length) {
						for key := s.First; key < s.End; key++ {
							seen[key] = true
						}
					}
					for key := range length {
						// A pattern that names a position past the end sees nothing by it.
						if want := c.sees(query, key); seen[key] != want {
							t.Fatalf("length %d: query %d sees key %d: %v, expected %v", length, query, key, seen[key], want)
						}
					}
				}
			}
		})
	}
}

// appendKeys holds AppendKeys to its contract: what spans held stays, and what
// is added is ascending, disjoint, not empty and in range.
func appendKeys(t *testing.T, p gaze.Pattern, query, length int) []gaze.Span {
	t.Helper()
	earlier := []gaze.Span{{900, 901}, {-5, 7}} // neither in order nor in range: not AppendKeys's to judge
	spans := p.AppendKeys(slices.Clone(earlier), query, length)
	if len(spans) < 2 || !slices.Equal(spans[:2], earlier) {
		t.Fatalf("length %d, query %d: %v no longer begins with %v", length, query, spans, earlier)
	}
	spans = spans[2:]
	end := 0
	for _, s := range spans {
		if s.First < end || s.End <= s.First || s.End > length {
			t.Fatalf("length %d, query %d: spans %v", length, query, spans)
		}
		end = s.End
	}
	roomy := p.AppendKeys(make([]gaze.Span, 0, 256), query, length)
	if !slices.Equal(roomy, spans) || !slices.Equal(p.AppendKeys(nil, query, length), spans) {
		t.Fatalf("length %d, query %d: %v depends on the slice it is appended to", length, query, spans)
	}
	return spans
}

func TestSees(t *testing.T) {
	for _, c := range patternCases() {
		for _, length := range []int{1, 2, 37} {
			for query := range length {
				for key := range length {
					if got := gaze.Sees(c.pattern, query, key, length); got != c.sees(query, key) {
						t.Fatalf("%v, length %d: query %d sees key %d: %v", c.pattern, length, query, key, got)
					}
				}
			}
		}
	}
}

func TestPatternValidate(t *testing.T) {
	for _, c := range patternCases() {
		if err := c.pattern.Validate(); err != nil {
			t.Errorf("%v: %v", c.pattern, err)
		}
	}
	for _, c := range []struct {
		pattern gaze.Pattern
		want    string
	}{
		{gaze.SlidingWindow{Left: -1}, "left is -1"},
		{gaze.SlidingWindow{Right: -2}, "right is -2"},
		{gaze.DilatedWindow{Reach: -1, Dilation: 1}, "reach is -1"},
		{gaze.DilatedWindow{Reach: 1}, "dilation is 0"},
		{gaze.GlobalTokens{Tokens: []int{4, -7}}, "token -7"},
		{gaze.Any{}, "any: at least one"},
		{gaze.All(nil), "all: at least one"},
		{gaze.Any{gaze.Full{}, nil}, "any: a pattern is nil"},
		{gaze.All{gaze.Full{}, gaze.Any{gaze.SlidingWindow{Left: -1}}}, "left is -1"},
	} {
		if err := c.pattern.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%#v: %v: expected %q", c.pattern, err, c.want)
		}
	}
}

func TestPatternString(t *testing.T) {
	for want, p := range map[string]fmt.Stringer{
		"full":                     gaze.Full{},
		"causal":                   gaze.Causal{},
		"sliding_window(-64..+32)": gaze.SlidingWindow{Left: 64, Right: 32},
		"dilated_window(±8 x 4)":   gaze.DilatedWindow{Reach: 8, Dilation: 4},
		"global_tokens(0, 9)":      gaze.GlobalTokens{Tokens: []int{0, 9}},
		"global_tokens(1, 2, 3, 4, ... 6 in all)": gaze.GlobalTokens{Tokens: []int{1, 2, 3, 4, 5, 6}},
		"any(full, all(causal))":                  gaze.Any{gaze.Full{}, gaze.All{gaze.Causal{}}},
	} {
		if p.String() != want {
			t.Errorf("%q, expected %q", p, want)
		}
	}
}

package gaze

import (
	"fmt"
	"slices"
	"strings"
)

// A Pattern says which keys a query may see. It is data: kernels never know a
// pattern, only the [BlockMap] made from it, so a new one is a Go type alone.
type Pattern interface {
	// AppendKeys appends to spans the keys of a sequence of length tokens that
	// the query at position query (0 <= query < length) sees, as disjoint,
	// non-empty spans in ascending order within [0, length), and returns the result.
	AppendKeys(spans []Span, query, length int) []Span
	// Validate reports the first parameter that has no meaning.
	Validate() error
	// String describes the pattern in one short phrase.
	String() string
}

// A Span is the run of keys First <= key < End.
type Span struct{ First, End int }

// Full lets every query see every key.
type Full struct{}

// SlidingWindow lets the query at i see the key at j when -Left <= j-i <= Right.
type SlidingWindow struct{ Left, Right int }

// DilatedWindow lets the query at i see the key at j when j-i is a multiple of
// Dilation, at most Reach multiples away on either side.
type DilatedWindow struct{ Reach, Dilation int }

// GlobalTokens are positions, in each sequence, that see all and are seen by
// all. A position past a sequence's end is ignored there.
type GlobalTokens struct{ Tokens []int }

// Causal lets the query at i see the keys up to and including i.
type Causal struct{}

// Any shows a key that at least one of its patterns shows.
type Any []Pattern

// All shows a key that every one of its patterns shows.
type All []Pattern

// Sees reports whether pattern p shows key to query in a sequence of length tokens.
func Sees(p Pattern, query, key, length int) bool {
	for _, s := range p.AppendKeys(nil, query, length) {
		if s.First <= key && key < s.End {
			return true
		}
	}
	return false
}

func (Full) AppendKeys(spans []Span, query, length int) []Span {
	return append(spans, Span{0, length})
}

func (w SlidingWindow) AppendKeys(spans []Span, query, length int) []Span {
	// Clamped before they are added, so that any int is a valid width.
	left, right := min(w.Left, query), min(w.Right, length-1-query)
	return append(spans, Span{query - left, query + right + 1})
}

func (w DilatedWindow) AppendKeys(spans []Span, query, length int) []Span {
	if w.Dilation == 1 {
		return SlidingWindow{w.Reach, w.Reach}.AppendKeys(spans, query, length)
	}
	before := min(w.Reach, query/w.Dilation)
	after := min(w.Reach, (length-1-query)/w.Dilation)
	for m := -before; m <= after; m++ {
		key := query + m*w.Dilation
		spans = append(spans, Span{key, key + 1})
	}
	return spans
}

func (g GlobalTokens) AppendKeys(spans []Span, query, length int) []Span {
	if slices.Contains(g.Tokens, query) {
		return append(spans, Span{0, length})
	}
	first := len(spans)
	for _, t := range g.Tokens {
		if t < length {
			spans = append(spans, Span{t, t + 1})
		}
	}
	return union(spans, first)
}

func (Causal) AppendKeys(spans []Span, query, length int) []Span {
	return append(spans, Span{0, query + 1})
}

func (a Any) AppendKeys(spans []Span, query, length int) []Span {
	first := len(spans)
	for _, p := range a {
		spans = p.AppendKeys(spans, query, length)
	}
	return union(spans, first)
}

func (a All) AppendKeys(spans []Span, query, length int) []Span {
	if len(a) == 0 {
		return spans
	}
	first := len(spans)
	spans = a[0].AppendKeys(spans, query, length)
	for _, p := range a[1:] {
		middle := len(spans)
		spans = p.AppendKeys(spans, query, length)
		spans = intersection(spans, first, middle)
	}
	return spans
}

// union sorts spans[first:] and joins those that touch, in place.
func union(spans []Span, first int) []Span {
	list := spans[first:]
	if len(list) < 2 {
		return spans
	}
	slices.SortFunc(list, func(a, b Span) int { return a.First - b.First })
	kept := 0
	for _, s := range list[1:] {
		if s.First <= list[kept].End {
			list[kept].End = max(list[kept].End, s.End)
		} else {
			kept++
			list[kept] = s
		}
	}
	return spans[:first+kept+1]
}

// intersection replaces spans[first:] by what spans[first:middle] and
// spans[middle:] share.
func intersection(spans []Span, first, middle int) []Span {
	var shared []Span
	a, b := spans[first:middle], spans[middle:]
	for len(a) > 0 && len(b) > 0 {
		s := Span{max(a[0].First, b[0].First), min(a[0].End, b[0].End)}
		if s.First < s.End {
			shared = append(shared, s)
		}
		if a[0].End < b[0].End {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return append(spans[:first], shared...)
}

func (Full) Validate() error   { return nil }
func (Causal) Validate() error { return nil }

func (w SlidingWindow) Validate() error {
	if w.Left < 0 || w.Right < 0 {
		return fmt.Errorf("sliding_window: left is %d and right is %d: neither may be below 0", w.Left, w.Right)
	}
	return nil
}

func (w DilatedWindow) Validate() error {
	if w.Reach < 0 {
		return fmt.Errorf("dilated_window: reach is %d: it may not be below 0", w.Reach)
	}
	if w.Dilation < 1 {
		return fmt.Errorf("dilated_window: dilation is %d: it must be at least 1", w.Dilation)
	}
	return nil
}

func (g GlobalTokens) Validate() error {
	for _, t := range g.Tokens {
		if t < 0 {
			return fmt.Errorf("global_tokens: token %d: positions count from 0", t)
		}
	}
	return nil
}

func (a Any) Validate() error { return validateEach("any", a) }
func (a All) Validate() error { return validateEach("all", a) }

func validateEach(kind string, patterns []Pattern) error {
	if len(patterns) == 0 {
		return fmt.Errorf("%s: at least one pattern is needed", kind)
	}
	for _, p := range patterns {
		if p == nil {
			return fmt.Errorf("%s: a pattern is nil", kind)
		}
		if err := p.Validate(); err != nil {
			return err
		}
	}
	return nil
}

func (Full) String() string   { return "full" }
func (Causal) String() string { return "causal" }

func (w SlidingWindow) String() string {
	return fmt.Sprintf("sliding_window(-%d..+%d)", w.Left, w.Right)
}

func (w DilatedWindow) String() string {
	return fmt.Sprintf("dilated_window(±%d x %d)", w.Reach, w.Dilation)
}

func (g GlobalTokens) String() string {
	const shown = 4
	tokens := make([]string, 0, shown+1)
	for i, t := range g.Tokens {
		if i == shown {
			tokens = append(tokens, fmt.Sprintf("... %d in all", len(g.Tokens)))
			break
		}
		tokens = append(tokens, fmt.Sprint(t))
	}
	return "global_tokens(" + strings.Join(tokens, ", ") + ")"
}

func (a Any) String() string { return join("any", a) }
func (a All) String() string { return join("all", a) }

func join(kind string, patterns []Pattern) string {
	names := make([]string, len(patterns))
	for i, p := range patterns {
		names[i] = p.String()
	}
	return kind + "(" + strings.Join(names, ", ") + ")"
}

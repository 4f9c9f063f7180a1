package tokenizer

import "strings"

// A pattern finds its next match at or behind text[from:]; first < end, or ok
// is false.
type pattern interface {
	find(c *characters, text string, from int) (first, end int, ok bool)
}

// literal matches itself.
type literal string

func (l literal) find(_ *characters, text string, from int) (first, end int, ok bool) {
	i := strings.Index(text[from:], string(l))
	if i < 0 {
		return 0, 0, false
	}
	return from + i, from + i + len(l), true
}

// words is one of the known regular expressions, all of which match something
// wherever they begin: it returns where the match that begins at text[i] ends.
type words func(c *characters, text string, i int) int

func (w words) find(c *characters, text string, from int) (first, end int, ok bool) {
	if from == len(text) {
		return 0, 0, false
	}
	return from, w(c, text, from), true
}

// A behavior says what becomes of the matches of a pattern.
type behavior string

const (
	removed            behavior = "Removed"
	isolated           behavior = "Isolated"
	mergedWithPrevious behavior = "MergedWithPrevious"
	mergedWithNext     behavior = "MergedWithNext"
	contiguous         behavior = "Contiguous"
)

// A splitter cuts pieces at the matches of a pattern; inverted, at what does
// not match.
type splitter struct {
	pattern  pattern
	behavior behavior
	invert   bool
}

// A part is a match of the pattern or what stands between two.
type part struct {
	first, end int
	match      bool
}

// split cuts the piece as the splitters say, one after the other, and hands the
// outcome to the model.
func (e *encoder) split(splitters []splitter, p piece) {
	if len(splitters) == 0 {
		e.word(p)
		return
	}
	s := splitters[0]
	if w, ok := s.pattern.(words); ok && s.behavior == isolated {
		for i := 0; i < len(p.text); {
			end := w(e.characters, p.text, i)
			e.split(splitters[1:], p.slice(i, end))
			i = end
		}
		return
	}
	for _, part := range s.parts(e.characters, p.text) {
		e.split(splitters[1:], p.slice(part.first, part.end))
	}
}

func (s splitter) parts(c *characters, text string) []part {
	var parts []part
	from := 0
	for {
		first, end, ok := s.pattern.find(c, text, from)
		if !ok {
			break
		}
		if from < first {
			parts = append(parts, part{from, first, s.invert})
		}
		parts = append(parts, part{first, end, !s.invert})
		from = end
	}
	if from < len(text) {
		parts = append(parts, part{from, len(text), s.invert})
	}
	out := parts[:0] // never overtakes the part that is read
	switch s.behavior {
	case isolated:
		return parts
	case removed:
		for _, p := range parts {
			if !p.match {
				out = append(out, p)
			}
		}
	case contiguous:
		for _, p := range parts {
			if n := len(out); n > 0 && out[n-1].match == p.match {
				out[n-1].end = p.end
			} else {
				out = append(out, p)
			}
		}
	case mergedWithPrevious: // of several matches in a row the first only
		match := false
		for _, p := range parts {
			if n := len(out); n > 0 && p.match && !match {
				out[n-1].end = p.end
			} else {
				out = append(out, p)
			}
			match = p.match
		}
	case mergedWithNext: // of several matches in a row the last only
		match := false
		for _, p := range parts {
			if n := len(out); match && !p.match {
				out[n-1].end = p.end
			} else {
				out = append(out, p)
			}
			match = p.match
		}
	}
	return out
}

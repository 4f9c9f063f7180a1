package reference

import "github.com/gazevk/gaze"

// A sequence is the run of packed rows first <= row < first+length.
type sequence struct{ first, length int }

// sequences returns, for every packed row, the sequence that it belongs to.
func sequences(lengths gaze.Lengths) []sequence {
	rows := make([]sequence, 0, lengths.Tokens())
	first := 0
	for _, length := range lengths {
		for range length {
			rows = append(rows, sequence{first, length})
		}
		first += length
	}
	return rows
}

// visible returns the packed rows of the keys that the query at packed row
// query, of sequence s, sees under pattern. It overwrites spans.
func visible(spans []gaze.Span, pattern gaze.Pattern, s sequence, query int) []gaze.Span {
	spans = pattern.AppendKeys(spans[:0], query-s.first, s.length)
	for i := range spans {
		spans[i].First += s.first
		spans[i].End += s.first
	}
	return spans
}

package main

import (
	"errors"
	"fmt"

	"github.com/gazevk/gaze/engine/tokenizer"
)

// A windowFlags says how a text that is too long is read in parts.
type windowFlags struct {
	tokens int // of a window; 0 is as many as the model takes
	stride int // that neighbours share; 0 is the usual number
}

// usualStride is what transformers' pipeline for questions takes.
const usualStride = 128

// check returns what is wrong with the flags.
func (f windowFlags) check() error {
	switch {
	case f.tokens < 0:
		return usageError{fmt.Errorf("--window is %d: expected at least 0", f.tokens)}
	case f.stride < 0:
		return usageError{fmt.Errorf("--stride is %d: expected at least 0", f.stride)}
	}
	return nil
}

// windows cuts the second text of e, whatever its length, into parts. Each
// window has all that stands before and behind that text in e, and is as large as
// f and limit allow, but for the last, which ends where the text does.
func (f windowFlags) windows(e tokenizer.Encoding, limit int) ([]tokenizer.Encoding, error) {
	first, end := pairTokens(e)
	if first == end {
		return nil, errors.New("it has no tokens to answer with")
	}
	size := limit
	if f.tokens > 0 {
		size = f.tokens
	}
	others := len(e.IDs) - (end - first)
	room := size - others
	if room < 1 {
		return nil, fmt.Errorf("the question and what the tokenizer adds have %d tokens, which leaves none of %d for the text: shorten the question", others, size)
	}
	if room >= end-first {
		return []tokenizer.Encoding{e}, nil
	}
	stride := f.stride
	if stride == 0 {
		stride = min(usualStride, room/2)
	}
	if stride >= room {
		return nil, fmt.Errorf("--stride is %d: expected less than the %d tokens of the text that a window of %d has", stride, room, size)
	}
	var windows []tokenizer.Encoding
	for at := first; ; at += room - stride {
		last := min(at+room, end)
		windows = append(windows, tokenizer.Encoding{
			IDs:      without(e.IDs, first, at, last, end),
			Offsets:  without(e.Offsets, first, at, last, end),
			Sequence: without(e.Sequence, first, at, last, end),
			Special:  without(e.Special, first, at, last, end),
		})
		if last == end {
			return windows, nil
		}
	}
}

// without returns x without x[first:at] and x[last:end].
func without[T any](x []T, first, at, last, end int) []T {
	kept := append([]T{}, x[:first]...)
	kept = append(kept, x[at:last]...)
	return append(kept, x[end:]...)
}

// pairTokens returns where the tokens of the second text begin and end.
func pairTokens(e tokenizer.Encoding) (first, end int) {
	for i, sequence := range e.Sequence {
		if sequence == 1 {
			if end == 0 {
				first = i
			}
			end = i + 1
		}
	}
	return first, end
}

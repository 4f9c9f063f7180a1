package tokenizer

import "fmt"

// Truncation says which of two texts gives way when both have too many tokens.
// Tokens go from the end, or from the beginning where the tokenizer's
// configuration says so (truncation_side, or truncation.direction).
type Truncation int

const (
	// LongestFirst shortens the longer text, to the other's length at most, and
	// then both alike.
	LongestFirst Truncation = iota
	// OnlyFirst shortens the text, and fails if that alone is not enough.
	OnlyFirst
	// OnlySecond shortens the pair, and fails if that alone is not enough.
	OnlySecond
)

// truncate shortens the texts to at most count tokens together.
func (t *Tokenizer) truncate(texts []tokenRange, count int, by Truncation) error {
	total := 0
	for _, r := range texts {
		total += r.end - r.first
	}
	if total <= count {
		return nil
	}
	if count == 0 {
		for i := range texts {
			t.keep(&texts[i], 0)
		}
		return nil
	}
	switch by {
	case LongestFirst:
		if len(texts) == 1 {
			t.keep(&texts[0], count)
			return nil
		}
		short, long := texts[0].end-texts[0].first, texts[1].end-texts[1].first
		swap := short > long
		if swap {
			short, long = long, short
		}
		if short > count {
			long = short
		} else {
			long = max(short, count-short)
		}
		if short+long > count {
			short = count / 2
			long = short + count%2
		}
		if swap {
			short, long = long, short
		}
		t.keep(&texts[0], short)
		t.keep(&texts[1], long)
	case OnlyFirst, OnlySecond:
		target := &texts[0]
		if by == OnlySecond {
			if len(texts) == 1 {
				return fmt.Errorf("tokenizer: the text has %d tokens, %d are allowed, and OnlySecond shortens the pair, "+
					"of which there is none", total, count)
			}
			target = &texts[1]
		}
		length := target.end - target.first
		if length <= total-count {
			return fmt.Errorf("tokenizer: the texts have %d tokens, %d are allowed, and the one to shorten has %d: "+
				"use LongestFirst", total, count, length)
		}
		t.keep(target, length-(total-count))
	}
	return nil
}

// keep leaves count tokens of a text that has more.
func (t *Tokenizer) keep(r *tokenRange, count int) {
	if r.end-r.first <= count {
		return
	}
	if t.truncateLeft {
		r.first = r.end - count
	} else {
		r.end = r.first + count
	}
}

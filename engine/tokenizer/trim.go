package tokenizer

import (
	"strings"
	"unicode/utf8"
)

// blanks counts the white space at both ends of a token's form.
type blanks struct{ leading, trailing int32 }

// countBlanks counts white space, and Ġ, the byte-level form of the space.
func countBlanks(form string) blanks {
	c := unicodeTable()
	blank := func(r rune) bool { return r == 'Ġ' || c.of(r)&classBits == space }
	count := func(s string) int32 { return int32(utf8.RuneCountInString(s)) }
	all := count(form)
	return blanks{
		leading:  all - count(strings.TrimLeftFunc(form, blank)),
		trailing: all - count(strings.TrimRightFunc(form, blank)),
	}
}

// trimOffsets takes white space off the offsets of a text's tokens, as the
// ByteLevel post-processors with trim_offsets do: as many characters as the
// tokens have at their ends. Each entry of trim is the add_prefix_space of one:
// a single space at the beginning then counts as added, and stays.
func (e *encoder) trimOffsets(text string, tokens tokenRange) {
	for _, prefixSpace := range e.trim {
		for i := tokens.first; i < tokens.end; i++ {
			s, b := &e.spans[i], e.blanks[i]
			isFirst := i == tokens.first || s.First == 0
			if !(isFirst && prefixSpace && b.leading == 1) {
				for range b.leading {
					if s.First >= s.End {
						break
					}
					_, size := utf8.DecodeRuneInString(text[s.First:])
					s.First += size
				}
			}
			end := s.End
			for range b.trailing {
				if end == 0 { // fewer characters than that stand before: nothing is taken off
					end = s.End
					break
				}
				_, size := utf8.DecodeLastRuneInString(text[:end])
				end -= size
			}
			s.End = max(end, s.First)
		}
	}
}

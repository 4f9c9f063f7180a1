package tokenizer

import (
	"slices"
	"unicode/utf8"
)

// A step is one character of a normalized text, and how it stands to the
// characters it was made from: taken is how many of them it uses up. A
// character that was added beside another one uses up none.
type step struct {
	char  rune
	class uint8 // canonical combining class
	taken int
}

// nfc composes canonically (Unicode normalization form C). What a composed
// character is aligned with is what the original library has, which is not all
// of its parts: a letter and an accent that became one character are aligned
// with the letter alone.
type nfc struct{}

func (nfc) normalize(e *encoder, p piece) piece {
	c := e.characters
	// base is where the last character began that nothing before it can change.
	base, from := 0, 0
	var out *rewriter
	for i := 0; i < len(p.text); {
		flags, size := c.at(p.text, i)
		if flags&composingBit == 0 {
			base = i
			i += size
			continue
		}
		end := i + size
		for end < len(p.text) {
			flags, size := c.at(p.text, end)
			if flags&composingBit == 0 {
				break
			}
			end += size
		}
		e.steps = c.compose(c.decompose(e.steps[:0], p.text[base:end]))
		if !unchanged(e.steps, p.text[base:end]) {
			if out == nil {
				out = e.rewrite(p)
			}
			out.copy(from, base)
			for _, s := range e.steps {
				out.put(s, &base)
			}
			from = end
		}
		base = end
		i = end
	}
	if out == nil {
		return p
	}
	out.copy(from, len(p.text))
	return out.piece()
}

// unchanged tells whether the steps keep every character of text as it is.
func unchanged(steps []step, text string) bool {
	i := 0
	for _, s := range steps {
		if i == len(text) || s.taken != 1 {
			return false
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		if r != s.char {
			return false
		}
		i += size
	}
	return i == len(text)
}

const (
	hangulFirst  = 0xAC00
	hangulCount  = 11172
	leadFirst    = 0x1100
	leadCount    = 19
	vowelFirst   = 0x1161
	vowelCount   = 21
	trailFirst   = 0x11A7 // stands for no trailing consonant
	trailCount   = 28
	perLeadCount = vowelCount * trailCount
)

// decompose appends the full canonical decomposition of text, in canonical order.
func (c *characters) decompose(steps []step, text string) []step {
	ordered := len(steps) // what stands before it is in order
	add := func(r rune, taken int) {
		class := c.combining[r]
		if class == 0 {
			sortByClass(steps[ordered:])
			ordered = len(steps) + 1
		}
		steps = append(steps, step{r, class, taken})
	}
	for _, r := range text {
		if s := r - hangulFirst; s >= 0 && s < hangulCount {
			add(leadFirst+s/perLeadCount, 1)
			add(vowelFirst+s%perLeadCount/trailCount, 0)
			if s%trailCount != 0 {
				add(trailFirst+s%trailCount, 0)
			}
		} else if parts, ok := c.decomposed[r]; ok {
			for i, part := range parts {
				if i == 0 {
					add(part, 1)
				} else {
					add(part, 0)
				}
			}
		} else {
			add(r, 1)
		}
	}
	sortByClass(steps[ordered:])
	return steps
}

func sortByClass(steps []step) {
	slices.SortStableFunc(steps, func(a, b step) int { return int(a.class) - int(b.class) })
}

// compose joins, in place, what has a composition (Unicode 3.11, D117).
func (c *characters) compose(steps []step) []step {
	out := steps[:0] // never overtakes the step that is read
	starter := -1    // in out
	last := -1       // the class of the last character that stayed behind the starter
	for _, s := range steps {
		if starter >= 0 && last < int(s.class) {
			if composed, ok := c.join(out[starter].char, s.char); ok {
				out[starter].char = composed
				out[starter].taken += s.taken
				continue
			}
		}
		out = append(out, s)
		last = int(s.class)
		if s.class == 0 {
			starter, last = len(out)-1, -1
		}
	}
	return out
}

func (c *characters) join(first, second rune) (rune, bool) {
	lead, vowel := first-leadFirst, second-vowelFirst
	if lead >= 0 && lead < leadCount && vowel >= 0 && vowel < vowelCount {
		return hangulFirst + lead*perLeadCount + vowel*trailCount, true
	}
	syllable, trail := first-hangulFirst, second-trailFirst
	if syllable >= 0 && syllable < hangulCount && syllable%trailCount == 0 && trail > 0 && trail < trailCount {
		return first + trail, true
	}
	composed, ok := c.composition[[2]rune{first, second}]
	return composed, ok
}

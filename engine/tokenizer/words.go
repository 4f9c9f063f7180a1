package tokenizer

import (
	"strings"
	"unicode/utf8"
)

// The regular expressions by which tokenizers cut text into words, as scanners:
// Go's regexp has no lookahead, and a backtracking engine is slow and brings
// Unicode tables of its own. A tokenizer.json with any other one is refused.
const (
	gpt2Pattern   = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
	contractions  = `(?i:'s|'t|'re|'ve|'m|'ll|'d)`
	blankPatterns = `|\s*[\r\n]+|\s+(?!\S)|\s+`
	cl100kStart   = contractions + `|[^\r\n\p{L}\p{N}]?\p{L}+|`
	cl100kEnd     = `| ?[^\s\p{L}\p{N}]+[\r\n]*` + blankPatterns
	o200kFirst    = `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+`
	o200kSecond   = `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*`
	o200kEnd      = `| ?[^\s\p{L}\p{N}]+[\r\n/]*` + blankPatterns
)

var knownPatterns = map[string]words{
	gpt2Pattern: gpt2Words,
	// Llama 3, GPT-4, granite 4
	cl100kStart + `\p{N}{1,3}` + cl100kEnd: cl100kWords(3, false),
	// Qwen 2 and 3
	cl100kStart + `\p{N}` + cl100kEnd: cl100kWords(1, false),
	// Qwen 3.5
	contractions + `|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*` + blankPatterns: cl100kWords(1, true),
	// GPT-4o, gpt-oss
	o200kFirst + contractions + `?|` + o200kSecond + contractions + `?|\p{N}{1,3}` + o200kEnd: o200kWords(3, true),
	// Nemotron 3, Mistral's Tekken
	o200kFirst + `|` + o200kSecond + `|\p{N}` + o200kEnd: o200kWords(1, false),
}

// A classSet holds the classes whose bits are set.
type classSet uint8

const (
	letters   classSet = 1<<upper | 1<<lower | 1<<otherLetter
	marks     classSet = 1 << mark
	numbers   classSet = 1 << number
	spaces    classSet = 1 << space
	others    classSet = 1 << other
	upperLike classSet = 1<<upper | 1<<otherLetter | 1<<mark
	lowerLike classSet = 1<<lower | 1<<otherLetter | 1<<mark
	bothCases classSet = upperLike & lowerLike
)

func (s classSet) has(flags uint8) bool { return s>>(flags&classBits)&1 != 0 }

// run returns where the run of characters of the set that begins at text[i] ends.
func (c *characters) run(text string, i int, set classSet) int {
	for i < len(text) {
		if b := text[i]; b < utf8.RuneSelf {
			if !set.has(c.ascii[b]) {
				break
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		if !set.has(c.of(r)) {
			break
		}
		i += size
	}
	return i
}

// in tells whether the character that begins at text[i], if any, is of the set.
func (c *characters) in(text string, i int, set classSet) bool {
	if i == len(text) {
		return false
	}
	flags, _ := c.at(text, i)
	return set.has(flags)
}

func gpt2Words(c *characters, text string, i int) int {
	if text[i] == '\'' {
		if end := contraction(text, i, false); end > i {
			return end
		}
	}
	start := i
	if text[i] == ' ' && i+1 < len(text) && !c.in(text, i+1, spaces) {
		start++
	}
	flags, _ := c.at(text, start)
	switch {
	case letters.has(flags):
		return c.run(text, start, letters)
	case numbers.has(flags):
		return c.run(text, start, numbers)
	case spaces.has(flags):
		return c.blank(text, i)
	}
	return c.run(text, start, others|marks)
}

// blank is `\s+(?!\S)|\s+`: white space, but for its last character where
// something follows, unless it is all there is.
func (c *characters) blank(text string, i int) int {
	end := c.run(text, i, spaces)
	if end == len(text) {
		return end
	}
	if _, size := c.before(text, end); end-size > i {
		return end - size
	}
	return end
}

// blankOrLines is `\s*[\r\n]+|\s+(?!\S)|\s+`: white space up to its last line
// end, if it has one.
func (c *characters) blankOrLines(text string, i int) int {
	if last := strings.LastIndexAny(text[i:c.run(text, i, spaces)], "\r\n"); last >= 0 {
		return i + last + 1
	}
	return c.blank(text, i)
}

// contraction returns where 's, 't, 're, 've, 'm, 'll or 'd ends, or i.
func contraction(text string, i int, anyCase bool) int {
	if len(text) < i+2 || text[i] != '\'' {
		return i
	}
	letter := func(k int) byte {
		if k >= len(text) {
			return 0
		}
		if anyCase && 'A' <= text[k] && text[k] <= 'Z' {
			return text[k] + 'a' - 'A'
		}
		return text[k]
	}
	switch first, second := letter(i+1), letter(i+2); {
	case first == 's', first == 't', first == 'm', first == 'd':
		return i + 2
	case (first == 'r' || first == 'v') && second == 'e', first == 'l' && second == 'l':
		return i + 3
	}
	if anyCase && strings.HasPrefix(text[i+1:], "ſ") { // an s too, without regard to case
		return i + 1 + len("ſ")
	}
	return i
}

// upTo returns where a run of at most count numbers ends.
func (c *characters) upTo(count int, text string, i int) int {
	for range count {
		if !c.in(text, i, numbers) {
			break
		}
		_, size := c.at(text, i)
		i += size
	}
	return i
}

// symbols is ` ?[set]+[ends]*`, or i.
func (c *characters) symbols(text string, i int, set classSet, ends string) int {
	start := i
	if text[i] == ' ' {
		start++
	}
	end := c.run(text, start, set)
	if end == start {
		return i
	}
	for end < len(text) && strings.IndexByte(ends, text[end]) >= 0 {
		end++
	}
	return end
}

// prefixed returns where the optional character [^\r\n\p{L}\p{N}] at text[i] ends, or i.
func (c *characters) prefixed(text string, i int) int {
	flags, size := c.at(text, i)
	if (letters | numbers).has(flags) || text[i] == '\r' || text[i] == '\n' {
		return i
	}
	return i + size
}

func cl100kWords(digits int, withMarks bool) words {
	inWord, symbol := letters, others|marks
	if withMarks {
		inWord, symbol = letters|marks, others
	}
	return func(c *characters, text string, i int) int {
		if end := contraction(text, i, true); end > i {
			return end
		}
		if c.in(text, i, inWord) {
			return c.run(text, i, inWord)
		}
		if start := c.prefixed(text, i); start > i && c.in(text, start, inWord) {
			return c.run(text, start, inWord)
		}
		if end := c.upTo(digits, text, i); end > i {
			return end
		}
		if end := c.symbols(text, i, symbol, "\r\n"); end > i {
			return end
		}
		return c.blankOrLines(text, i)
	}
}

func o200kWords(digits int, withContraction bool) words {
	return func(c *characters, text string, i int) int {
		start := i
		if !c.in(text, i, marks) { // which a word takes as its own just as well
			start = c.prefixed(text, i)
		}
		end := c.mixedCase(text, start)
		if end > start {
			if withContraction {
				return contraction(text, end, true)
			}
			return end
		}
		if end := c.upTo(digits, text, i); end > i {
			return end
		}
		if end := c.symbols(text, i, others|marks, "\r\n/"); end > i {
			return end
		}
		return c.blankOrLines(text, i)
	}
}

// mixedCase is `[upperLike]*[lowerLike]+|[upperLike]+[lowerLike]*`, or i. The
// first wins wherever it matches, if only because [upperLike]* gives back what
// is lowerLike too.
func (c *characters) mixedCase(text string, i int) int {
	both := i // where the last character that is both, so far, ends
	end := i
	for end < len(text) {
		flags, size := c.at(text, end)
		if !upperLike.has(flags) {
			break
		}
		end += size
		if bothCases.has(flags) {
			both = end
		}
	}
	if c.in(text, end, 1<<lower) {
		return c.run(text, end, lowerLike)
	}
	if both > i {
		return both
	}
	return end
}

package explore

import (
	"strings"
	"unicode"
)

// A line is a line of text under a caret.
type line struct {
	text  []rune
	caret int  // before text[caret]
	all   bool // the whole is selected: what is typed takes its place
}

func newLine(text string) line {
	l := line{text: []rune(text)}
	l.caret = len(l.text)
	return l
}

func (l *line) String() string { return string(l.text) }

// insert puts text before the caret. Control characters become spaces.
func (l *line) insert(text string) {
	runes := []rune(strings.ToValidUTF8(text, "\uFFFD"))
	for i, r := range runes {
		if unicode.IsControl(r) {
			runes[i] = ' '
		}
	}
	if l.all {
		*l = line{}
	}
	l.text = append(l.text[:l.caret:l.caret], append(runes, l.text[l.caret:]...)...)
	l.caret += len(runes)
}

// press does what a key does to a line of text, and reports whether it changed.
func (l *line) press(p Press) bool {
	word, all := p.Modifiers&Control != 0, l.all
	to := l.caret
	switch p.Key {
	case "a":
		l.all = l.all || word && len(l.text) > 0
		return false
	case "left", "backspace":
		to = l.left(word)
	case "right", "delete":
		to = l.right(word)
	case "home":
		to = 0
	case "end":
		to = len(l.text)
	case "u":
		if word {
			l.text, l.caret, l.all = l.text[l.caret:], 0, false
			return true
		}
		return false
	default:
		return false
	}
	l.all = false
	switch p.Key {
	case "backspace", "delete":
		if all {
			*l = line{}
			return true
		}
		first, end := min(l.caret, to), max(l.caret, to)
		l.text = append(l.text[:first:first], l.text[end:]...)
		l.caret = first
		return end > first
	}
	l.caret = to
	return false
}

// edits reports whether a key with Control or Alt is for a line of text.
func (l *line) edits(p Press) bool {
	switch p.Key {
	case "left", "right", "home", "end", "backspace", "delete", "a", "u", "escape", "enter", "tab":
		return true
	}
	return l.all && (p.Key == "c" || p.Key == "x")
}

// left returns where the caret goes to the left, by a letter or by a word.
func (l *line) left(word bool) int {
	to := max(l.caret-1, 0)
	for word && to > 0 && !(unicode.IsSpace(l.text[to-1]) && !unicode.IsSpace(l.text[to])) {
		to--
	}
	return to
}

func (l *line) right(word bool) int {
	to := min(l.caret+1, len(l.text))
	for word && to < len(l.text) && !(unicode.IsSpace(l.text[to]) && !unicode.IsSpace(l.text[to-1])) {
		to++
	}
	return to
}

package visualize

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Token is one of a text.
type Token struct {
	Label      string // what stands for it on an axis
	First, End int    // bytes of the text; equal for one that stands for none of it
}

// A Piece is a token in a line of text, or the several that are bytes of one letter,
// or marks on it, which have no width of their own.
type Piece struct {
	Token, Count int
	Text         string
	From, To     int // pixels from the left
}

// Flow breaks the tokens of a text into lines of at most width pixels, between words
// where it can; Chinese and Japanese, which put no spaces there, before any letter but
// punctuation. What lies between two tokens goes with the second. measure returns how
// wide a text is, and padding is the room after a token that stands for no text.
func Flow(text string, tokens []Token, width, padding int, measure func(text string) int) (lines [][]Piece) {
	var line []Piece
	add := func(p Piece) {
		if before := len(line) - 1; before >= 0 {
			p.From = line[before].To
		}
		p.To = p.From + measure(p.Text)
		if token := tokens[p.Token]; token.End == token.First {
			p.To += padding
		}
		line = append(line, p)
	}
	end := 0
	for i, token := range tokens {
		if before := len(line) - 1; before >= 0 && token.End > token.First && token.First < end && token.End <= end {
			line[before].Count++
			continue
		}
		label := token.Label
		if token.End > token.First {
			// A space, most often, which other tokenizers make a part of the token.
			label = text[min(end, token.First):token.End]
			end = token.End
		}
		label = strings.Map(spaced, label)
		if before := len(line) - 1; before >= 0 && token.End > token.First && measure(label) <= 0 {
			if last := &line[before]; tokens[last.Token].End > tokens[last.Token].First {
				last.Text += label
				last.Count++
				continue
			}
		}
		add(Piece{Token: i, Count: 1, Text: label})
		last := len(line) - 1
		if line[last].To <= width || last == 0 {
			continue
		}
		// A word goes to the next line as a whole, if it has not all of this one.
		begins := last
		for begins > 0 && !beginsWord(line[begins].Text) {
			begins--
		}
		if begins == 0 {
			begins = last
		}
		moved := slices.Clone(line[begins:])
		lines, line = append(lines, line[:begins]), nil
		for _, p := range moved {
			if len(line) == 0 {
				p.Text = strings.TrimLeft(p.Text, " ")
			}
			add(Piece{Token: p.Token, Count: p.Count, Text: p.Text})
		}
	}
	return append(lines, line)
}

// spaced shows a control character as a space.
func spaced(r rune) rune {
	if r < ' ' {
		return ' '
	}
	return r
}

// beginsWord reports whether a line may begin with a text.
func beginsWord(text string) bool {
	first, _ := utf8.DecodeRuneInString(text)
	return first == ' ' || unicode.In(first, unicode.Han, unicode.Hiragana, unicode.Katakana)
}

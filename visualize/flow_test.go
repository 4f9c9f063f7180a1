package visualize

import (
	"strings"
	"testing"
	"unicode"
)

// Lines break between words, or, where letters are words, before one, and marks stay
// on their letter.
func TestFlow(t *testing.T) {
	measure := func(text string) (width int) {
		for _, letter := range text {
			if !unicode.Is(unicode.Mn, letter) {
				width += 10
			}
		}
		return width
	}
	for _, c := range []struct{ tokens, want string }{ // of a line of eight letters
		{"[X]|ab| cd| efg| h| [Y]", "[X]|ab| cd/efg| h|[Y]"},
		{"ab| 今天| 天气|很好|。|再见", "ab| 今天| 天气/很好|。|再见"},
		{"ab| 今天| 天|气|。|再见", "ab| 今天| 天/气|。|再见"},
		{"ab| かな|カナ|ーカナ", "ab| かな/カナ|ーカナ"},
		{"ab| カナ|かな|ーかな", "ab| カナ/かな|ーかな"},
		{"นี|้| ท|ี|่abc|้|de|fgh", "นี้2/ที2|่abc้2|de|fgh"},
		{"[X]|้|a|้|้", "[X]|้|a้้3"},
	} {
		var text string
		var tokens []Token
		for _, label := range strings.Split(c.tokens, "|") {
			token := Token{Label: strings.TrimSpace(label)}
			if !strings.Contains(label, "[") {
				token.First = len(text)
				text += label
				token.End = len(text)
			}
			tokens = append(tokens, token)
		}
		var got []string
		for _, line := range Flow(text, tokens, 80, 0, measure) {
			var pieces []string
			for i, p := range line {
				if p.Count > 1 {
					p.Text += string(rune('0' + p.Count))
				}
				if i > 0 && p.From != line[i-1].To {
					t.Errorf("%q: a gap before %q", c.tokens, p.Text)
				}
				pieces = append(pieces, p.Text)
			}
			got = append(got, strings.Join(pieces, "|"))
		}
		if got := strings.Join(got, "/"); got != c.want {
			t.Errorf("%q becomes\n%q, want\n%q", c.tokens, got, c.want)
		}
	}
}

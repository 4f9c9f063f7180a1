package explore

import (
	"image"
	"strings"
	"testing"
)

// Lines are no wider than they may be, break between words, and have every token
// once, in order.
func TestFlow(t *testing.T) {
	run, _ := fakeRun(3, 1, 1)
	run.Text = "a lighthouse keeper wrote an extraordinarily long letter to her brother " + strings.Repeat("x", 120) + " and slept"
	run.Tokens = []Token{{Label: "[CLS]"}}
	for first := 0; first < len(run.Text); { // pieces of three letters, as a tokenizer may cut words
		end := min(first+3, len(run.Text))
		for i := first + 1; i < end; i++ {
			if run.Text[i] == ' ' {
				end = i
			}
		}
		run.Tokens = append(run.Tokens, Token{Label: run.Text[first:end], First: first, End: end})
		first = end
	}
	e, _ := opened(t, run, 700, 600)
	for _, width := range []int{120, 200, 333, 2000} {
		f := e.flow(width)
		next := 0
		for i, line := range f.lines {
			if len(line) == 0 {
				t.Fatalf("width %d: line %d is empty", width, i)
			}
			for j, p := range line {
				if p.Token != next {
					t.Fatalf("width %d: token %d comes where %d should", width, p.Token, next)
				}
				next++
				if p.To > f.width && j > 0 {
					t.Errorf("width %d: line %d reaches to %d", width, i, p.To)
				}
				if j > 0 && p.From != line[j-1].To {
					t.Errorf("width %d: a gap before token %d", width, p.Token)
				}
			}
			// The first token of a line begins a word, unless the word is longer than a line.
			first := run.Tokens[line[0].Token]
			if i > 0 && first.First > 0 && run.Text[first.First] != ' ' && !strings.Contains(first.Label, "x") {
				t.Errorf("width %d: line %d begins within a word, with %q", width, i, first.Label)
			}
		}
		if next != len(run.Tokens) {
			t.Errorf("width %d: %d of %d tokens", width, next, len(run.Tokens))
		}
	}
}

// Tokens that are bytes of one letter are one piece of text, each a share of it.
func TestBytesOfALetter(t *testing.T) {
	run, _ := fakeRun(6, 1, 1)
	run.Text = "a 🙂 b"
	run.Tokens = []Token{{Label: "a", First: 0, End: 1}, {Label: "\uFFFD", First: 1, End: 6}, {Label: "\uFFFD", First: 2, End: 6}, {Label: "\uFFFD", First: 2, End: 6}, {Label: " b", First: 6, End: 8}, {Label: "[SEP]"}}
	e, host := opened(t, run, 900, 660)
	press(e, "enter")
	rest(t, e, host)
	line := e.flow(e.layout.text.Dx()).lines[0]
	if len(line) != 4 || line[1].Token != 1 || line[1].Count != 3 || line[1].Text != " 🙂" || line[2].Token != 4 {
		t.Fatalf("the pieces are %+v", line)
	}
	left, top := e.layout.text.Min.X+e.canvas.px(10), e.layout.text.Min.Y+e.canvas.px(12)
	p := line[1]
	for third := range 3 {
		at := image.Pt(left+p.From+(p.To-p.From)*(2*third+1)/6, top)
		if token, ok := e.tokenAt(at); !ok || token != 1+third {
			t.Errorf("at %v is token %d, %v", at, token, ok)
		}
	}
}

// Letters that the Go fonts lack are drawn and measured as another font has them.
func TestOtherFonts(t *testing.T) {
	var c canvas
	if err := c.resize(60, 60, 2); err != nil {
		t.Fatal(err)
	}
	if got, box := c.width(textRole, "中国"), c.width(textRole, "日本"); got != 2*28 || box == got || box != c.width(textRole, "\uE000\uE000") {
		t.Errorf("two letters are %d wide, two boxes %d", got, box)
	}
	c.write(textRole, ink, "中", 10, 10)
	line := 10 + c.faces[textRole].ascent
	dark := image.Rect(13, line-19, 10+25, line) // from a tenth to nine of the em's 28 pixels, seven up from the base line
	for y := range 60 {
		for x := range 60 {
			in, out := image.Pt(x, y).In(dark), !image.Pt(x, y).In(dark.Inset(-1))
			if alpha := c.img.NRGBAAt(x, y).A; in && alpha != 0xff || out && alpha != 0 {
				t.Fatalf("at %d, %d the ink is %d", x, y, alpha)
			}
		}
	}
}

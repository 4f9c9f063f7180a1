package visualize

import (
	"image/color"
	"math"
	"strings"
	"testing"
)

// shadedText has a letter of two tokens, one without a share, and two lines.
func shadedText() ShadedText {
	return ShadedText{Title: "Shares", Subtitle: "of what a token is made of", Text: "The café of the lighthouse keeper was closed.", Caption: "share", Marked: 4, Size: 200,
		Tokens: []Token{{"[CLS]", 0, 0}, {"The", 0, 3}, {"caf", 3, 7}, {"\uFFFD", 7, 9}, {"\uFFFD", 7, 9}, {"of", 9, 12}, {"the", 12, 16}, {"lighthouse", 16, 27},
			{"keeper", 28, 34}, {"was", 35, 38}, {"closed", 39, 45}, {".", 45, 46}, {"[SEP]", 0, 0}},
		Shades: []Shade{{"the text", []float64{0.1, 0.05, 0.1, 0.02, 0.3, 0.01, 0.01, 0.2, 0.1, 0, 0.05, 0.01, 0.05}},
			{"layer 1", []float64{0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}}}}
}

// Each token has the colour of its value, each time, and none where that is 0; what
// two tokens share has the greater. The one that is marked has a frame.
func TestShadedText(t *testing.T) {
	x := shadedText()
	x.Scale = Linear
	set, err := newTypesetter(1)
	if err != nil {
		t.Fatal(err)
	}
	s, err := x.layout(set)
	if err != nil {
		t.Fatal(err)
	}
	checkLayout(t, "shaded", s)
	shade := func(value float64) color.RGBA { return viridis.At(value) } // of a range from 0 to 1
	pieces := map[string][]color.RGBA{"[CLS]": {shade(0.1), {}}, "The": {shade(0.05), {}}, "é": {shade(0.3), shade(1)}, "lighthouse": {shade(0.2), {}}, "was": {{}, {}}, "[SEP]": {shade(0.05), {}}}
	frames := 0
	for text, colors := range pieces {
		found := 0
		for _, l := range s.labels {
			if strings.TrimSpace(l.text) != text {
				continue
			}
			var got color.RGBA
			for _, shape := range s.shapes {
				if f, ok := shape.(fill); ok && l.box.In(f.box) {
					got = f.color
				}
				if f, ok := shape.(frame); ok && text == "é" && l.box.Inset(2).In(f.box) {
					frames++
				}
			}
			if found < len(colors) && got != colors[found] {
				t.Errorf("%q is %v the time %d, expected %v", text, got, found, colors[found])
			}
			found++
		}
		if found != len(colors) {
			t.Errorf("%q is written %d times", text, found)
		}
	}
	if frames != 2 {
		t.Errorf("the marked token has %d frames", frames)
	}
}

// Letters are read on any colour.
func TestInkOn(t *testing.T) {
	for _, m := range ColorMaps() {
		for i, c := range m.Colors {
			luminance := func(c color.RGBA) float64 {
				linear := func(x uint8) float64 { return math.Pow(float64(x)/0xff, 2.2) }
				return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B) + 0.05
			}
			a, b := luminance(c), luminance(inkOn(c))
			if contrast := max(a, b) / min(a, b); contrast < 3.9 {
				t.Errorf("colour %d of %s: contrast %.2f", i, m.Name, contrast)
			}
		}
	}
}

func TestShadedTextErrors(t *testing.T) {
	for want, change := range map[string]func(*ShadedText){
		"text of 0 tokens": func(x *ShadedText) { x.Tokens = nil },
		"shaded 0 times":   func(x *ShadedText) { x.Shades = nil },
		"with token 13":    func(x *ShadedText) { x.Marked = 13 },
		"by 1 values":      func(x *ShadedText) { x.Shades[0].Values = []float64{1} },
		"token 0 has -1":   func(x *ShadedText) { x.Shades[1].Values[0] = -1 },
		"token 2 has NaN":  func(x *ShadedText) { x.Shades[1].Values[2] = math.NaN() },
		"must start above": func(x *ShadedText) { x.Range = Range{0, 1} },
		"size 8":           func(x *ShadedText) { x.Size = 8 },
	} {
		x := shadedText()
		change(&x)
		if _, err := x.Draw(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, expected %q in it", err, want)
		}
	}
}

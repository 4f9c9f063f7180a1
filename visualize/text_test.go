package visualize

import (
	"bytes"
	"image"
	"os"
	"strings"
	"testing"
)

// Whatever fonts the machine has, pictures are the same: what the Go fonts lack is
// sought in one font, of squares.
func TestMain(m *testing.M) {
	os.Setenv("GAZE_FONTS", "internal/faces/testdata")
	os.Exit(m.Run())
}

func TestWrap(t *testing.T) {
	set, err := newTypesetter(1)
	if err != nil {
		t.Fatal(err)
	}
	const title = "head 3 - any(sliding_window(-64..+64), global_tokens(0)), n = 812"
	for _, text := range []string{"", " ", "word", title, "line\nbreak\tand  spaces", strings.Repeat("x", 300), strings.Repeat("é…中 ", 90), "\xff\xfe"} {
		for _, width := range []int{1, 20, 90, 300, 5000} {
			for maxLines := 1; maxLines <= 3; maxLines++ {
				lines := set.wrap(titleRole, text, width, maxLines)
				if len(lines) > maxLines {
					t.Errorf("%q at %d: %d lines, at most %d", text, width, len(lines), maxLines)
				}
				cut := false
				for _, line := range lines {
					if set.width(titleRole, line) > width {
						t.Errorf("%q is wider than %d", line, width)
					}
					cut = cut || line == "" || strings.HasSuffix(line, "…")
				}
				if all := strings.Join(lines, " "); !cut && all != strings.Join(strings.Fields(text), " ") {
					t.Errorf("%q at %d became %q without an ellipsis", text, width, all)
				}
			}
		}
	}
	if got := set.wrap(titleRole, title, 320, 3); len(got) != 3 || !strings.HasSuffix(got[2], "812") {
		t.Errorf("the title wraps into %q", got)
	}
}

// Letters that the Go fonts lack are drawn and measured as another font has them, in
// all that is written; what no font has is a box.
func TestOtherFonts(t *testing.T) {
	set, err := newTypesetter(2)
	if err != nil {
		t.Fatal(err)
	}
	if got, box := set.width(textRole, "中国"), set.width(textRole, "日本"); got != 2*28 || box == got || box != set.width(textRole, "\uE000\uE000") {
		t.Errorf("two letters are %d wide, two boxes %d", got, box)
	}
	for _, vertical := range []bool{false, true} {
		l := set.label(textRole, ink, "中", 10, start, 20, start)
		dark := image.Rect(13, 20+27-19, 10+25, 20+27) // from a tenth to nine of the em's 28 pixels, seven up from the base line
		if vertical {
			l = set.verticalLabel(textRole, ink, "中", 10, start, 20, start)
			dark = image.Rect(10+27-19, 20+3, 10+27, 20+25)
		}
		dst := image.NewRGBA(image.Rect(0, 0, 80, 80))
		set.draw(dst, l)
		for y := range 80 {
			for x := range 80 {
				in, out := image.Pt(x, y).In(dark), !image.Pt(x, y).In(dark.Inset(-1))
				if alpha := dst.RGBAAt(x, y).A; in && alpha != 0xff || out && alpha != 0 {
					t.Fatalf("vertical %v: at %d, %d the ink is %d", vertical, x, y, alpha)
				}
			}
		}
	}
	var svg bytes.Buffer
	if err := (ShadedText{Title: "T", Text: "中国", Tokens: []Token{{"中国", 0, 6}}, Shades: []Shade{{"", []float64{1}}}, Marked: -1}).WriteSVG(&svg); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(svg.String(), `textLength="28" lengthAdjust="spacingAndGlyphs" xml:space="preserve">中国</text>`) {
		t.Errorf("the text is not as wide as its letters:\n%s", svg.String())
	}
}

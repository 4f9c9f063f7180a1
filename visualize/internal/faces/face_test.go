package faces

import (
	"bytes"
	"flag"
	"image"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/go-text/typesetting/fontscan"
	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
)

var update = flag.Bool("update", false, "write the font of testdata")

// drawn is what a face makes of a letter.
type drawn struct {
	box     image.Rectangle
	pixels  string
	advance fixed.Int26_6
	found   bool
}

func draw(f font.Face, r rune) drawn {
	bounds, mask, _, advance, found := f.Glyph(fixed.Point26_6{}, r)
	return drawn{bounds, string(mask.(*image.Alpha).Pix), advance, found}
}

func faceOf(t *testing.T, l *library, pixels float64) *face {
	t.Helper()
	f, err := newFace(l, Regular, pixels, font.HintingNone)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// What the Go font has comes of it, what it lacks of a font that has it, on the same
// line and of the same size; what none has is the Go font's box.
func TestFallback(t *testing.T) {
	other := square
	other.advance = 900
	for _, format := range []int{4, 12} {
		fonts := stored(t, map[string][]byte{"deep/er/a.TTF": madeFont{letters: map[rune]box{'中': square, 'A': square}, format: format}.write(0),
			"z.ttf": madeFont{letters: map[rune]box{'中': other, '丽': other}, format: format}.write(0)})
		f, plain := faceOf(t, libraryOf(fonts), 20), faceOf(t, libraryOf(), 20)
		for _, r := range []rune{'A', 'é', 'Ж', ' ', '国', '\uE000', '\U0010FFFF', 0} {
			if got, want := draw(f, r), draw(plain.Face, r); got != want {
				t.Errorf("format %d: %q is %v, of the Go font alone %v", format, r, got, want)
			}
		}
		for r, advance := range map[rune]int{'中': 20, '丽': 18} {
			got := draw(f, r)
			if want := image.Rect(2, -14, 18, 0); got.box != want || got.advance != fixed.I(advance) || !got.found {
				t.Errorf("format %d: %q fills %v and is %v wide, want %v, %d", format, r, got.box, got.advance, want, advance)
			}
			if bytes.IndexFunc([]byte(got.pixels), func(r rune) bool { return r != 0xfffd }) >= 0 {
				t.Errorf("format %d: %q is not full", format, r)
			}
			if measured, ok := f.GlyphAdvance(r); measured != got.advance || !ok {
				t.Errorf("format %d: %q measures %v", format, r, measured)
			}
			if bounds, _, ok := f.GlyphBounds(r); bounds != fixed.R(2, -14, 18, 0) || !ok {
				t.Errorf("format %d: %q has the bounds %v", format, r, bounds)
			}
		}
		if f.Metrics() != plain.Face.Metrics() {
			t.Error("the line is not the Go font's")
		}
	}
}

// No letter reaches out of the line, but for an eighth of an em below.
func TestLettersFitTheLine(t *testing.T) {
	letters := map[rune]box{'一': square, '丁': {100, 0, 900, 2000, 1000}, '丂': {100, -500, 900, 400, 1000}, '七': {100, -300, 900, 1100, 1000}, '与': {100, 0, 900, 10000, 1000}, '丈': {100, -300, 900, 700, 1000},
		'丄': {100, 0, 900, 30000, 1000}, '丅': {-30000, 0, 0, 700, 1000}, '丆': {0, 0, 700, 700, 60000}}
	l := libraryOf(stored(t, map[string][]byte{"a.ttf": madeFont{letters: letters}.write(0)}))
	for _, pixels := range []float64{12, 14, 17, 28, 60} {
		f := faceOf(t, l, pixels)
		top, bottom := -f.Metrics().Ascent.Ceil(), int(math.Ceil(float64(f.Metrics().Descent)/64+pixels/8))
		height := 0
		for _, r := range []rune{'一', '丁', '丂', '七'} {
			got := draw(f, r)
			if !got.found || got.box.Min.Y < top || got.box.Max.Y > bottom || got.box.Dy() < int(pixels/3) {
				t.Errorf("at %v pixels %q is %v high, the line from %d to %d", pixels, r, got.box, top, bottom)
			}
			if r == '一' {
				height = got.box.Dy()
			} else if got.advance >= fixed.I(int(pixels)) {
				t.Errorf("at %v pixels %q is %v wide, no less than before", pixels, r, got.advance)
			}
		}
		if height < int(0.7*pixels) {
			t.Errorf("at %v pixels a letter that fits is %d high", pixels, height)
		}
		if got := draw(f, '丈'); got.advance.Round() != int(pixels) || got.box.Max.Y <= f.Metrics().Descent.Ceil() {
			t.Errorf("at %v pixels %q, which hangs a little below, is %v, %v wide", pixels, '丈', got.box, got.advance)
		}
		for _, r := range []rune{'与', '丄', '丅', '丆'} { // no line is so high, no letter so wide
			if got, want := draw(f, r), draw(f.Face, r); got != want {
				t.Errorf("at %v pixels %q is %v", pixels, r, got.box)
			}
		}
	}
}

// A letter without an outline is a box, unless it is one that has none.
func TestLettersWithoutOutlines(t *testing.T) {
	empty := box{advance: 1000}
	f := faceOf(t, libraryOf(stored(t, map[string][]byte{"a.ttf": madeFont{letters: map[rune]box{'🙁': empty, '☹': flat, '　': empty, '\u200d': {}, '\ufe0f': {}}}.write(0)})), 20)
	for _, r := range "🙁☹" {
		if got := draw(f, r); got != draw(f.Face, r) {
			t.Errorf("%q, without an outline, is %v", r, got.box)
		}
	}
	if got := draw(f, '　'); !got.box.Empty() || got.advance != fixed.I(20) {
		t.Errorf("a space is %v, %v wide", got.box, got.advance)
	}
	for _, r := range "\u200d\ufe0f" {
		if got := draw(f, r); !got.box.Empty() || got.advance != 0 {
			t.Errorf("%U is %v, %v wide", r, got.box, got.advance)
		}
	}
}

// Nothing is read until a letter is missing, and then once, for any number of
// goroutines and letters.
func TestReadOnce(t *testing.T) {
	fonts := stored(t, map[string][]byte{"a.ttf": madeFont{letters: map[rune]box{'世': square}}.write(0), "b.ttf": madeFont{letters: map[rune]box{'中': square, '丽': square}}.write(0)})
	reads := 0
	l := &library{open: func() (*fontscan.FontMap, error) { reads++; return fontsIn(fonts), nil }}
	f := faceOf(t, l, 12)
	for _, r := range "Quick ÆØÅ, ΑΒΓ, Жж — “…”" {
		draw(f, r)
	}
	if reads != 0 {
		t.Fatal("fonts were read for letters that the Go font has")
	}
	var group sync.WaitGroup
	for range 4 {
		group.Add(1)
		go func() {
			defer group.Done()
			f, err := newFace(l, Medium, 12, font.HintingFull)
			if err != nil {
				t.Error(err)
				return
			}
			for r := rune(0x4e20); r < 0x4f00; r++ {
				if got := draw(f, r); got.found != (r == '中' || r == '丽') {
					t.Errorf("%q found: %v", r, got.found)
				}
			}
		}()
	}
	group.Wait()
	if reads != 1 {
		t.Errorf("fonts were read %d times", reads)
	}
	l.fonts = nil
	if got := draw(faceOf(t, l, 33), '丽'); !got.found {
		t.Error("what was found is sought again")
	}
	draw(f, '中')
	f.library = nil // a face keeps what it has found, too
	draw(f, '中')
}

// The font in testdata is the one that tests of pictures and of the window have for all
// that the Go fonts lack.
func TestStoredFont(t *testing.T) {
	path := filepath.Join("testdata", "square.ttf")
	made := madeFont{letters: map[rune]box{'中': square, '国': square, '　': {advance: 1000}}}.write(0)
	if *update {
		if err := os.WriteFile(path, made, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if kept, err := os.ReadFile(path); err != nil || !bytes.Equal(kept, made) {
		t.Errorf("%s: %v, or it is another: make it with go test -run StoredFont -update", path, err)
	}
	t.Setenv("GAZE_FONTS", "testdata")
	l := library{open: systemFonts}
	for r, want := range map[rune]bool{'中': true, '日': false, 'A': false} {
		if got := l.find(r) != nil; got != want {
			t.Errorf("%q found: %v", r, got)
		}
	}
}

func TestKnown(t *testing.T) {
	before := system.open
	t.Cleanup(func() { system = library{open: before} })
	system = library{open: func() (*fontscan.FontMap, error) { return fontsIn("testdata"), nil }}
	for r, want := range map[rune]bool{'A': true, ' ': true, '中': true, '日': false, '　': false, '\u200d': false} {
		if got := Known(r); got != want {
			t.Errorf("%q known: %v", r, got)
		}
	}
	f, err := New(Medium, 20, font.HintingNone)
	if err != nil {
		t.Fatal(err)
	}
	if got := draw(f, '中'); got.box != image.Rect(2, -14, 18, 0) {
		t.Errorf("a letter of the system is %v", got.box)
	}
}

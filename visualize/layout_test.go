package visualize

import (
	"fmt"
	"image"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
)

func layoutOf(t *testing.T, p Picture) (*scene, *typesetter) {
	t.Helper()
	density, err := checkSize(&p.Size, DefaultSize, p.Density)
	if err != nil {
		t.Fatal(err)
	}
	set, err := newTypesetter(density)
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.layout(set)
	if err != nil {
		t.Fatal(err)
	}
	return s, set
}

// checkLayout reports texts that leave the picture or meet a map, a colour bar
// or each other.
func checkLayout(t *testing.T, name string, s *scene) {
	t.Helper()
	page := image.Rectangle{Max: s.size}
	var graphics []image.Rectangle
	for _, shape := range s.shapes {
		switch shape := shape.(type) {
		case cells:
			graphics = append(graphics, shape.box())
		case gradient:
			box := shape.body
			box.Min.Y, box.Max.Y = shape.top, shape.bottom
			graphics = append(graphics, box)
		}
	}
	for i, box := range graphics {
		if !box.In(page) {
			t.Errorf("%s: graphic %v leaves the picture %v", name, box, page)
		}
		for _, other := range graphics[:i] {
			if box.Overlaps(other) {
				t.Errorf("%s: graphics %v and %v meet", name, box, other)
			}
		}
	}
	for i, l := range s.labels {
		if !l.box.In(page) {
			t.Errorf("%s: %q at %v leaves the picture %v", name, l.text, l.box, page)
		}
		for _, box := range graphics {
			if l.box.Overlaps(box) {
				t.Errorf("%s: %q at %v meets a graphic at %v", name, l.text, l.box, box)
			}
		}
		for _, other := range s.labels[:i] {
			if l.box.Overlaps(other.box) {
				t.Errorf("%s: %q at %v meets %q at %v", name, l.text, l.box, other.text, other.box)
			}
		}
	}
}

func TestLayoutKeepsTextsApart(t *testing.T) {
	titles := []string{"", "head 3 - full, n = 7", strings.Repeat("sliding_window(-64..+64), ", 12), strings.Repeat("W", 200)}
	for _, n := range []int{1, 2, 7, 40, 130, 1001} {
		lengths := gaze.Lengths{n}
		if n > 2 {
			lengths = gaze.Lengths{n/2 + 1, n - n/2 - 1}
		}
		a := newAttention(longformer, lengths, 11)
		for _, measure := range []Measure{Weight, RowMaximum, Lift} {
			m := a.pooled(t, 300, measure, MaxPooling)
			for _, scale := range scales {
				for i, size := range []int{smallestSize, 96, 300, DefaultSize} {
					for density := 1; density <= 2; density++ {
						p := Picture{Map: m, Scale: scale, Size: size, Density: density, Sequences: lengths, Title: titles[i], Subtitle: titles[(i+n)%4]}
						s, _ := layoutOf(t, p)
						checkLayout(t, fmt.Sprintf("n %d, %v, %v, size %d, density %d", n, measure, scale, size, density), s)
					}
				}
			}
		}
	}
}

// Texts of tokens stand in place of numbers where there is room, and only there.
func TestLayoutOfTokens(t *testing.T) {
	texts := make([]string, 60)
	for i := range texts {
		texts[i] = strings.Repeat("Wgj"[i%3:i%3+1], i)
	}
	for _, n := range []int{1, 2, 13, 30, 60} {
		m := newAttention(longformer, gaze.Lengths{n}, 11).pooled(t, 300, Weight, MaxPooling)
		for size, readable := range map[int]bool{smallestSize: n == 1 || n == 2, DefaultSize: true} {
			for density := 1; density <= 2; density++ {
				s, _ := layoutOf(t, Picture{Map: m, Size: size, Density: density, Tokens: texts[:n]})
				checkLayout(t, fmt.Sprintf("%d tokens, size %d, density %d", n, size, density), s)
				written := 0
				for _, l := range s.labels {
					if l.text == texts[min(2, n-1)] {
						written++
					}
				}
				if readable != (written == 2) && n > 1 { // the text of token 0 is empty
					t.Errorf("%d tokens, size %d: the text of one is written %d times", n, size, written)
				}
			}
		}
	}
	m := newAttention(longformer, gaze.Lengths{3}, 11).pooled(t, 300, Weight, MaxPooling)
	if _, err := (Picture{Map: m, Tokens: texts[:2]}).Draw(); err == nil || !strings.Contains(err.Error(), "3 tokens, and the texts of 2") {
		t.Errorf("the error is %v", err)
	}
}

func TestCellPixelsComeNearTheTarget(t *testing.T) {
	for cells := 1; cells <= 1024; cells++ {
		side := cells * cellPixels(cells, DefaultSize)
		if side < 600 || side > 1280 {
			t.Errorf("%d cells become %d pixels", cells, side)
		}
	}
	for _, c := range [][3]int{{1, 896, 896}, {812, 896, 1}, {600, 896, 2}, {448, 896, 2}, {5000, 896, 1}} {
		if got := cellPixels(c[0], c[1]); got != c[2] {
			t.Errorf("%d cells in %d pixels get %d each, want %d", c[0], c[1], got, c[2])
		}
	}
}

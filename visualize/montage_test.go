package visualize

import (
	"fmt"
	"image"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
)

func montageLayout(t *testing.T, m Montage) *scene {
	t.Helper()
	density, err := checkSize(&m.Size, DefaultMontageSize, m.Density)
	if err != nil {
		t.Fatal(err)
	}
	set, err := newTypesetter(density)
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.layout(set)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// panelsOf returns where the maps of a layout lie, and their ranges.
func panelsOf(s *scene) (boxes []image.Rectangle, ranges []Range, bars int) {
	for _, shape := range s.shapes {
		switch shape := shape.(type) {
		case cells:
			boxes, ranges = append(boxes, shape.box()), append(ranges, shape.r)
		case gradient:
			bars++
		}
	}
	return boxes, ranges, bars
}

func TestMontageLayout(t *testing.T) {
	titles := []string{"", "head", strings.Repeat("sliding_window(-64..+64), ", 5), strings.Repeat("W", 90)}
	for _, count := range []int{1, 2, 3, 4, 7, 12} {
		var pictures []Picture
		for i := range count {
			lengths := gaze.Lengths{5 + 40*(i%3), 3}
			a := newAttention(longformer, lengths, uint64(i))
			pictures = append(pictures, Picture{Map: a.pooled(t, 100, Weight, MaxPooling), Title: titles[i%4], Subtitle: titles[(i+1)%4], Sequences: lengths})
		}
		for _, columns := range []int{0, 1, 5} {
			for _, common := range []bool{false, true} {
				for _, size := range []int{smallestSize, 120} {
					for density := 1; density <= 2; density++ {
						name := fmt.Sprintf("%d maps, columns %d, common %v, size %d, density %d", count, columns, common, size, density)
						s := montageLayout(t, Montage{Title: titles[count%4], Pictures: pictures, Columns: columns, CommonRange: common, Size: size, Density: density})
						checkLayout(t, name, s)
						boxes, ranges, bars := panelsOf(s)
						if want := map[bool]int{false: count, true: 1}[common]; len(boxes) != count || bars != want {
							t.Errorf("%s: %d maps and %d bars", name, len(boxes), bars)
						}
						for _, r := range ranges {
							if common && r != ranges[0] {
								t.Errorf("%s: ranges %v", name, ranges)
							}
						}
					}
				}
			}
		}
	}
}

func TestMontageAlignsItsMaps(t *testing.T) {
	a := newAttention(gaze.Full{}, gaze.Lengths{30}, 1)
	m := a.pooled(t, 30, Weight, MaxPooling)
	p := []Picture{{Map: m, Title: "one"}, {Map: m, Title: "two", Subtitle: "with a subtitle"}, {Map: m}, {Map: m}}
	boxes, _, _ := panelsOf(montageLayout(t, Montage{Pictures: p}))
	if len(boxes) != 4 || boxes[0].Min.Y != boxes[1].Min.Y || boxes[2].Min.Y != boxes[3].Min.Y || boxes[0].Max.Y >= boxes[2].Min.Y ||
		boxes[0].Min.X != boxes[2].Min.X || boxes[1].Min.X != boxes[3].Min.X || boxes[0].Max.X >= boxes[1].Min.X {
		t.Errorf("four maps lie at %v: two by two is wanted", boxes)
	}
}

func TestMontageCommonRangeCoversAllMaps(t *testing.T) {
	pictures := []Picture{{Map: rowMap(t, Weight, 0.25, 0.5)}, {Map: rowMap(t, Weight, 0.0625, 0.125)}}
	for _, c := range []struct {
		montage Montage
		want    []Range
	}{
		{Montage{Pictures: pictures}, []Range{{0.25, 0.5}, {0.0625, 0.125}}},
		{Montage{Pictures: pictures, CommonRange: true}, []Range{{0.0625, 0.5}, {0.0625, 0.5}}},
		{Montage{Pictures: pictures, CommonRange: true, Range: Range{0.01, 1}}, []Range{{0.01, 1}, {0.01, 1}}},
	} {
		_, ranges, _ := panelsOf(montageLayout(t, c.montage))
		if len(ranges) != 2 || ranges[0] != c.want[0] || ranges[1] != c.want[1] {
			t.Errorf("ranges %v, want %v", ranges, c.want)
		}
	}
}

func TestMontageRefuses(t *testing.T) {
	weight, lift := Picture{Map: rowMap(t, Weight, 0.5)}, Picture{Map: rowMap(t, Lift, 0.5)}
	linear, inMagma := weight, weight
	linear.Scale, inMagma.ColorMap = Linear, magma
	for _, c := range []struct {
		montage Montage
		want    string
	}{
		{Montage{}, "0 maps"},
		{Montage{Pictures: make([]Picture, 1025)}, "1025 maps"},
		{Montage{Pictures: []Picture{weight, {}}}, "picture 1 of the montage: no map"},
		{Montage{Pictures: []Picture{weight}, Columns: -1}, "-1 columns"},
		{Montage{Pictures: []Picture{weight}, Size: 1}, "size 1"},
		{Montage{Pictures: []Picture{weight, lift}, CommonRange: true}, "picture 1 of the montage shows lift"},
		{Montage{Pictures: []Picture{weight, linear}, CommonRange: true}, "linear scale"},
		{Montage{Pictures: []Picture{weight, inMagma}, CommonRange: true}, "magma"},
		{Montage{Pictures: []Picture{weight}, CommonRange: true, Range: Range{3, 1}}, "range is 3 to 1"},
		{Montage{Pictures: []Picture{weight, weight, weight, weight}, Size: 8192}, "smaller size"},
	} {
		img, err := c.montage.Draw()
		if img != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	if _, err := (Montage{Pictures: []Picture{weight, lift, linear, inMagma}, Size: 40}).Draw(); err != nil {
		t.Errorf("maps that share nothing, each with its own range: %v", err)
	}
}

// How maps are pooled stands once where they are pooled alike, else with each.
func TestMontageNamesPooling(t *testing.T) {
	a := newAttention(longformer, gaze.Lengths{40}, 1)
	fine, coarse := Picture{Map: a.pooled(t, 20, Weight, MaxPooling)}, Picture{Map: a.pooled(t, 10, Weight, MaxPooling)}
	for _, c := range []struct {
		pictures []Picture
		want     map[string]int
	}{
		{[]Picture{fine, fine, fine}, map[string]int{"each cell the max of 2 × 2": 1, "max of 2 × 2": 0}},
		{[]Picture{fine, coarse}, map[string]int{"max of 2 × 2": 1, "max of 4 × 4": 1, "each cell the max of 2 × 2": 0}},
		{[]Picture{fine}, map[string]int{"max of 2 × 2": 1, "each cell the max of 2 × 2": 0}},
	} {
		s := montageLayout(t, Montage{Pictures: c.pictures})
		checkLayout(t, "pooled", s)
		for text, want := range c.want {
			count := 0
			for _, l := range s.labels {
				if l.text == text {
					count++
				}
			}
			if count != want {
				t.Errorf("%d maps: %q stands %d times, want %d", len(c.pictures), text, count, want)
			}
		}
	}
}

package visualize

import (
	"bytes"
	"flag"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gazevk/gaze"
)

var update = flag.Bool("update", false, "rewrite the golden pictures in testdata")

// plainAttention has weights that fall with distance, except that every seventh
// key attracts. It needs no function whose last bit depends on the processor.
func plainAttention(p gaze.Pattern, lengths gaze.Lengths, seed int) attention {
	a := newAttention(p, lengths, 1)
	for query, spans := range a.visible {
		row := make([]float32, a.keys)
		sum := float32(0)
		for _, s := range spans {
			for key := s.First; key < s.End; key++ {
				distance := max(query-key, key-query)
				row[key] = 1 / float32(1+distance*distance*(1+(query*seed+key)%3))
				if (key+seed)%7 == 3 {
					row[key] += 0.25
				}
				sum += row[key]
			}
		}
		for key := range row {
			row[key] /= max(sum, 1)
		}
		a.weights[query] = row
	}
	return a
}

// goldenPictures are small, and show everything that a picture can show.
func goldenPictures(t *testing.T) map[string]interface{ Draw() (*image.RGBA, error) } {
	packed := gaze.Lengths{15, 9}
	window := plainAttention(longformer, packed, 1)
	full := plainAttention(gaze.Full{}, gaze.Lengths{60}, 2)
	other := plainAttention(gaze.Full{}, gaze.Lengths{60}, 3)
	difference := full
	difference.weights = nil
	for query, row := range full.weights {
		less := make([]float32, len(row))
		for key := range row {
			less[key] = row[key] - other.weights[query][key]
		}
		difference.weights = append(difference.weights, less)
	}
	of := func(p gaze.Pattern) Picture {
		return Picture{Map: plainAttention(p, packed, 1).pooled(t, 24, Weight, MaxPooling), Title: "variant", Subtitle: p.String(), Sequences: packed}
	}
	return map[string]interface{ Draw() (*image.RGBA, error) }{
		"packed": Picture{Map: window.pooled(t, 24, Weight, MaxPooling), Sequences: packed, Size: 320,
			Title: "head 3 - " + longformer.String() + ", n = 24", Subtitle: "sequences 15 + 9"},
		"pooled": Picture{Map: full.pooled(t, 20, Lift, MeanPooling), ColorMap: magma, Size: 160, Density: 2, Title: "pooled"},
		"clipped": Picture{Map: full.pooled(t, 60, RowMaximum, MaxPooling), ColorMap: cividis, Scale: Gamma, Range: Range{0.01, 0.5},
			Size: 180, Title: "a fixed range"},
		"tokens": Picture{Map: window.pooled(t, 24, Weight, MaxPooling), Sequences: packed, Size: 400, Title: "tokens",
			Tokens: strings.Fields("[CLS] the quick brown fox jumps over the lazy dog and incomprehensibilities are seen [SEP] [CLS] ein Satz mit Ümlauten – und Ende [SEP]")},
		"part": Picture{Map: part(t, window, gaze.Rectangle{Queries: gaze.Span{First: 5, End: 24}, Keys: gaze.Span{First: 8, End: 21}}), Sequences: packed, Size: 240,
			Title: "a part"},
		"difference": Picture{Map: difference.pooled(t, 30, Difference, MaxPooling), Scale: Linear, Size: 180, Title: "A - B"},
		"montage":    Montage{Title: "Patterns", Pictures: []Picture{of(gaze.Full{}), of(gaze.Causal{}), of(longformer)}, CommonRange: true, Size: 120},
		"montage_own": Montage{Title: "Patterns", Subtitle: "each with its own range", Columns: 2, Size: 120,
			Pictures: []Picture{of(gaze.Full{}), of(gaze.SlidingWindow{Left: 1, Right: 4}), of(gaze.DilatedWindow{Reach: 2, Dilation: 3})}},
		"shaded": shadedText(),
		"chart": ChartPage{Title: "Charts", Subtitle: "of what was measured", Size: 260, Charts: []Chart{testChart(), {Title: "Another", X: Axis{Name: "n", Range: Range{1, 1000}}, Y: Axis{Name: "seconds"},
			Series: []Series{{Name: "points", Points: []Point{{X: 5, Y: 0.002}, {X: 500, Y: 0.3}}}}}}},
	}
}

func TestGoldenPictures(t *testing.T) {
	for name, picture := range goldenPictures(t) {
		got, err := picture.Draw()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		path := filepath.Join("testdata", name+".png")
		if *update {
			if err := WritePNG(path, got); err != nil {
				t.Error(err)
			}
			continue
		}
		stored, err := os.ReadFile(path)
		if err != nil {
			t.Errorf("%v: make it with go test -run Golden -update, and look at it", err)
			continue
		}
		decoded, err := png.Decode(bytes.NewReader(stored))
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		want := image.NewRGBA(decoded.Bounds())
		draw.Draw(want, want.Rect, decoded, image.Point{}, draw.Src)
		if want.Rect != got.Rect {
			t.Errorf("%s is %v, want %v", name, got.Rect, want.Rect)
		} else if !bytes.Equal(want.Pix, got.Pix) {
			for i := range want.Pix {
				if want.Pix[i] != got.Pix[i] {
					x, y := i%want.Stride/4, i/want.Stride
					t.Errorf("%s differs from %s, first at %d, %d: %v, want %v", name, path, x, y, got.RGBAAt(x, y), want.RGBAAt(x, y))
					break
				}
			}
		}
	}
}

func TestPicturesMayBeDrawnAtTheSameTime(t *testing.T) {
	for name, picture := range goldenPictures(t) {
		var pictures [4]*image.RGBA
		var group sync.WaitGroup
		for i := range pictures {
			group.Add(1)
			go func() {
				defer group.Done()
				pictures[i], _ = picture.Draw()
			}()
		}
		group.Wait()
		for _, p := range pictures {
			if p == nil || !bytes.Equal(p.Pix, pictures[0].Pix) {
				t.Errorf("%s was drawn in different ways", name)
			}
		}
	}
}

package explore

import (
	"flag"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/gazevk/gaze/visualize"
)

var update = flag.Bool("update", false, "write the golden pictures")

// Whatever fonts the machine has, frames are the same: what the Go fonts lack is
// sought in one font, of squares.
func TestMain(m *testing.M) {
	os.Setenv("GAZE_FONTS", "../internal/faces/testdata")
	os.Exit(m.Run())
}

// The window as it looks in a number of situations, pixel for pixel.
func TestGolden(t *testing.T) {
	for name, c := range map[string]struct {
		size    image.Point
		density int
		n       int
		script  string
	}{
		"overview":   {image.Pt(640, 480), 1, 24, "move 200 200"},
		"map":        {image.Pt(900, 560), 1, 24, "press enter\npress pagedown\ndo overlay\nmove 300 300\nclick left\nmove 420 330"},
		"zoomed_out": {image.Pt(900, 560), 1, 1200, "press enter\npress pagedown"},
		"dense":      {image.Pt(1200, 900), 2, 12, "press enter\npress l\npress m"},
		"difference": {image.Pt(800, 500), 1, 16, "press enter\npress ctrl+d\npress ]\npress shift+d\npress shift+d"},
		"beside":     {image.Pt(1100, 500), 1, 16, "press enter\npress ctrl+d\npress ]\npress shift+d"},
		"help":       {image.Pt(1000, 760), 1, 8, "press f1"},
		"prompt":     {image.Pt(700, 450), 1, 30, "press enter\npress /\ntype w1"},
		"narrow":     {image.Pt(320, 240), 1, 30, "press enter"},
		"broken":     {image.Pt(800, 500), 1, 20, "press enter\npress ]\npress r"},
	} {
		t.Run(name, func(t *testing.T) {
			run, source := fakeRun(c.n, 2, 2)
			source.wrong = map[[2]int]bool{{1, 4}: true, {1, 5}: true}
			host := newHost()
			e := New(host, DefaultSettings())
			t.Cleanup(e.Close)
			e.Handle(Resize{c.size.X, c.size.Y, c.density})
			e.Open(run)
			e.Complete(run, 2)
			e.Progress(1)
			rest(t, e, host)
			play(t, e, host, c.script)
			rest(t, e, host)
			compare(t, filepath.Join("testdata", name+".png"), flat(t, &e.canvas.shown))
		})
	}
}

// compare holds a picture against a golden one.
func compare(t *testing.T, path string, got *image.RGBA) {
	t.Helper()
	if *update {
		if err := visualize.WritePNG(path, got); err != nil {
			t.Fatal(err)
		}
		return
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	want, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	if want.Bounds() != got.Rect {
		t.Fatalf("it is %v, want %v", got.Rect, want.Bounds())
	}
	different := 0
	first := ""
	for y := range got.Rect.Dy() {
		for x := range got.Rect.Dx() {
			r1, g1, b1, _ := want.At(x, y).RGBA()
			r2, g2, b2, _ := got.At(x, y).RGBA()
			if r1 != r2 || g1 != g2 || b1 != b2 {
				if different++; different == 1 {
					first = fmt.Sprintf("the first at %d, %d", x, y)
				}
			}
		}
	}
	if different > 0 {
		t.Errorf("%d pixels differ, %s; -update writes the picture anew", different, first)
	}
}

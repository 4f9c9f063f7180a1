package explore

import (
	"errors"
	"image"
	"image/draw"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/gazevk/gaze"
)

// The edges of the mask are those of the pattern within each sequence, and a
// sequence's outline runs where no query sees a key.
func TestSequences(t *testing.T) {
	for _, c := range []struct {
		lengths gaze.Lengths
		cell    int
	}{
		{gaze.Lengths{20, 1, 24}, 1},
		{gaze.Lengths{301, 1, 199}, 2},
		{gaze.Lengths{70, 1407, 30}, 8},
	} {
		n := c.lengths.Tokens()
		run, source := fakeRun(n, 2, 1)
		run.Lengths = c.lengths
		e, host := opened(t, run, 900, 640)
		press(e, "enter", "pagedown", "o")
		rest(t, e, host)
		source.check(t)
		v, img := &e.view, flat(t, &e.canvas.shown)
		if v.cell() != c.cell {
			t.Fatalf("%v is shown in cells of %d pairs", c.lengths, v.cell())
		}
		shown := v.shown()
		// Nothing that somebody sees is under an outline.
		lines := 0
		for y := shown.Min.Y; y < shown.Max.Y; y++ {
			for x := shown.Min.X; x < shown.Max.X; x++ {
				if img.RGBAAt(x, y) != quietInk {
					continue
				}
				lines++
				query, key := cellAt(v.query, y-v.box.Min.Y, v.scale, c.cell, n), cellAt(v.key, x-v.box.Min.X, v.scale, c.cell, n)
				for q := query.First; q < query.End; q++ {
					for k := key.First; k < key.End; k++ {
						if sequenceOf(c.lengths, q) == sequenceOf(c.lengths, k) {
							t.Fatalf("%v: an outline covers query %d, key %d", c.lengths, q, k)
						}
					}
				}
			}
		}
		if lines == 0 {
			t.Errorf("%v: there are no outlines", c.lengths)
		}
		if c.cell > 1 {
			continue
		}
		first := 0
		for _, length := range c.lengths {
			for i := range length {
				y := int(v.y(float64(first+i) + 0.5))
				if i == 0 { // where nothing reaches over from the sequence before
					y = int(math.Ceil(v.y(float64(first)) - 0.5))
				}
				var want, got []int
				for _, s := range run.Layers[1].AppendKeys(nil, i, length) {
					for _, edge := range []int{s.First, s.End} {
						if edge > 0 && edge < length {
							want = append(want, int(math.Round(v.x(float64(first+edge)))))
						}
					}
				}
				for x := shown.Min.X; x < shown.Max.X; x++ {
					if img.RGBAAt(x, y) == accentInk {
						got = append(got, x)
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("query %d has edges at %v, expected %v", first+i, got, want)
				}
				// The block's sides, but for those at the edge of the map.
				for x, at := range map[int]int{int(math.Ceil(v.x(float64(first))-0.5)) - 1: first, int(math.Ceil(v.x(float64(first+length)) - 0.5)): first + length} {
					if at > 0 && at < n && img.RGBAAt(x, y) != quietInk {
						t.Errorf("beside query %d the sequence has no side at key %d", first+i, at)
					}
				}
			}
			first += length
		}
	}
}

// cellAt returns the tokens of the cell at a pixel.
func cellAt(first float64, pixel int, scale float64, cell, n int) gaze.Span {
	at := int(first+(float64(pixel)+0.5)/scale) / cell * cell
	return gaze.Span{First: at, End: min(at+cell, n)}
}

func sequenceOf(lengths gaze.Lengths, token int) int {
	for i, length := range lengths {
		if token -= length; token < 0 {
			return i
		}
	}
	return -1
}

// Where no text can be typed every way to do so says why.
func TestNoText(t *testing.T) {
	run, _ := fakeRun(9, 1, 2)
	e, host := opened(t, run, 640, 480)
	e.NoText("numbers have no text")
	for what, do := range map[string]func(){
		"a key": func() { press(e, "t") }, "pasted": func() { e.Handle(Paste{"a"}) }, "dropped, and not even read": func() { e.Handle(Drop{[]string{"x"}}) },
		"a click": func() {
			e.Handle(Move{100, 60})
			e.Handle(Click{Left, true, 0})
		},
		"set": func() { e.SetText("a") },
	} {
		e.message = ""
		do()
		if e.editing || len(host.texts) > 0 || e.message != "numbers have no text" {
			t.Errorf("%s: editing %v, texts %q, message %q", what, e.editing, host.texts, e.message)
		}
	}
	// The field goes on to say what is shown, whatever was tried.
	field := func() *image.RGBA {
		e.Frame(time.Now())
		picture := image.NewRGBA(e.layout.field)
		draw.Draw(picture, picture.Rect, flat(t, &e.canvas.shown), picture.Rect.Min, draw.Src)
		return picture
	}
	before := field()
	if empty := slices.Repeat([]byte{fieldPaper.R, fieldPaper.G, fieldPaper.B, 0xff}, 300); string(before.Pix[before.PixOffset(20, 57):][:1200]) == string(empty) {
		t.Error("the field is empty")
	}
	for what, do := range map[string]func(){"it failed": func() { e.Fail(errors.New("nothing")) }, "it runs": func() { e.Progress(0.5) }} {
		do()
		if string(field().Pix) != string(before.Pix) {
			t.Errorf("where %s the field shows something else", what)
		}
	}
}

// Attention that no model made has heads, but no layer by number.
func TestAttentionOfNoModel(t *testing.T) {
	run, _ := fakeRun(9, 1, 2)
	run.Alone = true
	e, host := opened(t, run, 900, 660)
	for h, want := range map[head]string{{0, 1}: "head 1", {0, mean}: "mean of all heads", {mean, mean}: "mean of all heads"} {
		if got := e.headName(h); got != want {
			t.Errorf("%v is called %q", h, got)
		}
	}
	if got := e.subtitle(head{0, 1}, 1); got != "fake, head 1: full, 9 tokens, none" {
		t.Errorf("a picture says %q", got)
	}
	e.Progress(0.5)
	badges := e.badges()
	if slices.ContainsFunc(badges, func(b badge) bool { return b.text == "following layer 0" }) {
		t.Errorf("the badges are %v", badges)
	}
	e.Progress(1)
	rest(t, e, host)
}

// Thumbnails of more cells than pixels have the outlines of sequences too, and
// these hide no column of the first token of a sequence.
func TestSequencesOfSmallThumbnails(t *testing.T) {
	run, source := fakeRun(120, 1, 16)
	run.Lengths = gaze.Lengths{50, 37, 33}
	source.weight = func(_, _, _, key int) float64 {
		if key == 0 || key == 50 || key == 87 {
			return 1
		}
		return 1e-6
	}
	e, _ := opened(t, run, 900, 660)
	frame, _ := e.Frame(time.Now())
	flat := flat(t, frame)
	box := e.gallery().box(0)
	v := view{n: 120, box: box, scale: float64(box.Dx()) / 120}
	if v.scale >= 1 {
		t.Fatalf("a token has %v pixels", v.scale)
	}
	table := e.table()
	for first, y := range map[int]int{50: 60, 87: 100} {
		row := int(v.y(float64(y)))
		x := int(math.Ceil(v.x(float64(first+1)))) - 1
		if got := flat.RGBAAt(x, row); got != table[255] {
			t.Errorf("the column of token %d is %v", first, got)
		}
		if got := flat.RGBAAt(x-1, row); got != quietInk {
			t.Errorf("before token %d there is %v, no line", first, got)
		}
	}
}

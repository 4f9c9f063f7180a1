package visualize

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The frames of a film, put on top of each other as its chunks say, are the
// pictures that were added.
func TestFilm(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	frame := image.NewRGBA(image.Rect(0, 0, 60, 40))
	for i := range frame.Pix {
		frame.Pix[i] = 0xff
	}
	var film Film
	var want []*image.RGBA
	for i := range 9 {
		if i != 4 { // one like the last
			for range 5 {
				frame.SetRGBA(10+random.IntN(40), 5+random.IntN(30), color.RGBA{uint8(random.Uint32()), uint8(i), 7, 0xff})
			}
			copied := image.NewRGBA(frame.Rect)
			copy(copied.Pix, frame.Pix)
			want = append(want, copied)
		}
		if err := film.Add(frame, time.Duration(i+1)*10*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	if err := film.Add(image.NewRGBA(image.Rect(0, 0, 61, 40)), 0); err == nil {
		t.Error("a picture of another size is accepted")
	}
	path := filepath.Join(t.TempDir(), "film.png")
	if err := film.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if first, err := png.Decode(bytes.NewReader(data)); err != nil || !same(first, want[0]) {
		t.Errorf("a program that shows PNG alone: %v", err)
	}
	// Each frame as a PNG of its own: the header with its size, and its data.
	shown := image.NewRGBA(frame.Rect)
	var box image.Rectangle
	count, sequence, total := 0, uint32(0), 0
	for rest := data[8:]; len(rest) > 0; {
		length := binary.BigEndian.Uint32(rest)
		kind, body := string(rest[4:8]), rest[8:8+length]
		rest = rest[12+length:]
		if kind == "fcTL" || kind == "fdAT" {
			if got := binary.BigEndian.Uint32(body); got != sequence {
				t.Errorf("chunk %d has number %d", sequence, got)
			}
			sequence++
		}
		switch kind {
		case "acTL":
			if got := binary.BigEndian.Uint32(body); int(got) != len(want) {
				t.Errorf("%d frames, want %d", got, len(want))
			}
		case "fcTL":
			at := image.Pt(int(binary.BigEndian.Uint32(body[12:])), int(binary.BigEndian.Uint32(body[16:])))
			box = image.Rectangle{Min: at, Max: at.Add(image.Pt(int(binary.BigEndian.Uint32(body[4:])), int(binary.BigEndian.Uint32(body[8:]))))}
			total += int(binary.BigEndian.Uint16(body[20:]))
		case "IDAT", "fdAT":
			if kind == "fdAT" {
				body = body[4:]
			}
			one := Film{size: box.Size(), frames: []filmFrame{{image.Rectangle{Max: box.Size()}, body, 0}}}
			var file bytes.Buffer
			if err := one.write(&file); err != nil {
				t.Fatal(err)
			}
			part, err := png.Decode(&file)
			if err != nil {
				t.Fatalf("frame %d: %v", count, err)
			}
			for y := range box.Dy() {
				for x := range box.Dx() {
					shown.Set(box.Min.X+x, box.Min.Y+y, part.At(x, y))
				}
			}
			if !same(shown, want[count]) {
				t.Errorf("frame %d is another picture", count)
			}
			if count > 0 && box == frame.Rect {
				t.Errorf("frame %d is stored as a whole", count)
			}
			count++
		}
	}
	if count != len(want) || total != 450 {
		t.Errorf("%d frames of %d ms in all", count, total)
	}
	if err := (&Film{}).WriteFile(path); err == nil {
		t.Error("a film without pictures is written")
	}
}

func same(a image.Image, b *image.RGBA) bool {
	for y := range b.Rect.Dy() {
		for x := range b.Rect.Dx() {
			r1, g1, b1, _ := a.At(x, y).RGBA()
			r2, g2, b2, _ := b.At(x, y).RGBA()
			if r1 != r2 || g1 != g2 || b1 != b2 {
				return false
			}
		}
	}
	return a.Bounds() == b.Rect
}

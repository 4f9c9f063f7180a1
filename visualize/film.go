package visualize

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"time"

	"github.com/gazevk/gaze"
)

// A Film is pictures of one size that follow each other, as an animated PNG
// (https://www.w3.org/TR/png-3/#apng-frame-based-animation), which any program
// that shows PNG shows, if only its first picture.
type Film struct {
	size   image.Point
	last   *image.RGBA
	frames []filmFrame
}

// A filmFrame is what has changed since the frame before.
type filmFrame struct {
	box  image.Rectangle
	data []byte // of its IDAT chunks
	kept time.Duration
}

// Add adds a picture that is shown for so long. One that is like the last makes
// that stay longer.
func (f *Film) Add(frame *image.RGBA, kept time.Duration) error {
	box := frame.Rect
	if f.last == nil {
		f.size = box.Size()
		f.last = image.NewRGBA(image.Rectangle{Max: f.size})
	} else {
		if box.Size() != f.size {
			return fmt.Errorf("a picture of %v in a film of %v", box.Size(), f.size)
		}
		if box = changed(f.last, frame); box.Empty() {
			f.frames[len(f.frames)-1].kept += kept
			return nil
		}
	}
	copy(f.last.Pix, frame.Pix)
	var file bytes.Buffer
	if err := png.Encode(&file, opaque{frame.SubImage(box).(*image.RGBA)}); err != nil {
		return err
	}
	data, err := imageData(file.Bytes())
	f.frames = append(f.frames, filmFrame{box, data, kept})
	return err
}

// opaque tells the encoder that no pixel is transparent, so that all frames are
// of one kind, whatever its own look at the pixels would say.
type opaque struct{ *image.RGBA }

func (opaque) Opaque() bool { return true }

// changed returns the box of the pixels in which two pictures differ.
func changed(a, b *image.RGBA) (box image.Rectangle) {
	for y := range a.Rect.Dy() {
		rowA, rowB := a.Pix[y*a.Stride:][:4*a.Rect.Dx()], b.Pix[y*b.Stride:][:4*a.Rect.Dx()]
		if bytes.Equal(rowA, rowB) {
			continue
		}
		first, end := 0, a.Rect.Dx()
		for bytes.Equal(rowA[4*first:][:4], rowB[4*first:][:4]) {
			first++
		}
		for bytes.Equal(rowA[4*end-4:][:4], rowB[4*end-4:][:4]) {
			end--
		}
		box = box.Union(image.Rect(first, y, end, y+1))
	}
	return box
}

// imageData returns the contents of a PNG file's IDAT chunks.
func imageData(file []byte) (data []byte, err error) {
	const signature = 8
	for rest := file[signature:]; len(rest) >= 12; {
		length := int(binary.BigEndian.Uint32(rest))
		if length > len(rest)-12 {
			break
		}
		if string(rest[4:8]) == "IDAT" {
			data = append(data, rest[8:8+length]...)
		}
		rest = rest[12+length:]
	}
	if data == nil {
		return nil, errors.New("a picture without pixels")
	}
	return data, nil
}

// WriteFile writes the film, which begins again when it ends. The file is there
// only if all of it could be written.
func (f *Film) WriteFile(path string) error {
	if len(f.frames) == 0 {
		return errors.New("a film without pictures")
	}
	return gaze.WriteFile(path, f.write)
}

func (f *Film) write(w io.Writer) error {
	var out bytes.Buffer
	out.WriteString("\x89PNG\r\n\x1a\n")
	sequence := uint32(0)
	chunk := func(kind string, parts ...any) {
		var body bytes.Buffer
		body.WriteString(kind)
		for _, part := range parts {
			binary.Write(&body, binary.BigEndian, part) // to memory, of fixed sizes: it cannot fail
		}
		binary.Write(&out, binary.BigEndian, uint32(body.Len()-4))
		out.Write(body.Bytes())
		binary.Write(&out, binary.BigEndian, crc32.ChecksumIEEE(body.Bytes()))
	}
	const truecolor = 2
	chunk("IHDR", uint32(f.size.X), uint32(f.size.Y), uint8(8), uint8(truecolor), uint8(0), uint8(0), uint8(0))
	chunk("acTL", uint32(len(f.frames)), uint32(0))
	for i, frame := range f.frames {
		milliseconds := min(frame.kept.Milliseconds(), 1<<16-1)
		chunk("fcTL", sequence, uint32(frame.box.Dx()), uint32(frame.box.Dy()), uint32(frame.box.Min.X), uint32(frame.box.Min.Y),
			uint16(milliseconds), uint16(1000), uint8(0), uint8(0))
		sequence++
		if i == 0 {
			chunk("IDAT", frame.data)
			continue
		}
		chunk("fdAT", sequence, frame.data)
		sequence++
	}
	chunk("IEND")
	_, err := w.Write(out.Bytes())
	return err
}

package faces

import (
	"encoding/binary"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/go-text/typesetting/fontscan"
)

// A madeFont is a font of boxes.
type madeFont struct {
	letters map[rune]box
	format  int // of the table that finds letters, 4 or 12; 0: 12
}

// A box is the outline of a letter, in thousandths of an em, as far right and up of
// its place on the line. An empty one has no outline.
type box struct{ left, bottom, right, top, advance int }

// flat is the only one that encloses nothing.
var flat = box{100, 0, 900, 701, 1000}

// square is as high as a capital letter, and has a whole em.
var square = box{100, 0, 900, 700, 1000}

func pad(data []byte) []byte {
	for len(data)%4 != 0 {
		data = append(data, 0)
	}
	return data
}

// shorts writes numbers of 16 bits.
func shorts(numbers ...int) (data []byte) {
	for _, number := range numbers {
		data = binary.BigEndian.AppendUint16(data, uint16(number))
	}
	return data
}

func longs(numbers ...int) (data []byte) {
	for _, number := range numbers {
		data = binary.BigEndian.AppendUint32(data, uint32(number))
	}
	return data
}

// tables returns the tables that the font is made of.
func (f madeFont) tables() map[string][]byte {
	runes := slices.Sorted(maps.Keys(f.letters))
	outlines, places, metrics := []byte{}, longs(0, 0), shorts(1000, 0) // of glyph 0, which is empty
	for _, r := range runes {
		b := f.letters[r]
		if b.left != b.right {
			outlines = append(outlines, shorts(1, b.left, b.bottom, b.right, b.top, 3, 0)...)
			outlines = append(outlines, 1, 1, 1, 1) // four points on the outline, in words from each to the next
			if b == flat {                          // there, back, and once more
				outlines = append(outlines, shorts(b.left, b.right-b.left, b.left-b.right, b.right-b.left, b.bottom, b.top-b.bottom, b.bottom-b.top, b.top-b.bottom)...)
			} else {
				outlines = append(outlines, shorts(b.left, b.right-b.left, 0, b.left-b.right, b.bottom, 0, b.top-b.bottom, 0)...)
			}
			outlines = pad(outlines)
		}
		places = append(places, longs(len(outlines))...)
		metrics = append(metrics, shorts(b.advance, b.left)...)
	}
	glyphs := len(runes) + 1
	var find []byte
	if f.format == 4 {
		segments := len(runes) + 1
		var ends, starts, deltas []int
		for i, r := range runes {
			ends, starts, deltas = append(ends, int(r)), append(starts, int(r)), append(deltas, i+1-int(r))
		}
		ends, starts, deltas = append(ends, 0xffff), append(starts, 0xffff), append(deltas, 1)
		find = slices.Concat(shorts(4, 16+8*segments, 0, 2*segments, 0, 0, 0), shorts(ends...), shorts(0), shorts(starts...), shorts(deltas...), shorts(make([]int, segments)...))
		find = slices.Concat(shorts(0, 1, 3, 1), longs(12), find)
	} else {
		find = slices.Concat(shorts(12, 0), longs(16+12*len(runes), 0, len(runes)))
		for i, r := range runes {
			find = append(find, longs(int(r), int(r), i+1)...)
		}
		find = slices.Concat(shorts(0, 1, 3, 10), longs(12), find)
	}
	style := make([]byte, 96)
	copy(style, shorts(4, 500, 400, 5))
	copy(style[32:], []byte{2, 11}) // sans serif
	copy(style[62:], shorts(1<<6))  // regular
	tables := map[string][]byte{
		"OS/2": style,
		"cmap": find,
		"glyf": outlines,
		"head": slices.Concat(longs(0x10000, 0, 0, 0x5f0f3cf5), shorts(0, 1000), make([]byte, 16), shorts(0, -200, 1000, 800, 0, 8, 2, 1, 0)),
		"hhea": slices.Concat(longs(0x10000), shorts(800, -200, 0, 1000), make([]byte, 22), shorts(glyphs)),
		"hmtx": metrics,
		"loca": places,
		"maxp": slices.Concat(longs(0x10000), shorts(glyphs), make([]byte, 26)),
		"post": slices.Concat(longs(0x30000), make([]byte, 28)),
	}
	return tables
}

// write returns the font as it lies in a file from an offset on.
func (f madeFont) write(from int) []byte {
	tables := f.tables()
	names := slices.Sorted(maps.Keys(tables))
	head, body := slices.Concat(longs(0x10000), shorts(len(names), 0, 0, 0)), []byte{}
	for _, name := range names {
		at := from + 12 + 16*len(names) + len(body)
		head = slices.Concat(head, []byte(name), longs(0, at, len(tables[name])))
		body = pad(append(body, tables[name]...))
	}
	return append(head, body...)
}

// collection returns fonts in one file.
func collection(fonts ...madeFont) []byte {
	body, offsets, start := []byte{}, []int{}, 12+4*len(fonts)
	for _, f := range fonts {
		offsets = append(offsets, start+len(body))
		body = append(body, f.write(start+len(body))...)
	}
	return slices.Concat([]byte("ttcf"), longs(0x10000, len(fonts)), longs(offsets...), body)
}

// stored writes files into a directory and returns it.
func stored(t *testing.T, files map[string][]byte) string {
	t.Helper()
	directory := t.TempDir()
	for name, data := range files {
		path := filepath.Join(directory, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return directory
}

// libraryOf is the library of some directories and files.
func libraryOf(roots ...string) *library {
	return &library{open: func() (*fontscan.FontMap, error) { return fontsIn(roots...), nil }}
}

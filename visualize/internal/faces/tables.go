package faces

import (
	"encoding/binary"
	"os"
	"slices"
	"strings"

	"golang.org/x/image/font/opentype"
)

// Which letters a font has, and of what style it is, are two of its tables, which are
// soon read. The parser of outlines reads most of a font, and is for those that are used.
// https://learn.microsoft.com/typography/opentype/spec

// A table is a part of a font's file. What lies outside of it reads as 0.
type table []byte

func (t table) u16(at int) int {
	if at < 0 || at > len(t)-2 {
		return 0
	}
	return int(binary.BigEndian.Uint16(t[at:]))
}

func (t table) u32(at int) int {
	if at < 0 || at > len(t)-4 {
		return 0
	}
	return int(binary.BigEndian.Uint32(t[at:]))
}

// A reader reads parts of a file.
type reader struct {
	*os.File
	size int64
}

// table returns length bytes, or as many as the file has.
func (r reader) table(offset, length int) table {
	length = int(min(int64(length), r.size-int64(offset)))
	if length <= 0 {
		return nil
	}
	data := make(table, length)
	n, _ := r.ReadAt(data, int64(offset))
	return data[:n]
}

// candidates returns the fonts in a file that have outlines, none if it is no font.
func (f *file) candidates() (all []candidate) {
	r, err := f.open()
	if err != nil {
		return nil
	}
	defer r.Close()
	offsets := []int{0}
	if header := r.table(0, 12); string(header[:min(len(header), 4)]) == "ttcf" {
		offsets = nil
		list := r.table(12, 4*min(header.u32(8), mostInCollection))
		for at := 0; at < len(list); at += 4 {
			offsets = append(offsets, list.u32(at))
		}
	}
	for index, offset := range offsets {
		tables := r.directory(offset)
		_, trueType := tables["glyf"]
		_, postScript := tables["CFF "]
		if _, pictures := tables["sbix"]; pictures || !trueType && !postScript {
			continue
		}
		find, style := tables["cmap"], tables["OS/2"]
		if spans := letters(r.table(find[0], min(find[1], largestTable))); len(spans) > 0 {
			all = append(all, candidate{file: *f, index: index, offset: offset, spans: spans, penalty: penalty(f.name, r.table(style[0], min(style[1], 78)))})
		}
	}
	return all
}

const (
	mostInCollection = 256
	mostTables       = 256
	largestTable     = 8 << 20 // of letters; that of all of Han has 0.3 MiB
)

// directory returns offset and length of each table of a font.
func (r reader) directory(offset int) map[string][2]int {
	tables := map[string][2]int{}
	list := r.table(offset+12, 16*min(r.table(offset, 12).u16(4), mostTables))
	for ; len(list) >= 16; list = list[16:] {
		tables[string(list[:4])] = [2]int{list.u32(8), list.u32(12)}
	}
	return tables
}

// outlines parses the font. It gives the parser what outlines are made of alone, for it
// refuses a font for much that is no part of them: rules of kerning that it does not
// know, tables at odd places. And it gives it bytes: of a file, it allocates whatever
// length stands in there.
func (c *candidate) outlines() (*opentype.Font, error) {
	r, err := c.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	tables := r.directory(c.offset)
	var names []string
	parts := map[string]table{
		"OS/2": append(table{0, 2}, make(table, 94)...), // version 2, of any style
		"post": append(table{0, 3}, make(table, 30)...), // version 3, without names
	}
	for _, name := range []string{"CFF ", "OS/2", "cmap", "glyf", "head", "hhea", "hmtx", "loca", "maxp", "post"} { // in the order of a directory
		if place, ok := tables[name]; ok && parts[name] == nil {
			parts[name] = r.table(place[0], place[1])
		}
		if parts[name] != nil {
			names = append(names, name)
		}
	}
	data := append(r.table(c.offset, 4), 0, byte(len(names)), 0, 0, 0, 0, 0, 0)
	at := len(data) + 16*len(names)
	for _, name := range names {
		data = append(data, name...)
		data = binary.BigEndian.AppendUint32(data, 0) // a checksum that nobody reads
		data = binary.BigEndian.AppendUint32(data, uint32(at))
		data = binary.BigEndian.AppendUint32(data, uint32(len(parts[name])))
		at += (len(parts[name]) + 3) &^ 3
	}
	data = slices.Grow(data, at-len(data))
	for _, name := range names {
		data = append(data, parts[name]...)
		data = append(data, make(table, -len(data)&3)...)
	}
	return opentype.Parse(data)
}

// letters returns the code points that a table "cmap" has glyphs for, of all of
// Unicode if it can, else of its first plane.
func letters(t table) (spans []span) {
	formats := map[int]table{}
	for i := range min(t.u16(2), mostTables) {
		const unicode, windows = 0, 3
		platform, offset := t.u16(4+8*i), t.u32(8+8*i)
		if (platform == unicode || platform == windows) && 0 <= offset && offset < len(t) {
			formats[t.u16(offset)] = t[offset:]
		}
	}
	if t, ok := formats[12]; ok {
		return groups(t)
	}
	return segments(formats[4])
}

// groups reads a subtable of format 12.
func groups(t table) (spans []span) {
	next := 0
	for i := range min(t.u32(12), len(t)/12) {
		at := 16 + 12*i
		first, last := t.u32(at), t.u32(at+4)
		if first < next || last < first || last > 0x10ffff {
			break // they are sorted, or damaged
		}
		spans = join(spans, first, last)
		next = last + 1
	}
	return spans
}

// segments reads a subtable of format 4.
func segments(t table) (spans []span) {
	next := 0
	size := t.u16(6) // of each of four lists
	for at := 14; at < 14+size; at += 2 {
		last, first := t.u16(at), t.u16(at+2+size)
		delta, offset := t.u16(at+2+2*size), t.u16(at+2+3*size)
		if first < next || last < first {
			break
		}
		next = last + 1
		for letter := first; letter <= last; letter++ {
			glyph := letter + delta
			if offset != 0 { // from this very place
				glyph = t.u16(at + 2 + 3*size + offset + 2*(letter-first))
			}
			if glyph&0xffff != 0 {
				spans = join(spans, letter, letter)
			}
		}
	}
	return spans
}

// join adds a span behind others.
func join(spans []span, first, last int) []span {
	if n := len(spans); n > 0 && int(spans[n-1].last) == first-1 {
		spans[n-1].last = rune(last)
		return spans
	}
	return append(spans, span{rune(first), rune(last)})
}

// penalty says how far a style is from sans serif, upright and regular, given the
// name of a file and the table "OS/2". What is of another weight or slanted comes
// after all that is not: small letters are hard to read in it.
func penalty(name string, t table) int {
	const (
		weightClass, widthClass, selection = 4, 6, 62
		panose                             = 32 // ten bytes, of which these matter
		family, serifs, proportion         = panose, panose + 1, panose + 3
		italic, oblique                    = 1 << 0, 1 << 9
	)
	if len(t) < selection+2 {
		return 1000
	}
	weight := t.u16(weightClass)
	if weight < 10 { // as it once was counted
		weight *= 100
	}
	sum := max(weight-400, 400-weight)
	if sum > 100 {
		sum += 8000
	}
	if t.u16(selection)&(italic|oblique) != 0 {
		sum += 8000
	}
	if width := t.u16(widthClass); width != 5 && width != 0 {
		sum += 4000
	}
	switch kind, style := t[family], t[serifs]; {
	case kind > 2: // handwriting, ornaments, symbols
		sum += 3000
	case style < 2:
		sum += 1000 // it does not say
	case style < 11 || style > 15:
		sum += 2000
	}
	if t[proportion] == 9 { // monospaced
		sum += 500
	}
	if !strings.Contains(strings.ToLower(name), "sans") { // what calls itself sans serif in the table may be Kufi
		sum += 10
	}
	return sum
}

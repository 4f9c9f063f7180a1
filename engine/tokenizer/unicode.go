package tokenizer

import (
	_ "embed"
	"encoding/binary"
	"sync"
	"unicode/utf8"
)

// The class of a character is its low three bits in the table; the classes are
// disjoint. They are Oniguruma's of the pinned release of tokenizers, not those
// of Go's unicode package, which change with the toolchain.
const (
	other       uint8 = iota
	upper             // \p{Lu} \p{Lt}
	lower             // \p{Ll}
	otherLetter       // \p{Lm} \p{Lo}
	mark              // \p{M}
	number            // \p{N}
	space             // \s, and Rust's too
	classBits   uint8 = 7

	wordBit       uint8 = 8  // \w of Rust's regex crate
	composingBit  uint8 = 16 // NFC may change it, move it, or join it to what stands before it
	lastCodePoint       = utf8.MaxRune
)

//go:embed unicode.bin
var unicodeData string // written by testdata/unicode.py

// characters is what unicode.bin says, in the form that encoding reads.
type characters struct {
	page  [(lastCodePoint + 1) >> 8]uint16 // of 256 code points, an index into flags
	flags [][256]uint8

	combining   map[rune]uint8       // canonical combining classes other than 0
	decomposed  map[rune][]rune      // full canonical decompositions, but not of Hangul syllables
	composition map[[2]rune]rune     // of two characters into one, but not of Hangul
	ascii       [utf8.RuneSelf]uint8 // flags of the first 128
}

// unicodeTable expands the table once; that takes about a millisecond.
var unicodeTable = sync.OnceValue(func() *characters {
	data := unicodeData
	next := func() int {
		value, size := binary.Uvarint([]byte(data[:min(len(data), binary.MaxVarintLen64)]))
		data = data[size:]
		return int(value)
	}
	c := &characters{
		combining:   map[rune]uint8{},
		decomposed:  map[rune][]rune{},
		composition: map[[2]rune]rune{},
	}
	flat := make([]uint8, 0, lastCodePoint+1)
	for range next() {
		length, flags := next(), uint8(next())
		for range length {
			flat = append(flat, flags)
		}
	}
	known := map[[256]uint8]uint16{}
	for p := range c.page {
		block := [256]uint8(flat[p<<8:])
		index, ok := known[block]
		if !ok {
			index = uint16(len(c.flags))
			known[block] = index
			c.flags = append(c.flags, block)
		}
		c.page[p] = index
	}
	copy(c.ascii[:], flat)
	r := rune(0)
	for range next() {
		r += rune(next())
		c.combining[r] = uint8(next())
	}
	r = 0
	for range next() {
		r += rune(next())
		first := rune(next())
		parts := make([]rune, next())
		for i := range parts {
			parts[i] = rune(next())
		}
		c.decomposed[r] = parts
		if first != 0 {
			c.composition[[2]rune{first, parts[len(parts)-1]}] = r
		}
	}
	return c
})

// at returns the flags of the character that begins at text[i], and its bytes.
func (c *characters) at(text string, i int) (flags uint8, size int) {
	if b := text[i]; b < utf8.RuneSelf {
		return c.ascii[b], 1
	}
	r, size := utf8.DecodeRuneInString(text[i:])
	return c.of(r), size
}

func (c *characters) of(r rune) uint8 { return c.flags[c.page[r>>8]][r&255] }

// before returns the flags of the character that ends at text[:i], and its bytes.
func (c *characters) before(text string, i int) (flags uint8, size int) {
	r, size := utf8.DecodeLastRuneInString(text[:i])
	return c.of(r), size
}

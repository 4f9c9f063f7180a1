package gaze

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// KeyTile is the number of keys in one tile of a [BlockMap]: one bit each in a
// mask word.
const KeyTile = 32

// A Tile is one entry of a [BlockMap]: a tile of keys that some query of a tile
// of queries sees. Mask is 0 where every query of the tile sees every key, else
// one more than the index of its mask.
type Tile struct{ Key, Mask uint32 }

// A BlockMap lists, for each tile of QueryTile queries, the tiles of KeyTile
// keys that at least one of them sees, in ascending order. Work and memory of a
// kernel that walks it are proportional to the visible tiles.
//
// Rows are the packed tokens of all sequences; boundaries between sequences are
// part of the masks, so a kernel knows neither pattern nor sequence.
type BlockMap struct {
	Rows      int
	QueryTile int
	First     []uint32 // [query tiles + 1]: tiles of query tile t are Tiles[First[t]:First[t+1]]
	Tiles     []Tile
	Masks     []uint32 // [masks, QueryTile]: bit j of a word is set where that query sees key j of the tile
	Pairs     int64    // visible (query, key) pairs of one head
}

// QueryTiles returns the number of query tiles.
func (m *BlockMap) QueryTiles() int { return len(m.First) - 1 }

// NewBlockMap lays pattern p over packed sequences. It takes time proportional
// to the rows and the tiles they touch, never to rows squared for a window.
// Equal masks are stored once: a sliding window needs a handful.
func NewBlockMap(p Pattern, lengths Lengths, queryTile int) *BlockMap {
	rows := lengths.Tokens()
	m := &BlockMap{Rows: rows, QueryTile: queryTile, First: []uint32{0}}
	b := mapBuilder{
		words: make([]uint32, (rows+KeyTile-1)/KeyTile*queryTile),
		used:  make([]bool, (rows+KeyTile-1)/KeyTile),
		known: map[string]uint32{},
	}
	sequence, offset := 0, 0
	var spans []Span
	for tile := 0; tile*queryTile < rows; tile++ {
		for r := range min(queryTile, rows-tile*queryTile) {
			row := tile*queryTile + r
			for row >= offset+lengths[sequence] {
				offset += lengths[sequence]
				sequence++
			}
			spans = p.AppendKeys(spans[:0], row-offset, lengths[sequence])
			for _, s := range spans {
				m.Pairs += int64(s.End - s.First)
				b.mark(r, queryTile, offset+s.First, offset+s.End)
			}
		}
		b.flush(m)
	}
	return m
}

// A mapBuilder holds the mask words of one tile of queries while it is filled:
// words[key tile * queryTile + row], and which key tiles were touched.
type mapBuilder struct {
	words      []uint32
	used       []bool
	low, high  int // touched key tiles lie in [low, high)
	known      map[string]uint32
	maskScrap  []byte
	anyTouched bool
}

func (b *mapBuilder) mark(row, queryTile, first, end int) {
	if !b.anyTouched {
		b.low, b.high, b.anyTouched = first/KeyTile, 0, true
	}
	b.low, b.high = min(b.low, first/KeyTile), max(b.high, (end-1)/KeyTile+1)
	for t := first / KeyTile; t*KeyTile < end; t++ {
		word := uint32(math.MaxUint32)
		if from := first - t*KeyTile; from > 0 {
			word &= math.MaxUint32 << from
		}
		if to := end - t*KeyTile; to < KeyTile {
			word &= 1<<to - 1
		}
		b.words[t*queryTile+row] |= word
		b.used[t] = true
	}
}

func (b *mapBuilder) flush(m *BlockMap) {
	if b.anyTouched {
		for t := b.low; t < b.high; t++ {
			if !b.used[t] {
				continue
			}
			words := b.words[t*m.QueryTile : (t+1)*m.QueryTile]
			m.Tiles = append(m.Tiles, Tile{uint32(t), b.mask(m, words)})
			clear(words)
			b.used[t] = false
		}
		b.anyTouched = false
	}
	m.First = append(m.First, uint32(len(m.Tiles)))
}

// mask returns 0 for words that hide nothing, else one more than the index of
// an equal mask, which it adds where there is none yet.
func (b *mapBuilder) mask(m *BlockMap, words []uint32) uint32 {
	visible := uint32(math.MaxUint32)
	for _, w := range words {
		visible &= w
	}
	if visible == math.MaxUint32 {
		return 0
	}
	b.maskScrap = b.maskScrap[:0]
	for _, w := range words {
		b.maskScrap = binary.LittleEndian.AppendUint32(b.maskScrap, w)
	}
	if index, ok := b.known[string(b.maskScrap)]; ok {
		return index
	}
	m.Masks = append(m.Masks, words...)
	index := uint32(len(m.Masks) / m.QueryTile)
	b.known[string(b.maskScrap)] = index
	return index
}

// Sees reports whether m shows the packed row key to the packed row query.
func (m *BlockMap) Sees(query, key int) bool {
	tile := query / m.QueryTile
	for _, t := range m.Tiles[m.First[tile]:m.First[tile+1]] {
		if int(t.Key) == key/KeyTile {
			if t.Mask == 0 {
				return true
			}
			word := m.Masks[int(t.Mask-1)*m.QueryTile+query%m.QueryTile]
			return word>>(key%KeyTile)&1 == 1
		}
	}
	return false
}

// Whole returns how many tiles hide nothing, and how many masked pairs the
// others make a kernel compute in vain.
func (m *BlockMap) Whole() (whole int, wasted int64) {
	for _, t := range m.Tiles {
		if t.Mask == 0 {
			whole++
			continue
		}
		for _, w := range m.Masks[int(t.Mask-1)*m.QueryTile : int(t.Mask)*m.QueryTile] {
			wasted += int64(KeyTile - bits.OnesCount32(w))
		}
	}
	return whole, wasted
}

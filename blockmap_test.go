package gaze_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gazevk/gaze"
)

var queryTiles = []int{1, 8, 16, 32, 64}

// All patterns, over packed lengths that do and do not fill their tiles.
func TestBlockMapAgainstPatterns(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range patternCases() {
		for _, queryTile := range queryTiles {
			lengths := make(gaze.Lengths, 1+rng.IntN(4))
			for i := range lengths {
				lengths[i] = 1 + rng.IntN(70)
			}
			checkBlockMap(t, c, lengths, queryTile)
		}
	}
	window := patternCase{gaze.SlidingWindow{Left: 20, Right: 20}, within(20, 20)}
	for _, queryTile := range queryTiles {
		for _, lengths := range []gaze.Lengths{{1}, {31}, {32}, {33}, {64}, {65}, {32, 32}, {1, 1, 1, 62, 1}, {100, 1, 100}, {64, 128}} {
			checkBlockMap(t, window, lengths, queryTile)
			checkBlockMap(t, patternCase{gaze.Full{}, always}, lengths, queryTile)
			checkBlockMap(t, patternCase{gaze.GlobalTokens{Tokens: []int{500}}, never}, lengths, queryTile)
		}
	}
}

// checkBlockMap compares every pair of rows with the pattern's definition, and
// holds the map to what its fields promise.
func checkBlockMap(t *testing.T, c patternCase, lengths gaze.Lengths, queryTile int) {
	t.Helper()
	n := lengths.Tokens()
	m := gaze.NewBlockMap(c.pattern, lengths, queryTile)
	fail := func(format string, args ...any) {
		t.Helper()
		t.Fatalf("%v, lengths %v, query tile %d: %s", c.pattern, lengths, queryTile, fmt.Sprintf(format, args...))
	}
	if m.Rows != n || m.QueryTile != queryTile || m.QueryTiles() != (n+queryTile-1)/queryTile {
		fail("%d rows in %d tiles of %d", m.Rows, m.QueryTiles(), m.QueryTile)
	}

	owner := make([]int, 0, n) // the sequence of each row
	for sequence, length := range lengths {
		owner = append(owner, slices.Repeat([]int{sequence}, length)...)
	}
	positions := lengths.Positions()
	sees := func(query, key int) bool {
		return query < n && key < n && owner[query] == owner[key] && c.sees(int(positions[query]), int(positions[key]))
	}
	pairs := int64(0)
	for query := range n {
		for key := range n {
			if m.Sees(query, key) != sees(query, key) {
				fail("query %d sees key %d: %v", query, key, m.Sees(query, key))
			}
			if sees(query, key) {
				pairs++
			}
		}
	}
	if m.Pairs != pairs {
		fail("%d pairs, expected %d", m.Pairs, pairs)
	}

	// Tiles: in order, none of them dark, whole only where nothing is hidden.
	if m.First[0] != 0 || int(m.First[m.QueryTiles()]) != len(m.Tiles) || !slices.IsSorted(m.First) {
		fail("first is %v of %d tiles", m.First, len(m.Tiles))
	}
	wantWhole, computed := 0, int64(0)
	for tile := range m.QueryTiles() {
		tiles := m.Tiles[m.First[tile]:m.First[tile+1]]
		for i, entry := range tiles {
			if i > 0 && tiles[i-1].Key >= entry.Key {
				fail("query tile %d: key tiles %v are not ascending", tile, tiles)
			}
			visible := 0
			for r := range queryTile {
				for j := range gaze.KeyTile {
					if sees(tile*queryTile+r, int(entry.Key)*gaze.KeyTile+j) {
						visible++
					}
				}
			}
			size := queryTile * gaze.KeyTile
			if visible == 0 || (visible == size) != (entry.Mask == 0) {
				fail("query tile %d, key tile %d: %d of %d visible, mask %d", tile, entry.Key, visible, size, entry.Mask)
			}
			if entry.Mask == 0 {
				wantWhole++
			}
			computed += int64(size)
		}
	}
	if whole, wasted := m.Whole(); whole != wantWhole || wasted != computed-pairs {
		fail("%d whole tiles and %d wasted pairs, expected %d and %d", whole, wasted, wantWhole, computed-pairs)
	}

	// Masks: each is used and there once.
	distinct, used := map[string]bool{}, map[uint32]bool{0: true}
	for i := 0; i < len(m.Masks); i += queryTile {
		distinct[fmt.Sprint(m.Masks[i:i+queryTile])] = true
	}
	for _, entry := range m.Tiles {
		used[entry.Mask] = true
	}
	masks := len(m.Masks) / queryTile
	if len(distinct) != masks || len(used) != masks+1 {
		fail("%d masks, of which %d differ and %d are used", masks, len(distinct), len(used)-1)
	}
}

// A window's map grows with the rows, not with their square, and its masks do
// not grow at all.
func TestBlockMapOfWindowIsLinear(t *testing.T) {
	for _, queryTile := range queryTiles {
		window := gaze.SlidingWindow{Left: 64, Right: 64}
		half := gaze.NewBlockMap(window, gaze.Lengths{32768}, queryTile)
		whole := gaze.NewBlockMap(window, gaze.Lengths{65536}, queryTile)
		more := gaze.NewBlockMap(window, gaze.Lengths{98304}, queryTile)
		if len(more.Tiles)-len(whole.Tiles) != len(whole.Tiles)-len(half.Tiles) {
			t.Errorf("query tile %d: %d, %d and %d tiles of 32768, 65536 and 98304 rows", queryTile, len(half.Tiles), len(whole.Tiles), len(more.Tiles))
		}
		// The keys that a tile of queries sees, and one key tile for where they begin.
		if most := 65536 / queryTile * ((queryTile+128+31)/gaze.KeyTile + 1); len(whole.Tiles) > most {
			t.Errorf("query tile %d: %d tiles, expected at most %d", queryTile, len(whole.Tiles), most)
		}
		// One mask per key tile of a window and per phase of the query tile in
		// a key tile, at most.
		most := 8 * max(1, gaze.KeyTile/queryTile)
		if masks := len(whole.Masks) / queryTile; masks > most || len(whole.Masks) != len(half.Masks) {
			t.Errorf("query tile %d: %d masks, expected at most %d", queryTile, masks, most)
		}
		if want := int64(65536)*129 - 64*65; whole.Pairs != want {
			t.Errorf("query tile %d: %d pairs, expected %d", queryTile, whole.Pairs, want)
		}
	}
}

func TestBlockMapOfHugeWindowIsFull(t *testing.T) {
	for _, lengths := range []gaze.Lengths{{130}, {70, 33}} {
		full := gaze.NewBlockMap(gaze.Full{}, lengths, 16)
		window := gaze.NewBlockMap(gaze.SlidingWindow{Left: math.MaxInt, Right: math.MaxInt}, lengths, 16)
		if !slices.Equal(full.Tiles, window.Tiles) || !slices.Equal(full.Masks, window.Masks) || full.Pairs != window.Pairs {
			t.Errorf("lengths %v: a window of any width is not the full map", lengths)
		}
	}
}

func BenchmarkNewBlockMap(b *testing.B) {
	for _, p := range []gaze.Pattern{gaze.Full{}, gaze.SlidingWindow{Left: 64, Right: 64}} {
		b.Run(p.String()+"/8192", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				gaze.NewBlockMap(p, gaze.Lengths{8192}, 64)
			}
		})
	}
}

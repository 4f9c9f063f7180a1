package tokenizer

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Both ways to merge must agree, on random merges of few symbols, where ties
// and chains are many.
func TestMergeShortAndLong(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 0))
		alphabet := 2 + rng.IntN(4)
		table := newMergeTable(100)
		ids := uint32(alphabet)
		for rank := range uint32(rng.IntN(60)) {
			left, right := rng.Uint32N(ids), rng.Uint32N(ids)
			if s := table.slot(left, right); s.pair == emptySlot {
				table.put(left, right, rank, ids)
				ids++
			}
		}
		word := make([]symbol, 1+rng.IntN(200))
		for i := range word {
			word[i] = symbol{id: rng.Uint32N(uint32(alphabet)), size: 1, rank: none}
		}
		for i := range len(word) - 1 {
			table.rate(&word[i], word[i+1].id)
		}
		short, long := slices.Clone(word), slices.Clone(word)
		short = short[:table.mergeShort(short)]
		long = long[:table.mergeLong(&encoder{}, long)]
		if !slices.EqualFunc(short, long, func(a, b symbol) bool { return a.id == b.id && a.size == b.size }) {
			t.Fatalf("seed %d: short %v, long %v", seed, short, long)
		}
		size := uint32(0)
		for i, s := range short {
			size += s.size
			if i > 0 && table.slot(short[i-1].id, s.id).pair != emptySlot {
				t.Fatalf("seed %d: symbols %d and %d could still merge", seed, i-1, i)
			}
		}
		if int(size) != len(word) {
			t.Fatalf("seed %d: %d bytes became %d", seed, len(word), size)
		}
	}
}

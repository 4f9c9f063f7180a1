package tokenizer

import (
	"math"
	"math/bits"
)

// none is no id and no rank: there are always fewer.
const none = math.MaxUint32

// A mergeTable holds what two neighbours merge into: open addressing with
// linear probing, at most two thirds full.
type mergeTable struct {
	slots []mergeSlot
	shift int
}

type mergeSlot struct {
	pair       uint64 // id on the left << 32 | id on the right, or emptySlot
	rank, into uint32
}

const emptySlot = math.MaxUint64

func newMergeTable(count int) mergeTable {
	width := bits.Len(uint(count + count/2))
	t := mergeTable{make([]mergeSlot, 1<<width), 64 - width}
	for i := range t.slots {
		t.slots[i] = mergeSlot{emptySlot, none, none}
	}
	return t
}

// slot returns the slot of two neighbours, or the empty one where it would go.
func (t *mergeTable) slot(left, right uint32) *mergeSlot {
	pair := uint64(left)<<32 | uint64(right)
	for i := pair * 0x9E3779B97F4A7C15 >> (t.shift & 63); ; i++ {
		s := &t.slots[i&uint64(len(t.slots)-1)]
		if s.pair == pair || s.pair == emptySlot {
			return s
		}
	}
}

// put adds a merge. Of two merges of one pair the later one counts.
func (t *mergeTable) put(left, right, rank, into uint32) {
	*t.slot(left, right) = mergeSlot{uint64(left)<<32 | uint64(right), rank, into}
}

// A symbol is a token in the making.
type symbol struct {
	id   uint32
	size uint32 // bytes of the word; 0 once it is part of the symbol before
	rank uint32 // of the merge with the next symbol, or none
	into uint32 // what that gives
}

// rate looks up the merge of symbols[i] with the symbol next.
func (t *mergeTable) rate(s *symbol, next uint32) {
	slot := t.slot(s.id, next)
	s.rank, s.into = slot.rank, slot.into
}

// shortWord is the number of symbols up to which moving them costs less than
// keeping a heap.
const shortWord = 40

// merge joins neighbours until none may be joined: always those of the lowest
// rank, of equals the leftmost. What remains stands at the front of symbols,
// in order; it returns how many there are.
func (t *mergeTable) merge(e *encoder, symbols []symbol) int {
	for i := range symbols {
		if i+1 < len(symbols) {
			t.rate(&symbols[i], symbols[i+1].id)
		} else {
			symbols[i].rank = none
		}
	}
	if len(symbols) > shortWord {
		return t.mergeLong(e, symbols)
	}
	return t.mergeShort(symbols)
}

// mergeShort looks for the best merge in all of symbols, and closes the gap
// that each leaves.
func (t *mergeTable) mergeShort(symbols []symbol) int {
	for {
		best, rank := 0, uint32(none)
		for i := range symbols {
			if symbols[i].rank < rank {
				best, rank = i, symbols[i].rank
			}
		}
		if rank == none {
			return len(symbols)
		}
		s := &symbols[best]
		s.id = s.into
		s.size += symbols[best+1].size
		copy(symbols[best+1:], symbols[best+2:])
		symbols = symbols[:len(symbols)-1]
		if best+1 < len(symbols) {
			t.rate(s, symbols[best+1].id)
		} else {
			s.rank = none
		}
		if best > 0 {
			t.rate(&symbols[best-1], s.id)
		}
	}
}

// mergeLong keeps a heap of all merges that may be made, each
// rank << 32 | position, so that the least is due next. An entry that no longer
// holds is dropped when it is taken.
func (t *mergeTable) mergeLong(e *encoder, symbols []symbol) int {
	heap := e.heap[:0]
	links := append(e.links[:0], make([]link, len(symbols))...)
	for i := range symbols {
		links[i] = link{int32(i - 1), int32(i + 1)}
		if symbols[i].rank != none {
			heap = append(heap, uint64(symbols[i].rank)<<32|uint64(i))
		}
	}
	for i := len(heap)/2 - 1; i >= 0; i-- {
		heap.down(i)
	}
	for len(heap) > 0 {
		entry := heap.pop()
		i := int32(uint32(entry))
		s := &symbols[i]
		if s.size == 0 || s.rank != uint32(entry>>32) {
			continue
		}
		gone := links[i].next
		s.id = s.into
		s.size += symbols[gone].size
		symbols[gone].size = 0
		next := links[gone].next
		links[i].next = next
		s.rank = none
		if int(next) < len(symbols) {
			links[next].previous = i
			if t.rate(s, symbols[next].id); s.rank != none {
				heap.push(uint64(s.rank)<<32 | uint64(i))
			}
		}
		if previous := links[i].previous; previous >= 0 {
			p := &symbols[previous]
			if t.rate(p, s.id); p.rank != none {
				heap.push(uint64(p.rank)<<32 | uint64(previous))
			}
		}
	}
	e.heap, e.links = heap, links
	count := 0
	for _, s := range symbols {
		if s.size != 0 {
			symbols[count] = s
			count++
		}
	}
	return count
}

// A link holds the positions of a symbol's neighbours: -1 and the number of
// symbols stand for none.
type link struct{ previous, next int32 }

// A mergeHeap is a binary heap with the least entry first.
type mergeHeap []uint64

func (h *mergeHeap) push(entry uint64) {
	*h = append(*h, entry)
	for i := len(*h) - 1; i > 0; {
		parent := (i - 1) / 2
		if (*h)[parent] <= (*h)[i] {
			break
		}
		(*h)[parent], (*h)[i] = (*h)[i], (*h)[parent]
		i = parent
	}
}

func (h *mergeHeap) pop() uint64 {
	least := (*h)[0]
	last := len(*h) - 1
	(*h)[0] = (*h)[last]
	*h = (*h)[:last]
	h.down(0)
	return least
}

func (h mergeHeap) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(h) {
			return
		}
		if child+1 < len(h) && h[child+1] < h[child] {
			child++
		}
		if h[i] <= h[child] {
			return
		}
		h[i], h[child] = h[child], h[i]
		i = child
	}
}

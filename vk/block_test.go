package vk

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// model is a space that knows every byte's owner.
type model []int

func (m model) isFree(e extent) bool {
	for _, owner := range m[e.offset:e.end()] {
		if owner != 0 {
			return false
		}
	}
	return true
}

func (m model) fits(size, alignment int64) bool {
	for offset := int64(0); offset+size <= int64(len(m)); offset += alignment {
		if m.isFree(extent{offset, size}) {
			return true
		}
	}
	return false
}

func (m model) set(e extent, owner int) {
	for i := e.offset; i < e.end(); i++ {
		m[i] = owner
	}
}

// extents returns the free ranges, each as long as can be.
func (m model) extents() []extent {
	var list []extent
	for i, owner := range m {
		switch last := len(list) - 1; {
		case owner != 0:
		case last >= 0 && list[last].end() == int64(i):
			list[last].size++
		default:
			list = append(list, extent{int64(i), 1})
		}
	}
	return list
}

func TestSpaceAgainstModel(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	full := 0
	for range 200 {
		size := 1 + random.Int64N(600)
		s, m := NewSpace(size), make(model, size)
		held := map[int]extent{}
		var ids []int
		for id := 1; id <= 150; id++ {
			if len(ids) > 0 && random.IntN(5) < 2 {
				i := random.IntN(len(ids))
				s.Join(held[ids[i]].offset, held[ids[i]].size)
				m.set(held[ids[i]], 0)
				ids = slices.Delete(ids, i, i+1)
			} else {
				want, alignment := 1+random.Int64N(60), int64(1)<<random.IntN(6)
				offset, ok := s.Cut(want, alignment)
				if ok != m.fits(want, alignment) {
					t.Fatalf("Cut(%d, %d) of %v: %v", want, alignment, s.free, ok)
				}
				if !ok {
					full++
					continue
				}
				e := extent{offset, want}
				if offset%alignment != 0 || e.end() > size || !m.isFree(e) {
					t.Fatalf("Cut(%d, %d) gave %v of %v", want, alignment, e, m.extents())
				}
				m.set(e, id)
				held[id] = e
				ids = append(ids, id)
			}
			if !slices.Equal(s.free, m.extents()) {
				t.Fatalf("free is %v; the model says %v", s.free, m.extents())
			}
		}
		for _, id := range ids {
			s.Join(held[id].offset, held[id].size)
		}
		if !s.empty() {
			t.Fatalf("all was given back, and free is %v of %d", s.free, size)
		}
	}
	if full == 0 {
		t.Error("no request ever failed: the test is too easy")
	}
}

// What is flushed covers the bytes, whole atoms of the block, and nothing of a neighbour.
func TestFlushedAtoms(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 10000 {
		atom := int64(1) << random.IntN(9)
		a := allocation{extent: extent{atom * random.Int64N(100), atom * (1 + random.Int64N(100))}}
		offset := random.Int64N(a.size)
		size := 1 + random.Int64N(a.size-offset)
		e := a.atoms(offset, size, atom)
		if e.offset%atom != 0 || e.size%atom != 0 || e.offset > a.offset+offset || e.end() < a.offset+offset+size || e.offset < a.offset || e.end() > a.end() {
			t.Fatalf("bytes %d+%d of %v, atom %d: flushes %v", offset, size, a.extent, atom, e)
		}
	}
}

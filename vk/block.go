package vk

import (
	"slices"
	"unsafe"

	vulkan "github.com/vulkan-go/vulkan"
)

// A block is one vkAllocateMemory.
type block struct {
	memory  vulkan.DeviceMemory
	kind    *memoryType
	mapped  unsafe.Pointer // nil where the CPU does not reach it
	private bool           // holds one buffer only
	Space
}

// A Space keeps account of which bytes of a range are free.
type Space struct {
	size int64
	free []extent // ascending, not empty, never touching
}

type extent struct{ offset, size int64 }

func (e extent) end() int64 { return e.offset + e.size }

// NewSpace returns a space of size bytes, all of them free.
func NewSpace(size int64) Space { return Space{size, []extent{{0, size}}} }

func (s *Space) empty() bool { return len(s.free) == 1 && s.free[0].size == s.size }

// Cut takes size bytes out of the first free extent that has them at a multiple
// of alignment, and returns where they begin.
func (s *Space) Cut(size, alignment int64) (offset int64, ok bool) {
	for i, f := range s.free {
		offset := roundUp(f.offset, alignment)
		if offset > f.end()-size {
			continue
		}
		var rest []extent
		if offset > f.offset {
			rest = append(rest, extent{f.offset, offset - f.offset})
		}
		if end := offset + size; end < f.end() {
			rest = append(rest, extent{end, f.end() - end})
		}
		s.free = slices.Replace(s.free, i, i+1, rest...)
		return offset, true
	}
	return 0, false
}

// Join gives back the size bytes from offset on that Cut took.
func (s *Space) Join(offset, size int64) {
	e := extent{offset, size}
	i, _ := slices.BinarySearchFunc(s.free, e.offset, func(f extent, offset int64) int { return int(f.offset - offset) })
	last := i
	if i > 0 && s.free[i-1].end() == e.offset {
		i--
		e = extent{s.free[i].offset, s.free[i].size + e.size}
	}
	if last < len(s.free) && e.end() == s.free[last].offset {
		e.size += s.free[last].size
		last++
	}
	s.free = slices.Replace(s.free, i, last, e)
}

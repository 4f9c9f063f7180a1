package vk

/*
#include "shim.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"unsafe"

	vulkan "github.com/vulkan-go/vulkan"
)

// Memory says who uses a buffer, and so which heap it lives in.
type Memory int

const (
	// DeviceMemory is what kernels read and write. It is mapped too where that
	// costs nothing: unified memory, or a GPU whose whole memory the CPU reaches.
	DeviceMemory Memory = iota
	// UploadMemory is written by the CPU in order and read once by the device.
	UploadMemory
	// ReadbackMemory is written by the device and read by the CPU.
	ReadbackMemory
)

const (
	local    = vulkan.MemoryPropertyFlags(vulkan.MemoryPropertyDeviceLocalBit)
	visible  = vulkan.MemoryPropertyFlags(vulkan.MemoryPropertyHostVisibleBit)
	coherent = vulkan.MemoryPropertyFlags(vulkan.MemoryPropertyHostCoherentBit)
	cached   = vulkan.MemoryPropertyFlags(vulkan.MemoryPropertyHostCachedBit)
)

// blockSize is what one vkAllocateMemory asks for: drivers may allow only 4096 allocations.
const blockSize = 64 << 20

// A heap cuts buffers out of large blocks of device memory.
type heap struct {
	d     *Device
	types []memoryType
	lock  sync.Mutex
	block []*block
	used  int64 // bytes in blocks
}

type memoryType struct {
	flags    vulkan.MemoryPropertyFlags
	heapSize int64
}

type block struct {
	memory  vulkan.DeviceMemory
	kind    int // memory type
	size    int64
	mapped  unsafe.Pointer // nil where the CPU does not reach it
	free    []extent       // ascending, never touching
	private bool           // holds one buffer only
}

type extent struct{ offset, size int64 }

// An allocation is one buffer's part of a block.
type allocation struct {
	block *block
	extent
}

func newHeap(d *Device) *heap {
	h := &heap{d: d}
	var p vulkan.PhysicalDeviceMemoryProperties
	vulkan.GetPhysicalDeviceMemoryProperties(d.physical, &p)
	p.Deref()
	for i := range p.MemoryTypeCount {
		t := &p.MemoryTypes[i]
		t.Deref()
		size := &p.MemoryHeaps[t.HeapIndex]
		size.Deref()
		h.types = append(h.types, memoryType{t.PropertyFlags, int64(size.Size)})
	}
	p.Free()
	return h
}

// order returns the memory types for m, best first, among those in allowed.
func (h *heap) order(m Memory, allowed uint32) []int {
	largest := int64(0)
	for _, t := range h.types {
		if t.flags&local != 0 {
			largest = max(largest, t.heapSize)
		}
	}
	score := func(t memoryType) int {
		has := func(flags vulkan.MemoryPropertyFlags) bool { return t.flags&flags == flags }
		switch {
		case m == DeviceMemory && has(local|visible|coherent) && t.heapSize >= largest-largest/8:
			return 4
		case m == DeviceMemory && has(local) && !has(visible):
			return 3
		case m == DeviceMemory && has(local):
			return 1 // the small window into a discrete GPU's memory: a last resort
		case m == UploadMemory && has(visible|coherent):
			if has(local) || has(cached) {
				return 3
			}
			return 4
		case m == ReadbackMemory && has(visible|cached|coherent):
			return 4
		case m == ReadbackMemory && has(visible|cached):
			return 3
		case has(visible):
			return 2
		}
		return 0
	}
	var list []int
	for i, t := range h.types {
		if allowed>>i&1 == 1 && (score(t) > 0 || m == DeviceMemory) {
			list = append(list, i)
		}
	}
	slices.SortStableFunc(list, func(a, b int) int { return score(h.types[b]) - score(h.types[a]) })
	return list
}

func (h *heap) allocate(m Memory, size, alignment int64, allowed uint32) (allocation, error) {
	h.lock.Lock()
	defer h.lock.Unlock()
	alignment = max(alignment, int64(h.d.adapter.raw.atom_size), 1)
	size = roundUp(size, alignment)
	err := fmt.Errorf("vk: no memory type fits: %w", ErrNotSupported)
	for _, kind := range h.order(m, allowed) {
		for _, b := range h.block {
			if b.kind == kind && !b.private {
				if a, ok := b.cut(size, alignment); ok {
					return a, nil
				}
			}
		}
		var b *block
		want := min(blockSize, max(h.types[kind].heapSize/16, 1<<20))
		if b, err = h.add(kind, max(size, want), size > want/2); err != nil && want > size && errors.Is(err, ErrOutOfMemory) {
			b, err = h.add(kind, size, true) // a whole block does not fit any more, the buffer may
		}
		if err == nil {
			a, _ := b.cut(size, alignment)
			return a, nil
		}
		if !errors.Is(err, ErrOutOfMemory) {
			break
		}
	}
	return allocation{}, err
}

func (h *heap) add(kind int, size int64, private bool) (*block, error) {
	b := &block{kind: kind, size: size, private: private, free: []extent{{0, size}}}
	info := vulkan.MemoryAllocateInfo{SType: vulkan.StructureTypeMemoryAllocateInfo, AllocationSize: vulkan.DeviceSize(size), MemoryTypeIndex: uint32(kind)}
	defer info.Free()
	var err error
	b.memory, err = obtain(h.d, fmt.Sprintf("vkAllocateMemory (%s)", bytesInWords(size)), func(out *vulkan.DeviceMemory) vulkan.Result {
		return vulkan.AllocateMemory(h.d.handle, &info, nil, out)
	})
	if err != nil {
		return nil, err
	}
	if h.types[kind].flags&visible != 0 {
		b.mapped, err = obtain(h.d, "vkMapMemory", func(out *unsafe.Pointer) vulkan.Result {
			return vulkan.MapMemory(h.d.handle, b.memory, 0, vulkan.DeviceSize(size), 0, out)
		})
		if err != nil {
			vulkan.FreeMemory(h.d.handle, b.memory, nil)
			return nil, err
		}
	}
	h.block = append(h.block, b)
	h.used += size
	return b, nil
}

// cut takes the first free extent that fits.
func (b *block) cut(size, alignment int64) (allocation, bool) {
	for i, f := range b.free {
		offset := roundUp(f.offset, alignment)
		if offset+size > f.offset+f.size {
			continue
		}
		var rest []extent
		if offset > f.offset {
			rest = append(rest, extent{f.offset, offset - f.offset})
		}
		if end := f.offset + f.size; offset+size < end {
			rest = append(rest, extent{offset + size, end - offset - size})
		}
		b.free = slices.Replace(b.free, i, i+1, rest...)
		return allocation{b, extent{offset, size}}, true
	}
	return allocation{}, false
}

func (h *heap) release(a allocation) {
	h.lock.Lock()
	defer h.lock.Unlock()
	b := a.block
	i, _ := slices.BinarySearchFunc(b.free, a.offset, func(e extent, offset int64) int { return int(e.offset - offset) })
	b.free = slices.Insert(b.free, i, a.extent)
	if i+1 < len(b.free) && b.free[i].offset+b.free[i].size == b.free[i+1].offset {
		b.free[i].size += b.free[i+1].size
		b.free = slices.Delete(b.free, i+1, i+2)
	}
	if i > 0 && b.free[i-1].offset+b.free[i-1].size == b.free[i].offset {
		b.free[i-1].size += b.free[i].size
		b.free = slices.Delete(b.free, i, i+1)
	}
	if len(b.free) == 1 && b.free[0].size == b.size && (b.private || h.hasOtherEmpty(b)) {
		h.drop(b)
	}
}

// hasOtherEmpty reports whether another empty block of b's type is kept: one is
// enough to spare the next run an allocation.
func (h *heap) hasOtherEmpty(b *block) bool {
	return slices.ContainsFunc(h.block, func(o *block) bool {
		return o != b && o.kind == b.kind && !o.private && len(o.free) == 1 && o.free[0].size == o.size
	})
}

func (h *heap) drop(b *block) {
	vulkan.FreeMemory(h.d.handle, b.memory, nil)
	h.used -= b.size
	h.block = slices.DeleteFunc(h.block, func(o *block) bool { return o == b })
}

func (h *heap) close() {
	for len(h.block) > 0 {
		h.drop(h.block[0])
	}
}

// flush makes the CPU's writes visible to the device, or with invalidate the
// device's to the CPU, where the memory does not do so by itself.
func (h *heap) flush(a allocation, invalidate bool) error {
	if h.types[a.block.kind].flags&coherent != 0 {
		return nil
	}
	return h.d.call("vkFlushMappedMemoryRanges", func() vulkan.Result {
		flag := C.int(0)
		if invalidate {
			flag = 1
		}
		return vulkan.Result(C.gaze_flush(h.d.in.c, convert[C.VkDevice](h.d.handle), convert[C.VkDeviceMemory](a.block.memory),
			C.uint64_t(a.offset), C.uint64_t(a.size), flag))
	})
}

func roundUp(x, multiple int64) int64 { return (x + multiple - 1) / multiple * multiple }

func bytesInWords(size int64) string {
	switch {
	case size >= 10<<30:
		return fmt.Sprintf("%d GiB", size>>30)
	case size >= 10<<20:
		return fmt.Sprintf("%d MiB", size>>20)
	case size >= 10<<10:
		return fmt.Sprintf("%d KiB", size>>10)
	}
	return fmt.Sprintf("%d bytes", size)
}

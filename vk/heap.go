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

// blockSize is what one vkAllocateMemory asks for: drivers may allow only 4096 allocations.
const blockSize = 64 << 20

// A heap cuts buffers out of large blocks of device memory.
type heap struct {
	d      *Device
	types  []memoryType
	lock   sync.Mutex // guards the rest
	blocks []*block
	used   int64 // bytes in blocks
}

// An allocation is one buffer's part of a block.
type allocation struct {
	block *block
	extent
}

func newHeap(d *Device) *heap {
	h := &heap{d: d, types: memoryTypesOf(d.physical)}
	if change := d.options.memoryTypes; change != nil {
		h.types = change(h.types)
	}
	return h
}

// allocate finds size bytes in the best type for m that has them, of those
// whose bit in allowed is set.
func (h *heap) allocate(m Memory, size, alignment int64, allowed uint32) (allocation, error) {
	h.lock.Lock()
	defer h.lock.Unlock()
	// Whole atoms: flushing one buffer must not touch its neighbour.
	alignment = max(alignment, int64(h.d.adapter.raw.atom_size), 1)
	size = roundUp(size, alignment)
	err := fmt.Errorf("vk: no memory type fits: %w", ErrNotSupported)
	for _, position := range order(h.types, m, allowed) {
		kind := &h.types[position]
		for _, b := range h.blocks {
			if b.kind == kind && !b.private {
				if offset, ok := b.Cut(size, alignment); ok {
					return allocation{b, extent{offset, size}}, nil
				}
			}
		}
		want := min(blockSize, max(kind.heapSize/16, 1<<20))
		var b *block
		if b, err = h.add(kind, max(size, want), size > want/2); errors.Is(err, ErrOutOfMemory) && want > size {
			b, err = h.add(kind, size, true) // a whole block does not fit any more, the buffer may
		}
		if err == nil {
			offset, _ := b.Cut(size, alignment)
			return allocation{b, extent{offset, size}}, nil
		}
		if !errors.Is(err, ErrOutOfMemory) {
			break
		}
	}
	return allocation{}, err
}

// add takes one more block from the device, mapped where it can be. A private one
// holds one buffer only.
func (h *heap) add(kind *memoryType, size int64, private bool) (*block, error) {
	info := vulkan.MemoryAllocateInfo{SType: vulkan.StructureTypeMemoryAllocateInfo, AllocationSize: vulkan.DeviceSize(size), MemoryTypeIndex: kind.index}
	defer info.Free()
	b, err := h.take(kind, size, func(out *vulkan.DeviceMemory) vulkan.Result {
		return vulkan.AllocateMemory(h.d.handle, &info, nil, out)
	})
	if err != nil {
		return nil, err
	}
	b.private = private
	if kind.has(visible) {
		b.mapped, err = obtain(h.d, "vkMapMemory", func(out *unsafe.Pointer) vulkan.Result {
			return vulkan.MapMemory(h.d.handle, b.memory, 0, vulkan.DeviceSize(size), 0, out)
		})
		if err != nil {
			h.drop(b)
			return nil, err
		}
	}
	return b, nil
}

// take makes the call that gets memory from the device.
func (h *heap) take(kind *memoryType, size int64, allocate func(out *vulkan.DeviceMemory) vulkan.Result) (*block, error) {
	call := fmt.Sprintf("vkAllocateMemory (%s)", bytesInWords(size))
	if size > kind.heapSize {
		return nil, fmt.Errorf("vk: %s: the device has %s of this memory: %w", call, bytesInWords(kind.heapSize), ErrOutOfMemory)
	}
	if limit := int(h.d.adapter.raw.max_allocations); len(h.blocks) >= limit {
		return nil, fmt.Errorf("vk: %s: the device allows %d allocations: %w", call, limit, ErrOutOfMemory)
	}
	memory, err := obtain(h.d, call, allocate)
	if err != nil {
		return nil, err
	}
	b := &block{memory: memory, kind: kind, Space: NewSpace(size)}
	h.blocks = append(h.blocks, b)
	h.used += size
	return b, nil
}

// release gives a back. One empty block of a type is kept, which spares the
// next run an allocation.
func (h *heap) release(a allocation) {
	h.lock.Lock()
	defer h.lock.Unlock()
	b := a.block
	b.Join(a.offset, a.size)
	if b.empty() && (b.private || slices.ContainsFunc(h.blocks, func(o *block) bool { return o != b && o.kind == b.kind && o.empty() })) {
		h.drop(b)
	}
}

// drop frees a block, and with it the block's mapping.
func (h *heap) drop(b *block) {
	vulkan.FreeMemory(h.d.handle, b.memory, nil)
	h.used -= b.size
	h.blocks = slices.DeleteFunc(h.blocks, func(o *block) bool { return o == b })
}

func (h *heap) close() {
	h.lock.Lock()
	defer h.lock.Unlock()
	for len(h.blocks) > 0 {
		h.drop(h.blocks[0])
	}
}

// flush makes the CPU's writes to s visible to the device, and invalidate makes
// the device's to the CPU, where the memory does not do so by itself.
func (h *heap) flush(s Slice) error { return h.flushOr("vkFlushMappedMemoryRanges", s, 0) }

func (h *heap) invalidate(s Slice) error { return h.flushOr("vkInvalidateMappedMemoryRanges", s, 1) }

func (h *heap) flushOr(call string, s Slice, invalidate C.int) error {
	a := s.Buffer.memory
	if a.block.kind.has(coherent) {
		return nil
	}
	r := a.atoms(s.Offset, s.Size, int64(h.d.adapter.raw.atom_size))
	return h.d.call(call, func() vulkan.Result {
		return vulkan.Result(C.gaze_flush(h.d.in.c, convert[C.VkDevice](h.d.handle), convert[C.VkDeviceMemory](a.block.memory),
			C.uint64_t(r.offset), C.uint64_t(r.size), invalidate))
	})
}

// atoms returns the part of the block that covers size bytes from offset on of
// a, in whole atoms, as flushing demands. It lies within a, which begins and
// ends at an atom's edge.
func (a allocation) atoms(offset, size, atom int64) extent {
	atom = max(atom, 1)
	first := (a.offset + offset) / atom * atom
	return extent{first, roundUp(a.offset+offset+size, atom) - first}
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

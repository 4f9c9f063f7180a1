package vk

/*
#include "shim.h"
*/
import "C"

import (
	"fmt"
	"unsafe"

	vulkan "github.com/vulkan-go/vulkan"
)

// A Buffer is a range of memory that kernels can bind.
type Buffer struct {
	d      *Device
	label  string
	size   int64
	handle vulkan.Buffer
	memory allocation
	shared *Shared // that it is of
}

// A Slice is Size bytes of a buffer from Offset on.
type Slice struct {
	Buffer       *Buffer
	Offset, Size int64
}

// NewBuffer makes a buffer of size bytes (at least 1), its content undefined.
// The label names it in errors.
func (d *Device) NewBuffer(label string, size int64, memory Memory) (*Buffer, error) {
	return d.newBuffer(label, size, func(b *Buffer) error { return b.create(memory) })
}

func (d *Device) newBuffer(label string, size int64, create func(b *Buffer) error) (*Buffer, error) {
	if size < 1 {
		return nil, fmt.Errorf("vk: buffer %s: %d bytes: at least 1 is needed", label, size)
	}
	if limit := d.adapter.raw.max_buffer; limit > 0 && uint64(size) > uint64(limit) {
		return nil, fmt.Errorf("vk: buffer %s: %s is more than this device's %s: %w", label, bytesInWords(size), bytesInWords(int64(limit)), ErrOutOfMemory)
	}
	b := &Buffer{d: d, label: label, size: size}
	if err := d.adopt(b, "buffer "+label); err != nil {
		return nil, err
	}
	if err := create(b); err != nil {
		b.Close()
		return nil, fmt.Errorf("buffer %s (%s): %w", label, bytesInWords(size), err)
	}
	return b, nil
}

func (b *Buffer) create(memory Memory) error {
	d := b.d
	info := vulkan.BufferCreateInfo{
		SType: vulkan.StructureTypeBufferCreateInfo,
		Size:  vulkan.DeviceSize(b.bytesNeeded()),
		Usage: vulkan.BufferUsageFlags(C.GAZE_BUFFER_USAGE),
	}
	defer info.Free()
	var err error
	b.handle, err = obtain(d, "vkCreateBuffer", func(out *vulkan.Buffer) vulkan.Result { return vulkan.CreateBuffer(d.handle, &info, nil, out) })
	if err != nil {
		return err
	}
	size, alignment, allowed := b.requirements()
	if b.memory, err = d.heap.allocate(memory, size, alignment, allowed); err != nil {
		return err
	}
	return b.bind()
}

// bytesNeeded is what to ask Vulkan for.
func (b *Buffer) bytesNeeded() int64 {
	bytes := roundUp(b.size, 4)
	if b.d.adapter.Kind == CPU && bytes&(bytes-1) == 0 {
		// lavapipe of Mesa 22 compiles a kernel again for texel buffers of whose sizes
		// others are powers of two.
		bytes += 4
	}
	return bytes
}

// requirements returns what memory the buffer needs, and bits of the types that do.
func (b *Buffer) requirements() (size, alignment int64, allowed uint32) {
	var need vulkan.MemoryRequirements
	vulkan.GetBufferMemoryRequirements(b.d.handle, b.handle, &need)
	need.Deref()
	defer need.Free()
	return int64(need.Size), int64(need.Alignment), need.MemoryTypeBits
}

func (b *Buffer) bind() error {
	return b.d.call("vkBindBufferMemory", func() vulkan.Result {
		return vulkan.BindBufferMemory(b.d.handle, b.handle, b.memory.block.memory, vulkan.DeviceSize(b.memory.offset))
	})
}

// Size returns the bytes asked for.
func (b *Buffer) Size() int64 { return b.size }

// Whole returns the whole buffer as a slice.
func (b *Buffer) Whole() Slice { return Slice{b, 0, b.size} }

// Close frees the buffer, after work in flight has ended. A second call does nothing.
func (b *Buffer) Close() error {
	if b == nil || !b.d.disown(b) {
		return nil
	}
	b.shared.withdraw()
	b.d.settle()
	if b.handle != nil {
		vulkan.DestroyBuffer(b.d.handle, b.handle, nil)
		b.handle = nil
	}
	if b.memory.block != nil {
		b.d.heap.release(b.memory)
		b.memory = allocation{}
	}
	return nil
}

// bytes returns the CPU's view of s, or nil where it has none.
func (s Slice) bytes() []byte {
	m := s.Buffer.memory
	if m.block.mapped == nil {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Add(m.block.mapped, m.offset+s.Offset)), s.Size)
}

// check returns what keeps d from using s.
func (d *Device) check(s Slice) error {
	switch {
	case s.Buffer == nil:
		return fmt.Errorf("vk: a slice of no buffer")
	case s.Buffer.d != d:
		return fmt.Errorf("vk: buffer %s is another device's", s.Buffer.label)
	case s.Buffer.handle == nil:
		return fmt.Errorf("vk: buffer %s: %w", s.Buffer.label, ErrClosed)
	case s.Offset < 0 || s.Size < 1 || s.Offset > s.Buffer.size-s.Size:
		return fmt.Errorf("vk: buffer %s has %d bytes: no slice of %d from %d on", s.Buffer.label, s.Buffer.size, s.Size, s.Offset)
	}
	return nil
}

// words returns s up to a whole number of 32-bit words, which is what a kernel
// reaches; every buffer ends with one.
func (s Slice) words() Slice {
	s.Size = roundUp(s.Size, 4)
	return s
}

// overlaps reports whether the two slices share a byte.
func (s Slice) overlaps(o Slice) bool {
	return s.Buffer == o.Buffer && s.Offset < o.Offset+o.Size && o.Offset < s.Offset+s.Size
}

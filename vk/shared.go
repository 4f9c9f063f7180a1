package vk

/*
#include "shim.h"
*/
import "C"

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"

	vulkan "github.com/vulkan-go/vulkan"
)

// A Shared is a buffer whose memory a device of the same GPU can have, too: what
// kernels of one [Device] write, a [Presenter] shows without a copy. The memory
// lives until the last of them has let go of it.
//
// Nothing orders what the two do: cells may be shown once whoever wrote them has
// waited for that ([Commands.Wait]), and be written again once no frame shows them.
type Shared struct {
	buffer *Buffer

	// What another device needs to know, which outlives the buffer.
	adapter       *Adapter
	label         string
	size          int64 // of the buffer as asked for
	bytes, memory int64 // of the buffer and its memory as Vulkan has them
	kind          *memoryType

	lock sync.Mutex
	fd   C.int // stands for the memory; -1 once closed
}

// NewShared makes a buffer of size bytes in memory that can be shared, of which one
// binding reaches all (Limits.StorageRange). Where the device cannot, the error
// wraps ErrNotSupported.
func (d *Device) NewShared(label string, size int64) (*Shared, error) {
	if !d.adapter.Features.SharedMemory {
		return nil, fmt.Errorf("vk: buffer %s: %s cannot share memory with another device: %w", label, d.adapter.Name, ErrNotSupported)
	}
	if most := d.adapter.Limits.StorageRange; size > most {
		return nil, fmt.Errorf("vk: buffer %s: %s; this device shows %s of one buffer: %w", label, bytesInWords(size), bytesInWords(most), ErrNotSupported)
	}
	s := &Shared{adapter: &d.adapter, label: label, size: size, fd: -1}
	if _, err := d.newBuffer(label, size, s.create); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Shared) create(b *Buffer) (err error) {
	s.buffer, b.shared = b, s
	s.bytes = b.bytesNeeded()
	if err := s.createBuffer(b); err != nil {
		return err
	}
	size, _, allowed := b.requirements()
	s.memory = size
	d := b.d
	err = fmt.Errorf("vk: no memory type fits: %w", ErrNotSupported)
	for _, position := range order(d.heap.types, DeviceMemory, allowed) {
		s.kind = &d.heap.types[position]
		if err = s.allocate(b, -1); !errors.Is(err, ErrOutOfMemory) {
			break
		}
	}
	if err != nil {
		return err
	}
	if err := b.bind(); err != nil {
		return err
	}
	fd, err := obtain(d, "vkGetMemoryFdKHR", func(out *C.int) vulkan.Result {
		return vulkan.Result(C.gaze_get_memory_fd(d.in.c, convert[C.VkDevice](d.handle), convert[C.VkDeviceMemory](b.memory.block.memory), out))
	})
	if err == nil {
		s.fd = fd
	}
	return err
}

// importShared makes a buffer of d with the memory of s.
func (d *Device) importShared(s *Shared) (*Buffer, error) {
	if !d.adapter.SharesMemory(*s.adapter) {
		return nil, fmt.Errorf("vk: buffer %s is in memory of %s, which %s cannot have: %w", s.label, s.adapter.Name, d.adapter.Name, ErrNotSupported)
	}
	return d.newBuffer(s.label, s.size, func(b *Buffer) error {
		if err := s.createBuffer(b); err != nil {
			return err
		}
		fd, err := s.duplicate()
		if err != nil {
			return err
		}
		if err := s.allocate(b, fd); err != nil {
			C.gaze_close_fd(fd)
			return err
		}
		return b.bind()
	})
}

// createBuffer makes b, of any device, a buffer that the memory fits.
func (s *Shared) createBuffer(b *Buffer) error {
	handle, err := obtain(b.d, "vkCreateBuffer", func(out *C.VkBuffer) vulkan.Result {
		return vulkan.Result(C.gaze_create_shared_buffer(b.d.in.c, convert[C.VkDevice](b.d.handle), C.uint64_t(s.bytes), out))
	})
	b.handle = convert[vulkan.Buffer](handle)
	return err
}

// allocate gives b memory: new memory for fd -1, else that which fd stands for.
func (s *Shared) allocate(b *Buffer, fd C.int) error {
	d := b.d
	d.heap.lock.Lock()
	defer d.heap.lock.Unlock()
	block, err := d.heap.take(s.kind, s.memory, func(out *vulkan.DeviceMemory) vulkan.Result {
		memory := new(C.VkDeviceMemory)
		result := C.gaze_allocate_shared(d.in.c, convert[C.VkDevice](d.handle), convert[C.VkBuffer](b.handle), C.uint64_t(s.memory), C.uint32_t(s.kind.index), fd, memory)
		*out = convert[vulkan.DeviceMemory](*memory)
		return vulkan.Result(result)
	})
	if err != nil {
		return err
	}
	block.private = true
	block.Cut(s.memory, 1)
	b.memory = allocation{block, extent{0, s.memory}}
	return nil
}

// duplicate returns another descriptor of the memory.
func (s *Shared) duplicate() (C.int, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.fd < 0 {
		return -1, fmt.Errorf("vk: %w", ErrClosed)
	}
	fd, err := C.gaze_duplicate_fd(s.fd)
	if fd < 0 {
		return -1, fmt.Errorf("vk: no further file descriptor of its memory: %w", err)
	}
	return fd, nil
}

// closed reports whether the memory cannot be had any more.
func (s *Shared) closed() bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.fd < 0
}

// withdraw keeps devices that do not have the memory from getting it.
func (s *Shared) withdraw() {
	if s == nil {
		return
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.fd >= 0 {
		C.gaze_close_fd(s.fd)
		s.fd = -1
	}
}

// Check tries whether another device finds in the memory what this one writes to its
// first bytes, as the driver promises. An error that wraps ErrNotSupported says that
// it does not.
func (s *Shared) Check(ctx context.Context) error {
	d := s.buffer.d
	o := d.options
	o.faults, o.cacheDir = nil, "" // it is no part of what is tried otherwise
	other, err := Open(strconv.Itoa(d.adapter.Index), func(of *options) { *of = o })
	if err != nil {
		return fmt.Errorf("a second device that shares memory: %w", err)
	}
	defer other.Close()
	there, err := other.importShared(s)
	if err != nil {
		return err
	}
	defer there.Close()
	written := make([]byte, min(s.size, 64))
	for i := range written {
		written[i] = byte(rand.Uint32())
	}
	found := make([]byte, len(written))
	if err := d.Upload(ctx, s.buffer.Whole(), written); err != nil {
		return err
	}
	if err := other.Download(ctx, found, there.Whole()); err != nil {
		return err
	}
	if !bytes.Equal(found, written) {
		return fmt.Errorf("vk: buffer %s: another device of %s does not find there what this one wrote: %w", s.label, d.adapter.Name, ErrNotSupported)
	}
	return nil
}

// Buffer returns the buffer of the device that made it, for kernels and transfers.
func (s *Shared) Buffer() *Buffer { return s.buffer }

// Close frees the buffer, after work in flight has ended; a presenter that has shown
// cells of it keeps the memory as long as its frames show some. A second call does
// nothing.
func (s *Shared) Close() error {
	if s == nil {
		return nil
	}
	return s.buffer.Close()
}

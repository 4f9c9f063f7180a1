package vk

import (
	"slices"

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

// A memoryType is one of a device's kinds of memory.
type memoryType struct {
	index    uint32 // as Vulkan counts them
	flags    vulkan.MemoryPropertyFlags
	heapSize int64
}

func (t memoryType) has(flags vulkan.MemoryPropertyFlags) bool { return t.flags&flags == flags }

// memoryTypesOf returns the memory types of a device.
func memoryTypesOf(device vulkan.PhysicalDevice) []memoryType {
	var p vulkan.PhysicalDeviceMemoryProperties
	vulkan.GetPhysicalDeviceMemoryProperties(device, &p)
	p.Deref()
	defer p.Free()
	var list []memoryType
	for i := range p.MemoryTypeCount {
		t := &p.MemoryTypes[i]
		t.Deref()
		heap := &p.MemoryHeaps[t.HeapIndex]
		heap.Deref()
		list = append(list, memoryType{i, t.PropertyFlags, int64(heap.Size)})
	}
	return list
}

// order returns the positions in types that suit m, best first, among those
// whose bit in allowed is set.
//
// CPU and GPU share one heap in unified memory, and with the whole of a discrete
// GPU's memory behind its bus window ("resizable BAR"). A small window of 256 MiB
// shows as a heap of its own: it is scarce and slow to fill, so buffers go to
// the large heap and through staging. Once that is full, memory that kernels
// reach over the bus still computes.
func order(types []memoryType, m Memory, allowed uint32) []int {
	largest := int64(0)
	for _, t := range types {
		if t.has(local) {
			largest = max(largest, t.heapSize)
		}
	}
	score := func(t memoryType) int {
		switch {
		case t.flags&^(local|visible|coherent|cached) != 0:
			return 0 // protected, lazily allocated, uncached for debugging: each needs a feature that is off
		case m == DeviceMemory && t.has(local|visible) && t.heapSize < largest-largest/8:
			return 2 // the small window
		case m == DeviceMemory && t.has(local|visible|coherent):
			return 6
		case m == DeviceMemory && t.has(local|visible):
			return 4
		case m == DeviceMemory && t.has(local):
			return 5
		case m == UploadMemory && t.has(visible|coherent) && !t.has(local) && !t.has(cached):
			return 5
		case m == UploadMemory && t.has(visible|coherent):
			return 4
		case m == ReadbackMemory && t.has(visible|cached|coherent):
			return 5
		case m == ReadbackMemory && t.has(visible|cached):
			return 4
		case t.has(visible):
			return 3
		case m == DeviceMemory:
			return 1
		}
		return 0
	}
	var list []int
	for i, t := range types {
		if allowed>>t.index&1 == 1 && score(t) > 0 {
			list = append(list, i)
		}
	}
	slices.SortStableFunc(list, func(a, b int) int { return score(types[b]) - score(types[a]) })
	return list
}

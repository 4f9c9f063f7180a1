package vk

import (
	"slices"
	"testing"

	vulkan "github.com/vulkan-go/vulkan"
)

// Memory types as drivers report them (vulkan.gpuinfo.org).
var devices = map[string]struct {
	types                    []memoryType
	device, upload, readback []int
}{
	"NVIDIA, 256 MiB window": {
		types: table(
			[]int64{8 << 30, 24 << 30, 246 << 20},
			memory{0, 1}, memory{local, 0}, memory{visible | coherent, 1}, memory{visible | coherent | cached, 1}, memory{local | visible | coherent, 2}),
		device: []int{1, 2, 3, 4, 0}, upload: []int{2, 3, 4}, readback: []int{3, 2, 4},
	},
	"NVIDIA, resizable BAR": {
		types: table(
			[]int64{8 << 30, 24 << 30},
			memory{0, 1}, memory{local, 0}, memory{visible | coherent, 1}, memory{visible | coherent | cached, 1}, memory{local | visible | coherent, 0}),
		device: []int{4, 1, 2, 3, 0}, upload: []int{2, 3, 4}, readback: []int{3, 2, 4},
	},
	"RADV, discrete, 256 MiB window": {
		types: table(
			[]int64{20224 << 20, 16 << 30, 256 << 20},
			memory{local, 0}, memory{local, 0}, memory{visible | coherent, 1}, memory{local | visible | coherent, 2}, memory{visible | coherent | cached, 1},
			memory{local | deviceCoherent, 0}, memory{visible | coherent | deviceCoherent, 1}, memory{local | visible | coherent | deviceCoherent, 2}),
		device: []int{0, 1, 2, 4, 3}, upload: []int{2, 3, 4}, readback: []int{4, 2, 3},
	},
	"RADV, APU": { // two thirds of the memory is shown as the GPU's
		types: table(
			[]int64{5 << 30, 10 << 30},
			memory{local, 1}, memory{visible | coherent, 0}, memory{local | visible | coherent, 1}, memory{visible | coherent | cached, 0}),
		device: []int{2, 0, 1, 3}, upload: []int{1, 2, 3}, readback: []int{3, 1, 2},
	},
	"AMD's own driver, APU": { // a carve-out that is full soon; then system memory, which is as fast
		types: table(
			[]int64{256 << 20, 16 << 30},
			memory{local, 0}, memory{visible | coherent, 1}, memory{local | visible | coherent, 0}, memory{visible | coherent | cached, 1}),
		device: []int{2, 0, 1, 3}, upload: []int{1, 2, 3}, readback: []int{3, 1, 2},
	},
	"Intel, integrated": {
		types: table(
			[]int64{12 << 30},
			memory{local, 0}, memory{local | visible | coherent, 0}, memory{local | visible | coherent | cached, 0}),
		device: []int{1, 2, 0}, upload: []int{1, 2}, readback: []int{2, 1},
	},
	"Intel, integrated, caches apart": {
		types: table(
			[]int64{3 << 30},
			memory{local | visible | coherent, 0}, memory{local | visible | cached, 0}),
		device: []int{0, 1}, upload: []int{0, 1}, readback: []int{1, 0},
	},
	"MoltenVK, Apple M2": {
		types: table(
			[]int64{16 << 30},
			memory{local, 0}, memory{local | visible | coherent | cached, 0}, memory{local | lazy, 0}),
		device: []int{1, 0}, upload: []int{1}, readback: []int{1},
	},
	"MoltenVK, discrete AMD": {
		types: table(
			[]int64{8 << 30, 32 << 30},
			memory{local, 0}, memory{visible | coherent | cached, 1}, memory{visible | cached, 1}),
		device: []int{0, 1, 2}, upload: []int{1, 2}, readback: []int{1, 2},
	},
	"lavapipe": {
		types:  table([]int64{2 << 30}, memory{local | visible | coherent | cached, 0}),
		device: []int{0}, upload: []int{0}, readback: []int{0},
	},
}

const (
	lazy           = 0x10
	deviceCoherent = 0xc0 // VK_MEMORY_PROPERTY_DEVICE_COHERENT_BIT_AMD and ..._UNCACHED_BIT_AMD
)

type memory struct {
	flags vulkan.MemoryPropertyFlags
	heap  int
}

func table(heaps []int64, list ...memory) []memoryType {
	var types []memoryType
	for i, m := range list {
		types = append(types, memoryType{uint32(i), m.flags, heaps[m.heap]})
	}
	return types
}

func TestMemoryOrder(t *testing.T) {
	for name, d := range devices {
		for memory, want := range map[Memory][]int{DeviceMemory: d.device, UploadMemory: d.upload, ReadbackMemory: d.readback} {
			if got := order(d.types, memory, ^uint32(0)); !slices.Equal(got, want) {
				t.Errorf("%s, memory %d: %v, want %v", name, memory, got, want)
			}
			if got := order(d.types, memory, 0); len(got) > 0 {
				t.Errorf("%s, memory %d: %v, though the driver allows none", name, memory, got)
			}
			// Whatever the driver forbids for a buffer drops out; the rest keeps its order.
			first := want[0]
			if got := order(d.types, memory, ^(1 << first)); !slices.Equal(got, want[1:]) && len(want) > 1 {
				t.Errorf("%s, memory %d without type %d: %v, want %v", name, memory, first, got, want[1:])
			}
		}
	}
}

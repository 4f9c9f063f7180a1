package vk

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// discreteGPU shows a device's memory as a discrete GPU's without resizable BAR:
// kernels' memory is out of the CPU's reach, and what is read back is cached but
// not coherent. Every type is the device's first in truth, so this runs wherever
// that one is mapped, as it is on CPU drivers.
func discreteGPU(o *options) {
	o.memoryTypes = func(types []memoryType) []memoryType {
		truth := types[slices.IndexFunc(types, func(t memoryType) bool { return t.has(visible | coherent) })]
		as := func(t memoryType) memoryType { t.index = truth.index; return t }
		return []memoryType{
			as(memoryType{flags: local, heapSize: truth.heapSize}),
			as(memoryType{flags: visible | coherent, heapSize: truth.heapSize}),
			as(memoryType{flags: visible | cached, heapSize: truth.heapSize}),
			as(memoryType{flags: local | visible | coherent, heapSize: 256 << 20}),
		}
	}
}

// Buffers of all sizes and kinds come and go; none shares a byte with another.
func TestHeapAgainstModel(t *testing.T) {
	for name, opts := range map[string][]Option{"as it is": nil, "discrete": {discreteGPU}} {
		t.Run(name, func(t *testing.T) {
			d := openDevice(t, opts...)
			d.adapter.raw.atom_size = 1024 // more than CPU drivers ask for
			random := rand.New(rand.NewPCG(5, 6))
			var held []*Buffer
			for range 400 {
				if len(held) > 30 || len(held) > 0 && random.IntN(5) < 2 {
					i := random.IntN(len(held))
					held[i].Close()
					held = slices.Delete(held, i, i+1)
				} else {
					size := 1 + random.Int64N(1<<(4+random.IntN(22)))
					b, err := d.NewBuffer("x", size, Memory(random.IntN(3)))
					if err != nil {
						t.Fatal(err)
					}
					held = append(held, b)
				}
				checkHeap(t, d.heap, held)
			}
			for _, b := range held {
				b.Close()
			}
			checkHeap(t, d.heap, nil)
			if n := len(d.heap.blocks); n > len(d.heap.types) {
				t.Errorf("%d blocks are kept without a buffer", n)
			}
		})
	}
}

func checkHeap(t *testing.T, h *heap, held []*Buffer) {
	t.Helper()
	taken := map[*block][]extent{}
	for _, b := range held {
		m := b.memory
		if m.size < b.size || !slices.Contains(h.blocks, m.block) {
			t.Fatalf("buffer of %d bytes has %v", b.size, m.extent)
		}
		if atom := int64(h.d.adapter.raw.atom_size); m.offset%atom != 0 || m.size%atom != 0 {
			t.Fatalf("%v does not fill whole atoms of %d bytes", m.extent, atom)
		}
		taken[m.block] = append(taken[m.block], m.extent)
	}
	sum := int64(0)
	for _, b := range h.blocks {
		sum += b.size
		all := slices.Concat(taken[b], b.free)
		slices.SortFunc(all, func(a, b extent) int { return int(a.offset - b.offset) })
		at := int64(0)
		for _, e := range all {
			if e.offset != at {
				t.Fatalf("block of %d: %v should begin at %d", b.size, e, at)
			}
			at = e.end()
		}
		if at != b.size {
			t.Fatalf("block of %d is accounted for up to %d", b.size, at)
		}
		if b.private && len(taken[b]) != 1 {
			t.Fatalf("a private block has %d buffers", len(taken[b]))
		}
		if (b.mapped != nil) != b.kind.has(visible) {
			t.Fatalf("memory with flags %x is mapped at %v", b.kind.flags, b.mapped)
		}
	}
	if sum != h.used {
		t.Fatalf("%d bytes are in blocks, used is %d", sum, h.used)
	}
}

func TestHeapLimits(t *testing.T) {
	d := openDevice(t)
	d.adapter.raw.max_allocations = 2
	var held []*Buffer
	for {
		b, err := d.NewBuffer("x", 40<<20, DeviceMemory)
		if err != nil {
			wantError(t, err, ErrOutOfMemory, "buffer x (40 MiB): vk: vkAllocateMemory (40 MiB): the device allows 2 allocations")
			break
		}
		held = append(held, b)
	}
	if len(held) != 2 {
		t.Errorf("%d allocations were made, 2 allowed", len(held))
	}
	for _, b := range held {
		b.Close()
	}
	_, err := d.NewBuffer("x", 1<<50, DeviceMemory)
	wantError(t, err, ErrOutOfMemory, "1048576 GiB")
	_, err = d.NewBuffer("x", 0, DeviceMemory)
	wantError(t, err, nil, "buffer x: 0 bytes")
	if d.heap.used > blockSize {
		t.Errorf("%d bytes are left", d.heap.used)
	}
}

// Where the best memory is full, the next kind serves, and where a block is too
// much, the buffer's own size.
func TestHeapFallsBack(t *testing.T) {
	allocations := 0
	full := func(call string) error {
		if call == "vkAllocateMemory" {
			if allocations++; allocations <= 2 {
				return ErrOutOfMemory
			}
		}
		return nil
	}
	d := openDevice(t, discreteGPU, WithFaults(full))
	b := newBuffer(t, d, "x", 1000)
	if kind := b.memory.block.kind; kind != &d.heap.types[1] || allocations != 3 {
		t.Errorf("after %d allocations it lies in memory with flags %x", allocations, kind.flags)
	}
	allocations = 1
	for _, b := range slices.Clone(d.heap.blocks) {
		for range b.free {
			b.Cut(b.free[0].size, 1) // now nothing is free
		}
	}
	c := newBuffer(t, d, "y", 5000)
	if got := c.memory.block; got.kind != &d.heap.types[0] || !got.private || got.size >= 2*5000 {
		t.Errorf("it lies in a block of %d bytes, flags %x", got.size, got.kind.flags)
	}
}

func TestBufferErrorsFreeEverything(t *testing.T) {
	for _, call := range []string{"vkCreateBuffer", "vkMapMemory", "vkBindBufferMemory"} {
		failing := true
		d := openDevice(t, WithFaults(func(name string) error {
			if failing && name == call {
				return errors.New("a fault of the test")
			}
			return nil
		}))
		_, err := d.NewBuffer("x", 100<<20, DeviceMemory)
		wantError(t, err, nil, "buffer x (100 MiB): vk: "+call+": a fault of the test")
		failing = false
		if d.heap.used != 0 || len(d.open) > 0 {
			t.Errorf("%s: %d bytes and %v are left", call, d.heap.used, d.open)
		}
	}
}

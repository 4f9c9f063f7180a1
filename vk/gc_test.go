package vk

import (
	"runtime"
	"sync"
	"testing"
	"time"
	"unsafe"

	vulkan "github.com/vulkan-go/vulkan"
)

// collectAlways collects garbage without pause, and makes some, until stop.
func collectAlways() (stop func()) {
	done := make(chan struct{})
	var group sync.WaitGroup
	group.Add(2)
	go func() {
		defer group.Done()
		for {
			select {
			case <-done:
				return
			default:
				runtime.GC()
			}
		}
	}()
	go func() {
		defer group.Done()
		var keep [64][]byte
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			default:
				keep[i%len(keep)] = make([]byte, 64+i%4096)
			}
		}
	}()
	return func() { close(done); group.Wait() }
}

// The calls that vulkan-go makes with memory that the collector may free under
// the driver (see TestBindingUsesFreedMemory, build tag reproduce) go through the
// shim. Two goroutines make them here while garbage is collected all the time.
func TestCallsSurviveCollector(t *testing.T) {
	d := openDevice(t, apart)
	defer collectAlways()()
	var group sync.WaitGroup
	end := time.Now().Add(3 * time.Second)
	var rounds [2]int
	for worker := range rounds {
		group.Add(1)
		go func() {
			defer group.Done()
			for ; time.Now().Before(end); rounds[worker]++ {
				factor := uint32(2*worker + 5)
				three, err := d.NewPipeline(stepSpec(3))
				if err != nil {
					t.Error(err)
					return
				}
				own, err := d.NewPipeline(stepSpec(factor))
				if err != nil {
					t.Error(err)
					return
				}
				for round := range uint32(3) {
					if err := work(d, three, own, factor, round); err != nil {
						t.Error(err)
						return
					}
				}
				three.Close()
				own.Close()
			}
		}()
	}
	group.Wait()
	t.Logf("%d rounds", rounds)
}

// A driver may hand out handles that are small numbers, which the runtime would
// refuse in a pointer that it scans.
func TestSmallHandles(t *testing.T) {
	defer collectAlways()()
	var deep func(n int, b Buffer) uintptr
	deep = func(n int, b Buffer) uintptr {
		var room [128]byte // makes the stack grow, and every frame on it move
		room[n%128] = byte(n)
		if n == 0 {
			return *(*uintptr)(unsafe.Pointer(&b.handle)) + uintptr(room[0])
		}
		found := deep(n-1, b)
		runtime.KeepAlive(b) // it is on the stack when that moves
		return found
	}
	held := make([]*Buffer, 0, 100)
	for i := range uintptr(100) {
		b := &Buffer{handle: convert[vulkan.Buffer](i + 1), memory: allocation{block: &block{memory: convert[vulkan.DeviceMemory](i + 1)}}}
		held = append(held, b)
		done := make(chan uintptr)
		go func() { done <- deep(2000, *b) }()
		if got := <-done; got != i+1 {
			t.Fatalf("handle %d became %d", i+1, got)
		}
	}
	runtime.KeepAlive(held)
}

package vk

/*
#include "shim.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
	"sync/atomic"

	vulkan "github.com/vulkan-go/vulkan"
)

// A Device is one opened Vulkan device with one compute queue.
type Device struct {
	adapter  Adapter
	in       *instance
	physical vulkan.PhysicalDevice
	handle   vulkan.Device
	options  options

	queueLock sync.Mutex // vkQueueSubmit needs one caller at a time
	queue     vulkan.Queue
	family    uint32
	bits      uint32 // valid bits of a timestamp
	inFlight  atomic.Int64

	heap    *heap
	cache   *pipelineCache
	staging staging

	lost   atomic.Bool
	lock   sync.Mutex // guards open and closed
	open   map[closer]string
	closed bool
}

// A closer is anything that must be closed before its device.
type closer interface{ Close() error }

// Open opens the device that name picks from [Adapters]: "auto" takes the best
// (a discrete GPU, then integrated, virtual, CPU), a number takes that index,
// and anything else the one device whose name or driver contains it.
func Open(name string, opts ...Option) (*Device, error) {
	o := gather(opts)
	in, err := openInstance(o)
	if err != nil {
		return nil, err
	}
	d := &Device{in: in, options: o, open: map[closer]string{}}
	if err := d.start(name); err != nil {
		d.stop()
		return nil, err
	}
	return d, nil
}

func (d *Device) start(name string) error {
	list, devices, err := d.in.adapters()
	if err != nil {
		return err
	}
	index, err := choose(list, name)
	if err != nil {
		return err
	}
	d.adapter, d.physical = list[index], devices[index]
	physical := convert[C.VkPhysicalDevice](d.physical)
	var bits C.uint32_t
	family := C.gaze_compute_family(d.in.c, physical, &bits)
	if family < 0 {
		return fmt.Errorf("vk: %s has no queue that computes: %w", d.adapter.Name, ErrNotSupported)
	}
	d.family, d.bits = uint32(family), uint32(bits)
	properties := d.adapter.raw
	handle, err := obtain(d, "vkCreateDevice", func(out *C.VkDevice) vulkan.Result {
		return vulkan.Result(C.gaze_create_device(d.in.c, physical, C.uint32_t(d.family), &properties, out))
	})
	if err != nil {
		return err
	}
	d.handle = convert[vulkan.Device](handle)
	queue := new(vulkan.Queue)
	vulkan.GetDeviceQueue(d.handle, d.family, 0, queue)
	d.queue = *queue
	d.heap = newHeap(d)
	d.cache, err = openPipelineCache(d)
	return err
}

// Adapter returns what the device is.
func (d *Device) Adapter() Adapter { return d.adapter }

// Close waits for submitted work and frees the device. It returns an error that
// names everything that was not closed before it. A second call does nothing.
func (d *Device) Close() error {
	d.lock.Lock()
	if d.closed {
		d.lock.Unlock()
		return nil
	}
	d.closed = true
	var left []string
	var owners []closer
	for owner, label := range d.open {
		left = append(left, label)
		owners = append(owners, owner)
	}
	d.lock.Unlock()

	d.waitIdle()
	d.staging.close()
	err := d.cache.save(d)
	for _, owner := range owners {
		if !d.staging.owns(owner) {
			owner.Close()
		}
	}
	left = d.staging.without(left)
	d.stop()
	if len(left) > 0 {
		sort.Strings(left)
		err = errors.Join(err, fmt.Errorf("vk: %d things were not closed before their device: %s", len(left), strings.Join(left, ", ")))
	}
	return err
}

func (d *Device) stop() {
	if d.cache != nil {
		d.cache.close(d)
	}
	if d.heap != nil {
		d.heap.close()
	}
	if d.handle != nil {
		vulkan.DestroyDevice(d.handle, nil)
		d.handle = nil
	}
	if d.in != nil {
		d.in.close()
		d.in = nil
	}
}

func (d *Device) waitIdle() {
	d.queueLock.Lock()
	defer d.queueLock.Unlock()
	vulkan.DeviceWaitIdle(d.handle)
}

// adopt remembers what must be closed before d; disown forgets it, and reports
// whether it was still remembered.
func (d *Device) adopt(owner closer, label string) error {
	d.lock.Lock()
	defer d.lock.Unlock()
	if d.closed {
		return fmt.Errorf("vk: %s: %w", label, ErrClosed)
	}
	d.open[owner] = label
	return nil
}

func (d *Device) disown(owner closer) bool {
	d.lock.Lock()
	defer d.lock.Unlock()
	_, ok := d.open[owner]
	delete(d.open, owner)
	return ok
}

// obtain makes one Vulkan call that returns a handle, the zero one on failure.
// The call gets a variable of its own: cgo forbids a pointer into a struct that
// holds Go pointers.
func obtain[Handle any](d *Device, name string, do func(out *Handle) vulkan.Result) (Handle, error) {
	out := new(Handle)
	err := d.call(name, func() vulkan.Result { return do(out) })
	if err != nil {
		*out = *new(Handle)
	}
	return *out, err
}

// call makes one Vulkan call that can fail. After a device was lost every call
// fails with ErrDeviceLost without reaching the driver.
func (d *Device) call(name string, do func() vulkan.Result) error {
	if d.lost.Load() {
		return &callError{name, vulkan.ErrorDeviceLost}
	}
	result := vulkan.Success
	if d.options.faults != nil {
		switch err := d.options.faults(name); {
		case errors.Is(err, ErrDeviceLost):
			result = vulkan.ErrorDeviceLost
		case errors.Is(err, ErrOutOfMemory):
			result = vulkan.ErrorOutOfDeviceMemory
		case err != nil:
			result = vulkan.ErrorInitializationFailed
		}
	}
	if result == vulkan.Success {
		result = do()
	}
	if result == vulkan.ErrorDeviceLost {
		d.lost.Store(true)
	}
	return failed(name, result)
}

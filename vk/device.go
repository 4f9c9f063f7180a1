package vk

/*
#include "shim.h"
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"maps"
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

	queue     vulkan.Queue
	queueTurn turn         // Vulkan lets one caller at a time use a queue
	inFlight  atomic.Int64 // submits whose end nobody has seen yet

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

// A turn is a lock that can be waited for under a context.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turn) give() { <-t }

// Open opens the device that name picks from [Adapters]: "auto" takes the best
// (a discrete GPU, then integrated, virtual, CPU), a number takes that index,
// and anything else the one device whose name or driver contains it.
func Open(name string, opts ...Option) (*Device, error) {
	o := gather(opts)
	in, err := openInstance(o, nil)
	if err != nil {
		return nil, err
	}
	d := &Device{in: in, options: o, queueTurn: newTurn(), staging: staging{turn: newTurn()}, open: map[closer]string{}}
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
	if err := list[index].usable(); err != nil {
		return err
	}
	d.adapter, d.physical = list[index], devices[index]
	if err := d.create(false); err != nil {
		return err
	}
	d.cache, err = openPipelineCache(d)
	return err
}

// create makes the device of the chosen adapter, with swapchains if asked.
func (d *Device) create(swapchains bool) error {
	with := C.int(0)
	if swapchains {
		with = 1
	}
	handle, err := obtain(d, "vkCreateDevice", func(out *C.VkDevice) vulkan.Result {
		return vulkan.Result(C.gaze_create_device(d.in.c, convert[C.VkPhysicalDevice](d.physical), &d.adapter.raw, with, out))
	})
	if err != nil {
		return err
	}
	d.handle = convert[vulkan.Device](handle)
	queue := new(vulkan.Queue)
	vulkan.GetDeviceQueue(d.handle, uint32(d.adapter.raw.family), 0, queue)
	d.queue = *queue
	d.heap = newHeap(d)
	return nil
}

// Adapter returns what the device is.
func (d *Device) Adapter() Adapter { return d.adapter }

// Close waits for submitted work and frees the device, even one that was lost;
// no other call may be under way. It closes everything that was not closed
// before it, and returns an error that names that. A second call does nothing.
func (d *Device) Close() error {
	d.lock.Lock()
	already := d.closed
	d.closed = true
	d.lock.Unlock()
	if already {
		return nil
	}
	d.staging.close()
	left := d.leftOpen()
	var labels []string
	for owner, label := range left {
		labels = append(labels, label)
		owner.Close()
	}
	if d.cache != nil { // a presenter has none
		if err := d.cache.save(d); err != nil && d.options.logger != nil && !d.lost.Load() {
			d.options.logger.Warn("vk: the pipeline cache could not be kept; the next start compiles again", "file", d.cache.path, "error", err)
		}
	}
	d.stop()
	if len(labels) == 0 {
		return nil
	}
	sort.Strings(labels)
	return fmt.Errorf("vk: %d things were not closed before their device: %s", len(labels), strings.Join(labels, ", "))
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
	d.in.close()
}

// settle waits until the device has nothing to do if something may be in flight,
// so that what that uses can be freed. It does so even on a device given up for lost.
func (d *Device) settle() {
	if d.inFlight.Load() == 0 {
		return
	}
	d.queueTurn.take(context.Background())
	defer d.queueTurn.give()
	if vulkan.DeviceWaitIdle(d.handle) == vulkan.ErrorDeviceLost {
		d.lost.Store(true)
	}
}

// adopt remembers what must be closed before d; disown forgets it, and reports
// whether it was still remembered, so that of several calls one frees it.
func (d *Device) adopt(owner closer, label string) error {
	d.lock.Lock()
	defer d.lock.Unlock()
	if d.closed {
		return fmt.Errorf("vk: %s: the device: %w", label, ErrClosed)
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

func (d *Device) leftOpen() map[closer]string {
	d.lock.Lock()
	defer d.lock.Unlock()
	return maps.Clone(d.open)
}

// obtain makes one Vulkan call that returns a handle, the zero one on failure.
// The call gets a variable of its own: cgo forbids a pointer into a struct that
// holds Go pointers.
func obtain[Handle any](d *Device, call string, do func(out *Handle) vulkan.Result) (Handle, error) {
	out := new(Handle)
	err := d.call(call, func() vulkan.Result { return do(out) })
	if err != nil {
		*out = *new(Handle)
	}
	return *out, err
}

// call makes one Vulkan call that can fail. After a device was lost every call
// fails with ErrDeviceLost without reaching the driver.
func (d *Device) call(call string, do func() vulkan.Result) error {
	if err := d.alive(call); err != nil {
		return err
	}
	err := d.options.call(call, do)
	if errors.Is(err, ErrDeviceLost) {
		d.lost.Store(true)
	}
	return err
}

// alive returns the error of a call on a device that was lost.
func (d *Device) alive(call string) error {
	if d.lost.Load() {
		return &callError{call, vulkan.ErrorDeviceLost}
	}
	return nil
}

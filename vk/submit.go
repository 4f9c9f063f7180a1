package vk

/*
#include "shim.h"
*/
import "C"

import (
	"context"
	"time"
	"unsafe"

	vulkan "github.com/vulkan-go/vulkan"
)

// pollInterval is how long a wait looks away from its context.
const pollInterval = 10 * time.Millisecond

// Run submits c and waits for it. When ctx ends first Run returns its error at
// once; the device then still finishes the work, which cannot be called back,
// and whoever frees c or its buffers waits for that.
func (c *Commands) Run(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := c.Submit(); err != nil {
		return err
	}
	return c.Wait(ctx)
}

// Submit starts c without waiting. It must not be in flight.
func (c *Commands) Submit() error {
	d := c.d
	if c.flying {
		if err := c.Wait(context.Background()); err != nil {
			return err
		}
	}
	if err := d.call("vkResetFences", func() vulkan.Result { return vulkan.ResetFences(d.handle, 1, []vulkan.Fence{c.fence}) }); err != nil {
		return err
	}
	d.queueLock.Lock()
	defer d.queueLock.Unlock()
	err := d.call("vkQueueSubmit", func() vulkan.Result {
		return vulkan.Result(C.gaze_submit(d.in.c, convert[C.VkQueue](d.queue), convert[C.VkCommandBuffer](c.buffer), convert[C.VkFence](c.fence)))
	})
	if err == nil {
		c.flying = true
		d.inFlight.Add(1)
	}
	return err
}

// Wait waits until c has run, or ctx ends.
func (c *Commands) Wait(ctx context.Context) error {
	for c.flying {
		result := vulkan.Success
		err := c.d.call("vkWaitForFences", func() vulkan.Result {
			result = vulkan.WaitForFences(c.d.handle, 1, []vulkan.Fence{c.fence}, vulkan.True, uint64(pollInterval))
			return result
		})
		if err != nil {
			return err
		}
		if result == vulkan.Success {
			c.landed()
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

func (c *Commands) landed() {
	c.flying = false
	c.d.inFlight.Add(-1)
}

// Timestamps returns the time from the first mark to each, in order, once the
// commands have run. It is empty on a device without Features.Timestamps.
func (c *Commands) Timestamps() ([]time.Duration, error) {
	if c.marks == 0 {
		return nil, nil
	}
	ticks := make([]uint64, c.marks)
	for i, pool := range c.timestamps {
		part := ticks[i*timestampsPerPool : min((i+1)*timestampsPerPool, c.marks)]
		err := c.d.call("vkGetQueryPoolResults", func() vulkan.Result {
			return vulkan.GetQueryPoolResults(c.d.handle, pool, 0, uint32(len(part)), uint(8*len(part)), unsafe.Pointer(&part[0]), 8,
				vulkan.QueryResultFlags(vulkan.QueryResult64Bit|vulkan.QueryResultWaitBit))
		})
		if err != nil {
			return nil, err
		}
	}
	mask := ^uint64(0) >> (64 - c.d.bits)
	times := make([]time.Duration, c.marks)
	for i, t := range ticks {
		// The counter may wrap between two marks, so the difference is masked.
		times[i] = time.Duration(float64((t-ticks[0])&mask) * float64(c.d.adapter.raw.timestamp_period))
	}
	return times, nil
}

// Close frees c, after it has run if it was submitted. A second call does nothing.
func (c *Commands) Close() error {
	if c == nil || (!c.d.disown(c) && c.pool == nil) {
		return nil
	}
	d := c.d
	if c.flying {
		d.waitIdle()
		c.landed()
	}
	for _, pool := range c.sets {
		vulkan.DestroyDescriptorPool(d.handle, pool, nil)
	}
	for _, pool := range c.timestamps {
		vulkan.DestroyQueryPool(d.handle, pool, nil)
	}
	if c.fence != nil {
		vulkan.DestroyFence(d.handle, c.fence, nil)
	}
	if c.pool != nil {
		vulkan.DestroyCommandPool(d.handle, c.pool, nil)
	}
	c.sets, c.timestamps, c.fence, c.pool, c.marks = nil, nil, nil, nil, 0
	return nil
}

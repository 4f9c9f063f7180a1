package vk

/*
#include "shim.h"
*/
import "C"

import (
	"context"
	"time"

	vulkan "github.com/vulkan-go/vulkan"
)

// pollInterval is how long a wait looks away from its context.
const pollInterval = 5 * time.Millisecond

// Run submits c and waits for it. When ctx ends first Run returns its error
// within about pollInterval; the device then still finishes the work, which
// cannot be called back, and whoever frees c or what it uses waits for that.
func (c *Commands) Run(ctx context.Context) error {
	if err := c.submit(ctx, nil, nil); err != nil {
		return err
	}
	return c.Wait(ctx)
}

// Submit starts c without waiting for its end. If it is still in flight from an
// earlier time, Submit waits for that first.
func (c *Commands) Submit() error { return c.submit(context.Background(), nil, nil) }

// submit starts c once wait is signalled, and signals signal at its end; nil stands for neither.
func (c *Commands) submit(ctx context.Context, wait, signal C.VkSemaphore) error {
	d := c.d
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return err
	}
	if err := c.Wait(ctx); err != nil {
		return err
	}
	if err := d.call("vkResetFences", func() vulkan.Result { return vulkan.ResetFences(d.handle, 1, []vulkan.Fence{c.fence}) }); err != nil {
		return err
	}
	if err := d.queueTurn.take(ctx); err != nil {
		return err
	}
	defer d.queueTurn.give()
	d.inFlight.Add(1) // before the call, so that whoever frees something meanwhile waits
	err := d.call("vkQueueSubmit", func() vulkan.Result {
		return vulkan.Result(C.gaze_submit(d.in.c, convert[C.VkQueue](d.queue), convert[C.VkCommandBuffer](c.buffer), wait, signal, convert[C.VkFence](c.fence)))
	})
	if err != nil {
		d.inFlight.Add(-1)
		return err
	}
	c.flying = true
	return nil
}

// Wait waits until c has run, or ctx ends. An error other than ctx's leaves it
// unknown whether c has run; Close waits for it.
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
	c.ran = true
	c.d.inFlight.Add(-1)
}

package vk

/*
#include "shim.h"
*/
import "C"

import (
	"context"
	"errors"
	"image"
	"math"
	"unsafe"

	vulkan "github.com/vulkan-go/vulkan"
)

// A swapchain is the images of a window of one size.
type swapchain struct {
	handle        C.VkSwapchainKHR
	format        C.VkFormat
	width, height int
	acquired      C.VkSemaphore
	images        []chainImage
	last          *Commands // the drawing that may still read what was laid
	stale         bool      // to be made anew before the next frame
}

// A chainImage is one image. The display waits for its semaphore, and gives no
// sign of having done so but that the image can be acquired again: hence one
// for each.
type chainImage struct {
	handle C.VkImage
	drawn  C.VkSemaphore
	view   C.VkImageView   // nil before the first frame with grids
	target C.VkFramebuffer // likewise
}

// show presents frame to the window as it is now.
func (p *Presenter) show(ctx context.Context, frame *Frame) error {
	if err := p.fit(frame.Overlay.Rect.Size()); err != nil || p.chain == nil {
		return err
	}
	c := p.chain
	if c.last != nil {
		if err := c.last.Wait(ctx); err != nil {
			return err
		}
		c.last.Close()
		c.last = nil
	}
	if err := p.painter.lay(frame, c.format, c.width, c.height); err != nil {
		return err
	}
	if len(frame.Grids) > 0 {
		if err := p.target(); err != nil {
			return err
		}
	}
	index, result, err := p.acquire(ctx)
	if err != nil {
		c.stale = errors.Is(err, errOutOfDate)
		return err
	}
	// If what follows fails, the image stays acquired and the semaphore signalled:
	// neither can be used again.
	c.stale = true
	image := &c.images[index]
	if c.last, err = p.painter.record(image, c.width, c.height, frame.Grids); err != nil {
		return err
	}
	if err := c.last.submit(context.Background(), c.acquired, image.drawn); err != nil {
		return err
	}
	err = p.d.call("vkQueuePresentKHR", func() vulkan.Result {
		presented := vulkan.Result(C.gaze_present(p.d.in.c, convert[C.VkQueue](p.d.queue), c.handle, C.uint32_t(index), image.drawn))
		if presented == vulkan.Suboptimal {
			result = presented
		}
		return presented
	})
	c.stale = err != nil || result == vulkan.Suboptimal
	return err
}

// fit makes the swapchain fit the window, or the frame where that sets the
// window's size. It leaves none where the window has no area.
func (p *Presenter) fit(frame image.Point) error {
	s, err := p.window(p.d.physical)
	if err != nil {
		return err
	}
	if s.width == math.MaxUint32 {
		s.width = min(max(C.uint32_t(frame.X), s.min_width), s.max_width)
		s.height = min(max(C.uint32_t(frame.Y), s.min_height), s.max_height)
	}
	c := p.chain
	switch {
	case s.width == 0 || s.height == 0:
		p.closeChain()
		return nil
	case c != nil && !c.stale && c.width == int(s.width) && c.height == int(s.height):
		return nil
	}
	next := &swapchain{format: s.format, width: int(s.width), height: int(s.height)}
	var old C.VkSwapchainKHR
	if c != nil {
		vulkan.DeviceWaitIdle(p.d.handle)
		old = c.handle
	}
	next.handle, err = obtain(p.d, "vkCreateSwapchainKHR", func(out *C.VkSwapchainKHR) vulkan.Result {
		return vulkan.Result(C.gaze_create_swapchain(p.d.in.c, convert[C.VkDevice](p.d.handle), p.surface, &s, old, out))
	})
	p.closeChain() // retired, even if there is no next one
	if err != nil {
		return err
	}
	p.chain = next
	if err := p.furnish(); err != nil {
		p.closeChain()
		return err
	}
	return nil
}

// furnish makes what p.chain needs beside its handle.
func (p *Presenter) furnish() error {
	d, c := p.d, p.chain
	device := convert[C.VkDevice](d.handle)
	semaphore := func() (C.VkSemaphore, error) {
		return obtain(d, "vkCreateSemaphore", func(out *C.VkSemaphore) vulkan.Result {
			return vulkan.Result(C.gaze_create_semaphore(d.in.c, device, out))
		})
	}
	var err error
	if c.acquired, err = semaphore(); err != nil {
		return err
	}
	var images []C.VkImage
	err = d.call("vkGetSwapchainImagesKHR", func() vulkan.Result {
		var count C.uint32_t
		result := C.gaze_swapchain_images(d.in.c, device, c.handle, &count, nil)
		if result < 0 {
			return vulkan.Result(result)
		}
		images = make([]C.VkImage, count)
		return vulkan.Result(C.gaze_swapchain_images(d.in.c, device, c.handle, &count, unsafe.SliceData(images)))
	})
	if err != nil {
		return err
	}
	c.images = make([]chainImage, len(images))
	for i := range images {
		to := &c.images[i]
		to.handle = images[i]
		if to.drawn, err = semaphore(); err != nil {
			return err
		}
	}
	return nil
}

// target makes of each image of p.chain what grids are drawn to, unless it is there.
func (p *Presenter) target() (err error) {
	d, c := p.d, p.chain
	device := convert[C.VkDevice](d.handle)
	for i := range c.images {
		to := &c.images[i]
		if to.view == nil {
			to.view, err = obtain(d, "vkCreateImageView", func(out *C.VkImageView) vulkan.Result {
				return vulkan.Result(C.gaze_create_image_view(d.in.c, device, to.handle, c.format, out))
			})
			if err != nil {
				return err
			}
		}
		if to.target == nil {
			to.target, err = obtain(d, "vkCreateFramebuffer", func(out *C.VkFramebuffer) vulkan.Result {
				return vulkan.Result(C.gaze_create_framebuffer(d.in.c, device, p.painter.pass, to.view, C.uint32_t(c.width), C.uint32_t(c.height), out))
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// acquire returns the next image, and whether the swapchain suits the window
// (vulkan.Suboptimal where it might better).
func (p *Presenter) acquire(ctx context.Context) (index int, result vulkan.Result, err error) {
	for {
		image, err := obtain(p.d, "vkAcquireNextImageKHR", func(out *C.uint32_t) vulkan.Result {
			result = vulkan.Result(C.gaze_acquire(p.d.in.c, convert[C.VkDevice](p.d.handle), p.chain.handle, C.uint64_t(pollInterval), p.chain.acquired, out))
			return result
		})
		if err != nil || result == vulkan.Success || result == vulkan.Suboptimal {
			return int(image), result, err
		}
		if err := ctx.Err(); err != nil {
			return 0, result, err
		}
	}
}

// closeChain frees the swapchain, after the display and the device have let go of it.
func (p *Presenter) closeChain() {
	c, d := p.chain, p.d
	if c == nil {
		return
	}
	p.chain = nil
	device := convert[C.VkDevice](d.handle)
	vulkan.DeviceWaitIdle(d.handle) // not only for fences: presenting has none
	c.last.Close()
	for _, image := range c.images {
		C.gaze_destroy_target(d.in.c, device, image.target, image.view)
		if image.drawn != nil {
			C.gaze_destroy_semaphore(d.in.c, device, image.drawn)
		}
	}
	if c.acquired != nil {
		C.gaze_destroy_semaphore(d.in.c, device, c.acquired)
	}
	C.gaze_destroy_swapchain(d.in.c, device, c.handle)
}

package vk

/*
#include "shim.h"
*/
import "C"

import (
	"context"
	"errors"
	"fmt"

	vulkan "github.com/vulkan-go/vulkan"
)

// A Presenter shows frames in a window. Its instance and its device are its own:
// a frame never waits behind kernels on the one queue of the [Device] that
// computes, and that device need not have a display. One goroutine at a time
// may use it, and must be the one that the window system wants surfaces made on.
type Presenter struct {
	d       *Device
	create  func(instance any) (surface uintptr, err error)
	surface C.VkSurfaceKHR
	chain   *swapchain // nil before the first frame, and after one that failed
	painter *painter
}

// presentAttempts bounds how often one frame is tried while its window changes.
const presentAttempts = 16

// OpenPresenter opens the device that name picks, as [Open] does, or, where that
// one cannot present to the window, the best that can. The extensions are what
// the window system asks of an instance. It calls surface, then and whenever
// the surface is lost, with a pointer that is the VkInstance; the VkSurfaceKHR
// it returns is the presenter's. The device must draw with the queue that it
// presents with, as all do that have a display; where none can the error wraps
// ErrNoDevice. The program is what draws.
func OpenPresenter(name string, program Program, extensions []string, surface func(instance any) (uintptr, error), opts ...Option) (*Presenter, error) {
	if len(extensions) == 0 {
		if _, err := Adapters(opts...); err != nil { // without a driver the window system knows none either
			return nil, err
		}
		return nil, fmt.Errorf("vk: the window system knows no Vulkan surfaces: %w", ErrNotSupported)
	}
	o := gather(opts)
	in, err := openInstance(o, extensions)
	if err != nil {
		return nil, err
	}
	d := &Device{in: in, options: o, queueTurn: newTurn(), staging: staging{turn: newTurn()}, open: map[closer]string{}}
	p := &Presenter{d: d, create: surface, painter: newPainter(d, program)}
	if err := p.start(name); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

func (p *Presenter) start(name string) error {
	list, devices, err := p.d.in.adapters()
	if err != nil {
		return err
	}
	if err := p.openSurface(); err != nil {
		return err
	}
	able := make([]bool, len(list))
	var reason error
	for i := range list {
		family, err := p.family(devices[i])
		if err != nil {
			reason = err // a device that fails is no obstacle to another
		}
		if able[i] = family >= 0 && list[i].usable() == nil; able[i] {
			list[i].raw.family = C.int32_t(family)
		}
	}
	index, err := chooseAble(list, able, name)
	switch {
	case err != nil:
		return err
	case index < 0 && reason != nil:
		return reason
	case index < 0:
		return fmt.Errorf("vk: %w has a queue that both draws and presents to this window, in 8 bits a colour; there is %s", ErrNoDevice, names(list))
	}
	p.d.adapter, p.d.physical = list[index], devices[index]
	return p.d.create(true)
}

func (p *Presenter) openSurface() error {
	handle, err := p.create(convert[vulkan.Instance](p.d.in.c.instance))
	if err != nil {
		return fmt.Errorf("vk: no surface could be made of the window: %w", err)
	}
	p.surface = convert[C.VkSurfaceKHR](handle)
	return nil
}

// family returns the queue family of device that presents to the surface, or
// -1 where there is none or the surface has no format for frames.
func (p *Presenter) family(device vulkan.PhysicalDevice) (int, error) {
	adapter := convert[C.VkPhysicalDevice](device)
	family, err := obtain(p.d, "vkGetPhysicalDeviceSurfaceSupportKHR", func(out *C.int32_t) vulkan.Result {
		return vulkan.Result(C.gaze_present_family(p.d.in.c, adapter, p.surface, out))
	})
	if err != nil || family < 0 {
		return -1, err
	}
	s, err := p.window(device)
	if err != nil || s.format == C.VK_FORMAT_UNDEFINED {
		return -1, err
	}
	return int(family), nil
}

// window returns what the surface is now.
func (p *Presenter) window(device vulkan.PhysicalDevice) (C.gaze_surface, error) {
	return obtain(p.d, "vkGetPhysicalDeviceSurfaceCapabilitiesKHR", func(out *C.gaze_surface) vulkan.Result {
		return vulkan.Result(C.gaze_get_surface(p.d.in.c, convert[C.VkPhysicalDevice](device), p.surface, out))
	})
}

// Adapter returns what the presenting device is.
func (p *Presenter) Adapter() Adapter { return p.d.adapter }

// Present shows frame with its top left corner in the window's; what it does
// not cover is black. A window without area, such as a minimized one, shows
// nothing and is no error. It waits for the display to take the frame before,
// and so for no more than one refresh of the screen, except that a display may
// take none while nobody can see the window: then it returns ctx's error when
// that ends, and the frame can be presented again.
func (p *Presenter) Present(ctx context.Context, frame *Frame) error {
	if p.d.closed {
		return fmt.Errorf("vk: the presenter: %w", ErrClosed)
	}
	var err error
	for range presentAttempts {
		if err = ctx.Err(); err != nil {
			return err
		}
		err = p.show(ctx, frame)
		if errors.Is(err, errSurfaceLost) {
			p.closeSurface()
			if err := p.reopenSurface(); err != nil {
				return err
			}
		} else if !errors.Is(err, errOutOfDate) {
			return err
		}
	}
	return fmt.Errorf("vk: a frame was tried %d times: %w", presentAttempts, err)
}

func (p *Presenter) reopenSurface() error {
	if err := p.openSurface(); err != nil {
		return err
	}
	family, err := p.family(p.d.physical)
	if err == nil && family != int(p.d.adapter.raw.family) {
		err = fmt.Errorf("vk: %s cannot present to this window any more: %w", p.d.adapter.Name, ErrNotSupported)
	}
	return err
}

func (p *Presenter) closeSurface() {
	p.closeChain()
	if p.surface != nil {
		C.gaze_destroy_surface(p.d.in.c, p.surface)
		p.surface = nil
	}
}

// Close frees the presenter, even after its device was lost. The window may be
// closed only after it. A second call does nothing.
func (p *Presenter) Close() error {
	if p == nil || p.d.closed {
		return nil
	}
	p.closeSurface()
	p.painter.close()
	return p.d.Close()
}

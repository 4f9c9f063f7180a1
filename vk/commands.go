package vk

/*
#include "shim.h"
*/
import "C"

import (
	"fmt"
	"math"
	"unsafe"

	vulkan "github.com/vulkan-go/vulkan"
)

const (
	setsPerPool       = 64
	buffersPerPool    = 8 * setsPerPool
	timestampsPerPool = 256
)

// Commands is a recorded list that can be run any number of times.
type Commands struct {
	d        *Device
	pool     vulkan.CommandPool
	buffer   vulkan.CommandBuffer
	fence    vulkan.Fence
	recorded bool
	flying   bool // submitted, and not yet seen to have ended
	ran      bool // has ended once

	sets        []vulkan.DescriptorPool
	views       []C.VkBufferView // of texel buffers
	setsLeft    int              // in the last of sets
	buffersLeft int

	timestamps []vulkan.QueryPool
	marks      int

	// What the list refers to, which must live whenever it runs.
	buffers   map[*Buffer]struct{}
	pipelines map[*Pipeline]struct{}
}

func (d *Device) newCommands() (*Commands, error) {
	c := &Commands{d: d, buffers: map[*Buffer]struct{}{}, pipelines: map[*Pipeline]struct{}{}}
	if err := d.adopt(c, "commands"); err != nil {
		return nil, err
	}
	if err := c.create(); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *Commands) create() error {
	d := c.d
	info := vulkan.CommandPoolCreateInfo{SType: vulkan.StructureTypeCommandPoolCreateInfo, QueueFamilyIndex: uint32(d.adapter.raw.family)}
	defer info.Free()
	var err error
	c.pool, err = obtain(d, "vkCreateCommandPool", func(out *vulkan.CommandPool) vulkan.Result {
		return vulkan.CreateCommandPool(d.handle, &info, nil, out)
	})
	if err != nil {
		return err
	}
	list := make([]vulkan.CommandBuffer, 1)
	allocate := vulkan.CommandBufferAllocateInfo{SType: vulkan.StructureTypeCommandBufferAllocateInfo, CommandPool: c.pool,
		Level: vulkan.CommandBufferLevelPrimary, CommandBufferCount: 1}
	defer allocate.Free()
	if err := d.call("vkAllocateCommandBuffers", func() vulkan.Result { return vulkan.AllocateCommandBuffers(d.handle, &allocate, list) }); err != nil {
		return err
	}
	c.buffer = list[0]
	fence := vulkan.FenceCreateInfo{SType: vulkan.StructureTypeFenceCreateInfo}
	defer fence.Free()
	c.fence, err = obtain(d, "vkCreateFence", func(out *vulkan.Fence) vulkan.Result {
		return vulkan.CreateFence(d.handle, &fence, nil, out)
	})
	if err != nil {
		return err
	}
	begin := vulkan.CommandBufferBeginInfo{SType: vulkan.StructureTypeCommandBufferBeginInfo}
	defer begin.Free()
	return d.call("vkBeginCommandBuffer", func() vulkan.Result { return vulkan.BeginCommandBuffer(c.buffer, &begin) })
}

// end ends the recording.
func (c *Commands) end() error {
	err := c.d.call("vkEndCommandBuffer", func() vulkan.Result { return vulkan.EndCommandBuffer(c.buffer) })
	c.recorded = err == nil
	return err
}

// Close frees c, after it has run if it was submitted. A second call does nothing.
func (c *Commands) Close() error {
	if c == nil || !c.d.disown(c) {
		return nil
	}
	d := c.d
	if c.flying {
		// Not through call: a device given up for lost may still be reading.
		fence := []vulkan.Fence{c.fence}
		if vulkan.WaitForFences(d.handle, 1, fence, vulkan.True, math.MaxUint64) != vulkan.Success {
			d.settle()
		}
		c.landed()
	}
	for _, pool := range c.sets {
		vulkan.DestroyDescriptorPool(d.handle, pool, nil)
	}
	for _, view := range c.views {
		C.gaze_destroy_buffer_view(d.in.c, convert[C.VkDevice](d.handle), view)
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
	c.sets, c.views, c.timestamps, c.fence, c.pool, c.marks = nil, nil, nil, nil, nil, 0
	c.buffers, c.pipelines = nil, nil
	return nil
}

// writeSet makes a descriptor set of slices.
func (c *Commands) writeSet(p *Pipeline, slices []Slice) (vulkan.DescriptorSet, error) {
	d := c.d
	device := convert[C.VkDevice](d.handle)
	if c.setsLeft == 0 || c.buffersLeft < len(slices) {
		pool, err := obtain(d, "vkCreateDescriptorPool", func(out *C.VkDescriptorPool) vulkan.Result {
			return vulkan.Result(C.gaze_create_descriptor_pool(d.in.c, device, setsPerPool, buffersPerPool, out))
		})
		if err != nil {
			return nil, err
		}
		c.sets = append(c.sets, convert[vulkan.DescriptorPool](pool))
		c.setsLeft, c.buffersLeft = setsPerPool, buffersPerPool
	}
	set, err := obtain(d, "vkAllocateDescriptorSets", func(out *C.VkDescriptorSet) vulkan.Result {
		return vulkan.Result(C.gaze_allocate_set(d.in.c, device, convert[C.VkDescriptorPool](c.sets[len(c.sets)-1]), convert[C.VkDescriptorSetLayout](p.sets), out))
	})
	if err != nil {
		return nil, err
	}
	c.setsLeft--
	c.buffersLeft -= len(slices)
	if len(slices) > 0 {
		infos, views := make([]C.VkDescriptorBufferInfo, len(slices)), make([]C.VkBufferView, len(slices))
		for i, s := range slices {
			infos[i] = C.VkDescriptorBufferInfo{convert[C.VkBuffer](s.Buffer.handle), C.VkDeviceSize(s.Offset), C.VkDeviceSize(s.Size)}
			if format, bytes := p.spec.Bindings[i].texel(); bytes > 0 {
				if views[i], err = c.newView(format, infos[i]); err != nil {
					return nil, err
				}
			}
		}
		C.gaze_write_set(d.in.c, device, set, C.uint32_t(len(infos)), unsafe.SliceData(infos), unsafe.SliceData(views))
	}
	return convert[vulkan.DescriptorSet](set), nil
}

// newView makes a view of a buffer as texels, which lives as long as c.
func (c *Commands) newView(format C.VkFormat, of C.VkDescriptorBufferInfo) (C.VkBufferView, error) {
	d := c.d
	view, err := obtain(d, "vkCreateBufferView", func(out *C.VkBufferView) vulkan.Result {
		return vulkan.Result(C.gaze_create_buffer_view(d.in.c, convert[C.VkDevice](d.handle), of.buffer, format, C.uint64_t(of.offset), C.uint64_t(of._range), out))
	})
	if err == nil {
		c.views = append(c.views, view)
	}
	return view, err
}

func (c *Commands) closed() error {
	if c.pool == nil {
		return fmt.Errorf("vk: commands: %w", ErrClosed)
	}
	return nil
}

// check returns what keeps c from running.
func (c *Commands) check() error {
	if err := c.closed(); err != nil {
		return err
	}
	for b := range c.buffers {
		if b.handle == nil {
			return fmt.Errorf("vk: commands that use buffer %s: it is %w", b.label, ErrClosed)
		}
	}
	for p := range c.pipelines {
		if p.handle == nil {
			return fmt.Errorf("vk: commands that use kernel %s: it is %w", p.spec.Label, ErrClosed)
		}
	}
	return nil
}

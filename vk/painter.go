package vk

/*
#include "shim.h"
*/
import "C"

import (
	"fmt"
	"unsafe"

	vulkan "github.com/vulkan-go/vulkan"
)

// A Program is the SPIR-V of the two stages that draw a frame (package shaders).
type Program struct {
	Vertex, Fragment []byte
	Texels           []byte // of the second, which reads through texel buffers
}

// A painter draws frames to images of one format.
type painter struct {
	d        *Device
	format   C.VkFormat
	pass     C.VkRenderPass
	sets     C.VkDescriptorSetLayout
	layout   C.VkPipelineLayout
	pipeline C.VkPipeline
	pool     C.VkDescriptorPool
	set      C.VkDescriptorSet

	frame, cells *Buffer // of the bindings; nil before the first frame
	texels       bool    // the fragments read them through views
	views        [2]C.VkBufferView
	bound        bool // the set has them
	known        map[*uint8]int64
	used         int64 // bytes of cells
}

// leastCells is how many bytes are kept for cells at least.
const leastCells = 1 << 20

// newPainter makes what draws to images of a format.
func (d *Device) newPainter(program Program, format C.VkFormat) (*painter, error) {
	// On a CPU a fragment takes half as long; a GPU gains nothing by them.
	limits := &d.adapter.Limits
	p := &painter{d: d, format: format, texels: d.adapter.Kind == CPU && limits.Texels >= limits.StorageRange/4, known: map[*uint8]int64{}}
	if err := p.create(program); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *painter) create(program Program) (err error) {
	d := p.d
	device := convert[C.VkDevice](d.handle)
	p.pass, err = obtain(d, "vkCreateRenderPass", func(out *C.VkRenderPass) vulkan.Result {
		return vulkan.Result(C.gaze_create_render_pass(d.in.c, device, p.format, out))
	})
	if err != nil {
		return err
	}
	p.sets, err = obtain(d, "vkCreateDescriptorSetLayout", func(out *C.VkDescriptorSetLayout) vulkan.Result {
		return vulkan.Result(C.gaze_create_set_layout(d.in.c, device, C.GAZE_FRAME_STAGES, 4, 0b1100, out))
	})
	if err != nil {
		return err
	}
	p.layout, err = obtain(d, "vkCreatePipelineLayout", func(out *C.VkPipelineLayout) vulkan.Result {
		return vulkan.Result(C.gaze_create_pipeline_layout(d.in.c, device, C.GAZE_FRAME_STAGES, p.sets, 4*C.GAZE_FRAME_PUSH, out))
	})
	if err != nil {
		return err
	}
	p.pool, err = obtain(d, "vkCreateDescriptorPool", func(out *C.VkDescriptorPool) vulkan.Result {
		return vulkan.Result(C.gaze_create_descriptor_pool(d.in.c, device, 1, 4, out))
	})
	if err != nil {
		return err
	}
	p.set, err = obtain(d, "vkAllocateDescriptorSets", func(out *C.VkDescriptorSet) vulkan.Result {
		return vulkan.Result(C.gaze_allocate_set(d.in.c, device, p.pool, p.sets, out))
	})
	if err != nil {
		return err
	}
	vertex, err := d.shaderModule(program.Vertex)
	if err != nil {
		return err
	}
	defer vulkan.DestroyShaderModule(d.handle, vertex, nil)
	code := program.Fragment
	if p.texels {
		code = program.Texels
	}
	fragment, err := d.shaderModule(code)
	if err != nil {
		return err
	}
	defer vulkan.DestroyShaderModule(d.handle, fragment, nil)
	p.pipeline, err = obtain(d, "vkCreateGraphicsPipelines", func(out *C.VkPipeline) vulkan.Result {
		return vulkan.Result(C.gaze_create_frame_pipeline(d.in.c, device, p.pass, p.layout,
			convert[C.VkShaderModule](vertex), convert[C.VkShaderModule](fragment), out))
	})
	return err
}

// blueFirst reports whether that is how the images have their colours.
func (p *painter) blueFirst() bool { return p.format == C.VK_FORMAT_B8G8R8A8_UNORM }

// lay brings a frame to where the device reads it: its overlay, and cells that it
// has not. The device must have drawn the last.
func (p *painter) lay(f *Frame, width, height int) error {
	if err := f.check(); err != nil {
		return err
	}
	if err := p.make(&p.frame, "frame", 4*f.words(width, height)); err != nil {
		return fmt.Errorf("a window of %d x %d pixels: %w", width, height, err)
	}
	if err := p.keep(f.Grids); err != nil {
		return err
	}
	memory := p.frame.Whole().bytes()
	f.lay(unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(memory))), len(memory)/4), width, height, p.blueFirst(), func(g *Grid) int64 { return p.known[&g.Cells[0]] })
	for _, b := range []*Buffer{p.frame, p.cells} {
		if err := p.d.heap.flush(b.Whole()); err != nil {
			return err
		}
	}
	if p.bound {
		return nil
	}
	return p.bind()
}

// bind has the set hold the buffers, and views of them where the fragments read those.
func (p *painter) bind() (err error) {
	p.unview()
	var infos [4]C.VkDescriptorBufferInfo
	var views [4]C.VkBufferView
	count := 2
	for i, b := range []*Buffer{p.frame, p.cells} {
		infos[i] = C.VkDescriptorBufferInfo{convert[C.VkBuffer](b.handle), 0, C.VkDeviceSize(roundUp(b.size, 4))}
		if p.texels {
			if p.views[i], err = p.d.newView(C.VK_FORMAT_R32_UINT, infos[i]); err != nil {
				return err
			}
			views[2+i], count = p.views[i], 4
		}
	}
	C.gaze_write_set(p.d.in.c, convert[C.VkDevice](p.d.handle), p.set, C.uint32_t(count), &infos[0], &views[0])
	p.bound = true
	return nil
}

// unview frees the views.
func (p *painter) unview() {
	for i, view := range p.views {
		if view != nil {
			C.gaze_destroy_buffer_view(p.d.in.c, convert[C.VkDevice](p.d.handle), view)
		}
		p.views[i] = nil
	}
}

// make makes a buffer of that size at least, unless there is one.
func (p *painter) make(b **Buffer, label string, size int64) (err error) {
	if *b != nil && (*b).size >= size {
		return nil
	}
	if most := p.d.adapter.Limits.StorageRange; size > most {
		return fmt.Errorf("vk: a frame of %s; this device draws %s: %w", bytesInWords(size), bytesInWords(most), ErrNotSupported)
	}
	size = min(size+size/4, p.d.adapter.Limits.StorageRange) // so that a window that grows does not ask each time
	(*b).Close()
	p.bound = false
	*b, err = p.d.NewBuffer(label, size, UploadMemory)
	return err
}

// keep has the cells of all grids lie in p.cells. What lay there before stays as
// long as there is room.
func (p *painter) keep(grids []Grid) error {
	room := func() (missing int64) {
		seen := map[*uint8]bool{}
		for _, g := range grids {
			if first := &g.Cells[0]; !seen[first] {
				seen[first] = true
				if _, ok := p.known[first]; !ok {
					missing += roundUp(int64(len(g.Cells)), 4)
				}
			}
		}
		return missing
	}
	if p.cells == nil || p.used+room() > p.cells.size {
		clear(p.known)
		p.used = 0
		if err := p.make(&p.cells, "cells", max(room(), leastCells)); err != nil {
			return err
		}
	}
	memory := p.cells.Whole().bytes()
	for _, g := range grids {
		if _, ok := p.known[&g.Cells[0]]; !ok {
			copy(memory[p.used:], g.Cells)
			p.known[&g.Cells[0]] = p.used
			p.used += roundUp(int64(len(g.Cells)), 4)
		}
	}
	return nil
}

// record records the drawing of the frame that was laid: its overlay is copied, and
// its grids are drawn over that.
func (p *painter) record(image C.VkImage, to C.VkFramebuffer, width, height, grids int) (*Commands, error) {
	c, err := p.d.newCommands()
	if err != nil {
		return nil, err
	}
	commands := convert[C.VkCommandBuffer](c.buffer)
	C.gaze_copy_to_image(p.d.in.c, commands, convert[C.VkBuffer](p.frame.handle), image, C.uint32_t(width), C.uint32_t(height))
	push := [C.GAZE_FRAME_PUSH]C.uint32_t{C.uint32_t(width), C.uint32_t(height), C.uint32_t(flag(p.blueFirst()))}
	C.gaze_draw(p.d.in.c, commands, p.pass, to, C.uint32_t(width), C.uint32_t(height), p.pipeline, p.layout, p.set,
		&push[0], C.uint32_t(grids))
	if err := c.end(); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// close frees the painter, which nothing in flight may use.
func (p *painter) close() {
	if p == nil {
		return
	}
	d := p.d
	p.unview()
	p.frame.Close()
	p.cells.Close()
	if p.pipeline != nil {
		vulkan.DestroyPipeline(d.handle, convert[vulkan.Pipeline](p.pipeline), nil)
	}
	if p.pool != nil {
		vulkan.DestroyDescriptorPool(d.handle, convert[vulkan.DescriptorPool](p.pool), nil)
	}
	if p.layout != nil {
		vulkan.DestroyPipelineLayout(d.handle, convert[vulkan.PipelineLayout](p.layout), nil)
	}
	if p.sets != nil {
		vulkan.DestroyDescriptorSetLayout(d.handle, convert[vulkan.DescriptorSetLayout](p.sets), nil)
	}
	if p.pass != nil {
		C.gaze_destroy_render_pass(d.in.c, convert[C.VkDevice](d.handle), p.pass)
	}
}

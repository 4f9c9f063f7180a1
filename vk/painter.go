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
type Program struct{ Vertex, Fragment []byte }

// A painter draws frames to images. It makes what only grids need for the first frame
// that has some.
type painter struct {
	d       *Device
	program Program
	frame   *Buffer // nil before the first frame
	imports map[*Shared]*imported

	sets     C.VkDescriptorSetLayout
	layout   C.VkPipelineLayout
	pass     C.VkRenderPass
	pipeline C.VkPipeline
	format   C.VkFormat // of the images that the last two are for
}

// An imported is what the painter has of a Shared.
type imported struct {
	cells *Buffer
	pool  C.VkDescriptorPool
	set   C.VkDescriptorSet
	frame *Buffer // which the set has beside the cells; nil where it has neither yet
}

func newPainter(d *Device, program Program) *painter {
	return &painter{d: d, program: program, imports: map[*Shared]*imported{}}
}

// prepare makes what draws grids to images of a format. Nothing may be in flight.
func (p *painter) prepare(format C.VkFormat) (err error) {
	d := p.d
	device := convert[C.VkDevice](d.handle)
	if p.sets == nil {
		p.sets, err = obtain(d, "vkCreateDescriptorSetLayout", func(out *C.VkDescriptorSetLayout) vulkan.Result {
			return vulkan.Result(C.gaze_create_set_layout(d.in.c, device, C.GAZE_FRAME_STAGES, 2, 0, out))
		})
		if err != nil {
			return err
		}
	}
	if p.layout == nil {
		p.layout, err = obtain(d, "vkCreatePipelineLayout", func(out *C.VkPipelineLayout) vulkan.Result {
			return vulkan.Result(C.gaze_create_pipeline_layout(d.in.c, device, C.GAZE_FRAME_STAGES, p.sets, 4*C.GAZE_FRAME_PUSH, out))
		})
		if err != nil {
			return err
		}
	}
	if p.pipeline != nil && p.format == format {
		return nil
	}
	p.unprepare()
	p.format = format
	p.pass, err = obtain(d, "vkCreateRenderPass", func(out *C.VkRenderPass) vulkan.Result {
		return vulkan.Result(C.gaze_create_render_pass(d.in.c, device, format, out))
	})
	if err != nil {
		return err
	}
	vertex, err := d.shaderModule(p.program.Vertex)
	if err != nil {
		return err
	}
	defer vulkan.DestroyShaderModule(d.handle, vertex, nil)
	fragment, err := d.shaderModule(p.program.Fragment)
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

// unprepare frees what is for images of one format.
func (p *painter) unprepare() {
	if p.pipeline != nil {
		vulkan.DestroyPipeline(p.d.handle, convert[vulkan.Pipeline](p.pipeline), nil)
		p.pipeline = nil
	}
	if p.pass != nil {
		C.gaze_destroy_render_pass(p.d.in.c, convert[C.VkDevice](p.d.handle), p.pass)
		p.pass = nil
	}
}

// lay brings a frame to where the device reads it, for images of a format and a size.
// The device must have drawn the last.
func (p *painter) lay(f *Frame, format C.VkFormat, width, height int) error {
	if err := f.check(); err != nil {
		return err
	}
	if err := p.room(4 * f.words(width, height)); err != nil {
		return fmt.Errorf("a window of %d x %d pixels: %w", width, height, err)
	}
	if err := p.importAll(f.Grids, format); err != nil {
		return err
	}
	memory := p.frame.Whole().bytes()
	f.lay(unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(memory))), len(memory)/4), width, height, blueFirst(format))
	return p.d.heap.flush(p.frame.Whole())
}

// blueFirst reports whether that is how images of a format have their colours.
func blueFirst(format C.VkFormat) bool { return format == C.VK_FORMAT_B8G8R8A8_UNORM }

// room makes a buffer for a frame of that size, unless the last one's will do.
func (p *painter) room(size int64) (err error) {
	if p.frame != nil && p.frame.size >= size {
		return nil
	}
	most := p.d.adapter.Limits.StorageRange
	if size > most {
		return fmt.Errorf("vk: a frame of %s; this device draws %s: %w", bytesInWords(size), bytesInWords(most), ErrNotSupported)
	}
	p.frame.Close()
	p.frame, err = p.d.NewBuffer("frame", min(size+size/4, most), UploadMemory) // so that a window that grows does not ask each time
	return err
}

// importAll has the device reach what grids show, and lets go of memory that was closed
// and is not shown any more.
func (p *painter) importAll(grids []Grid, format C.VkFormat) error {
	shown := map[*Shared]bool{}
	for i := range grids {
		shown[grids[i].Cells] = true
	}
	for s, b := range p.imports {
		if !shown[s] && s.closed() {
			p.release(s, b)
		}
	}
	if len(grids) == 0 {
		return nil
	}
	if err := p.prepare(format); err != nil {
		return err
	}
	for s := range shown {
		if err := p.importOne(s); err != nil {
			return err
		}
	}
	return nil
}

func (p *painter) importOne(s *Shared) (err error) {
	d := p.d
	device := convert[C.VkDevice](d.handle)
	b := p.imports[s]
	if b == nil {
		b = &imported{}
		if b.cells, err = d.importShared(s); err != nil {
			return err
		}
		p.imports[s] = b
	}
	if b.pool == nil {
		b.pool, err = obtain(d, "vkCreateDescriptorPool", func(out *C.VkDescriptorPool) vulkan.Result {
			return vulkan.Result(C.gaze_create_descriptor_pool(d.in.c, device, 1, 2, out))
		})
		if err != nil {
			return err
		}
	}
	if b.set == nil {
		b.set, err = obtain(d, "vkAllocateDescriptorSets", func(out *C.VkDescriptorSet) vulkan.Result {
			return vulkan.Result(C.gaze_allocate_set(d.in.c, device, b.pool, p.sets, out))
		})
		if err != nil {
			return err
		}
	}
	if b.frame != p.frame {
		b.frame = p.frame
		var infos [2]C.VkDescriptorBufferInfo
		var views [2]C.VkBufferView
		for i, buffer := range []*Buffer{b.frame, b.cells} {
			infos[i] = C.VkDescriptorBufferInfo{convert[C.VkBuffer](buffer.handle), 0, C.VkDeviceSize(roundUp(buffer.size, 4))}
		}
		C.gaze_write_set(d.in.c, device, b.set, C.uint32_t(len(infos)), &infos[0], &views[0])
	}
	return nil
}

// release lets go of the memory of s.
func (p *painter) release(s *Shared, b *imported) {
	if b.pool != nil {
		vulkan.DestroyDescriptorPool(p.d.handle, convert[vulkan.DescriptorPool](b.pool), nil)
	}
	b.cells.Close()
	delete(p.imports, s)
}

// record records the drawing of the frame that was laid: its overlay is copied, and
// its grids are drawn over that.
func (p *painter) record(to *chainImage, width, height int, grids []Grid) (*Commands, error) {
	c, err := p.d.newCommands()
	if err != nil {
		return nil, err
	}
	p.draw(convert[C.VkCommandBuffer](c.buffer), to, C.uint32_t(width), C.uint32_t(height), grids)
	if err := c.end(); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (p *painter) draw(commands C.VkCommandBuffer, to *chainImage, width, height C.uint32_t, grids []Grid) {
	in := p.d.in.c
	C.gaze_copy_to_image(in, commands, convert[C.VkBuffer](p.frame.handle), to.handle, width, height)
	if len(grids) == 0 {
		C.gaze_end_copy(in, commands, to.handle)
		return
	}
	acquired := map[*Shared]bool{}
	for i := range grids {
		if s := grids[i].Cells; !acquired[s] {
			acquired[s] = true
			C.gaze_acquire_cells(in, commands, convert[C.VkBuffer](p.imports[s].cells.handle), C.uint32_t(p.d.adapter.raw.family))
		}
	}
	push := [C.GAZE_FRAME_PUSH]C.uint32_t{width, height, C.uint32_t(flag(blueFirst(p.format)))}
	C.gaze_begin_drawing(in, commands, p.pass, to.target, width, height, p.pipeline, p.layout, &push[0])
	for first := 0; first < len(grids); {
		end, s := first+1, grids[first].Cells
		for end < len(grids) && grids[end].Cells == s {
			end++
		}
		C.gaze_draw(in, commands, p.layout, p.imports[s].set, C.uint32_t(first), C.uint32_t(end-first))
		first = end
	}
	C.gaze_end_drawing(in, commands)
}

// close frees the painter, which nothing in flight may use.
func (p *painter) close() {
	for s, b := range p.imports {
		p.release(s, b)
	}
	p.frame.Close()
	p.unprepare()
	if p.layout != nil {
		vulkan.DestroyPipelineLayout(p.d.handle, convert[vulkan.PipelineLayout](p.layout), nil)
	}
	if p.sets != nil {
		vulkan.DestroyDescriptorSetLayout(p.d.handle, convert[vulkan.DescriptorSetLayout](p.sets), nil)
	}
}

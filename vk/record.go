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

// A Recorder collects dispatches and copies into a command list. It inserts the
// barriers: two steps that touch the same bytes, one of them writing, run one
// after the other; all others may overlap. The first error is kept and
// returned by Finish.
type Recorder struct {
	c       *Commands
	pending []use // what was touched since the last barrier
	bound   *Pipeline
	err     error
}

type use struct {
	Slice
	write bool
}

const (
	workStages = C.VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | C.VK_PIPELINE_STAGE_TRANSFER_BIT
	workWrites = C.VK_ACCESS_SHADER_WRITE_BIT | C.VK_ACCESS_TRANSFER_WRITE_BIT
	workUses   = workWrites | C.VK_ACCESS_SHADER_READ_BIT | C.VK_ACCESS_TRANSFER_READ_BIT
)

// NewRecorder starts an empty command list. Close it, or the Commands that
// Finish returns.
func (d *Device) NewRecorder() (*Recorder, error) {
	c, err := d.newCommands()
	if err != nil {
		return nil, err
	}
	r := &Recorder{c: c}
	// Whatever was submitted before is over and visible: a barrier's first half
	// reaches back over everything on its queue.
	r.barrier(workStages|C.VK_PIPELINE_STAGE_HOST_BIT, workWrites|C.VK_ACCESS_HOST_WRITE_BIT, workStages, workUses)
	return r, nil
}

// ready reports whether something more can be recorded.
func (r *Recorder) ready() bool {
	if r.err == nil {
		r.err = r.c.closed()
	}
	if r.err == nil && r.c.recorded {
		r.err = fmt.Errorf("vk: recording after Finish")
	}
	return r.err == nil
}

func (r *Recorder) barrier(from C.VkPipelineStageFlags, written C.VkAccessFlags, to C.VkPipelineStageFlags, used C.VkAccessFlags) {
	C.gaze_barrier(r.c.d.in.c, convert[C.VkCommandBuffer](r.c.buffer), from, written, to, used)
}

// touch inserts a barrier if one of uses conflicts with what is pending: a read
// after a write, a write after a read or a write after a write.
func (r *Recorder) touch(uses ...use) {
	for _, u := range uses {
		r.c.buffers[u.Buffer] = struct{}{}
	}
	if conflict(r.pending, uses) {
		r.barrier(workStages, workWrites, workStages, workUses)
		r.pending = r.pending[:0]
	}
	r.pending = append(r.pending, uses...)
}

func conflict(before, after []use) bool {
	for _, a := range after {
		for _, b := range before {
			if (a.write || b.write) && a.overlaps(b.Slice) {
				return true
			}
		}
	}
	return false
}

// Dispatch runs p over groups workgroups whose indices start at base. The
// slices are bound in order; each must lie within one binding's largest range.
func (r *Recorder) Dispatch(p *Pipeline, slices []Slice, push []byte, base, groups [3]uint32) {
	if !r.ready() {
		return
	}
	if p == nil {
		r.err = fmt.Errorf("vk: a dispatch of no kernel")
		return
	}
	uses := make([]use, len(slices))
	bound := make([]Slice, len(slices))
	for i, s := range slices {
		bound[i] = s.words()
		uses[i] = use{bound[i], i < len(p.spec.Bindings) && p.spec.Bindings[i]&Write != 0}
	}
	if err := r.checkDispatch(p, slices, uses, push, base, groups); err != nil {
		r.err = fmt.Errorf("kernel %s: %w", p.spec.Label, err)
		return
	}
	set, err := r.c.writeSet(p, bound)
	if err != nil {
		r.err = err
		return
	}
	r.touch(uses...)
	r.c.pipelines[p] = struct{}{}
	if r.bound != p {
		vulkan.CmdBindPipeline(r.c.buffer, vulkan.PipelineBindPointCompute, p.handle)
		r.bound = p
	}
	vulkan.CmdBindDescriptorSets(r.c.buffer, vulkan.PipelineBindPointCompute, p.layout, 0, 1, []vulkan.DescriptorSet{set}, 0, nil)
	if len(push) > 0 {
		vulkan.CmdPushConstants(r.c.buffer, p.layout, vulkan.ShaderStageFlags(vulkan.ShaderStageComputeBit), 0, uint32(len(push)), unsafe.Pointer(&push[0]))
	}
	from := [3]C.uint32_t{C.uint32_t(base[0]), C.uint32_t(base[1]), C.uint32_t(base[2])}
	count := [3]C.uint32_t{C.uint32_t(groups[0]), C.uint32_t(groups[1]), C.uint32_t(groups[2])}
	C.gaze_dispatch(r.c.d.in.c, convert[C.VkCommandBuffer](r.c.buffer), &from[0], &count[0])
}

func (r *Recorder) checkDispatch(p *Pipeline, slices []Slice, uses []use, push []byte, base, groups [3]uint32) error {
	d := r.c.d
	limits := &d.adapter.Limits
	switch {
	case p.d != d:
		return fmt.Errorf("vk: it is another device's")
	case p.handle == nil:
		return fmt.Errorf("vk: it is %w", ErrClosed)
	case len(slices) != len(p.spec.Bindings):
		return fmt.Errorf("vk: %d buffers are bound, the kernel has %d", len(slices), len(p.spec.Bindings))
	case len(push) != p.spec.Push:
		return fmt.Errorf("vk: %d bytes are pushed, the kernel takes %d", len(push), p.spec.Push)
	}
	for i := range 3 {
		if groups[i] < 1 || int64(base[i])+int64(groups[i]) > int64(limits.GroupCount[i]) {
			return fmt.Errorf("vk: %d workgroups from %d on in dimension %d; this device allows 1 to %d: %w", groups[i], base[i], i, limits.GroupCount[i], ErrNotSupported)
		}
	}
	for i, s := range slices {
		if err := d.check(s); err != nil {
			return err
		}
		if size := uses[i].Size; size > limits.StorageRange {
			return fmt.Errorf("vk: buffer %s: a binding of %s; this device allows %s: %w", s.Buffer.label, bytesInWords(size), bytesInWords(limits.StorageRange), ErrNotSupported)
		}
		alignment := limits.StorageAlignment
		if _, bytes := p.spec.Bindings[i].texel(); bytes > 0 {
			alignment = limits.TexelAlignment
			if size := uses[i].Size; size%bytes != 0 || size/bytes > limits.Texels {
				return fmt.Errorf("vk: buffer %s: a texel buffer of %d bytes; this device allows %d texels of %d: %w", s.Buffer.label, size, limits.Texels, bytes, ErrNotSupported)
			}
		}
		if s.Offset%alignment != 0 {
			return fmt.Errorf("vk: buffer %s: a binding at offset %d; this device needs multiples of %d", s.Buffer.label, s.Offset, alignment)
		}
		for j := range i {
			if conflict(uses[i:i+1], uses[j:j+1]) {
				return fmt.Errorf("vk: bindings %d and %d share bytes of buffer %s, and one is written", j, i, s.Buffer.label)
			}
		}
	}
	return nil
}

// Copy copies from to to; both have the same size.
func (r *Recorder) Copy(to, from Slice) {
	if !r.ready() {
		return
	}
	for _, s := range []Slice{to, from} {
		if r.err = r.c.d.check(s); r.err != nil {
			return
		}
	}
	if to.Size != from.Size || to.overlaps(from) {
		r.err = fmt.Errorf("vk: copying %d bytes of %s to %d bytes of %s: they must be as many, and not overlap", from.Size, from.Buffer.label, to.Size, to.Buffer.label)
		return
	}
	r.touch(use{from, false}, use{to, true})
	C.gaze_copy(r.c.d.in.c, convert[C.VkCommandBuffer](r.c.buffer), convert[C.VkBuffer](from.Buffer.handle), C.uint64_t(from.Offset),
		convert[C.VkBuffer](to.Buffer.handle), C.uint64_t(to.Offset), C.uint64_t(from.Size))
}

// Fill fills s with copies of a word; its offset and size must be multiples of 4.
func (r *Recorder) Fill(s Slice, word uint32) {
	if !r.ready() {
		return
	}
	if r.err = r.c.d.check(s); r.err != nil {
		return
	}
	if s.Offset%4 != 0 || s.Size%4 != 0 {
		r.err = fmt.Errorf("vk: buffer %s: filling %d bytes from %d on: both must be multiples of 4", s.Buffer.label, s.Size, s.Offset)
		return
	}
	r.touch(use{s, true})
	vulkan.CmdFillBuffer(r.c.buffer, s.Buffer.handle, vulkan.DeviceSize(s.Offset), vulkan.DeviceSize(s.Size), word)
}

// Finish ends the recording.
func (r *Recorder) Finish() (*Commands, error) {
	c := r.c
	if !r.ready() {
		r.Close()
		return nil, r.err
	}
	// The CPU sees what was written once the fence has signalled.
	r.barrier(workStages, workWrites, C.VK_PIPELINE_STAGE_HOST_BIT, C.VK_ACCESS_HOST_READ_BIT)
	if err := c.end(); err != nil {
		r.err = err
		r.Close()
		return nil, err
	}
	return c, nil
}

// Close drops a recording that was not finished; after Finish it does nothing.
func (r *Recorder) Close() error {
	if r.c.recorded {
		return nil
	}
	return r.c.Close()
}

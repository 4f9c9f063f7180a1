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

const (
	setsPerPool       = 64
	buffersPerSet     = 8
	timestampsPerPool = 256
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

// Commands is a recorded list that can be run any number of times.
type Commands struct {
	d          *Device
	pool       vulkan.CommandPool
	buffer     vulkan.CommandBuffer
	fence      vulkan.Fence
	sets       []vulkan.DescriptorPool
	setsLeft   int
	timestamps []vulkan.QueryPool
	marks      int
	flying     bool
	recorded   bool
}

const (
	workStages = C.VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | C.VK_PIPELINE_STAGE_TRANSFER_BIT
	workWrites = C.VK_ACCESS_SHADER_WRITE_BIT | C.VK_ACCESS_TRANSFER_WRITE_BIT
	workUses   = workWrites | C.VK_ACCESS_SHADER_READ_BIT | C.VK_ACCESS_TRANSFER_READ_BIT
)

// NewRecorder starts an empty command list. Close it, or the Commands that
// Finish returns.
func (d *Device) NewRecorder() (*Recorder, error) {
	c := &Commands{d: d}
	if err := d.adopt(c, "commands"); err != nil {
		return nil, err
	}
	if err := c.create(); err != nil {
		c.Close()
		return nil, err
	}
	r := &Recorder{c: c}
	// Whatever ran before on this queue is over and visible.
	r.barrier(workStages|C.VK_PIPELINE_STAGE_HOST_BIT, workWrites|C.VK_ACCESS_HOST_WRITE_BIT, workStages, workUses)
	return r, nil
}

func (c *Commands) create() error {
	d := c.d
	info := vulkan.CommandPoolCreateInfo{SType: vulkan.StructureTypeCommandPoolCreateInfo, QueueFamilyIndex: d.family}
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

func (r *Recorder) barrier(from C.VkPipelineStageFlags, written C.VkAccessFlags, to C.VkPipelineStageFlags, used C.VkAccessFlags) {
	C.gaze_barrier(r.c.d.in.c, convert[C.VkCommandBuffer](r.c.buffer), from, written, to, used)
}

// touch inserts a barrier if one of uses conflicts with what is pending.
func (r *Recorder) touch(uses ...use) {
	for _, u := range uses {
		for _, p := range r.pending {
			if (u.write || p.write) && u.overlaps(p.Slice) {
				r.barrier(workStages, workWrites, workStages, workUses)
				r.pending = append(r.pending[:0], uses...)
				return
			}
		}
	}
	r.pending = append(r.pending, uses...)
}

// Dispatch runs p over groups workgroups whose indices start at base. The
// slices are bound in order; each must lie within one binding's largest range.
func (r *Recorder) Dispatch(p *Pipeline, slices []Slice, push []byte, base, groups [3]uint32) {
	if r.err != nil {
		return
	}
	if r.err = r.checkDispatch(p, slices, push, base, groups); r.err != nil {
		r.err = fmt.Errorf("kernel %s: %w", p.spec.Label, r.err)
		return
	}
	uses := make([]use, len(slices))
	for i, s := range slices {
		uses[i] = use{s, p.spec.Bindings[i]&Write != 0}
	}
	r.touch(uses...)
	set, err := r.c.writeSet(p, slices)
	if err != nil {
		r.err = err
		return
	}
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

func (r *Recorder) checkDispatch(p *Pipeline, slices []Slice, push []byte, base, groups [3]uint32) error {
	limits := &r.c.d.adapter.Limits
	if len(slices) != len(p.spec.Bindings) {
		return fmt.Errorf("vk: %d buffers are bound, the kernel has %d", len(slices), len(p.spec.Bindings))
	}
	if len(push) != p.spec.Push {
		return fmt.Errorf("vk: %d bytes are pushed, the kernel takes %d", len(push), p.spec.Push)
	}
	for i := range 3 {
		if groups[i] < 1 || int(base[i])+int(groups[i]) > limits.GroupCount[i] {
			return fmt.Errorf("vk: %d workgroups from %d on in dimension %d; this device allows 1 to %d: %w", groups[i], base[i], i, limits.GroupCount[i], ErrNotSupported)
		}
	}
	for i, s := range slices {
		if err := s.check(); err != nil {
			return err
		}
		if s.Size > limits.StorageRange {
			return fmt.Errorf("vk: buffer %s: a binding of %s; this device allows %s: %w", s.Buffer.label, bytesInWords(s.Size), bytesInWords(limits.StorageRange), ErrNotSupported)
		}
		if s.Offset%limits.StorageAlignment != 0 {
			return fmt.Errorf("vk: buffer %s: a binding at offset %d; this device needs multiples of %d", s.Buffer.label, s.Offset, limits.StorageAlignment)
		}
		for j := range i {
			if (p.spec.Bindings[i]|p.spec.Bindings[j])&Write != 0 && s.overlaps(slices[j]) {
				return fmt.Errorf("vk: bindings %d and %d share bytes of buffer %s, and one is written", j, i, s.Buffer.label)
			}
		}
	}
	return nil
}

func (c *Commands) writeSet(p *Pipeline, slices []Slice) (vulkan.DescriptorSet, error) {
	d := c.d
	device := convert[C.VkDevice](d.handle)
	if c.setsLeft == 0 || len(slices) > buffersPerSet {
		pool, err := obtain(d, "vkCreateDescriptorPool", func(out *C.VkDescriptorPool) vulkan.Result {
			return vulkan.Result(C.gaze_create_descriptor_pool(d.in.c, device, setsPerPool, C.uint32_t(setsPerPool*max(buffersPerSet, len(slices))), out))
		})
		if err != nil {
			return nil, err
		}
		c.sets = append(c.sets, convert[vulkan.DescriptorPool](pool))
		c.setsLeft = setsPerPool
	}
	set, err := obtain(d, "vkAllocateDescriptorSets", func(out *C.VkDescriptorSet) vulkan.Result {
		return vulkan.Result(C.gaze_allocate_set(d.in.c, device, convert[C.VkDescriptorPool](c.sets[len(c.sets)-1]), convert[C.VkDescriptorSetLayout](p.sets), out))
	})
	if err != nil {
		return nil, err
	}
	c.setsLeft--
	infos := make([]C.VkDescriptorBufferInfo, len(slices))
	for i, s := range slices {
		infos[i] = C.VkDescriptorBufferInfo{convert[C.VkBuffer](s.Buffer.handle), C.VkDeviceSize(s.Offset), C.VkDeviceSize(roundUp(s.Size, 4))}
	}
	C.gaze_write_set(d.in.c, device, set, C.uint32_t(len(infos)), unsafe.SliceData(infos))
	return convert[vulkan.DescriptorSet](set), nil
}

// Copy copies from to to; both have the same size.
func (r *Recorder) Copy(to, from Slice) {
	if r.err != nil {
		return
	}
	if err := to.check(); err != nil {
		r.err = err
		return
	}
	if err := from.check(); err != nil {
		r.err = err
		return
	}
	if to.Size != from.Size || to.overlaps(from) {
		r.err = fmt.Errorf("vk: copying %d bytes of %s to %d bytes of %s", from.Size, from.Buffer.label, to.Size, to.Buffer.label)
		return
	}
	r.touch(use{from, false}, use{to, true})
	C.gaze_copy(r.c.d.in.c, convert[C.VkCommandBuffer](r.c.buffer), convert[C.VkBuffer](from.Buffer.handle), C.uint64_t(from.Offset),
		convert[C.VkBuffer](to.Buffer.handle), C.uint64_t(to.Offset), C.uint64_t(from.Size))
}

// Zero fills s with zero bytes; its offset and size must be multiples of 4.
func (r *Recorder) Zero(s Slice) {
	if r.err != nil {
		return
	}
	if r.err = s.check(); r.err != nil {
		return
	}
	if s.Offset%4 != 0 || s.Size%4 != 0 {
		r.err = fmt.Errorf("vk: buffer %s: zeroing %d bytes from %d on: both must be multiples of 4", s.Buffer.label, s.Size, s.Offset)
		return
	}
	r.touch(use{s, true})
	vulkan.CmdFillBuffer(r.c.buffer, s.Buffer.handle, vulkan.DeviceSize(s.Offset), vulkan.DeviceSize(s.Size), 0)
}

// Timestamp marks the moment when everything recorded so far has ended.
// [Commands.Timestamps] returns the marks. It does nothing on a device without
// Features.Timestamps.
func (r *Recorder) Timestamp() {
	c := r.c
	if r.err != nil || c.d.bits == 0 {
		return
	}
	index := c.marks % timestampsPerPool
	if index == 0 {
		info := vulkan.QueryPoolCreateInfo{SType: vulkan.StructureTypeQueryPoolCreateInfo, QueryType: vulkan.QueryTypeTimestamp, QueryCount: timestampsPerPool}
		defer info.Free()
		pool, err := obtain(c.d, "vkCreateQueryPool", func(out *vulkan.QueryPool) vulkan.Result {
			return vulkan.CreateQueryPool(c.d.handle, &info, nil, out)
		})
		if err != nil {
			r.err = err
			return
		}
		c.timestamps = append(c.timestamps, pool)
		vulkan.CmdResetQueryPool(c.buffer, pool, 0, timestampsPerPool)
	}
	vulkan.CmdWriteTimestamp(c.buffer, vulkan.PipelineStageBottomOfPipeBit, c.timestamps[len(c.timestamps)-1], uint32(index))
	c.marks++
}

// Finish ends the recording.
func (r *Recorder) Finish() (*Commands, error) {
	if r.err != nil {
		r.Close()
		return nil, r.err
	}
	c := r.c
	// The CPU sees what was written once the fence has signalled.
	r.barrier(workStages, workWrites, C.VK_PIPELINE_STAGE_HOST_BIT, C.VK_ACCESS_HOST_READ_BIT)
	if err := c.d.call("vkEndCommandBuffer", func() vulkan.Result { return vulkan.EndCommandBuffer(c.buffer) }); err != nil {
		r.Close()
		return nil, err
	}
	c.recorded = true
	return c, nil
}

// Close drops a recording that was not finished; after Finish it does nothing.
func (r *Recorder) Close() error {
	if r.c.recorded {
		return nil
	}
	return r.c.Close()
}

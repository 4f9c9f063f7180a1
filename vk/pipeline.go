package vk

/*
#include "shim.h"
*/
import "C"

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"runtime"
	"slices"
	"unsafe"

	vulkan "github.com/vulkan-go/vulkan"
)

// Access says what a kernel does to a buffer it binds, and how.
type Access uint8

const (
	Read Access = 1 << iota
	Write
	// Float4, beside Read alone, is to read it through a texel buffer of four f32 a
	// texel (textureBuffer), and UInt2 through one of two 32-bit integers
	// (utextureBuffer). Every device has both, of at most Limits.Texels.
	Float4
	UInt2
)

// texel returns the format of the texels and their bytes, or 0 for a storage buffer.
func (a Access) texel() (format C.VkFormat, bytes int64) {
	switch {
	case a&Float4 != 0:
		return C.VK_FORMAT_R32G32B32A32_SFLOAT, 16
	case a&UInt2 != 0:
		return C.VK_FORMAT_R32G32_UINT, 8
	}
	return 0, 0
}

// A Constant is the value of one specialization constant, as its 32 bits.
type Constant struct{ ID, Value uint32 }

// A PipelineSpec says what to compile.
type PipelineSpec struct {
	Label         string
	SPIRV         []byte     // one compute entry point named "main"
	Bindings      []Access   // of the buffers of set 0, binding by binding
	Push          int        // bytes of push constants
	Constants     []Constant // values of specialization constants
	SubgroupSize  int        // the size to demand; 0 leaves it to the driver
	FullSubgroups bool       // demand that every subgroup is full
}

// A Pipeline is a compiled kernel.
type Pipeline struct {
	d      *Device
	spec   PipelineSpec
	sets   vulkan.DescriptorSetLayout
	layout vulkan.PipelineLayout
	handle vulkan.Pipeline
}

// NewPipeline compiles a kernel. Several goroutines may compile at once.
func (d *Device) NewPipeline(spec PipelineSpec) (*Pipeline, error) {
	if err := d.checkSpec(&spec); err != nil {
		return nil, fmt.Errorf("kernel %s: %w", spec.Label, err)
	}
	spec.Bindings = slices.Clone(spec.Bindings)
	p := &Pipeline{d: d, spec: spec}
	if err := d.adopt(p, "pipeline "+spec.Label); err != nil {
		return nil, err
	}
	if err := p.create(); err != nil {
		p.Close()
		return nil, fmt.Errorf("kernel %s: %w", spec.Label, err)
	}
	p.spec.SPIRV = nil
	return p, nil
}

// checkSpec returns what this device cannot do of spec, for the driver may not say so.
func (d *Device) checkSpec(spec *PipelineSpec) error {
	l, f := &d.adapter.Limits, &d.adapter.Features
	const magic = 0x07230203
	switch {
	case len(spec.SPIRV) < 20 || len(spec.SPIRV)%4 != 0 || binary.NativeEndian.Uint32(spec.SPIRV) != magic:
		return fmt.Errorf("vk: this is not SPIR-V")
	case spec.Push < 0 || spec.Push%4 != 0:
		return fmt.Errorf("vk: %d bytes of push constants: a multiple of 4 is needed", spec.Push)
	case spec.Push > l.PushConstants:
		return fmt.Errorf("vk: %d bytes of push constants; this device allows %d: %w", spec.Push, l.PushConstants, ErrNotSupported)
	case len(spec.Bindings) > l.StorageBuffers:
		return fmt.Errorf("vk: %d storage buffers; this device allows %d: %w", len(spec.Bindings), l.StorageBuffers, ErrNotSupported)
	case slices.ContainsFunc(spec.Bindings, func(a Access) bool { return a&(Float4|UInt2) != 0 && a != Read|Float4 && a != Read|UInt2 }):
		return fmt.Errorf("vk: a texel buffer has texels of one kind and is only read")
	case len(spec.Constants) > C.GAZE_MAX_CONSTANTS:
		return fmt.Errorf("vk: %d specialization constants; %d are possible", len(spec.Constants), C.GAZE_MAX_CONSTANTS)
	case spec.SubgroupSize != 0 && !f.SubgroupControl:
		return fmt.Errorf("vk: subgroups of %d invocations: %w", spec.SubgroupSize, ErrNotSupported)
	case spec.SubgroupSize != 0 && (spec.SubgroupSize < l.SubgroupSizeRange[0] || spec.SubgroupSize > l.SubgroupSizeRange[1] || bits.OnesCount(uint(spec.SubgroupSize)) != 1):
		return fmt.Errorf("vk: subgroups of %d invocations; this device allows powers of two from %d to %d: %w", spec.SubgroupSize, l.SubgroupSizeRange[0], l.SubgroupSizeRange[1], ErrNotSupported)
	case spec.FullSubgroups && !f.FullSubgroups:
		return fmt.Errorf("vk: full subgroups: %w", ErrNotSupported)
	}
	return nil
}

func (p *Pipeline) create() error {
	d, spec := p.d, p.spec
	module, err := d.shaderModule(spec.SPIRV)
	if err != nil {
		return err
	}
	defer vulkan.DestroyShaderModule(d.handle, module, nil)

	device := convert[C.VkDevice](d.handle)
	texels := C.uint32_t(0)
	for i, access := range spec.Bindings {
		if _, bytes := access.texel(); bytes > 0 {
			texels |= 1 << i
		}
	}
	sets, err := obtain(d, "vkCreateDescriptorSetLayout", func(out *C.VkDescriptorSetLayout) vulkan.Result {
		return vulkan.Result(C.gaze_create_set_layout(d.in.c, device, C.VK_SHADER_STAGE_COMPUTE_BIT, C.uint32_t(len(spec.Bindings)), texels, out))
	})
	if err != nil {
		return err
	}
	p.sets = convert[vulkan.DescriptorSetLayout](sets)
	layout, err := obtain(d, "vkCreatePipelineLayout", func(out *C.VkPipelineLayout) vulkan.Result {
		return vulkan.Result(C.gaze_create_pipeline_layout(d.in.c, device, C.VK_SHADER_STAGE_COMPUTE_BIT, sets, C.uint32_t(spec.Push), out))
	})
	if err != nil {
		return err
	}
	p.layout = convert[vulkan.PipelineLayout](layout)
	constants := make([]C.uint32_t, 0, 2*len(spec.Constants)+1)
	for _, c := range spec.Constants {
		constants = append(constants, C.uint32_t(c.ID), C.uint32_t(c.Value))
	}
	handle, err := obtain(d, "vkCreateComputePipelines", func(out *C.VkPipeline) vulkan.Result {
		return vulkan.Result(C.gaze_create_pipeline(d.in.c, device, convert[C.VkPipelineCache](d.cache.handle), layout,
			convert[C.VkShaderModule](module), C.uint32_t(len(spec.Constants)), unsafe.SliceData(constants),
			C.uint32_t(spec.SubgroupSize), flag(spec.FullSubgroups), flag(d.reports()), out))
	})
	p.handle = convert[vulkan.Pipeline](handle)
	return err
}

func flag(on bool) C.int {
	if on {
		return 1
	}
	return 0
}

func (d *Device) shaderModule(code []byte) (vulkan.ShaderModule, error) {
	words := make([]uint32, len(code)/4)
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), len(code)), code)
	var pin runtime.Pinner // the binding keeps the address in C memory
	pin.Pin(&words[0])
	defer pin.Unpin()
	info := vulkan.ShaderModuleCreateInfo{SType: vulkan.StructureTypeShaderModuleCreateInfo, CodeSize: uint(len(code)), PCode: words}
	defer info.Free()
	return obtain(d, "vkCreateShaderModule", func(out *vulkan.ShaderModule) vulkan.Result {
		return vulkan.CreateShaderModule(d.handle, &info, nil, out)
	})
}

// Close frees the pipeline, after work in flight has ended. A second call does nothing.
func (p *Pipeline) Close() error {
	if p == nil || !p.d.disown(p) {
		return nil
	}
	p.d.settle()
	if p.handle != nil {
		vulkan.DestroyPipeline(p.d.handle, p.handle, nil)
	}
	if p.layout != nil {
		vulkan.DestroyPipelineLayout(p.d.handle, p.layout, nil)
	}
	if p.sets != nil {
		vulkan.DestroyDescriptorSetLayout(p.d.handle, p.sets, nil)
	}
	p.handle, p.layout, p.sets = nil, nil, nil
	return nil
}

// reports tells whether pipelines keep what the driver's compiler reports.
func (d *Device) reports() bool { return d.options.statistics && d.adapter.Features.PipelineReport }

// Statistics returns what the driver's compiler reports of the pipeline
// (registers, spills, ...), under the driver's own names; the device must have
// been opened WithStatistics. It is empty where the driver reports nothing.
func (p *Pipeline) Statistics() map[string]float64 {
	all := map[string]float64{}
	if p.handle == nil || !p.d.reports() || p.d.lost.Load() {
		return all
	}
	raw := make([]C.gaze_statistic, 64)
	count := C.gaze_pipeline_statistics(p.d.in.c, convert[C.VkDevice](p.d.handle), convert[C.VkPipeline](p.handle), &raw[0], C.uint32_t(len(raw)))
	for _, s := range raw[:count] {
		if v := float64(s.value); !math.IsNaN(v) {
			all[C.GoString(&s.name[0])] = v
		}
	}
	return all
}

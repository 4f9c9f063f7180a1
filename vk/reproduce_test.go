//go:build reproduce

package vk

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	vulkan "github.com/vulkan-go/vulkan"
)

// TestBindingUsesFreedMemory shows why shim.h exists:
//
//	go test -tags reproduce -run TestBindingUsesFreedMemory -v ./vk
//
// vulkan-go copies an argument that is a slice of structs to C memory and frees
// the copy in a finalizer of a variable that is dead before the call into the
// driver begins. Under constant collection, in ten seconds each, on two cores:
// CreateComputePipelines crashed 8 of 8 processes, UpdateDescriptorSets 6 of 8,
// CmdPipelineBarrier, which is over in microseconds, 0 of 8 (lavapipe 22.3.6).
func TestBindingUsesFreedMemory(t *testing.T) {
	const child = "GAZE_TEST_UNSAFE_CALL"
	if call := os.Getenv(child); call != "" {
		bindingInLoop(t, call, 10*time.Second)
		return
	}
	all := 0
	for _, call := range []string{"CreateComputePipelines", "UpdateDescriptorSets", "CmdPipelineBarrier"} {
		const runs = 8
		crashed := 0
		for range runs {
			again := exec.Command(os.Args[0], "-test.run=^TestBindingUsesFreedMemory$")
			again.Env = append(os.Environ(), child+"="+call)
			out, err := again.CombinedOutput()
			if err != nil {
				crashed++
				first, _, _ := strings.Cut(string(out), "\n\n")
				t.Logf("%s: %v: %.300s", call, err, first)
			}
		}
		t.Logf("%s: %d of %d processes crashed", call, crashed, runs)
		all += crashed
	}
	if all == 0 {
		t.Error("nothing crashed: if vulkan-go was mended, the shim can shrink")
	}
}

func bindingInLoop(t *testing.T, call string, limit time.Duration) {
	d := must(Open("auto"))
	defer d.Close()
	p, b := newStep(t, d, 3), newBuffer(t, d, "b", 1<<16)
	module := must(d.shaderModule(stepCode))
	defer vulkan.DestroyShaderModule(d.handle, module, nil)
	c := must(d.newCommands())
	defer c.Close()
	set := must(c.writeSet(p, []Slice{{b, 0, 1 << 10}, {b, 1 << 15, 1 << 10}}))
	defer collectAlways()()
	end := time.Now().Add(limit)
	calls := 0
	for ; time.Now().Before(end); calls++ {
		switch call {
		case "CreateComputePipelines":
			made := make([]vulkan.Pipeline, 1)
			result := vulkan.CreateComputePipelines(d.handle, nil, 1, []vulkan.ComputePipelineCreateInfo{{
				SType: vulkan.StructureTypeComputePipelineCreateInfo,
				Stage: vulkan.PipelineShaderStageCreateInfo{SType: vulkan.StructureTypePipelineShaderStageCreateInfo,
					Stage: vulkan.ShaderStageComputeBit, Module: module, PName: "main\x00"},
				Layout: p.layout,
			}}, nil, made)
			if result != vulkan.Success {
				t.Fatalf("call %d: %v: the driver was shown freed memory", calls, vulkan.Error(result))
			}
			vulkan.DestroyPipeline(d.handle, made[0], nil)
		case "UpdateDescriptorSets":
			var writes []vulkan.WriteDescriptorSet
			for binding := range uint32(2) {
				writes = append(writes, vulkan.WriteDescriptorSet{SType: vulkan.StructureTypeWriteDescriptorSet, DstSet: set, DstBinding: binding,
					DescriptorCount: 1, DescriptorType: vulkan.DescriptorTypeStorageBuffer,
					PBufferInfo: []vulkan.DescriptorBufferInfo{{Buffer: b.handle, Range: 1 << 10}}})
			}
			vulkan.UpdateDescriptorSets(d.handle, uint32(len(writes)), writes, 0, nil)
		case "CmdPipelineBarrier":
			vulkan.CmdPipelineBarrier(c.buffer, vulkan.PipelineStageFlags(vulkan.PipelineStageComputeShaderBit), vulkan.PipelineStageFlags(vulkan.PipelineStageComputeShaderBit), 0,
				1, []vulkan.MemoryBarrier{{SType: vulkan.StructureTypeMemoryBarrier, SrcAccessMask: vulkan.AccessFlags(vulkan.AccessShaderWriteBit), DstAccessMask: vulkan.AccessFlags(vulkan.AccessShaderReadBit)}}, 0, nil, 0, nil)
			if calls%1000 == 999 { // a recording grows with each
				c.Close()
				c = must(d.newCommands())
			}
		}
	}
	fmt.Println(calls, "calls")
}

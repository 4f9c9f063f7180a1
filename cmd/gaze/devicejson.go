package main

import (
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/vk"
)

// deviceDetails is a device as "gaze devices --json" prints it. Sizes are in bytes.
type deviceDetails struct {
	Index         int            `json:"index"`
	Name          string         `json:"name"`
	Kind          string         `json:"kind"`
	Driver        string         `json:"driver"`
	DriverVersion string         `json:"driver_version"`
	Vulkan        string         `json:"vulkan"`
	Vendor        uint32         `json:"vendor_id"`
	Device        uint32         `json:"device_id"`
	Tier          engine.Tier    `json:"kernel_tier"`
	Tuning        tuningState    `json:"tuning"`
	Limits        deviceLimits   `json:"limits"`
	Features      deviceFeatures `json:"features"`
}

type deviceLimits struct {
	StorageRange      int64  `json:"buffer_binding_bytes"`
	Allocation        int64  `json:"allocation_bytes"`
	StorageAlignment  int64  `json:"buffer_offset_alignment_bytes"`
	StorageBuffers    int    `json:"buffer_bindings"`
	PushConstants     int    `json:"push_constant_bytes"`
	SharedMemory      int    `json:"shared_memory_bytes"`
	Cores             int    `json:"cores"` // 0: the driver does not tell
	Invocations       int    `json:"workgroup_invocations"`
	GroupSize         [3]int `json:"workgroup_size"`
	GroupCount        [3]int `json:"workgroup_count"`
	SubgroupSize      int    `json:"subgroup_size"`
	SubgroupSizeRange [2]int `json:"subgroup_size_range"`
}

type deviceFeatures struct {
	Float16         bool                `json:"float16_arithmetic"`
	Storage16       bool                `json:"float16_storage"`
	SubgroupVote    bool                `json:"subgroup_vote"`
	SubgroupAdd     bool                `json:"subgroup_arithmetic"`
	SubgroupShuffle bool                `json:"subgroup_shuffle"`
	SubgroupControl bool                `json:"subgroup_size_control"`
	Matrices        []cooperativeMatrix `json:"cooperative_matrices"`
	Reductions      bool                `json:"cooperative_matrix_reductions"`
	RobustAccess    bool                `json:"robust_buffer_access"`
	PipelineReport  bool                `json:"pipeline_statistics"`
	Portability     bool                `json:"portability_driver"`
	Timestamps      bool                `json:"timestamps"`
}

type cooperativeMatrix struct {
	M           int    `json:"m"`
	N           int    `json:"n"`
	K           int    `json:"k"`
	A           string `json:"a"`
	B           string `json:"b"`
	C           string `json:"c"`
	Accumulator string `json:"result"`
}

func describeAll(adapters []vk.Adapter) []deviceDetails {
	list := make([]deviceDetails, len(adapters))
	for i, a := range adapters {
		list[i] = describe(a)
	}
	return list
}

func describe(a vk.Adapter) deviceDetails {
	l, f := a.Limits, a.Features
	matrices := make([]cooperativeMatrix, len(f.Matrices))
	for i, m := range f.Matrices {
		matrices[i] = cooperativeMatrix(m)
	}
	return deviceDetails{
		Index: a.Index, Name: a.Name, Kind: a.Kind.String(),
		Driver: a.Driver, DriverVersion: driverVersion(a), Vulkan: a.API,
		Vendor: a.Vendor, Device: a.Device, Tier: engine.TraitsOf(a).Tier, Tuning: tuningOf(a),
		Limits: deviceLimits{
			StorageRange: l.StorageRange, Allocation: l.Allocation, StorageAlignment: l.StorageAlignment, StorageBuffers: l.StorageBuffers,
			PushConstants: l.PushConstants, SharedMemory: l.SharedMemory, Cores: l.Cores,
			Invocations: l.Invocations, GroupSize: l.GroupSize, GroupCount: l.GroupCount,
			SubgroupSize: l.SubgroupSize, SubgroupSizeRange: l.SubgroupSizeRange,
		},
		Features: deviceFeatures{
			Float16: f.Float16, Storage16: f.Storage16,
			SubgroupVote: f.SubgroupVote, SubgroupAdd: f.SubgroupAdd, SubgroupShuffle: f.SubgroupShuffle, SubgroupControl: f.SubgroupControl,
			Matrices: matrices, Reductions: f.MatrixReductions, RobustAccess: f.RobustAccess, PipelineReport: f.PipelineReport,
			Portability: f.Portability, Timestamps: f.Timestamps,
		},
	}
}

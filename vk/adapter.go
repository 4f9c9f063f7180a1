package vk

/*
#include "shim.h"
*/
import "C"

import (
	"fmt"
	"strings"

	vulkan "github.com/vulkan-go/vulkan"
)

// A Kind tells what an adapter is made of, best first.
type Kind int

const (
	Discrete Kind = iota
	Integrated
	Virtual
	Other
	CPU
)

func (k Kind) String() string {
	switch k {
	case Discrete:
		return "discrete GPU"
	case Integrated:
		return "integrated GPU"
	case Virtual:
		return "virtual GPU"
	case CPU:
		return "CPU"
	}
	return "other"
}

// An Adapter describes one Vulkan device as its driver reports it.
type Adapter struct {
	Index         int // in the order of Adapters
	Name          string
	Kind          Kind
	Driver        string // name and version in words
	DriverVersion uint32
	Vendor        uint32 // PCI vendor
	Device        uint32 // PCI device
	API           string // Vulkan version, such as "1.3.230"
	Limits        Limits
	Features      Features

	cacheUUID [16]byte
	raw       C.gaze_properties
}

// Limits are the sizes that bound a kernel or a buffer, in bytes unless named otherwise.
type Limits struct {
	StorageRange      int64 // largest range of one buffer binding
	Allocation        int64 // largest single allocation the driver promises
	StorageAlignment  int64 // of a buffer binding's offset
	Texels            int64 // largest number of elements of a texel buffer
	TexelAlignment    int64 // of its offset
	StorageBuffers    int   // bindings of one kernel
	PushConstants     int
	SharedMemory      int
	Invocations       int    // of one workgroup
	GroupSize         [3]int // invocations of one workgroup in each dimension
	GroupCount        [3]int // workgroups of one dispatch in each dimension
	SubgroupSize      int
	SubgroupSizeRange [2]int
	Cores             int // that run workgroups side by side: multiprocessors, compute units; 0: the driver does not tell
}

// Features are the optional abilities that a kernel may need.
type Features struct {
	Float16           bool // arithmetic on 16-bit floats
	Storage16         bool // 16-bit elements in storage buffers
	SubgroupVote      bool
	SubgroupAdd       bool // subgroup arithmetic
	SubgroupShuffle   bool
	SubgroupControl   bool // a pipeline may demand a subgroup size
	FullSubgroups     bool // a pipeline may demand whole subgroups
	CooperativeMatrix bool
	Matrices          []MatrixShape
	MatrixReductions  bool // of matrices: rows reduced, functions of an element and its place, sums as factors (VK_NV_cooperative_matrix2)
	RobustAccess      bool
	PipelineReport    bool // VK_KHR_pipeline_executable_properties
	Portability       bool // not fully conformant: MoltenVK
	Timestamps        bool
	SharedMemory      bool // buffers may have memory that another device of the GPU has, too (VK_KHR_external_memory_fd)
}

// A MatrixShape is one product C[M,N] += A[M,K] B[K,N] that a subgroup can do
// on matrix units; the element types are in words ("f16", "f32", "s8", ...).
type MatrixShape struct {
	M, N, K              int
	A, B, C, Accumulator string
}

func (s MatrixShape) String() string {
	return fmt.Sprintf("%dx%dx%d %s->%s", s.M, s.N, s.K, s.A, s.Accumulator)
}

// Adapters lists the devices of this machine in the loader's order. It returns
// an error that wraps ErrNoDevice where there is no loader, driver or device.
func Adapters(opts ...Option) ([]Adapter, error) {
	in, err := openInstance(gather(opts), nil)
	if err != nil {
		return nil, err
	}
	defer in.close()
	list, _, err := in.adapters()
	return list, err
}

func (in *instance) adapters() ([]Adapter, []vulkan.PhysicalDevice, error) {
	devices, err := in.physicalDevices()
	if err != nil {
		return nil, nil, err
	}
	if len(devices) == 0 {
		return nil, nil, fmt.Errorf("vk: %w: the Vulkan loader found no driver; %s", ErrNoDevice, installHint())
	}
	list := make([]Adapter, len(devices))
	for i, d := range devices {
		list[i] = in.describe(i, d)
	}
	return list, devices, nil
}

// Build identifies the device and the very build of its driver: what one has
// compiled or measured holds for another adapter with the same Build.
func (a *Adapter) Build() string {
	return fmt.Sprintf("%04x-%04x-%08x-%x", a.Vendor, a.Device, a.DriverVersion, a.cacheUUID)
}

// SharesMemory reports whether a device of a can have the memory of a [Shared] that
// one of with has: both are of one GPU and one driver, which can do that.
func (a Adapter) SharesMemory(with Adapter) bool {
	return a.Features.SharedMemory && with.Features.SharedMemory && a.raw.device_uuid == with.raw.device_uuid && a.raw.driver_uuid == with.raw.driver_uuid
}

// usable returns nil, or why a cannot be opened.
func (a *Adapter) usable() error {
	if api := uint32(a.raw.version); api < oldestAPI {
		return fmt.Errorf("vk: %s speaks Vulkan %s; %v or later is needed (update its driver): %w", a.Name, a.API, vulkan.Version(oldestAPI), ErrNotSupported)
	}
	if a.raw.family < 0 {
		return fmt.Errorf("vk: %s has no queue that computes: %w", a.Name, ErrNotSupported)
	}
	return nil
}

func (in *instance) describe(index int, device vulkan.PhysicalDevice) Adapter {
	a := Adapter{Index: index}
	handle := convert[C.VkPhysicalDevice](device)
	C.gaze_get_properties(in.c, handle, &a.raw)
	p := &a.raw
	a.Name = C.GoString(&p.name[0])
	if kinds := [...]Kind{Other, Integrated, Discrete, Virtual, CPU}; int(p._type) < len(kinds) { // by VkPhysicalDeviceType
		a.Kind = kinds[p._type]
	} else {
		a.Kind = Other
	}
	a.Driver = strings.TrimSpace(C.GoString(&p.driver_name[0]) + " " + C.GoString(&p.driver_info[0]))
	a.DriverVersion, a.Vendor, a.Device = uint32(p.driver_version), uint32(p.vendor), uint32(p.device)
	a.API = vulkan.Version(p.api).String()
	for i, b := range p.cache_uuid {
		a.cacheUUID[i] = byte(b)
	}
	a.Limits = Limits{
		StorageRange:      int64(p.max_storage_range),
		Allocation:        int64(p.max_allocation),
		StorageAlignment:  int64(max(p.storage_alignment, 4)), // kernels address whole words
		Texels:            int64(p.max_texels),
		TexelAlignment:    int64(p.texel_alignment),
		StorageBuffers:    int(min(p.max_storage_buffers, C.GAZE_MAX_BINDINGS)),
		PushConstants:     int(p.max_push),
		SharedMemory:      int(p.max_shared),
		Invocations:       int(p.max_invocations),
		Cores:             int(p.cores),
		SubgroupSize:      int(p.subgroup_size),
		SubgroupSizeRange: [2]int{int(p.subgroup_min), int(p.subgroup_max)},
	}
	for i := range 3 {
		a.Limits.GroupSize[i], a.Limits.GroupCount[i] = int(p.max_group_size[i]), int(p.max_group_count[i])
	}
	operations := p.subgroup_operations
	if p.subgroup_in_compute == 0 {
		operations = 0
	}
	a.Features = Features{
		Float16:           p.float16 != 0,
		Storage16:         p.storage16 != 0,
		SubgroupVote:      operations&C.VK_SUBGROUP_FEATURE_VOTE_BIT != 0,
		SubgroupAdd:       operations&C.VK_SUBGROUP_FEATURE_ARITHMETIC_BIT != 0,
		SubgroupShuffle:   operations&C.VK_SUBGROUP_FEATURE_SHUFFLE_BIT != 0,
		SubgroupControl:   p.size_control != 0,
		FullSubgroups:     p.full_subgroups != 0,
		CooperativeMatrix: p.cooperative_matrix != 0,
		MatrixReductions:  p.matrix_reductions != 0,
		RobustAccess:      p.robust_access != 0,
		PipelineReport:    p.executable_properties != 0,
		Portability:       p.portability != 0,
		Timestamps:        p.timestamp_bits > 0,
		SharedMemory:      p.shared_memory != 0,
	}
	if a.Features.CooperativeMatrix {
		a.Features.Matrices = in.matrices(handle)
	}
	return a
}

var componentNames = map[C.VkComponentTypeKHR]string{
	C.VK_COMPONENT_TYPE_FLOAT16_KHR: "f16", C.VK_COMPONENT_TYPE_FLOAT32_KHR: "f32", C.VK_COMPONENT_TYPE_FLOAT64_KHR: "f64",
	C.VK_COMPONENT_TYPE_SINT8_KHR: "s8", C.VK_COMPONENT_TYPE_UINT8_KHR: "u8", C.VK_COMPONENT_TYPE_SINT32_KHR: "s32", C.VK_COMPONENT_TYPE_UINT32_KHR: "u32",
}

func (in *instance) matrices(device C.VkPhysicalDevice) []MatrixShape {
	raw := make([]C.VkCooperativeMatrixPropertiesKHR, 256)
	count := C.gaze_matrix_shapes(in.c, device, &raw[0], C.uint32_t(len(raw)))
	var shapes []MatrixShape
	for _, r := range raw[:count] {
		if r.scope != C.VK_SCOPE_SUBGROUP_KHR {
			continue
		}
		shapes = append(shapes, MatrixShape{int(r.MSize), int(r.NSize), int(r.KSize),
			componentNames[r.AType], componentNames[r.BType], componentNames[r.CType], componentNames[r.ResultType]})
	}
	return shapes
}

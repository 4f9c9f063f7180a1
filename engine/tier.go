package engine

import (
	"fmt"
	"slices"

	"github.com/gazevk/gaze/vk"
)

// A Tier is a family of kernels for one class of devices. Every tier gives the
// same numbers within the same bounds; they differ in speed.
type Tier string

const (
	// Lanes has many sums an invocation and hands on what one has loaded by
	// subgroup shuffles: for drivers that run on a CPU, where loads are dear. It
	// needs shuffles in subgroups of 4 or more.
	Lanes Tier = "lanes"
	// Texels has the kernels of Lanes, which read their tensors through texel buffers:
	// for drivers that run on a CPU and fetch a texel in one vector load.
	Texels Tier = "texels"
	// Tiled keeps keys and values in shared memory: for any GPU. It needs 128
	// invocations a workgroup and 16 KiB, which every Vulkan device has.
	Tiled Tier = "tiled"
	// Matrix multiplies f16 tensors on matrix units (VK_KHR_cooperative_matrix, in
	// attention with VK_NV_cooperative_matrix2 where it is there), and does the rest as
	// the device's other tier does.
	Matrix Tier = "matrix"
)

// Tiers lists all tiers.
var Tiers = []Tier{Lanes, Texels, Tiled, Matrix}

// QueryTile returns the queries of a tile of the block map of the tier's attention.
func (t Tier) QueryTile() int {
	if t.shuffles() {
		return 32
	}
	return 64
}

// shuffles reports whether a workgroup of the tier is one subgroup whose invocations
// hand on what they have loaded.
func (t Tier) shuffles() bool { return t == Lanes || t == Texels }

func (t Tier) validate() error {
	if !slices.Contains(Tiers, t) {
		return fmt.Errorf("kernel tier is %q: it must be one of %q", t, Tiers)
	}
	return nil
}

// Traits are what planning needs to know of a device.
type Traits struct {
	Device           string
	Tier             Tier
	Pictures         Tier   // of the kernels of heat maps and statistics; "" stands for Tier
	StorageRange     int64  // largest binding of a storage buffer, bytes
	StorageAlignment int64  // of a binding's offset, bytes
	GroupCount       [3]int // workgroups of a dispatch
	Subgroup         int    // invocations of a subgroup that can shuffle; 0: none can
	CPU              bool   // the device is the CPU
	Texels           bool   // texel buffers can be as large as StorageRange
	Cores            int    // that run workgroups side by side (multiprocessors, compute units); 0: the device does not tell
	Invocations      int    // of a workgroup
	SharedMemory     int    // of a workgroup, bytes
	Units            MatrixUnits
	Tuning           Tuning // which shapes are quickest; the zero value leaves it to rules
}

// lanes returns the invocations of a workgroup of tiers [Lanes] and [Texels].
func (t Traits) lanes() int {
	if t.Subgroup == 4 {
		return 4
	}
	return 8
}

// ForPictures returns the tier of the kernels of heat maps and statistics.
func (t Traits) ForPictures() Tier {
	switch {
	case t.Pictures != "":
		return t.Pictures
	case t.Tier == Matrix:
		return t.plain()
	}
	return t.Tier
}

// PictureTiers lists the tiers of which the device can run the kernels of heat
// maps and statistics.
func (t Traits) PictureTiers() []Tier {
	return slices.DeleteFunc(t.Tiers(), func(tier Tier) bool { return tier == Matrix })
}

// TierOf returns the tier whose kernels multiply tensors of precision p.
func (t Traits) TierOf(p Precision) Tier {
	if t.Tier == Matrix && p != F16 {
		return t.plain()
	}
	return t.Tier
}

// plain returns the tier of what tier Matrix has no kernels for.
func (t Traits) plain() Tier {
	switch {
	case !t.CPU || t.Subgroup < 4:
		return Tiled
	case t.Texels && t.lanes() == 8: // with 4, newer drivers shuffle lane by lane (MatMulShape.Uniform)
		return Texels
	}
	return Lanes
}

// Tiers lists the tiers that the device can run.
func (t Traits) Tiers() []Tier {
	var tiers []Tier
	if t.Subgroup >= 4 {
		tiers = append(tiers, Lanes)
		if t.Texels {
			tiers = append(tiers, Texels)
		}
	}
	tiers = append(tiers, Tiled)
	if t.Units.M > 0 {
		tiers = append(tiers, Matrix)
	}
	return tiers
}

// AnyDevice is what every Vulkan device guarantees.
var AnyDevice = Traits{
	Device: "any Vulkan device", Tier: Tiled,
	StorageRange: 1 << 27, StorageAlignment: 256, GroupCount: [3]int{65535, 65535, 65535},
	Invocations: 128, SharedMemory: 16 << 10,
}

// TraitsOf returns the traits of an adapter, with the tier that suits it.
func TraitsOf(a vk.Adapter) Traits {
	t := Traits{
		Device: a.Name, Tier: Tiled,
		StorageRange: a.Limits.StorageRange, StorageAlignment: a.Limits.StorageAlignment, GroupCount: a.Limits.GroupCount,
		CPU: a.Kind == vk.CPU, Invocations: min(a.Limits.Invocations, a.Limits.GroupSize[0]), SharedMemory: a.Limits.SharedMemory,
		Cores: a.Limits.Cores, Units: matrixUnits(a),
	}
	if a.Features.SubgroupShuffle {
		t.Subgroup = a.Limits.SubgroupSize
	}
	if reach := 8 * a.Limits.Texels; t.CPU && t.Subgroup >= 4 && reach >= AnyDevice.StorageRange { // 8 bytes are four f16
		t.Texels = true
		t.StorageRange, t.StorageAlignment = min(t.StorageRange, reach), max(t.StorageAlignment, a.Limits.TexelAlignment)
	}
	t.Tier = t.plain()
	if !t.CPU && t.Units.M > 0 {
		t.Tier = Matrix
	}
	if t.Tier == Lanes && t.lanes() == 4 {
		// SwiftShader, on which the other tier's take half as long (tests/results/LOG.md).
		t.Pictures = Tiled
	}
	return t
}

// Precision is how tensors are stored on the device. Sums are always f32, and so
// is all other arithmetic, except that matrix units take attention weights as f16.
type Precision string

const (
	F32 Precision = "f32"
	F16 Precision = "f16"
)

// size returns the bytes of one element.
func (p Precision) size() int64 {
	if p == F16 {
		return 2
	}
	return 4
}

// ParsePrecision reads "f32", "f16" or "auto" (or nothing), which is f32: it is
// exact on tensors that came as f32, and no slower on CPU drivers.
func ParsePrecision(s string) (Precision, error) {
	switch s {
	case "", "auto", "f32":
		return F32, nil
	case "f16":
		return F16, nil
	}
	return "", fmt.Errorf("precision is %q: it must be auto, f32 or f16", s)
}

// Path is how attention is computed.
type Path string

const (
	// Fused is one pass that never stores the weights.
	Fused Path = "fused"
	// Explicit stores scores and weights: scores, softmax and context, one after another.
	Explicit Path = "explicit"
)

// ParsePath reads "fused", "explicit" or "auto" (or nothing), which is fused.
func ParsePath(s string) (Path, error) {
	switch s {
	case "", "auto", "fused":
		return Fused, nil
	case "explicit":
		return Explicit, nil
	}
	return "", fmt.Errorf("path is %q: it must be auto, fused or explicit", s)
}

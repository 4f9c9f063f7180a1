package engine

import (
	"testing"

	"github.com/gazevk/gaze"
)

// large is a GPU with everything that shapes may ask for.
var large = Traits{Device: "a large GPU", Tier: Tiled, Subgroup: 32, Invocations: 1024, SharedMemory: 48 << 10, GroupCount: [3]int{65535, 65535, 65535},
	StorageRange: 1 << 30, StorageAlignment: 16, Units: MatrixUnits{M: 16, N: 16, K: 16, Subgroup: 32}}

// Whatever the kernel of tier tiled divides by must divide, in every shape.
func TestTiledShapes(t *testing.T) {
	shapes := large.MatMulShapes()
	if want := 2 * len(tiledShapes); len(shapes) != want {
		t.Errorf("a large device has %d shapes, expected %d", len(shapes), want)
	}
	seen := map[MatMulShape]bool{}
	for _, s := range shapes {
		if seen[s] {
			t.Errorf("%+v twice", s)
		}
		seen[s] = true
		groups := s.Rows * s.Columns / (16 * s.Invocations)
		if groups*16*s.Invocations != s.Rows*s.Columns || groups != 2 && groups != 4 {
			t.Errorf("%+v: an invocation has %d groups of sums, expected 2 or 4", s, groups)
		}
		if s.Rows*s.Step%s.Invocations != 0 || s.Columns*s.Step%s.Invocations != 0 || s.Invocations%s.Step != 0 {
			t.Errorf("%+v: invocations do not fetch the same", s)
		}
		if s.Rows*s.Step/s.Invocations > 4 || s.Columns*s.Step/s.Invocations > 8 {
			t.Errorf("%+v: an invocation fetches more than the shader has room for", s)
		}
		if 8%s.Step != 0 || 4*s.Step%s.Unroll != 0 || s.Rows%(2*groups) != 0 || s.Columns%32 != 0 {
			t.Errorf("%+v: step, unrolling or the sums of an invocation do not divide", s)
		}
	}
}

// Attention has as many invocations as own its queries, 8 a query: the default on any
// device, half as many where heads leave room for their sums.
func TestTiledAttentionShapes(t *testing.T) {
	for _, c := range []struct {
		headDim     int
		invocations []uint32
	}{{32, []uint32{128, 64}}, {64, []uint32{128, 64}}, {96, []uint32{128}}, {128, []uint32{128}}} {
		shapes := AnyDevice.AttentionShapes(c.headDim)
		if len(shapes) != len(c.invocations) || shapes[0] != AnyDevice.AttentionShape(FusedAttention{Precision: F32, HeadDim: c.headDim, Scale: 0.125}) {
			t.Fatalf("heads of %d: %+v", c.headDim, shapes)
		}
		for i, s := range shapes {
			tuned := AnyDevice
			tuned.Tuning.Attention = []AttentionChoice{{Shape: s}}
			f := fused(tuned, 1, gaze.Lengths{65}, gaze.Full{})
			pass := f.Passes(tuned)[0]
			if pass.Constants["INVOCATIONS"] != c.invocations[i] || pass.Groups != [3]uint32{2, 1, 1} {
				t.Errorf("%+v: %v with %v, expected %d invocations", s, pass.Groups, pass.Constants, c.invocations[i])
			}
		}
	}
}

// Any Vulkan device has the default, and is offered nothing that it need not have.
func TestShapesFitTheDevice(t *testing.T) {
	for _, device := range []Traits{AnyDevice, {Tier: Tiled}} {
		shapes := device.MatMulShapes()
		if len(shapes) < 10 || shapes[0] != device.MatMulShape(MatMul{Rows: 4096, Columns: 768, Depth: 768}) {
			t.Errorf("%d shapes, the first %+v", len(shapes), shapes[0])
		}
		for _, s := range shapes {
			if s.Invocations > 128 || s.sharedMemory() > 16<<10 {
				t.Errorf("%+v takes %d bytes", s, s.sharedMemory())
			}
		}
	}
	// The sizes of two shapes, by the shader's declarations: 16 elements of k, each
	// with a vec4 for every four rows and two of padding.
	if a, b := tiledShapes[0].sharedMemory(), tiledShapes[len(tiledShapes)-1].sharedMemory(); a != 16*2*(16+2)*16 || b != 16*2*(32+2)*16 {
		t.Errorf("%d and %d bytes", a, b)
	}
	roomy := AnyDevice
	roomy.Invocations = 256
	if more := len(roomy.MatMulShapes()) - len(AnyDevice.MatMulShapes()); more != 2 {
		t.Errorf("256 invocations give %d more shapes, expected 2: those of 128 x 128 in 16 KiB", more)
	}
	roomy.SharedMemory = 32 << 10
	if more := len(roomy.MatMulShapes()) - len(AnyDevice.MatMulShapes()); more != 4 {
		t.Errorf("32 KiB beside give %d more shapes, expected 4", more)
	}
}

// What a rule gives is among the shapes, in every tier, and the constants of two
// shapes differ.
func TestRulesAreShapes(t *testing.T) {
	cpu := Traits{Device: "a CPU", Tier: Lanes, CPU: true, Subgroup: 8}
	narrow := Traits{Device: "a narrow CPU", Tier: Lanes, CPU: true, Subgroup: 4}
	texels, narrowTexels := cpu, narrow
	texels.Texels, narrowTexels.Texels = true, true
	for _, device := range []Traits{AnyDevice, cpu, narrow, texels, narrowTexels, large} {
		for _, tier := range device.Tiers() {
			of := device.OfTier(tier)
			for _, rows := range []int{1, 16, 17, 4096} {
				m := MatMul{Rows: rows, Columns: 768, Depth: 768, Precision: F16, OutPrecision: F16}
				if s := of.MatMulShape(m); s.Tier != tier || !of.hasMatMul(s) {
					t.Errorf("%s: the rule of tier %s gives %+v for %d rows, which is no shape", device.Device, tier, s, rows)
				}
			}
			known := map[string]MatMulShape{}
			for _, s := range of.MatMulShapes() {
				text := sortedText(shapesOf[tier].constants(of, s))
				if other, twice := known[text]; twice {
					t.Errorf("%+v and %+v have the same constants", s, other)
				}
				known[text] = s
			}
			for _, dim := range []int{32, 64, 96, 128} {
				if s := of.AttentionShape(FusedAttention{Precision: F16, HeadDim: dim, Scale: 0.125}); s.Tier != tier || !of.hasAttention(s, dim) {
					t.Errorf("%s: the rule of tier %s gives %+v for heads of %d, which is no shape", device.Device, tier, s, dim)
				}
				for _, s := range of.AttentionShapes(dim) {
					tuned := of
					tuned.Tuning.Attention = []AttentionChoice{{Shape: s}}
					if tile := tuned.QueryTile(F16, dim, 0.125); tile%s.Rows != 0 {
						t.Errorf("%+v does not divide a tile of %d queries", s, tile)
					}
				}
			}
		}
	}
}

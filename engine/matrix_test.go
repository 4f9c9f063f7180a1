package engine

import (
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/vk"
)

// adapterWith returns an adapter that can run kernels on matrix units.
func adapterWith(shapes ...vk.MatrixShape) vk.Adapter {
	a := vk.Adapter{Kind: vk.Discrete}
	a.Features = vk.Features{Float16: true, SubgroupVote: true, SubgroupShuffle: true, SubgroupControl: true, FullSubgroups: true,
		CooperativeMatrix: true, Matrices: shapes}
	a.Limits = vk.Limits{SubgroupSize: 32, SubgroupSizeRange: [2]int{8, 32}, SharedMemory: 32 << 10, Invocations: 1024, GroupSize: [3]int{1024, 1, 1}}
	return a
}

func product(m, n, k int) vk.MatrixShape {
	return vk.MatrixShape{M: m, N: n, K: k, A: "f16", B: "f16", C: "f32", Accumulator: "f32"}
}

// Units are the largest product that the kernels can be made of, and none where
// something that they need is missing.
func TestMatrixUnits(t *testing.T) {
	half := vk.MatrixShape{M: 16, N: 16, K: 16, A: "f16", B: "f16", C: "f16", Accumulator: "f16"}
	for _, c := range []struct {
		name   string
		shapes []vk.MatrixShape
		change func(*vk.Adapter)
		want   MatrixUnits
	}{
		{"as NVIDIA's", []vk.MatrixShape{product(16, 8, 8), half, product(16, 16, 16), product(16, 8, 16)}, nil, MatrixUnits{16, 16, 16, 32, false}},
		{"as AMD's", []vk.MatrixShape{product(16, 16, 16)}, func(a *vk.Adapter) { a.Limits.SubgroupSize = 64 }, MatrixUnits{16, 16, 16, 64, false}},
		{"as Intel's", []vk.MatrixShape{product(8, 16, 16)}, func(a *vk.Adapter) { a.Vendor, a.Limits.SubgroupSizeRange[0] = intel, 16 }, MatrixUnits{8, 16, 16, 16, false}},
		{"with reductions", []vk.MatrixShape{product(16, 16, 16)}, func(a *vk.Adapter) { a.Features.MatrixReductions = true }, MatrixUnits{16, 16, 16, 32, true}},
		{"with reductions, and scores that are no factors", []vk.MatrixShape{product(16, 8, 16)}, func(a *vk.Adapter) { a.Features.MatrixReductions = true }, MatrixUnits{16, 8, 16, 32, false}},
		{"reductions alone", nil, func(a *vk.Adapter) { a.Features.MatrixReductions = true }, MatrixUnits{}},
		{"sums in f16", []vk.MatrixShape{half}, nil, MatrixUnits{}},
		{"too large", []vk.MatrixShape{product(32, 32, 16)}, nil, MatrixUnits{}},
		{"no power of two", []vk.MatrixShape{product(12, 8, 8)}, nil, MatrixUnits{}},
		{"fewer rows than a subgroup shares", []vk.MatrixShape{product(8, 8, 8)}, func(a *vk.Adapter) { a.Limits.SubgroupSize = 64 }, MatrixUnits{}},
		{"none", nil, nil, MatrixUnits{}},
		{"no f16", []vk.MatrixShape{product(16, 16, 16)}, func(a *vk.Adapter) { a.Features.Float16 = false }, MatrixUnits{}},
		{"no size control", []vk.MatrixShape{product(16, 16, 16)}, func(a *vk.Adapter) { a.Features.SubgroupControl = false }, MatrixUnits{}},
		{"no full subgroups", []vk.MatrixShape{product(16, 16, 16)}, func(a *vk.Adapter) { a.Features.FullSubgroups = false }, MatrixUnits{}},
		{"no shuffles", []vk.MatrixShape{product(16, 16, 16)}, func(a *vk.Adapter) { a.Features.SubgroupShuffle = false }, MatrixUnits{}},
		{"little memory", []vk.MatrixShape{product(16, 16, 16)}, func(a *vk.Adapter) { a.Limits.SharedMemory = 16 << 10 }, MatrixUnits{}},
		{"few invocations", []vk.MatrixShape{product(16, 16, 16)}, func(a *vk.Adapter) { a.Limits.Invocations = 64 }, MatrixUnits{}},
	} {
		a := adapterWith(c.shapes...)
		if c.change != nil {
			c.change(&a)
		}
		if got := matrixUnits(a); got != c.want {
			t.Errorf("%s: %+v, expected %+v", c.name, got, c.want)
		}
		traits := TraitsOf(a)
		if has := traits.Tier == Matrix; has != (c.want.M > 0) {
			t.Errorf("%s: tier %s", c.name, traits.Tier)
		}
	}
}

// What matrix units have no kernels for, other kernels do.
func TestMatrixTierLeavesOut(t *testing.T) {
	traits := TraitsOf(adapterWith(product(16, 16, 16)))
	for _, c := range []struct {
		m    MatMul
		want Tier
	}{
		{MatMul{Rows: 1, Columns: 4, Depth: 8, Precision: F16}, Matrix},
		{MatMul{Rows: 1, Columns: 4, Depth: 12, Precision: F16}, Tiled},
		{MatMul{Rows: 1, Columns: 4, Depth: 8, Precision: F32}, Tiled},
	} {
		if got := traits.MatMulShape(c.m).Tier; got != c.want {
			t.Errorf("%+v: %s", c.m, got)
		}
	}
	for _, c := range []struct {
		f    FusedAttention
		want Tier
	}{
		{FusedAttention{HeadDim: 64, Scale: 0.125, Precision: F16}, Matrix},
		{FusedAttention{HeadDim: 128, Scale: 0.125, Precision: F16}, Matrix},
		{FusedAttention{HeadDim: 64, Scale: 1e21, Precision: F16}, Tiled},
		{FusedAttention{HeadDim: 64, Scale: 0.125, Precision: F32}, Tiled},
	} {
		if got := traits.AttentionShape(c.f).Tier; got != c.want {
			t.Errorf("%+v: %s", c.f, got)
		}
		if tile := traits.QueryTile(c.f.Precision, c.f.HeadDim, c.f.Scale); tile != c.want.QueryTile() {
			t.Errorf("%+v: tiles of %d queries", c.f, tile)
		}
	}
}

// The rule takes large tiles where they are many, and small ones where rows are few.
func TestMatrixRule(t *testing.T) {
	traits := TraitsOf(adapterWith(product(16, 16, 16)))
	for _, c := range []struct{ rows, columns, tileRows, tileColumns int }{
		{4096, 2304, 128, 128}, {512, 2304, 128, 64}, {512, 768, 64, 64}, {32768, 768, 128, 128}, {16, 2304, 16, 128}, {1, 768, 16, 128}, {17, 768, 64, 64},
	} {
		s := traits.MatMulShape(MatMul{Rows: c.rows, Columns: c.columns, Depth: 768, Precision: F16})
		if s.Rows != c.tileRows || s.Columns != c.tileColumns {
			t.Errorf("%d x %d: tiles of %d x %d, expected %d x %d", c.rows, c.columns, s.Rows, s.Columns, c.tileRows, c.tileColumns)
		}
	}
}

// The kernel whose scores stay in registers is taken where units can do that, a tuned
// one too.
func TestMatrixReductions(t *testing.T) {
	f := FusedAttention{HeadDim: 64, Scale: 0.125, Precision: F16, OutPrecision: F32, Map: gaze.NewBlockMap(gaze.Full{}, gaze.Lengths{64}, 64)}
	for _, c := range []struct {
		reductions, tuned bool
		want              string
	}{{true, false, "attention_matrix2_f16_f32"}, {false, false, "attention_matrix_f16_f32"}, {true, true, "attention_matrix2_f16_f32"}, {false, true, "attention_matrix_f16_f32"}} {
		a := adapterWith(product(16, 16, 16))
		a.Features.MatrixReductions = c.reductions
		traits := TraitsOf(a)
		shapes := traits.AttentionShapes(64)
		if want := map[bool]int{false: 2, true: 4}[c.reductions]; len(shapes) != want {
			t.Errorf("%d shapes, expected %d", len(shapes), want)
		}
		own := matrixSide
		if c.tuned { // before the units were found not to do as they should
			own *= 2
			traits.Tuning.Attention = []AttentionChoice{{Shape: AttentionShape{Tier: Matrix, Rows: 64, Own: own, Reductions: true}}}
			if !c.reductions {
				own /= 2
			}
		}
		if pass := f.pass(traits); pass.Kernel != c.want || pass.Constants["OWN"] != uint32(own/16) {
			t.Errorf("%+v: %s, %v", c, pass.Kernel, pass.Constants)
		}
	}
}

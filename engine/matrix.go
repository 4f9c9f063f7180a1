package engine

import (
	"slices"

	"github.com/gazevk/gaze/vk"
)

// MatrixUnits are what kernels of tier [Matrix] multiply with: products of an
// M x K and a K x N matrix of f16, summed in f32, by subgroups of so many
// invocations. The zero value is a device without.
type MatrixUnits struct {
	M, N, K, Subgroup int
	Reductions        bool // attention need not leave registers (attention_matrix2.comp)
}

// matrixSide is the largest side of a product that the kernels have room for.
const matrixSide = 16

// What the kernels of tier Matrix need at most.
const (
	matrixSubgroups = 4 // of a workgroup, unless few can own its queries
	matrixShared    = 32 << 10
)

// intel is a vendor whose matrix units need the smallest of the subgroups that
// its devices have, where others take the one that they call theirs.
const intel = 0x8086

// matrixUnits returns the units of an adapter, with the largest product that it has.
func matrixUnits(a vk.Adapter) MatrixUnits {
	f, l := a.Features, a.Limits
	if !f.CooperativeMatrix || !f.Float16 || !f.SubgroupShuffle || !f.SubgroupVote || !f.SubgroupControl || !f.FullSubgroups || l.SharedMemory < matrixShared {
		return MatrixUnits{}
	}
	subgroup := l.SubgroupSize
	if a.Vendor == intel {
		subgroup = l.SubgroupSizeRange[0]
	}
	best := MatrixUnits{}
	for _, s := range f.Matrices {
		u := MatrixUnits{s.M, s.N, s.K, subgroup, f.MatrixReductions && s.N == s.K} // weights, as wide as scores, are factors
		if PeakShape(s) && u.fits(l.Invocations) && u.M*u.N*u.K > best.M*best.N*best.K {
			best = u
		}
	}
	return best
}

// fits reports whether the kernels can be made of these products: their sides
// divide a tile of keys, and a subgroup a matrix's rows or the other way round.
func (u MatrixUnits) fits(invocations int) bool {
	for _, side := range []int{u.M, u.N, u.K} {
		if side < 8 || side > matrixSide || side&(side-1) != 0 {
			return false
		}
	}
	// An invocation has eight keys of a row or more.
	return u.Subgroup >= 8 && u.Subgroup <= 4*u.M && matrixSubgroups*u.Subgroup <= invocations
}

// matrixConstants returns the specialization constants that all kernels on matrix
// units have (shaders/include/matrices.glsl).
func matrixConstants(t Traits, invocations int) map[string]uint32 {
	u, rolled := t.Units, uint32(0)
	if t.CPU {
		rolled = 1
	}
	return map[string]uint32{"INVOCATIONS": uint32(invocations), "LANES": uint32(u.Subgroup), "M": uint32(u.M), "N": uint32(u.N), "K": uint32(u.K),
		"ROLLED": rolled}
}

// largestMatrixScale bounds the scale of scores, so that none of f16 products is infinite.
const largestMatrixScale = 1e20

// attends reports whether a tier has a kernel for f.
func (t Traits) attends(tier Tier, f FusedAttention) bool {
	return tier != Matrix || t.Units.M > 0 && f.Precision == F16 && f.HeadDim%matrixSide == 0 && f.HeadDim <= 128 && f.Scale <= largestMatrixScale
}

// multiplies reports whether a tier has a kernel for m.
func (t Traits) multiplies(tier Tier, m MatMul) bool {
	return tier != Matrix || t.Units.M > 0 && m.Precision == F16 && m.Depth%8 == 0
}

// matrixTiles are the tiles of sums of matmul_matrix.comp, from the one for many
// rows and columns to the one for few rows, in sums of a subgroup and subgroups
// below and beside one another.
var matrixTiles = []struct{ rows, columns, down, across int }{
	{64, 64, 2, 2}, // each operand is read for 128 others
	{32, 64, 4, 1},
	{32, 32, 2, 2},
	{16, 32, 1, 4},
}

func matrixMatMul(t Traits) []MatMulShape {
	// Of small matrices a tile has no more, so that they fit in registers; and
	// drivers that run on a CPU compile long.
	u, most := t.Units, 4
	if t.CPU {
		most = 2
	}
	var shapes []MatMulShape
	for _, tile := range matrixTiles {
		rows, columns := min(tile.rows/u.M, most), min(tile.columns/u.N, most)
		s := MatMulShape{Tier: Matrix, Rows: tile.down * rows * u.M, Columns: tile.across * columns * u.N,
			Invocations: tile.down * tile.across * u.Subgroup, Down: tile.down}
		if !slices.Contains(shapes, s) {
			shapes = append(shapes, s)
		}
	}
	return shapes
}

// busyTiles are so many that a device is busy with them.
const busyTiles = 128

// matrixMatMulRule takes the largest tile of which there are enough to keep a
// device busy: few rows fill no large tile, and few tiles no device.
func matrixMatMulRule(t Traits, m MatMul) MatMulShape {
	shapes := matrixMatMul(t)
	few := shapes[len(shapes)-1]
	if m.Rows <= few.Rows {
		return few
	}
	shapes = shapes[:len(shapes)-1]
	for _, s := range shapes {
		if ceilDiv(m.Rows, s.Rows)*ceilDiv(m.weights(), s.Columns) >= busyTiles {
			return s
		}
	}
	return shapes[len(shapes)-1]
}

func matrixMatMulConstants(t Traits, s MatMulShape) map[string]uint32 {
	u := t.Units
	c := matrixConstants(t, s.Invocations)
	across := s.Invocations / u.Subgroup / s.Down
	c["DOWN"], c["ROWS"], c["COLUMNS"] = uint32(s.Down), uint32(s.Rows/s.Down/u.M), uint32(s.Columns/across/u.N)
	return c
}

// matrixAttentionRule has a workgroup of four subgroups.
func matrixAttentionRule(t Traits, headDim int) AttentionShape { return matrixAttention(t, headDim)[0] }

// matrixAttention lists one matrix of queries a subgroup and two: those that share
// what they load share registers too. Scores that stay in registers come first.
func matrixAttention(t Traits, headDim int) []AttentionShape {
	var shapes []AttentionShape
	for _, reductions := range []bool{true, false} {
		if reductions && !t.Units.Reductions {
			continue
		}
		shapes = append(shapes, AttentionShape{Tier: Matrix, Rows: Matrix.QueryTile(), Own: matrixSide, Reductions: reductions})
		if headDim <= 64 {
			shapes = append(shapes, AttentionShape{Tier: Matrix, Rows: Matrix.QueryTile(), Own: 2 * matrixSide, Reductions: reductions})
		}
	}
	return shapes
}

func matrixAttentionConstants(t Traits, s AttentionShape) map[string]uint32 {
	c := matrixConstants(t, s.Rows/s.Own*t.Units.Subgroup)
	c["OWN"] = uint32(s.Own / t.Units.M)
	return c
}

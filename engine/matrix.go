package engine

import (
	"github.com/gazevk/gaze/vk"
)

// MatrixUnits are what kernels of tier [Matrix] multiply with: products of an
// M x K and a K x N matrix of f16, summed in f32, by subgroups of so many
// invocations. The zero value is a device without.
type MatrixUnits struct{ M, N, K, Subgroup int }

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
		u := MatrixUnits{s.M, s.N, s.K, subgroup}
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

// constants returns the specialization constants that all kernels on matrix units have.
func (u MatrixUnits) constants(subgroups int) map[string]uint32 {
	return map[string]uint32{"INVOCATIONS": uint32(subgroups * u.Subgroup), "LANES": uint32(u.Subgroup), "M": uint32(u.M), "N": uint32(u.N), "K": uint32(u.K)}
}

// largestMatrixScale bounds the scale of scores, so that none of f16 products is infinite.
const largestMatrixScale = 1e20

// attends reports whether kernels of tier t compute fused attention on tensors of
// precision p. Matrix units take f16 and rows of whole matrices.
func (t Tier) attends(p Precision, headDim int, scale float64) bool {
	return t != Matrix || p == F16 && headDim%matrixSide == 0 && headDim <= 128 && scale <= largestMatrixScale
}

// multiplies reports whether kernels of tier t compute products of precision p and
// such a depth. Matrix units take f16, and rows of groups of eight.
func (t Tier) multiplies(p Precision, depth int) bool {
	return t != Matrix || p == F16 && depth%8 == 0
}

// matrixQueryTile is the queries of a tile of the block map of tier Matrix.
const matrixQueryTile = 64

// shape returns that of matmul_matrix.comp whose subgroups lie down and
// across, each with rows by columns matrices of sums.
func (u MatrixUnits) shape(down, across, rows, columns int) MatMulShape {
	return MatMulShape{Tier: Matrix, Rows: down * rows * u.M, Columns: across * columns * u.N, Invocations: down * across * u.Subgroup, Down: down}
}

// matrixMatMul lists the shapes: many sums, fewer, and those for few rows.
func matrixMatMul(t Traits) []MatMulShape {
	u := t.Units
	side := func(sums, unit int) int { return max(sums/unit, 1) }
	return []MatMulShape{
		u.shape(2, 2, min(side(64, u.M), 4), min(side(64, u.N), 4)),
		u.shape(2, 2, min(side(32, u.M), 2), 2),
		u.shape(1, 4, side(16, u.M), 2),
	}
}

// matrixMatMulRule chooses a shape for m. Few rows fill no large tile, and few
// tiles no device.
func matrixMatMulRule(t Traits, m MatMul) MatMulShape {
	shapes := matrixMatMul(t)
	most, less, few := shapes[0], shapes[1], shapes[2]
	switch {
	case m.Rows <= 16:
		return few
	case ceilDiv(m.Rows, most.Rows)*ceilDiv(m.weights(), most.Columns) < 64:
		return less
	}
	return most
}

func matrixMatMulConstants(t Traits, s MatMulShape) map[string]uint32 {
	subgroups := s.Invocations / t.Units.Subgroup
	constants := t.Units.constants(subgroups)
	constants["DOWN"] = uint32(s.Down)
	constants["ROWS"] = uint32(s.Rows / (s.Down * t.Units.M))
	constants["COLUMNS"] = uint32(s.Columns / (subgroups / s.Down * t.Units.N))
	return constants
}

// matrixAttentionRule has 16 queries or more a subgroup, so that four subgroups
// share what they fetch.
func matrixAttentionRule(Traits, int) AttentionShape { return AttentionShape{Matrix, matrixQueryTile} }

func matrixAttention(t Traits, headDim int) []AttentionShape {
	return []AttentionShape{matrixAttentionRule(t, headDim)}
}

func matrixAttentionConstants(t Traits, s AttentionShape) map[string]uint32 {
	own := matrixSide / t.Units.M // rows of matrices that a subgroup owns
	constants := t.Units.constants(s.Rows / (own * t.Units.M))
	constants["OWN"] = uint32(own)
	return constants
}

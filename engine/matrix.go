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

// attends returns the tier of the fused attention on tensors of precision p.
// Matrix units take f16 and rows of whole matrices.
func (t Traits) attends(p Precision, headDim int, scale float64) Tier {
	if t.Tier == Matrix && (p != F16 || headDim%matrixSide != 0 || headDim > 128 || scale > largestMatrixScale) {
		return t.plain()
	}
	return t.Tier
}

// QueryTile returns the queries of a tile of the block map of attention with heads
// of headDim elements, in precision p, with scores scaled by scale.
func (t Traits) QueryTile(p Precision, headDim int, scale float64) int {
	if t.attends(p, headDim, scale) == Matrix {
		return 64
	}
	return 32
}

// multiplies returns the tier of a matrix product. Matrix units take f16, and
// rows of groups of eight.
func (t Traits) multiplies(p Precision, depth int) Tier {
	if t.Tier == Matrix && (p != F16 || depth%8 != 0) {
		return t.plain()
	}
	return t.Tier
}

// A matrixTile is what a workgroup of matmul_matrix.comp has of the sums: subgroups
// lie down and across, and each has rows by columns matrices.
type matrixTile struct{ down, across, rows, columns int }

// matrixTile chooses a tile for rows x columns sums. Few rows fill no large
// tile, and few tiles no device.
func (u MatrixUnits) tile(rows, columns int) matrixTile {
	side := func(sums, unit int) int { return max(sums/unit, 1) }
	most := matrixTile{2, 2, min(side(64, u.M), 4), min(side(64, u.N), 4)}
	less := matrixTile{2, 2, min(side(32, u.M), 2), 2}
	few := matrixTile{1, 4, side(16, u.M), 2}
	height, width := most.down*most.rows*u.M, most.across*most.columns*u.N
	switch {
	case rows <= 16:
		return few
	case ceilDiv(rows, height)*ceilDiv(columns, width) < 64:
		return less
	}
	return most
}

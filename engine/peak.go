package engine

import "github.com/gazevk/gaze/vk"

// A PeakMultiply keeps a device busy with multiply-adds and nothing else: Sums
// independent chains of four elements an invocation (shaders/limit_multiply.comp).
type PeakMultiply struct {
	Precision      Precision // of the arithmetic, unlike elsewhere; f16 needs vk.Features.Float16
	Sums           int       // one of PeakSums
	Lanes, Groups  int       // invocations of a workgroup, and workgroups
	Rounds         int       // of 16 steps, at most 64
	Repeats        int       // of all rounds, at most 256
	Factors, Total Ref       // PeakFactors; [Groups * Lanes] f32
}

// PeakFactors are how many f32 of 1 a PeakMultiply and a PeakMatrix read.
const PeakFactors = 64

// PeakSums are the chains of four elements that there are kernels for.
func PeakSums(p Precision) []int {
	if p == F16 {
		return []int{2, 4, 8}
	}
	return []int{2, 3, 4, 8}
}

// Pass returns the dispatch that computes p.
func (p PeakMultiply) Pass() Pass {
	kernel := map[int]string{2: "limit_multiply_2_", 3: "limit_multiply_3_", 4: "limit_multiply_4_", 8: "limit_multiply_8_"}[p.Sums]
	return Pass{
		Kernel: kernel + string(p.Precision), Constants: map[string]uint32{"LANES": uint32(p.Lanes)},
		Push: map[string]any{"rounds": p.Rounds, "repeats": p.Repeats},
		Bind: []Ref{p.Factors, p.Total}, Groups: [3]uint32{uint32(p.Groups), 1, 1},
		MultiplyAdds: int64(p.Groups) * int64(p.Lanes) * int64(p.Repeats) * int64(p.Rounds) * 16 * int64(4*p.Sums),
		Bytes:        4 * int64(p.Groups) * int64(p.Lanes),
	}
}

// Sum returns what invocation i of p must give, exactly.
func (p PeakMultiply) Sum(i int) float32 {
	sum, elements := 0, 4*p.Sums
	for repeat := range p.Repeats {
		sum += elements*((i+repeat)%16+16*p.Rounds) + elements*(elements-1)/2
	}
	return float32(sum)
}

// A PeakMatrix keeps matrix units busy with products of f16 matrices of some
// shape, summed in f32, and nothing else (shaders/limit_matrix.comp).
type PeakMatrix struct {
	M, N, K        int
	Subgroup       int // invocations of a subgroup; a workgroup has four
	Groups, Rounds int // workgroups; rounds of eight products a subgroup, so few that 8 Rounds K is at most 2^23
	Factors, Total Ref // PeakFactors; [4 Groups, M, N] f32
}

// PeakShape reports whether there is a kernel for products of this shape.
func PeakShape(s vk.MatrixShape) bool {
	return s.A == "f16" && s.B == "f16" && s.C == "f32" && s.Accumulator == "f32"
}

// Subgroups of a workgroup of PeakMatrix, and its products a round.
const peakSubgroups, peakProducts = 4, 8

// Elements returns how many sums p gives.
func (p PeakMatrix) Elements() int { return peakSubgroups * p.Groups * p.M * p.N }

// Pass returns the dispatch that computes p.
func (p PeakMatrix) Pass() Pass {
	return Pass{
		Kernel:    "limit_matrix",
		Constants: map[string]uint32{"LANES": uint32(peakSubgroups * p.Subgroup), "M": uint32(p.M), "N": uint32(p.N), "K": uint32(p.K)},
		Push:      map[string]any{"rounds": p.Rounds},
		Bind:      []Ref{p.Factors, p.Total}, Groups: [3]uint32{uint32(p.Groups), 1, 1},
		MultiplyAdds: int64(p.Elements()) * int64(p.K) * int64(p.Rounds) * peakProducts,
		Bytes:        4 * int64(p.Elements()),
	}
}

// Sum returns what element i of p must be, exactly.
func (p PeakMatrix) Sum(i int) float32 {
	group := i / (peakSubgroups * p.M * p.N)
	return float32(4*(group%16) + peakProducts*p.Rounds*p.K)
}

// A PeakCopy copies vectors of four f32 and nothing else (shaders/limit_copy.comp).
type PeakCopy struct {
	Vectors     int
	Repeats     int
	Lanes, Each int  // invocations of a workgroup, and vectors of each
	Alone       bool // an invocation's vectors follow one another, else the workgroup's do
	X, Y        Ref
}

// Pass returns the dispatch that computes p.
func (p PeakCopy) Pass() Pass {
	alone := uint32(0)
	if p.Alone {
		alone = 1
	}
	blocks := ceilDiv(p.Vectors, p.Lanes*p.Each)
	return Pass{
		Kernel: "limit_copy", Constants: map[string]uint32{"LANES": uint32(p.Lanes), "EACH": uint32(p.Each), "ALONE": alone},
		Push: map[string]any{"vectors": p.Vectors, "blocks": blocks, "repeats": p.Repeats},
		Bind: []Ref{p.X, p.Y}, Groups: [3]uint32{blocks, 1, 1}, Bytes: 32 * int64(p.Vectors) * int64(p.Repeats),
	}
}

// EmptyDispatch returns the least that a dispatch can do: it adds 1 to the word
// at count, after the one before it (shaders/limit_dispatch.comp).
func EmptyDispatch(count Ref) Pass {
	return Pass{Kernel: "limit_dispatch", Constants: map[string]uint32{}, Push: map[string]any{}, Bind: []Ref{count}, Groups: [3]uint32{1, 1, 1}, Bytes: 8}
}

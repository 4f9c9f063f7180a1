package reference_test

import (
	"math"
	"slices"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/reference"
)

// Quarter turns: cos 0, sin 1 takes (a, b) to (-b, a), in halves of the vector.
func TestRopeByHand(t *testing.T) {
	cos := []float32{1, 1, 0, 0.6}
	sin := []float32{0, 0, 1, 0.8}
	x := []float64{
		1, 2, 3, 4, // head 0, at position 1
		5, 6, 7, 8, // head 0, at position 0
		1, 2, 3, 4, // head 1, at position 1
		5, 6, 7, 8, // head 1, at position 0
	}
	before := slices.Clone(x)
	turned := []float64{-3, 2*0.6 - 4*0.8, 1, 4*0.6 + 2*0.8}
	want := slices.Concat(turned, x[4:8], turned, x[4:8])
	near(t, "Rope", reference.Rope(x, cos, sin, []uint32{1, 0}, 2, 4), want, 1e-6) // 0.6 and 0.8 are float32
	near(t, "the argument", x, before, 0)
}

// Products of rotated vectors know only how far apart they are, so that moving
// all positions alike leaves attention unchanged, but for the table's rounding:
// an angle below 32 is off by at most 2^-20, a cosine or sine by 2^-25 more.
func TestRopeKnowsDifferencesOnly(t *testing.T) {
	const heads, n, headDim = 2, 12, 32
	q, k, v := random(5, 1, heads*n*headDim), random(5, 2, heads*n*headDim), random(5, 3, heads*n*headDim)
	cos, sin := gaze.RoPE{Theta: 10000}.Table(headDim, 32)
	attend := func(offset uint32) (output, lse []float64) {
		positions := gaze.Lengths{n}.Positions()
		for i := range positions {
			positions[i] += offset
		}
		rotatedQ := reference.Rope(q, cos, sin, positions, heads, headDim)
		rotatedK := reference.Rope(k, cos, sin, positions, heads, headDim)
		return reference.Attention(rotatedQ, rotatedK, v, 1/math.Sqrt(headDim), gaze.SlidingWindow{Left: 4, Right: 4}, gaze.Lengths{n}, heads, headDim)
	}
	output, lse := attend(0)
	movedOutput, movedLSE := attend(20)
	// A score is a sum of 32 products of order 1, over sqrt(32).
	const tolerance = 32 / 5.6 * 4 * 0x1p-20
	near(t, "lse", movedLSE, lse, tolerance)
	near(t, "output", movedOutput, output, 4*tolerance)
	if slices.Equal(output, movedOutput) {
		t.Error("moving the positions changed nothing at all: nothing was rotated")
	}
}

// The interleaved layout is the other one in another order of elements and rows.
func TestRopeInterleaved(t *testing.T) {
	const heads, n, headDim = 3, 5, 96
	positions := []uint32{4, 0, 7, 7, 1}
	cos, sin := gaze.RoPE{Theta: 100}.Table(headDim, 8)
	x := random(7, 1, heads*n*headDim)
	interleaved := func(x []float64) []float64 { // from [heads, n, headDim]
		out := make([]float64, len(x))
		for i := range x {
			head, row, d := i/(n*headDim), i/headDim%n, i%headDim
			out[(row*heads+head)*headDim+d%(headDim/2)*2+d/(headDim/2)] = x[i]
		}
		return out
	}
	near(t, "RopeInterleaved", reference.RopeInterleaved(interleaved(x), cos, sin, positions, heads, headDim),
		interleaved(reference.Rope(x, cos, sin, positions, heads, headDim)), 0)
}

func TestRopeKeepsLengths(t *testing.T) {
	const heads, n, headDim = 1, 50, 64
	x := random(9, 1, heads*n*headDim)
	cos, sin := gaze.RoPE{Theta: 160000}.Table(headDim, n)
	rotated := reference.Rope(x, cos, sin, gaze.Lengths{n}.Positions(), heads, headDim)
	norm := func(x []float64) float64 {
		sum := 0.0
		for _, value := range x {
			sum += value * value
		}
		return math.Sqrt(sum)
	}
	for i := range n {
		a, b := norm(x[i*headDim:(i+1)*headDim]), norm(rotated[i*headDim:(i+1)*headDim])
		if math.Abs(a-b) > 1e-7*a { // cos and sin are rounded to float32
			t.Fatalf("row %d: length %v became %v", i, a, b)
		}
	}
}

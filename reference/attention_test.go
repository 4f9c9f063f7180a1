package reference_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/reference"
)

// One head, two tokens: with scores ln 1 and ln 3 the weights are 1/4 and 3/4.
func TestAttentionByHand(t *testing.T) {
	q := []float64{1, 0, 0, 0}
	k := []float64{0, 5, math.Log(3), 7}
	v := []float64{4, 8, 0, 16}
	lengths := gaze.Lengths{2}

	scores := reference.Scores(q, k, 1, 1, 2, 2)
	near(t, "scores", scores, []float64{0, math.Log(3), 0, 0}, 0)
	weights, lse := reference.Softmax(scores, gaze.Full{}, lengths, 1)
	near(t, "weights", weights, []float64{0.25, 0.75, 0.5, 0.5}, 1e-15)
	near(t, "lse", lse, []float64{math.Log(4), math.Log(2)}, 1e-15)
	near(t, "context", reference.Context(weights, v, 1, 2, 2), []float64{1, 14, 2, 12}, 1e-14)

	output, lse := reference.Attention(q, k, v, 1, gaze.Full{}, lengths, 1, 2)
	near(t, "output", output, []float64{1, 14, 2, 12}, 1e-14)
	near(t, "lse", lse, []float64{math.Log(4), math.Log(2)}, 1e-15)
	near(t, "weights again", reference.Weights(q, k, lse, 1, gaze.Full{}, lengths, 1, 2), weights, 1e-15)

	// Causal hides the second key from the first query.
	output, lse = reference.Attention(q, k, v, 1, gaze.Causal{}, lengths, 1, 2)
	near(t, "causal output", output, []float64{4, 8, 2, 12}, 1e-14)
	near(t, "causal lse", lse, []float64{0, math.Log(2)}, 1e-15)

	// Two sequences of one token each: every query sees itself alone.
	output, lse = reference.Attention(q, k, v, 1, gaze.Full{}, gaze.Lengths{1, 1}, 1, 2)
	near(t, "packed output", output, v, 0)
	near(t, "packed lse", lse, []float64{0, 0}, 0)
}

// The window of width 0 and the global token 0 share nothing past key 0.
func TestQueryThatSeesNothing(t *testing.T) {
	pattern := gaze.All{gaze.SlidingWindow{}, gaze.GlobalTokens{Tokens: []int{0}}}
	q, k, v := random(1, 3, 3*2), random(2, 3, 3*2), random(3, 3, 3*2)
	lengths := gaze.Lengths{3}
	infinity := math.Inf(-1)

	weights, lse := reference.Softmax(reference.Scores(q, k, 1, 1, 3, 2), pattern, lengths, 1)
	near(t, "weights", weights, []float64{1, 0, 0, 0, 0, 0, 0, 0, 0}, 0)
	near(t, "lse", lse[1:], []float64{infinity, infinity}, 0)
	output, lse := reference.Attention(q, k, v, 1, pattern, lengths, 1, 2)
	near(t, "output", output, []float64{v[0], v[1], 0, 0, 0, 0}, 0)
	near(t, "lse", lse[1:], []float64{infinity, infinity}, 0)
	near(t, "weights again", reference.Weights(q, k, lse, 1, pattern, lengths, 1, 2), weights, 1e-15)
}

// Scores of 1e4 and -1e4 would overflow or vanish without the row's maximum.
func TestExtremeScores(t *testing.T) {
	q := []float64{1e2, 1e2, 0}
	k := []float64{1e2, -1e2, 1e2}
	v := []float64{3, 5, 7}
	output, lse := reference.Attention(q, k, v, 1, gaze.Full{}, gaze.Lengths{3}, 1, 1)
	near(t, "output", output, []float64{5, 5, 5}, 1e-15)
	near(t, "lse", lse, []float64{1e4 + math.Log(2), 1e4 + math.Log(2), math.Log(3)}, 2e-12)

	output, lse = reference.Attention(q, k, v, -1, gaze.Full{}, gaze.Lengths{3}, 1, 1)
	near(t, "output, negated", output, []float64{5, 5, 5}, 1e-15)
	near(t, "lse, negated", lse[:2], []float64{1e4, 1e4}, 0)
}

func TestNaNShows(t *testing.T) {
	q := []float64{1, math.NaN()}
	output, lse := reference.Attention(q, []float64{1, 1}, []float64{1, 1}, 1, gaze.Full{}, gaze.Lengths{2}, 1, 1)
	if output[0] != 1 || !math.IsNaN(output[1]) || math.IsNaN(lse[0]) || !math.IsNaN(lse[1]) {
		t.Errorf("output %v, lse %v: expected NaN in the second row alone", output, lse)
	}
}

func TestWrongLengthPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a v that is too long went unnoticed")
		}
	}()
	reference.Attention(make([]float64, 4), make([]float64, 4), make([]float64, 6), 1, gaze.Full{}, gaze.Lengths{2}, 1, 2)
}

// Every property below holds for any inputs, lengths and pattern.
func TestAttentionProperties(t *testing.T) {
	const heads, headDim = 2, 8
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 0))
		lengths := make(gaze.Lengths, 1+rng.IntN(4))
		for i := range lengths {
			lengths[i] = 1 + rng.IntN(20)
		}
		n := lengths.Tokens()
		pattern := randomPattern(rng, 2)
		scale := math.Exp(4*rng.Float64() - 3)
		q, k, v := random(seed, 11, heads*n*headDim), random(seed, 12, heads*n*headDim), random(seed, 13, heads*n*headDim)
		inputs := slices.Concat(q, k, v)

		scores := reference.Scores(q, k, scale, heads, n, headDim)
		before := slices.Clone(scores)
		weights, lse := reference.Softmax(scores, pattern, lengths, heads)
		context := reference.Context(weights, v, heads, n, headDim)
		output, fusedLSE := reference.Attention(q, k, v, scale, pattern, lengths, heads, headDim)
		again := reference.Weights(q, k, lse, scale, pattern, lengths, heads, headDim)

		near(t, "output of both paths", output, context, 1e-13)
		near(t, "lse of both paths", fusedLSE, lse, 1e-13)
		near(t, "weights of both paths", again, weights, 1e-13)
		if !slices.Equal(inputs, slices.Concat(q, k, v)) || !slices.Equal(before, scores) {
			t.Error("an argument was written to")
		}

		positions := lengths.Positions()
		for row := range heads * n {
			sum, query := 0.0, row%n
			for key, weight := range weights[row*n : (row+1)*n] {
				sum += weight
				first := query - int(positions[query]) // of the query's sequence
				length := lengthAt(lengths, query)
				sees := key >= first && key < first+length && gaze.Sees(pattern, query-first, key-first, length)
				if sees != (weight > 0) {
					t.Fatalf("%v %v: query %d, key %d: weight %v, visible %v", pattern, lengths, query, key, weight, sees)
				}
			}
			if sum == 0 && !math.IsInf(lse[row], -1) || sum != 0 && math.Abs(sum-1) > 1e-14 {
				t.Fatalf("%v: weights of row %d sum to %v, lse %v", pattern, row, sum, lse[row])
			}
		}

		// A sequence in a batch gives what it gives alone, to the last bit.
		first := 0
		for _, length := range lengths {
			alone := func(x []float64, width int) []float64 { return rowsOf(x, heads, n, width, first, length) }
			gotOutput, gotLSE := reference.Attention(alone(q, headDim), alone(k, headDim), alone(v, headDim), scale, pattern, gaze.Lengths{length}, heads, headDim)
			near(t, "output of a sequence alone", gotOutput, alone(output, headDim), 0)
			near(t, "lse of a sequence alone", gotLSE, alone(fusedLSE, 1), 0)
			first += length
		}

		// Heads do not know of each other.
		swap := func(x []float64) []float64 { return slices.Concat(x[len(x)/2:], x[:len(x)/2]) }
		swapped, swappedLSE := reference.Attention(swap(q), swap(k), swap(v), scale, pattern, lengths, heads, headDim)
		near(t, "output with heads swapped", swap(swapped), output, 0)
		near(t, "lse with heads swapped", swap(swappedLSE), fusedLSE, 0)
		if t.Failed() {
			t.Fatalf("pattern %v, lengths %v", pattern, lengths)
		}
	}
}

func TestLayerDefaults(t *testing.T) {
	const heads, n, headDim = 2, 9, 32
	lengths := gaze.Lengths{4, 5}
	q, k, v := random(7, 1, heads*n*headDim), random(7, 2, heads*n*headDim), random(7, 3, heads*n*headDim)
	a := gaze.Attention{Heads: heads, HeadDim: headDim}

	output, lse := reference.Layer(a, lengths, q, k, v)
	wantOutput, wantLSE := reference.Attention(q, k, v, 1/math.Sqrt(headDim), gaze.Full{}, lengths, heads, headDim)
	near(t, "output", output, wantOutput, 0)
	near(t, "lse", lse, wantLSE, 0)

	a.RoPE, a.Scale, a.Pattern = gaze.RoPE{Theta: 100}, 0.5, gaze.Causal{}
	output, lse = reference.Layer(a, lengths, q, k, v)
	cos, sin := a.RoPE.Table(headDim, 5)
	positions := []uint32{0, 1, 2, 3, 0, 1, 2, 3, 4}
	rotatedQ := reference.Rope(q, cos, sin, positions, heads, headDim)
	rotatedK := reference.Rope(k, cos, sin, positions, heads, headDim)
	wantOutput, wantLSE = reference.Attention(rotatedQ, rotatedK, v, 0.5, gaze.Causal{}, lengths, heads, headDim)
	near(t, "rotated output", output, wantOutput, 0)
	near(t, "rotated lse", lse, wantLSE, 0)
}

func TestWiden(t *testing.T) {
	got := reference.Widen([]float32{0.1, -3, math.MaxFloat32})
	near(t, "Widen", got, []float64{float64(float32(0.1)), -3, math.MaxFloat32}, 0)
}

// A window's time is linear: 8192 tokens take the visible pairs, not all.
func BenchmarkAttentionWindow8192(b *testing.B) {
	const n, headDim = 8192, 64
	x := random(1, 1, n*headDim)
	for b.Loop() {
		reference.Attention(x, x, x, 0.125, gaze.SlidingWindow{Left: 64, Right: 64}, gaze.Lengths{n}, 1, headDim)
	}
}

// near reports the first element of got that differs from want by more than
// tolerance; equal infinities do not differ.
func near(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d elements, expected %d", what, len(got), len(want))
		return
	}
	for i := range got {
		if got[i] != want[i] && !(math.Abs(got[i]-want[i]) <= tolerance) {
			t.Errorf("%s: element %d is %v, expected %v", what, i, got[i], want[i])
			return
		}
	}
}

func random(seed, stream uint64, count int) []float64 {
	rng := rand.New(rand.NewPCG(seed, stream))
	x := make([]float64, count)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	return x
}

// randomPattern returns any pattern, combinations up to depth levels deep.
func randomPattern(rng *rand.Rand, depth int) gaze.Pattern {
	kinds := 5
	if depth > 0 {
		kinds = 7
	}
	several := func() []gaze.Pattern {
		list := make([]gaze.Pattern, 1+rng.IntN(3))
		for i := range list {
			list[i] = randomPattern(rng, depth-1)
		}
		return list
	}
	switch rng.IntN(kinds) {
	case 0:
		return gaze.Full{}
	case 1:
		return gaze.Causal{}
	case 2:
		return gaze.SlidingWindow{Left: rng.IntN(8), Right: rng.IntN(8)}
	case 3:
		return gaze.DilatedWindow{Reach: rng.IntN(5), Dilation: 1 + rng.IntN(4)}
	case 4:
		return gaze.GlobalTokens{Tokens: []int{rng.IntN(20), rng.IntN(20)}}
	case 5:
		return gaze.Any(several())
	}
	return gaze.All(several())
}

// lengthAt returns the length of the sequence that a packed row belongs to.
func lengthAt(lengths gaze.Lengths, row int) int {
	for _, length := range lengths {
		if row < length {
			return length
		}
		row -= length
	}
	panic("no such row")
}

// rowsOf returns rows first to first+length of every head of x, [heads, n, width].
func rowsOf(x []float64, heads, n, width, first, length int) []float64 {
	var rows []float64
	for h := range heads {
		rows = append(rows, x[(h*n+first)*width:(h*n+first+length)*width]...)
	}
	return rows
}

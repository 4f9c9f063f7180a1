package reference_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/reference"
)

// goldenCases are those of testdata/make_goldens.py, by the same names.
var goldenCases = map[string]struct {
	attention gaze.Attention
	lengths   gaze.Lengths
}{
	"full":                {small(gaze.Full{}), gaze.Lengths{13}},
	"full packed":         {small(nil), gaze.Lengths{1, 7, 5}},
	"window symmetric":    {small(gaze.SlidingWindow{Left: 3, Right: 3}), gaze.Lengths{13}},
	"window asymmetric":   {small(gaze.SlidingWindow{Left: 1, Right: 5}), gaze.Lengths{13}},
	"window left packed":  {small(gaze.SlidingWindow{Left: 4}), gaze.Lengths{1, 7, 5}},
	"dilated":             {small(gaze.DilatedWindow{Reach: 2, Dilation: 3}), gaze.Lengths{13}},
	"dilated packed":      {small(gaze.DilatedWindow{Reach: 100, Dilation: 2}), gaze.Lengths{1, 7, 5}},
	"global packed":       {small(gaze.GlobalTokens{Tokens: []int{0, 6, 40}}), gaze.Lengths{1, 7, 5}},
	"causal":              {small(gaze.Causal{}), gaze.Lengths{13}},
	"causal packed":       {small(gaze.Causal{}), gaze.Lengths{6, 7}},
	"any packed":          {small(gaze.Any{gaze.SlidingWindow{Left: 1, Right: 1}, gaze.GlobalTokens{Tokens: []int{0}}}), gaze.Lengths{1, 7, 5}},
	"all":                 {small(gaze.All{gaze.Causal{}, gaze.SlidingWindow{Left: 3, Right: 3}}), gaze.Lengths{13}},
	"nested packed":       {small(gaze.Any{gaze.All{gaze.Causal{}, gaze.DilatedWindow{Reach: 3, Dilation: 2}}, gaze.GlobalTokens{Tokens: []int{2}}}), gaze.Lengths{5, 8}},
	"sees nothing":        {small(gaze.All{gaze.SlidingWindow{Left: 1, Right: 1}, gaze.GlobalTokens{Tokens: []int{0}}}), gaze.Lengths{13}},
	"scores of thousands": {gaze.Attention{Heads: 2, HeadDim: 32, Scale: 1000}, gaze.Lengths{13}},
	"rope global":         {gaze.Attention{Heads: 2, HeadDim: 32, RoPE: gaze.RoPE{Theta: 160000}}, gaze.Lengths{13}},
	"rope local packed":   {gaze.Attention{Heads: 2, HeadDim: 32, RoPE: gaze.RoPE{Theta: 10000}, Pattern: gaze.SlidingWindow{Left: 3, Right: 3}}, gaze.Lengths{1, 7, 5}},
	"head dim 64":         {gaze.Attention{Heads: 1, HeadDim: 64, RoPE: gaze.RoPE{Theta: 10000}}, gaze.Lengths{5}},
	"head dim 96":         {gaze.Attention{Heads: 1, HeadDim: 96, RoPE: gaze.RoPE{Theta: 10000}}, gaze.Lengths{5}},
	"head dim 128":        {gaze.Attention{Heads: 1, HeadDim: 128, RoPE: gaze.RoPE{Theta: 10000}}, gaze.Lengths{5}},
}

func small(pattern gaze.Pattern) gaze.Attention {
	return gaze.Attention{Heads: 2, HeadDim: 32, Pattern: pattern}
}

func TestAttentionLikeTorch(t *testing.T) {
	file := open(t, "testdata/attention.safetensors")
	for name := range goldenCases {
		t.Run(name, func(t *testing.T) { compareWithTorch(t, file, name) })
	}
	for _, name := range file.Names() {
		if name, isCase := strings.CutSuffix(name, ": output"); isCase {
			if _, known := goldenCases[name]; !known {
				t.Errorf("case %q of the goldens is not tested", name)
			}
		}
	}
}

func compareWithTorch(t *testing.T, file *checkpoint.File, name string) {
	a, lengths := goldenCases[name].attention, goldenCases[name].lengths
	n := lengths.Tokens()
	shape := fmt.Sprintf("%dx%dx%d", a.Heads, n, a.HeadDim)
	q, k, v := values(t, file, "q "+shape), values(t, file, "k "+shape), values(t, file, "v "+shape)
	wantOutput, wantLSE := values(t, file, name+": output"), values(t, file, name+": lse")

	// float64 carries 2^-53; sums of at most 128 terms lose at most 2^7 of it,
	// and an error in a score grows with the score, of which some reach 1e4.
	const tolerance = 0x1p-46
	scoreTolerance := tolerance
	if a.Scale != 0 {
		scoreTolerance *= a.Scale
	}
	if a.RoPE.Enabled() {
		cos, sin := narrow(values(t, file, name+": cos")), narrow(values(t, file, name+": sin"))
		rows := make([]uint32, n) // the stored tables have a row for each packed row
		for i := range rows {
			rows[i] = uint32(i)
		}
		rotatedQ := reference.Rope(q, cos, sin, rows, a.Heads, a.HeadDim)
		rotatedK := reference.Rope(k, cos, sin, rows, a.Heads, a.HeadDim)
		near(t, "q rotated", rotatedQ, values(t, file, name+": q rotated"), tolerance)
		output, lse := reference.Attention(rotatedQ, rotatedK, v, a.ScoreScale(), a.Visible(), lengths, a.Heads, a.HeadDim)
		near(t, "output of the rotated", output, wantOutput, scoreTolerance)
		near(t, "lse of the rotated", lse, wantLSE, scoreTolerance)
		// Layer makes its own tables, which may differ in a float32's last place.
		scoreTolerance = 0x1p-20
	}
	output, lse := reference.Layer(a, lengths, q, k, v)
	near(t, "output", output, wantOutput, scoreTolerance)
	near(t, "lse", lse, wantLSE, scoreTolerance)
}

// gaze.RoPE's tables against those of transformers, whose cosines and sines are
// within one unit of the last place where ours are rounded correctly. That also
// shows that the frequencies are equal to the bit: at position 8191 another
// last bit in one would move its angle by up to 5e-4.
func TestTableLikeTransformers(t *testing.T) {
	file := open(t, "testdata/rope.safetensors")
	positions, ok := file.Tensor("positions")
	if !ok {
		t.Fatal("no positions")
	}
	for _, theta := range []int{10000, 160000} {
		for _, headDim := range gaze.HeadDims {
			cos, sin := gaze.RoPE{Theta: float64(theta)}.Table(headDim, 8192)
			wantCos := values(t, file, fmt.Sprintf("cos %d %d", theta, headDim))
			wantSin := values(t, file, fmt.Sprintf("sin %d %d", theta, headDim))
			half := headDim / 2
			for i := range positions.Shape[0] {
				p := int(binary.LittleEndian.Uint32(positions.Bytes()[4*i:]))
				for j := range half {
					for _, pair := range [][2]float32{
						{cos[p*half+j], float32(wantCos[i*half+j])},
						{sin[p*half+j], float32(wantSin[i*half+j])},
					} {
						if ulps(pair[0], pair[1]) > 1 {
							t.Errorf("theta %d, head dim %d, position %d, pair %d: %v, transformers has %v: %d ulp apart",
								theta, headDim, p, j, pair[0], pair[1], ulps(pair[0], pair[1]))
						}
					}
				}
			}
		}
	}
}

// ulps counts the float32 values between a and b.
func ulps(a, b float32) int64 {
	ordered := func(f float32) int64 {
		bits := int64(int32(math.Float32bits(f)))
		if bits < 0 {
			return math.MinInt32 - bits
		}
		return bits
	}
	return max(ordered(a)-ordered(b), ordered(b)-ordered(a))
}

func open(t *testing.T, path string) *checkpoint.File {
	t.Helper()
	file, err := checkpoint.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

// values returns the elements of an F32 or F64 tensor.
func values(t *testing.T, file *checkpoint.File, name string) []float64 {
	t.Helper()
	tensor, ok := file.Tensor(name)
	if !ok {
		t.Fatalf("no tensor %q", name)
	}
	if tensor.DType != checkpoint.F64 {
		x, err := tensor.Float32()
		if err != nil {
			t.Fatal(err)
		}
		return reference.Widen(x)
	}
	x := make([]float64, len(tensor.Bytes())/8)
	for i := range x {
		x[i] = math.Float64frombits(binary.LittleEndian.Uint64(tensor.Bytes()[8*i:]))
	}
	return x
}

func narrow(x []float64) []float32 {
	narrowed := make([]float32, len(x))
	for i, value := range x {
		narrowed[i] = float32(value)
	}
	return narrowed
}

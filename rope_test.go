package gaze_test

import (
	"math"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
)

// theta 10000 and 4 elements: the two frequencies are 1 and 1/100.
func TestRoPETableByHand(t *testing.T) {
	cos, sin := gaze.RoPE{Theta: 10000}.Table(4, 3)
	if len(cos) != 6 || len(sin) != 6 {
		t.Fatalf("%d cosines, %d sines: expected 6", len(cos), len(sin))
	}
	hundredth := float64(float32(0.01)) // frequencies and angles are float32
	twoHundredths := float64(float32(0.02))
	for i, angle := range []float64{0, 0, 1, hundredth, 2, twoHundredths} {
		if cos[i] != float32(math.Cos(angle)) || sin[i] != float32(math.Sin(angle)) {
			t.Errorf("element %d: cosine %v, sine %v: expected those of %v", i, cos[i], sin[i], angle)
		}
	}
}

// Every angle is position * theta^(-2j/headDim), but for three roundings to
// float32: the exponent's, the frequency's and the angle's own.
func TestRoPETableAngles(t *testing.T) {
	for _, theta := range []float64{1, 10000, 160000, 1e7} {
		for _, headDim := range gaze.HeadDims {
			const positions = 8192
			cos, sin := gaze.RoPE{Theta: theta}.Table(headDim, positions)
			half := headDim / 2
			for p := 0; p < positions; p += 61 {
				for j := range half {
					angle := float64(p) * math.Pow(theta, -2*float64(j)/float64(headDim))
					// An exponent that is off by 2^-25 moves a frequency by ln(theta) times as much.
					tolerance := angle*0x1p-24*(3+math.Log(theta)) + 0x1p-24
					c, s := float64(cos[p*half+j]), float64(sin[p*half+j])
					if math.Abs(c-math.Cos(angle)) > tolerance || math.Abs(s-math.Sin(angle)) > tolerance {
						t.Fatalf("theta %v, head dim %d, position %d, pair %d: %v, %v", theta, headDim, p, j, c, s)
					}
					if math.Abs(c*c+s*s-1) > 0x1p-22 {
						t.Fatalf("theta %v, head dim %d, position %d, pair %d: %v, %v are not on the circle", theta, headDim, p, j, c, s)
					}
				}
			}
		}
	}
}

// The product of a query rotated to p and a key rotated to r is the same for
// all p and r equally far apart.
func TestRoPEProductsDependOnDifferences(t *testing.T) {
	const headDim, half, positions = 64, 32, 64
	cos, sin := gaze.RoPE{Theta: 10000}.Table(headDim, positions)
	var query, key [headDim]float64
	for i := range headDim {
		query[i], key[i] = math.Sin(float64(3*i+1)), math.Cos(float64(5*i))
	}
	rotate := func(x [headDim]float64, p int) (out [headDim]float64) {
		for j := range half {
			c, s := float64(cos[p*half+j]), float64(sin[p*half+j])
			out[j] = x[j]*c - x[j+half]*s
			out[j+half] = x[j+half]*c + x[j]*s
		}
		return out
	}
	product := func(p, r int) (sum float64) {
		a, b := rotate(query, p), rotate(key, r)
		for i := range a {
			sum += a[i] * b[i]
		}
		return sum
	}
	// An angle below 64 is off by at most 2^-19 in float32; 64 products of at most 1.
	const tolerance = 64 * 4 * 0x1p-19
	for difference := range 20 {
		first := product(difference, 0)
		for p := difference; p < positions; p++ {
			if math.Abs(product(p, p-difference)-first) > tolerance {
				t.Fatalf("positions %d and %d: %v, but %d and 0: %v", p, p-difference, product(p, p-difference), difference, first)
			}
		}
	}
	if math.Abs(product(1, 0)-product(0, 1)) < tolerance || math.Abs(product(1, 0)-product(9, 0)) < tolerance {
		t.Error("the product does not depend on the difference either")
	}
}

func TestRoPEValidate(t *testing.T) {
	for _, theta := range []float64{0, 1, 10000, math.MaxFloat32} {
		if err := (gaze.RoPE{Theta: theta}).Validate(); err != nil {
			t.Errorf("theta %v: %v", theta, err)
		}
	}
	for _, theta := range []float64{-1, 0.5, math.NaN(), 1e39, math.Inf(1), math.Inf(-1)} {
		if err := (gaze.RoPE{Theta: theta}).Validate(); err == nil || !strings.Contains(err.Error(), "rope_theta is") {
			t.Errorf("theta %v: %v", theta, err)
		}
	}
	if (gaze.RoPE{}).Enabled() || !(gaze.RoPE{Theta: 1}).Enabled() {
		t.Error("theta 0, and that alone, means no rotation")
	}
}

// With linear scaling by 4, position 4p turns as position p does without. Both
// the division by 4 and the product with 4 are exact.
func TestRoPELinearScaling(t *testing.T) {
	const headDim, half, positions = 64, 32, 100
	plain := gaze.RoPE{Theta: 10000}
	scaled := gaze.RoPE{Theta: 10000, Scaling: gaze.RoPEScaling{Method: gaze.LinearScaling, Factor: 4}}
	cos, sin := plain.Table(headDim, positions)
	longCos, longSin := scaled.Table(headDim, 4*positions)
	for p := range positions {
		for j := range half {
			if cos[p*half+j] != longCos[4*p*half+j] || sin[p*half+j] != longSin[4*p*half+j] {
				t.Fatalf("position %d, pair %d: not the angle of position %d without scaling", 4*p, j, p)
			}
		}
	}
}

// YaRN by the paper's definition: a pair turns original/wavelength times; with
// 32 turns or more it is kept, with one or fewer its frequency is divided, and
// between them the frequency lies between the two. The ends are rounded
// outwards to whole pairs, so that the pairs next to them belong to the blend.
func TestRoPEYaRN(t *testing.T) {
	const theta, headDim, half, original, factor = 160000, 64, 32, 8192, 4
	plain := gaze.RoPE{Theta: theta}
	for _, attentionFactor := range []float64{0, 1, 2} {
		scaled := gaze.RoPE{Theta: theta, Scaling: gaze.RoPEScaling{
			Method: gaze.YaRNScaling, Factor: factor, OriginalPositions: original, AttentionFactor: attentionFactor,
		}}
		if attentionFactor == 0 {
			attentionFactor = 0.1*math.Log(factor) + 1
		}
		cos, sin := plain.Table(headDim, 2)
		gotCos, gotSin := scaled.Table(headDim, 2)
		kept, blended, divided := 0, 0, 0
		for j := range half {
			if float64(gotCos[j]) != float64(float32(attentionFactor)) || gotSin[j] != 0 {
				t.Errorf("position 0, pair %d: cosine %v, sine %v: expected %v and 0", j, gotCos[j], gotSin[j], attentionFactor)
			}
			frequency := math.Atan2(float64(sin[half+j]), float64(cos[half+j]))
			got := math.Atan2(float64(gotSin[half+j]), float64(gotCos[half+j]))
			turns := original * frequency / (2 * math.Pi)
			next := math.Pow(theta, 2.0/headDim) // turns of the pair before, divided by its own
			switch {
			case turns > 32*next:
				kept++
				if math.Abs(got/frequency-1) > 0x1p-20 {
					t.Errorf("pair %d turns %.1f times: its frequency became %v of what it was", j, turns, got/frequency)
				}
			case turns < 1/next:
				divided++
				if math.Abs(got/frequency*factor-1) > 0x1p-20 {
					t.Errorf("pair %d turns %.3f times: its frequency became %v of what it was", j, turns, got/frequency)
				}
			case turns < 32/next && turns > next:
				blended++
				if got/frequency > 0.999 || got/frequency*factor < 1.001 {
					t.Errorf("pair %d turns %.2f times: its frequency became %v of what it was", j, turns, got/frequency)
				}
			}
		}
		if kept < 5 || blended < 5 || divided < 5 {
			t.Errorf("%d kept, %d blended, %d divided: the case tests too little", kept, blended, divided)
		}
	}
}

func TestRoPEScalingValidate(t *testing.T) {
	yarn := gaze.RoPEScaling{Method: gaze.YaRNScaling, Factor: 4, OriginalPositions: 8192}
	with := func(change func(*gaze.RoPEScaling)) gaze.RoPEScaling {
		s := yarn
		change(&s)
		return s
	}
	for _, s := range []gaze.RoPEScaling{
		{Method: gaze.LinearScaling, Factor: 0.5}, yarn,
		with(func(s *gaze.RoPEScaling) { s.BetaFast, s.BetaSlow, s.AttentionFactor, s.Untruncated = 16, 2, 0.7, true }),
	} {
		if err := (gaze.RoPE{Theta: 10000, Scaling: s}).Validate(); err != nil {
			t.Errorf("%+v: %v", s, err)
		}
	}
	for _, c := range []struct {
		theta   float64
		scaling gaze.RoPEScaling
		want    string
	}{
		{0, yarn, "rope_theta is 0"},
		{1, yarn, "rope_theta is 1"},
		{10000, gaze.RoPEScaling{Factor: 4}, "rope_type is missing"},
		{10000, gaze.RoPEScaling{Method: "dynamic", Factor: 4}, `rope_type is "dynamic"`},
		{10000, gaze.RoPEScaling{Method: gaze.LinearScaling}, "factor is 0"},
		{10000, gaze.RoPEScaling{Method: gaze.LinearScaling, Factor: 2, BetaFast: 1}, "no parameter but factor"},
		{10000, with(func(s *gaze.RoPEScaling) { s.Factor = math.Inf(1) }), "factor is +Inf"},
		{10000, with(func(s *gaze.RoPEScaling) { s.Factor = -1 }), "factor is -1"},
		{10000, with(func(s *gaze.RoPEScaling) { s.OriginalPositions = 0 }), "original_max_position_embeddings is 0"},
		{10000, with(func(s *gaze.RoPEScaling) { s.BetaFast = math.NaN() }), "beta_fast is NaN"},
		{10000, with(func(s *gaze.RoPEScaling) { s.BetaSlow = -1 }), "beta_slow is -1"},
		{10000, with(func(s *gaze.RoPEScaling) { s.AttentionFactor = -1 }), "attention_factor is -1"},
	} {
		err := (gaze.RoPE{Theta: c.theta, Scaling: c.scaling}).Validate()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("theta %v, %+v: %v: expected an error with %q", c.theta, c.scaling, err, c.want)
		}
	}
}

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
	for _, theta := range []float64{0, 1, 10000, math.MaxFloat64} {
		if err := (gaze.RoPE{Theta: theta}).Validate(); err != nil {
			t.Errorf("theta %v: %v", theta, err)
		}
	}
	for _, theta := range []float64{-1, 0.5, math.NaN(), math.Inf(1), math.Inf(-1)} {
		if err := (gaze.RoPE{Theta: theta}).Validate(); err == nil || !strings.Contains(err.Error(), "rope_theta is") {
			t.Errorf("theta %v: %v", theta, err)
		}
	}
	if (gaze.RoPE{}).Enabled() || !(gaze.RoPE{Theta: 1}).Enabled() {
		t.Error("theta 0, and that alone, means no rotation")
	}
}

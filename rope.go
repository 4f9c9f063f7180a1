package gaze

import (
	"fmt"
	"math"
)

// RoPE is a rotary position embedding in the rotate-half layout (Su et al.
// 2021, arXiv:2104.09864): for j < headDim/2, with angle = position * theta^(-2j/headDim),
//
//	out[j]             = x[j]*cos(angle) - x[j+headDim/2]*sin(angle)
//	out[j+headDim/2]   = x[j+headDim/2]*cos(angle) + x[j]*sin(angle)
//
// The product of a rotated query and a rotated key depends on the difference of
// their positions only.
type RoPE struct {
	Theta float64 // base of the wavelengths; 0 means no rotation
}

// Enabled reports whether r rotates anything.
func (r RoPE) Enabled() bool { return r.Theta != 0 }

// Validate reports a base that gives no angles.
func (r RoPE) Validate() error {
	if r.Theta == 0 {
		return nil
	}
	if math.IsNaN(r.Theta) || math.IsInf(r.Theta, 0) || r.Theta < 1 {
		return fmt.Errorf("rope_theta is %v: it must be a finite number of at least 1, or 0 for no rotation", r.Theta)
	}
	return nil
}

// Table returns the cosines and sines of the first positions, each
// [positions, headDim/2] row-major.
//
// Frequencies and angles are rounded to float32 exactly where transformers
// rounds them (modeling_rope_utils.py, _compute_default_rope_parameters, and
// ModernBertRotaryEmbedding.forward), because at position 8191 that rounding
// moves an angle by up to 3e-4 rad; the cosine and sine of the rounded angle
// are then exact to float32. A GPU's own sin and cos promise far less.
func (r RoPE) Table(headDim, positions int) (cos, sin []float32) {
	half := headDim / 2
	cos = make([]float32, positions*half)
	sin = make([]float32, positions*half)
	frequencies := make([]float32, half)
	for j := range frequencies {
		exponent := float32(2*j) / float32(headDim)
		frequencies[j] = 1 / float32(math.Pow(r.Theta, float64(exponent)))
	}
	for p := range positions {
		for j, f := range frequencies {
			angle := float32(p) * f
			s, c := math.Sincos(float64(angle))
			cos[p*half+j], sin[p*half+j] = float32(c), float32(s)
		}
	}
	return cos, sin
}

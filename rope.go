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
	Theta   float64     // base of the wavelengths; 0 means no rotation
	Scaling RoPEScaling // lengthens the wavelengths; the zero value leaves them
}

// A ScalingMethod says how a [RoPEScaling] lengthens wavelengths. Its values
// are the rope_type of transformers.
type ScalingMethod string

const (
	NoScaling     ScalingMethod = ""       // the wavelengths of Theta
	LinearScaling ScalingMethod = "linear" // every wavelength times Factor
	YaRNScaling   ScalingMethod = "yarn"   // long wavelengths times Factor, short ones as they are
)

// RoPEScaling fits a rotary embedding to longer sequences than it was trained
// on. [LinearScaling] uses Factor alone. [YaRNScaling] (Peng et al. 2023,
// arXiv:2309.00071) keeps a wavelength that turns at least BetaFast times
// within OriginalPositions, multiplies one that turns at most BetaSlow times,
// blends those between, and multiplies all cosines and sines by AttentionFactor.
type RoPEScaling struct {
	Method            ScalingMethod
	Factor            float64 // of the wavelengths, above 0
	OriginalPositions int     // positions of the training
	BetaFast          float64 // turns; 0 means 32
	BetaSlow          float64 // turns; 0 means 1
	AttentionFactor   float64 // 0 means 0.1*ln(Factor) + 1, and 1 for a Factor of at most 1
	Untruncated       bool    // the blend's ends are not rounded to whole pairs of elements
}

// Enabled reports whether r rotates anything.
func (r RoPE) Enabled() bool { return r.Theta != 0 }

// Validate reports the first parameter that gives no angles.
func (r RoPE) Validate() error {
	if r.Theta == 0 {
		if r.Scaling != (RoPEScaling{}) {
			return fmt.Errorf("rope_type is %q and rope_theta is 0: scaling needs wavelengths to scale", r.Scaling.Method)
		}
		return nil
	}
	if math.IsNaN(r.Theta) || r.Theta < 1 || r.Theta > math.MaxFloat32 {
		return fmt.Errorf("rope_theta is %v: it must be a number from 1 to %.2g, or 0 for no rotation", r.Theta, math.MaxFloat32)
	}
	s := r.Scaling
	switch s.Method {
	case NoScaling:
		if s != (RoPEScaling{}) {
			return fmt.Errorf("rope_type is missing: factor and the like need one of %q and %q", LinearScaling, YaRNScaling)
		}
		return nil
	case LinearScaling:
		if s != (RoPEScaling{Method: s.Method, Factor: s.Factor}) {
			return fmt.Errorf("rope_type is %q: it has no parameter but factor", s.Method)
		}
	case YaRNScaling:
		if r.Theta == 1 {
			return fmt.Errorf("rope_theta is 1: %q needs wavelengths that differ", s.Method)
		}
		if s.OriginalPositions < 1 {
			return fmt.Errorf("original_max_position_embeddings is %d: it must be at least 1", s.OriginalPositions)
		}
	default:
		return fmt.Errorf("rope_type is %q: it must be %q or %q, or empty for no scaling", s.Method, LinearScaling, YaRNScaling)
	}
	if math.IsNaN(s.Factor) || math.IsInf(s.Factor, 0) || s.Factor <= 0 {
		return fmt.Errorf("factor is %v: it must be a finite number above 0", s.Factor)
	}
	for _, p := range []struct {
		name  string
		value float64
	}{{"beta_fast", s.BetaFast}, {"beta_slow", s.BetaSlow}, {"attention_factor", s.AttentionFactor}} {
		if math.IsNaN(p.value) || math.IsInf(p.value, 0) || p.value < 0 {
			return fmt.Errorf("%s is %v: it must be a finite number above 0, or 0 for its default", p.name, p.value)
		}
	}
	return nil
}

// Table returns the cosines and sines of the first positions, each
// [positions, headDim/2] row-major.
//
// Frequencies and angles are rounded to float32 exactly where transformers
// rounds them (modeling_rope_utils.py, and ModernBertRotaryEmbedding.forward),
// because at position 8191 that rounding moves an angle by up to 3e-4 rad; the
// cosine and sine of the rounded angle are then exact to float32. A GPU's own
// sin and cos promise far less.
func (r RoPE) Table(headDim, positions int) (cos, sin []float32) {
	half := headDim / 2
	cos = make([]float32, positions*half)
	sin = make([]float32, positions*half)
	frequencies, factor := r.frequencies(headDim)
	for p := range positions {
		for j, f := range frequencies {
			angle := float32(p) * f
			s, c := math.Sincos(float64(angle))
			cos[p*half+j], sin[p*half+j] = float32(c)*factor, float32(s)*factor
		}
	}
	return cos, sin
}

// frequencies returns the angle from one position to the next for each pair of
// elements, and the factor on cosines and sines. Each float32 conversion here
// stands for one that torch makes.
func (r RoPE) frequencies(headDim int) (frequencies []float32, attentionFactor float32) {
	s := r.Scaling
	var first, last float64 // pairs between which YaRN blends
	if s.Method == YaRNScaling {
		first, last = s.blend(r.Theta, headDim)
		attentionFactor = float32(s.attentionFactor())
	} else {
		attentionFactor = 1
	}
	theta := float64(float32(r.Theta))
	frequencies = make([]float32, headDim/2)
	for j := range frequencies {
		exponent := float32(2*j) / float32(headDim)
		base := float32(math.Pow(theta, float64(exponent)))
		frequency := 1 / base
		switch s.Method {
		case LinearScaling:
			frequency /= float32(s.Factor)
		case YaRNScaling:
			ramp := (float32(j) - float32(first)) / float32(last-first)
			kept := 1 - min(max(ramp, 0), 1)
			scaled := 1 / float32(float32(s.Factor)*base)
			frequency = float32(scaled*(1-kept)) + float32(frequency*kept)
		}
		frequencies[j] = frequency
	}
	return frequencies, attentionFactor
}

// blend returns the pairs of elements at which YaRN begins to multiply
// wavelengths and from which on it does so in full. They need not be whole.
func (s RoPEScaling) blend(theta float64, headDim int) (first, last float64) {
	fast, slow := s.BetaFast, s.BetaSlow
	if fast == 0 {
		fast = 32
	}
	if slow == 0 {
		slow = 1
	}
	// The pair whose wavelength fits turns times into the original positions.
	pair := func(turns float64) float64 {
		return float64(headDim) * math.Log(float64(s.OriginalPositions)/(turns*2*math.Pi)) / (2 * math.Log(theta))
	}
	first, last = pair(fast), pair(slow)
	if !s.Untruncated {
		first, last = math.Floor(first), math.Ceil(last)
	}
	first, last = max(first, 0), min(last, float64(headDim-1))
	if first == last {
		last += 0.001 // transformers' guard against a division by zero
	}
	return first, last
}

func (s RoPEScaling) attentionFactor() float64 {
	switch {
	case s.AttentionFactor != 0:
		return s.AttentionFactor
	case s.Factor <= 1:
		return 1
	}
	return 0.1*math.Log(s.Factor) + 1
}

package verify

import (
	"math"
	"strings"

	"github.com/gazevk/gaze/engine"
)

// How far a kernel may be from float64. Every bound follows from the arithmetic
// that the kernel does, with the errors that Vulkan allows ("Precision of
// Operators"), and from Higham, "Accuracy and Stability of Numerical
// Algorithms", section 3.1: a sum of m rounded products is within m u of the sum
// of their magnitudes, in any order of summation. Second-order terms are left
// out; the small constants are rounded up to cover them.
const (
	u      = 0x1p-24 // unit roundoff of f32
	tiny   = 0x1p-126
	lnULPs = 0x1p-21 // what Vulkan allows log2 in [0.5, 2], absolute
)

// halfStep is the relative error of storing as f16, whichever way it is rounded,
// and halfTiny the absolute one below the smallest normal f16, which a device may flush.
const (
	halfStep = 0x1p-10
	halfTiny = 0x1p-14
)

// storeBound: what storing a value as f16 adds.
func storeBound(half bool, value float64) float64 {
	if !half {
		return 0
	}
	return halfStep*math.Abs(value) + halfTiny
}

// ropeBound: two products and their sum, each rounded; then the store.
func ropeBound(precision engine.Precision, first, second, exact float64) float64 {
	return 3*u*(math.Abs(first)+math.Abs(second)) + tiny + storeBound(precision == engine.F16, exact)
}

// scoreBound: headDim products summed, times the scale, itself rounded.
func scoreBound(headDim int, magnitude float64) float64 {
	return float64(headDim+4)*u*magnitude + tiny
}

// exponentBound is the relative error of exp2((s - m) log2 e) for an exact s - m
// of natural exponent x <= 0: the difference, the factor and the product round
// (3 u |x log2 e| in the exponent, whose error exp2 multiplies by ln 2), and exp2
// itself has 3 + 2 |x log2 e| ULP, an ULP being 2 u.
func exponentBound(x float64) float64 {
	x = math.Abs(x) * math.Log2E
	return u * (6 + 7*x)
}

// softmaxBound is the relative error of one weight with exponent x over `seen`
// keys: its own exponential, the sum of the others' (a mean of their errors, the
// mean of |x| under the weights being at most the logarithm of their number,
// plus one rounding an addition and a rescaling of each partial sum at every new
// maximum), and a division of 2.5 ULP.
func softmaxBound(x float64, seen int) float64 {
	n := float64(seen)
	return exponentBound(x) + exponentBound(math.Log(n+1)+1) + u*(n+64)
}

// lseBound: the maximum, the logarithm of the sum (which Vulkan allows an
// absolute error near 1, else 3 ULP) and their sum.
func lseBound(lse float64, seen int) float64 {
	return lnULPs + u*(8*math.Abs(lse)+8) + exponentBound(math.Log(float64(seen)+1)+1) + u*(float64(seen)+64)
}

// contextBound: `seen` products summed; masked weights are exact zeros.
func contextBound(seen int, sumOfMagnitudes float64) float64 {
	return float64(seen+4)*u*sumOfMagnitudes + tiny
}

// flushBound: a device may take a weight below the smallest normal f32, or its
// product with v, for zero.
func flushBound(v float64) float64 { return tiny * (1 + math.Abs(v)) }

// onMatrixUnits reports whether a kernel multiplies on matrix units.
func onMatrixUnits(kernel string) bool { return strings.Contains(kernel, "_matrix") }

// sumsError is the factor on the rounding error of sums: matrix units may round
// either way where other kernels round to nearest.
func sumsError(matrix bool) float64 {
	if matrix {
		return 2
	}
	return 1
}

// weightTiny is the absolute error of a weight that matrix units take as f16,
// lifted by 2^11 above the greatest (shaders/attention_matrix.comp and
// attention_matrix2.comp); its relative one is halfStep.
const weightTiny = halfTiny * 0x1p-11

// weightBound is the relative error of a weight whose scores are wrong by at
// most score: its own score's error and that of the sum, each as an exponent.
func weightBound(x, score float64, seen int) float64 {
	return math.Expm1(2*score) + softmaxBound(x, seen)
}

// turnBound is the share of a score's magnitude that rotating on the device adds
// to its error: both factors may be off by the rotation's rounding, and in f16
// by a different rounding of the store.
func turnBound(rotated bool, precision engine.Precision) float64 {
	if !rotated {
		return 0
	}
	step := 6 * u
	if precision == engine.F16 {
		step += 2 * halfStep
	}
	return 2 * step
}

// cellsBound is how far a cell may be to whose magnitude heads' cells add up: exact
// where one is taken as it is, else a product and a sum of each, rounded, and with a
// mean a division of 2.5 ULP.
func cellsBound(k engine.Cells, magnitude float64) float64 {
	if k.Heads == 1 && k.Fresh && !k.Mean && math.Abs(float64(k.Factor)) == 1 {
		return 0
	}
	bound := float64(k.Heads+1) * u * magnitude
	if k.Mean {
		bound += 5 * u * magnitude
	}
	return bound + tiny
}

// activationBound is how far an activation may be whose argument x is off by at
// most error: no slope is above 1.13 (GELU's, at sqrt 2); the error function is
// within 1.2e-7 and x/2 times it; an exponential's error of a few ULP reaches
// the quotient x / (1 + e) times e / (1+e)^2, at most 1/4.
func activationBound(x, error float64) float64 {
	return 1.13*error + math.Abs(x)*(0.6e-7+24*u) + tiny
}

// layerNormBounds is how far each element of a normalized row may be: the mean is
// a rounded sum; the variance a rounded sum of squares of differences that carry
// the mean's error; the root and the division are within 5 ULP together.
func layerNormBounds(x, gain, bias []float64, epsilon float64) []float64 {
	width := float64(len(x))
	mean, magnitude, variance := 0.0, 0.0, 0.0
	for _, v := range x {
		mean += v / width
		magnitude += math.Abs(v) / width
	}
	meanError := (width + 4) * u * magnitude
	varianceError := 0.0
	for _, v := range x {
		d := math.Abs(v - mean)
		variance += d * d / width
		varianceError += (2*d*(meanError+u*d) + meanError*meanError) / width
	}
	varianceError += (width + 4) * u * variance
	deviation := math.Sqrt(variance + epsilon)
	relative := varianceError/(2*(variance+epsilon)) + 12*u
	bounds := make([]float64, len(x))
	for i, v := range x {
		d := math.Abs(v - mean)
		bounds[i] = math.Abs(gain[i])/deviation*(d*relative+meanError+2*u*d) + tiny
		if bias != nil {
			bounds[i] += 2 * u * (math.Abs(bias[i]) + math.Abs(gain[i])*d/deviation)
		}
	}
	return bounds
}

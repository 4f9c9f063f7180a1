// Package reference is the oracle: every attention kernel as plain loops in
// float64, to be believed on reading and compared against everywhere else.
//
// Tensors are []float64, row-major, [heads, n, headDim] for queries, keys,
// values and outputs, [heads, n, n] (query, then key) for scores and weights,
// [heads, n] for log-sum-exps; n counts the tokens of all packed sequences.
// Results lie in memory of their own and arguments are only read. A slice of
// another length than its shape asks for is a mistake of the caller: it panics.
package reference

import "fmt"

// Widen returns x in float64, which holds every float32 exactly.
func Widen(x []float32) []float64 {
	wide := make([]float64, len(x))
	for i, value := range x {
		wide[i] = float64(value)
	}
	return wide
}

// mustHold panics unless a tensor has the length that its shape asks for, so
// that a wrong argument cannot yield plausible numbers.
func mustHold(name string, length int, shape ...int) {
	want := 1
	for _, dimension := range shape {
		want *= dimension
	}
	if length != want {
		panic(fmt.Sprintf("reference: %s has %d elements: shape %v needs %d", name, length, shape, want))
	}
}

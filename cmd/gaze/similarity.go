package main

import (
	"math"

	"github.com/gazevk/gaze/engine/checkpoint"
)

// similarity compares two embeddings of the same length, the larger the more
// alike (sentence_transformers.util). The cosine with a zero vector is 0.
func similarity(kind checkpoint.Similarity, a, b []float32) float64 {
	var dot, aa, bb, squares, absolute float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		dot, aa, bb = dot+x*y, aa+x*x, bb+y*y
		squares, absolute = squares+(x-y)*(x-y), absolute+math.Abs(x-y)
	}
	switch kind {
	case checkpoint.Dot:
		return dot
	case checkpoint.Euclidean:
		return -math.Sqrt(squares)
	case checkpoint.Manhattan:
		return -absolute
	}
	return dot / max(math.Sqrt(aa)*math.Sqrt(bb), 1e-24)
}

package reference

import (
	"math"

	"github.com/gazevk/gaze"
)

// Weights recomputes the attention weights, [heads, n, n], from queries and
// keys after RoPE, [heads, n, headDim], and the log-sum-exps that Attention
// returned with them, [heads, n]: exp(scale*q.k - lse) for the keys that
// pattern shows within the query's sequence, 0 for all others.
func Weights(q, k, lse []float64, scale float64, pattern gaze.Pattern, lengths gaze.Lengths, heads, headDim int) []float64 {
	n := lengths.Tokens()
	mustHold("q", len(q), heads, n, headDim)
	mustHold("k", len(k), heads, n, headDim)
	mustHold("lse", len(lse), heads, n)
	weights := make([]float64, heads*n*n)
	var spans []gaze.Span
	for h := range heads {
		for i, s := range sequences(lengths) {
			spans = visible(spans, pattern, s, i)
			for _, span := range spans {
				for j := span.First; j < span.End; j++ {
					score := scale * dot(vector(q, h*n+i, headDim), vector(k, h*n+j, headDim))
					weights[(h*n+i)*n+j] = math.Exp(score - lse[h*n+i])
				}
			}
		}
	}
	return weights
}

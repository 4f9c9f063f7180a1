package reference

import (
	"math"

	"github.com/gazevk/gaze"
)

// Softmax returns, for every row of scores, [heads, n, n], exp(x-max)/sum over
// the keys that pattern shows within the query's sequence, and 0 for all others;
// and lse, [heads, n], the natural logarithm of the sum of exp(x) over the same
// keys. A query that sees nothing gets a row of zeros and an lse of -Inf.
func Softmax(scores []float64, pattern gaze.Pattern, lengths gaze.Lengths, heads int) (weights, lse []float64) {
	n := lengths.Tokens()
	mustHold("scores", len(scores), heads, n, n)
	weights = make([]float64, heads*n*n)
	lse = make([]float64, heads*n)
	var spans []gaze.Span
	for h := range heads {
		for i, s := range sequences(lengths) {
			spans = visible(spans, pattern, s, i)
			row := (h*n + i) * n
			// Without its maximum exp(x) would overflow from x = 710 on.
			maximum := math.Inf(-1)
			for _, span := range spans {
				for j := span.First; j < span.End; j++ {
					maximum = max(maximum, scores[row+j])
				}
			}
			sum := 0.0
			for _, span := range spans {
				for j := span.First; j < span.End; j++ {
					sum += math.Exp(scores[row+j] - maximum)
				}
			}
			for _, span := range spans {
				for j := span.First; j < span.End; j++ {
					weights[row+j] = math.Exp(scores[row+j]-maximum) / sum
				}
			}
			lse[h*n+i] = maximum + math.Log(sum) // -Inf + -Inf where nothing is seen
		}
	}
	return weights, lse
}

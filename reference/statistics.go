package reference

import (
	"math"

	"github.com/gazevk/gaze"
)

// RowStatistics sums up each row of attention weights, [heads, n, n], over the
// keys that pattern shows: [heads, n, 4] of the sum of the weights, their
// entropy in bits, the mean distance |i - j| in tokens and the greatest weight.
func RowStatistics(weights []float64, pattern gaze.Pattern, lengths gaze.Lengths, heads int) []float64 {
	n := lengths.Tokens()
	mustHold("weights", len(weights), heads, n, n)
	statistics := make([]float64, heads*n*4)
	var spans []gaze.Span
	for h := range heads {
		for i, s := range sequences(lengths) {
			row := statistics[(h*n+i)*4:][:4]
			spans = visible(spans, pattern, s, i)
			for _, span := range spans {
				for j := span.First; j < span.End; j++ {
					w := weights[(h*n+i)*n+j]
					row[0] += w
					if w > 0 {
						row[1] -= w * math.Log2(w)
					}
					row[2] += w * math.Abs(float64(i-j))
					row[3] = max(row[3], w)
				}
			}
		}
	}
	return statistics
}

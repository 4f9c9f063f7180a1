package reference

import (
	"math"

	"github.com/gazevk/gaze"
)

// RowStatisticColumns is how many numbers RowStatistics gives for a row.
const RowStatisticColumns = 10

// RowStatistics sums up each row of attention weights, [heads, n, n], over the
// keys that pattern shows: [heads, n, RowStatisticColumns] of the sum of the
// weights, their entropy in bits, the mean distance |i - j| in tokens, the greatest
// weight, and the weights of the token itself, the one before, the one after, the
// first of the sequence, its last, and the sum over other tokens of the same id.
// ids, [n], are those of the tokens.
func RowStatistics(weights []float64, ids []uint32, pattern gaze.Pattern, lengths gaze.Lengths, heads int) []float64 {
	n := lengths.Tokens()
	mustHold("weights", len(weights), heads, n, n)
	mustHold("ids", len(ids), n)
	statistics := make([]float64, heads*n*RowStatisticColumns)
	var spans []gaze.Span
	for h := range heads {
		for i, s := range sequences(lengths) {
			row := statistics[(h*n+i)*RowStatisticColumns:][:RowStatisticColumns]
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
					for column, is := range []bool{j == i, j == i-1, j == i+1, j == s.first, j == s.first+s.length-1, j != i && ids[j] == ids[i]} {
						if is {
							row[4+column] += w
						}
					}
				}
			}
		}
	}
	return statistics
}

package reference

import (
	"math"

	"github.com/gazevk/gaze"
)

// Heatmap pools attention weights, [heads, n, n], within a rectangle into cells
// of c: [heads, rows, columns] of r.Cells(c). A cell is the greatest weight, or the
// sum, of the pairs that pattern shows, and NaN where it shows none.
func Heatmap(weights []float64, pattern gaze.Pattern, lengths gaze.Lengths, heads int, r gaze.Rectangle, c gaze.Cell, sum bool) []float64 {
	n := lengths.Tokens()
	mustHold("weights", len(weights), heads, n, n)
	rows, columns := r.Cells(c)
	cells := make([]float64, heads*rows*columns)
	for i := range cells {
		cells[i] = math.NaN()
	}
	var spans []gaze.Span
	for h := range heads {
		for i, s := range sequences(lengths) {
			if i < r.Queries.First || i >= r.Queries.End {
				continue
			}
			spans = visible(spans, pattern, s, i)
			for _, span := range spans {
				for j := max(span.First, r.Keys.First); j < min(span.End, r.Keys.End); j++ {
					w := weights[(h*n+i)*n+j]
					cell := &cells[(h*rows+i/c.Queries-r.Queries.First/c.Queries)*columns+j/c.Keys-r.Keys.First/c.Keys]
					switch {
					case math.IsNaN(*cell):
						*cell = w
					case sum:
						*cell += w
					default:
						*cell = max(*cell, w)
					}
				}
			}
		}
	}
	return cells
}

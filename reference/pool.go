package reference

import (
	"fmt"
	"math"

	"github.com/gazevk/gaze"
)

// A Pooling makes one vector of a sequence's rows, as sentence-transformers does
// (models/Pooling.py).
type Pooling string

const (
	PoolCLS          Pooling = "cls"           // the first row
	PoolLast         Pooling = "last"          // the last row
	PoolMax          Pooling = "max"           // the largest of each element
	PoolMean         Pooling = "mean"          // sum / count
	PoolMeanSqrt     Pooling = "mean_sqrt"     // sum / sqrt(count)
	PoolWeightedMean Pooling = "weighted_mean" // sum of (i+1) x_i / sum of (i+1)
)

// Pool returns one vector for each span of rows of x, [rows, width]:
// [len(spans), width]. Row i of a span has weight offset+i+1 in the weighted mean.
func Pool(x []float64, spans []gaze.Span, pooling Pooling, offset, width int) []float64 {
	out := make([]float64, len(spans)*width)
	for s, span := range spans {
		count := float64(span.End - span.First)
		for c := range width {
			column := func(row int) float64 { return x[row*width+c] }
			sum, weights, largest := 0.0, 0.0, math.Inf(-1)
			for row := span.First; row < span.End; row++ {
				switch pooling {
				case PoolWeightedMean:
					weight := float64(row - span.First + offset + 1)
					sum, weights = sum+weight*column(row), weights+weight
				default:
					sum += column(row)
				}
				largest = max(largest, column(row))
			}
			var y float64
			switch pooling {
			case PoolCLS:
				y = column(span.First)
			case PoolLast:
				y = column(span.End - 1)
			case PoolMax:
				y = largest
			case PoolMean:
				y = sum / count
			case PoolMeanSqrt:
				y = sum / math.Sqrt(count)
			case PoolWeightedMean:
				y = sum / weights
			default:
				panic(fmt.Sprintf("reference: no pooling %q", string(pooling)))
			}
			out[s*width+c] = y
		}
	}
	return out
}

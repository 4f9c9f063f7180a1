package reference

import (
	"math"
	"runtime"
	"sync"

	"github.com/gazevk/gaze"
)

// Attention returns what Context makes of Softmax of Scores, output [heads, n,
// headDim] and lse [heads, n], without ever holding a matrix: time is
// proportional to the visible pairs, memory to n. q and k, after RoPE, and v:
// [heads, n, headDim]. A query that sees nothing gets zeros and an lse of -Inf.
//
// Rows do not depend on each other and are spread over all processors.
func Attention(q, k, v []float64, scale float64, pattern gaze.Pattern, lengths gaze.Lengths, heads, headDim int) (output, lse []float64) {
	n := lengths.Tokens()
	mustHold("q", len(q), heads, n, headDim)
	mustHold("k", len(k), heads, n, headDim)
	mustHold("v", len(v), heads, n, headDim)
	output = make([]float64, heads*n*headDim)
	lse = make([]float64, heads*n)
	rows := sequences(lengths)
	workers := runtime.GOMAXPROCS(0)
	var group sync.WaitGroup
	for worker := range workers {
		group.Add(1)
		go func() {
			defer group.Done()
			var spans []gaze.Span
			var scores []float64
			for row := worker; row < heads*n; row += workers {
				h, i := row/n, row%n
				spans = visible(spans, pattern, rows[i], i)
				head := h * n * headDim
				scores, lse[row] = attend(
					scores,
					vector(output, row, headDim),
					vector(q, row, headDim),
					k[head:head+n*headDim],
					v[head:head+n*headDim],
					scale, spans)
			}
		}()
	}
	group.Wait()
	return output, lse
}

// attend adds to output, which is zero, what one query makes of the keys and
// values of its head, [n, headDim], that lie in spans. It returns the row's
// log-sum-exp, and scores, whose memory it overwrites, for the next row.
func attend(scores, output, query, k, v []float64, scale float64, spans []gaze.Span) (scratch []float64, lse float64) {
	headDim := len(query)
	scores = scores[:0]
	maximum := math.Inf(-1)
	for _, span := range spans {
		for j := span.First; j < span.End; j++ {
			score := scale * dot(query, vector(k, j, headDim))
			scores = append(scores, score)
			maximum = max(maximum, score)
		}
	}
	sum := 0.0
	for i, score := range scores {
		scores[i] = math.Exp(score - maximum)
		sum += scores[i]
	}
	seen := 0
	for _, span := range spans {
		for j := span.First; j < span.End; j++ {
			weight := scores[seen] / sum
			seen++
			for d, value := range vector(v, j, headDim) {
				output[d] += weight * value
			}
		}
	}
	return scores, maximum + math.Log(sum)
}

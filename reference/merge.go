package reference

import "math"

// Merge joins attention over shares of the keys to attention over all: outputs
// [heads, shares, n, headDim] and lses [heads, shares, n], each as [Attention] gives
// them of its keys alone, to output [heads, n, headDim] and lse [heads, n]. A share
// with an lse of -Inf, of which a query sees nothing, counts for nothing.
func Merge(outputs, lses []float64, heads, shares, n, headDim int) (output, lse []float64) {
	mustHold("outputs", len(outputs), heads, shares, n, headDim)
	mustHold("lses", len(lses), heads, shares, n)
	output, lse = make([]float64, heads*n*headDim), make([]float64, heads*n)
	for h := range heads {
		for i := range n {
			// Without its maximum exp(x) would overflow from x = 710 on.
			maximum := math.Inf(-1)
			for s := range shares {
				maximum = max(maximum, lses[(h*shares+s)*n+i])
			}
			lse[h*n+i] = maximum
			if math.IsInf(maximum, -1) {
				continue
			}
			sum := 0.0
			for s := range shares {
				sum += math.Exp(lses[(h*shares+s)*n+i] - maximum)
			}
			lse[h*n+i] += math.Log(sum)
			for s := range shares {
				row := (h*shares+s)*n + i
				weight := math.Exp(lses[row] - lse[h*n+i])
				for d, x := range vector(outputs, row, headDim) {
					output[(h*n+i)*headDim+d] += weight * x
				}
			}
		}
	}
	return output, lse
}

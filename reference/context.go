package reference

// Context returns, for every head, weights v: each query's sum of all values,
// [heads, n, headDim]. weights: [heads, n, n], v: [heads, n, headDim].
func Context(weights, v []float64, heads, n, headDim int) []float64 {
	mustHold("weights", len(weights), heads, n, n)
	mustHold("v", len(v), heads, n, headDim)
	context := make([]float64, heads*n*headDim)
	for h := range heads {
		for i := range n {
			row := vector(context, h*n+i, headDim)
			for j := range n {
				weight := weights[(h*n+i)*n+j]
				for d, value := range vector(v, h*n+j, headDim) {
					row[d] += weight * value
				}
			}
		}
	}
	return context
}

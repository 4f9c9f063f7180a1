package reference

// Scores returns, for every head, scale * q k^T: the product of every query
// with every key, [heads, n, n]. q and k: [heads, n, headDim].
func Scores(q, k []float64, scale float64, heads, n, headDim int) []float64 {
	mustHold("q", len(q), heads, n, headDim)
	mustHold("k", len(k), heads, n, headDim)
	scores := make([]float64, heads*n*n)
	for h := range heads {
		for i := range n {
			for j := range n {
				scores[(h*n+i)*n+j] = scale * dot(vector(q, h*n+i, headDim), vector(k, h*n+j, headDim))
			}
		}
	}
	return scores
}

// vector returns row of x, [rows, headDim].
func vector(x []float64, row, headDim int) []float64 {
	return x[row*headDim : (row+1)*headDim]
}

// dot returns the inner product of two vectors of equal length.
func dot(a, b []float64) float64 {
	sum := 0.0
	for i, value := range a {
		sum += value * b[i]
	}
	return sum
}

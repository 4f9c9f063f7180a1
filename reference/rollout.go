package reference

// Rollout returns attention rollout (Abnar & Zuidema 2020) of one query, [layers][n],
// from the last of layers on down to each. Weights are those of each layer, [layers]
// of [heads, n, n]. With A = I/2 + (mean of the heads)/2, row l is that of the query
// in the product of the A of the last layer, the one before, ..., l.
func Rollout(weights [][]float64, query, heads, n int) [][]float64 {
	shares := make([][]float64, len(weights))
	var product []float64 // [n, n]
	for layer := len(weights) - 1; layer >= 0; layer-- {
		mustHold("weights", len(weights[layer]), heads, n, n)
		mixing := make([]float64, n*n)
		for i := range n {
			mixing[i*n+i] = 0.5
			for j := range n {
				for h := range heads {
					mixing[i*n+j] += weights[layer][(h*n+i)*n+j] / float64(2*heads)
				}
			}
		}
		if product == nil {
			product = mixing
		} else {
			next := make([]float64, n*n)
			for i := range n {
				for k := range n {
					for j := range n {
						next[i*n+j] += product[i*n+k] * mixing[k*n+j]
					}
				}
			}
			product = next
		}
		shares[layer] = product[query*n:][:n]
	}
	return shares
}

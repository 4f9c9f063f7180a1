package reference

// MatMul returns a w^T + bias, [rows, columns]: the product of activations a,
// [rows, depth], and weights w, [columns, depth], as torch.nn.Linear. A nil bias
// is none.
func MatMul(a, w, bias []float64, rows, columns, depth int) []float64 {
	mustHold("a", len(a), rows, depth)
	mustHold("w", len(w), columns, depth)
	if bias != nil {
		mustHold("bias", len(bias), columns)
	}
	out := make([]float64, rows*columns)
	inParallel(rows, func(row int) {
		for c := range columns {
			sum := dot(a[row*depth:(row+1)*depth], w[c*depth:(c+1)*depth])
			if bias != nil {
				sum += bias[c]
			}
			out[row*columns+c] = sum
		}
	})
	return out
}

// Gated returns activation(u) * g, [rows, columns], of x, [rows, 2 columns],
// whose rows are u followed by g (ModernBertMLP: input, gate = Wi(x).chunk(2)).
func Gated(x []float64, activation Activation, rows, columns int) []float64 {
	mustHold("x", len(x), rows, 2*columns)
	out := make([]float64, rows*columns)
	for row := range rows {
		u, g := x[row*2*columns:][:columns], x[row*2*columns+columns:][:columns]
		for c := range columns {
			out[row*columns+c] = activation.Of(u[c]) * g[c]
		}
	}
	return out
}

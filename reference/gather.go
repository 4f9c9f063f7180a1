package reference

// Gather returns rows of table, [count, width], by their indices: [len(indices), width].
func Gather(table []float64, indices []uint32, width int) []float64 {
	out := make([]float64, 0, len(indices)*width)
	for _, i := range indices {
		out = append(out, table[int(i)*width:int(i+1)*width]...)
	}
	return out
}

package reference

// Rope rotates each row of x, [heads, n, headDim], by the angles of its
// position, in the rotate-half layout: for j < headDim/2,
//
//	out[j]           = x[j]*cos[p][j] - x[j+headDim/2]*sin[p][j]
//	out[j+headDim/2] = x[j+headDim/2]*cos[p][j] + x[j]*sin[p][j]
//
// where p is the row's entry in positions, of length n, and cos and sin are
// tables as gaze.RoPE makes them, [table positions, headDim/2].
func Rope(x []float64, cos, sin []float32, positions []uint32, heads, headDim int) []float64 {
	n, half := len(positions), headDim/2
	mustHold("x", len(x), heads, n, headDim)
	out := make([]float64, len(x))
	for h := range heads {
		for i := range n {
			row := (h*n + i) * headDim
			angle := int(positions[i]) * half
			for j := range half {
				c, s := float64(cos[angle+j]), float64(sin[angle+j])
				a, b := x[row+j], x[row+half+j]
				out[row+j] = a*c - b*s
				out[row+half+j] = b*c + a*s
			}
		}
	}
	return out
}

// RopeInterleaved is Rope in the interleaved layout, over rows of all heads, x and
// out [n, heads, headDim]: element 2j of a head stands for j there, and 2j+1 for
// j+headDim/2.
func RopeInterleaved(x []float64, cos, sin []float32, positions []uint32, heads, headDim int) []float64 {
	n, half := len(positions), headDim/2
	mustHold("x", len(x), n, heads, headDim)
	out := make([]float64, len(x))
	for i := range x {
		row, j := i/(heads*headDim), i%headDim/2
		angle := int(positions[row])*half + j
		c, s := float64(cos[angle]), float64(sin[angle])
		if i%2 == 0 {
			out[i] = x[i]*c - x[i+1]*s
		} else {
			out[i] = x[i]*c + x[i-1]*s
		}
	}
	return out
}

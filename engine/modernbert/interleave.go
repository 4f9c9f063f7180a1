package modernbert

// interleave reorders rows of width elements, those of a projection that gives
// queries or keys in heads of headDim: row j of a head becomes row 2j, and row
// j + headDim/2, with which RoPE turns it, row 2j+1. So both columns of a product
// that a rotation needs lie in one group of four, and its epilogue rotates. Queries
// and keys are in this order everywhere on the device, also in captures and where a
// layer does not rotate: their products are the same in any order that both have.
func interleave(rows []float32, headDim, width int) {
	size := headDim * width
	head, half := make([]float32, size), size/2
	for ; len(rows) > 0; rows = rows[size:] {
		copy(head, rows)
		for j := range headDim / 2 {
			copy(rows[2*j*width:], head[j*width:][:width])
			copy(rows[(2*j+1)*width:], head[half+j*width:][:width])
		}
	}
}

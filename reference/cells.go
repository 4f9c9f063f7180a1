package reference

import "math"

// Cells adds up cells of heads to what a map shows, [planes, rows, columns]: before,
// of that shape or nil, plus the factor times each head's cell of that plane, divided
// by its pairs. At tells where that cell is in from. A cell of which no pair is visible
// is NaN in before, NaN or hidden in from, and adds nothing; NaN is what nothing was
// added to.
func Cells(before, from []float64, at func(plane, head, row, column int) int, planes, heads, rows, columns int,
	hidden, factor float64, pairs func(row, column int) int) []float64 {
	cells := make([]float64, planes*rows*columns)
	for i := range cells {
		cells[i] = math.NaN()
	}
	if before != nil {
		mustHold("before", len(before), planes, rows, columns)
		copy(cells, before)
	}
	for i := range cells {
		plane, row, column := i/(rows*columns), i/columns%rows, i%columns
		for head := range heads {
			value := from[at(plane, head, row, column)]
			switch {
			case math.IsNaN(value) || value == hidden:
			case math.IsNaN(cells[i]):
				cells[i] = factor * value / float64(pairs(row, column))
			default:
				cells[i] += factor * value / float64(pairs(row, column))
			}
		}
	}
	return cells
}

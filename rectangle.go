package gaze

import "fmt"

// A Rectangle is a part of an attention map: queries by keys, counted over the
// packed rows.
type Rectangle struct{ Queries, Keys Span }

// A Cell is the pairs of an attention map that become one number: so many queries
// by so many keys, each at least 1.
type Cell struct{ Queries, Keys int }

// Square returns cells of side x side pairs.
func Square(side int) Cell { return Cell{side, side} }

// String returns "64 x 1".
func (c Cell) String() string { return fmt.Sprintf("%d x %d", c.Queries, c.Keys) }

// Validate reports a rectangle that is empty or reaches beyond n packed rows.
func (r Rectangle) Validate(n int) error {
	for i, s := range []Span{r.Queries, r.Keys} {
		if s.First < 0 || s.End > n || s.First >= s.End {
			return fmt.Errorf("%s %d to %d of %d tokens: expected two bounds from 0 to %d, the first below the second",
				[]string{"queries", "keys"}[i], s.First, s.End, n, n)
		}
	}
	return nil
}

// Cells returns the rows and columns of cells of that size that cover r. Cells
// begin at multiples of their size, and those at the edges of r are cut off there.
func (r Rectangle) Cells(c Cell) (rows, columns int) {
	count := func(s Span, size int) int { return (s.End+size-1)/size - s.First/size }
	return count(r.Queries, c.Queries), count(r.Keys, c.Keys)
}

// String returns "queries 0 to 64, keys 32 to 96".
func (r Rectangle) String() string {
	return fmt.Sprintf("queries %d to %d, keys %d to %d", r.Queries.First, r.Queries.End, r.Keys.First, r.Keys.End)
}

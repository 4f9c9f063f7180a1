package gaze

import "fmt"

// A Rectangle is a part of an attention map: queries by keys, counted over the
// packed rows.
type Rectangle struct{ Queries, Keys Span }

// Validate reports a rectangle that is empty or reaches beyond n packed rows.
func (r Rectangle) Validate(n int) error {
	for name, s := range map[string]Span{"queries": r.Queries, "keys": r.Keys} {
		if s.First < 0 || s.End > n || s.First >= s.End {
			return fmt.Errorf("%s %d to %d: expected at least one of 0 to %d", name, s.First, s.End, n)
		}
	}
	return nil
}

// Cells returns the rows and columns of cells of size x size pairs that cover r,
// fewer at its right and its lower edge.
func (r Rectangle) Cells(size int) (rows, columns int) {
	return (r.Queries.End - r.Queries.First + size - 1) / size, (r.Keys.End - r.Keys.First + size - 1) / size
}

// String returns "queries 0 to 64, keys 32 to 96".
func (r Rectangle) String() string {
	return fmt.Sprintf("queries %d to %d, keys %d to %d", r.Queries.First, r.Queries.End, r.Keys.First, r.Keys.End)
}

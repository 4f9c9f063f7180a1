package main

// nearest returns the name that is closest to what was typed, "" where none is
// close enough to be what was meant.
func nearest(typed string, names []string) string {
	best, least := "", 3 // typing errors at most, and fewer than half the name
	for _, name := range names {
		if d := editDistance(typed, name); d < least && 2*d < max(len(name), 3) {
			best, least = name, d
		}
	}
	return best
}

// editDistance counts the bytes to insert, delete or replace to turn a into b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1) // distances of a[:i] from all beginnings of b
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

package configs

import "strings"

// nearest returns the name closest to what was typed, "" where none is close
// enough to be what was meant. Case and the choice between - and _ do not
// count; a whole word of a name ("window") stands for it.
func nearest(typed string, names []string) string {
	plain := func(s string) string { return strings.ReplaceAll(strings.ToLower(s), "-", "_") }
	typed = plain(typed)
	best, bestDistance := "", len(typed)
	for _, name := range names {
		limit := max(1, max(len(name), len(typed))/3)
		if len(typed)-len(name) > limit || len(name)-len(typed) > limit {
			continue
		}
		if d := editDistance(typed, plain(name)); d <= limit && (best == "" || d < bestDistance) {
			best, bestDistance = name, d
		}
	}
	if best != "" {
		return best
	}
	for _, name := range names {
		if strings.HasPrefix(plain(name), typed+"_") || strings.HasSuffix(plain(name), "_"+typed) {
			return name
		}
	}
	return ""
}

// editDistance counts the bytes to insert, delete, replace or swap with their
// neighbour to turn a into b (optimal string alignment).
func editDistance(a, b string) int {
	// Rows of the table for the prefixes of a that end at i-2, i-1 and i.
	earlier, previous, current := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := 1; i <= len(a); i++ {
		current[0] = i
		for j := 1; j <= len(b); j++ {
			replace := previous[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			current[j] = min(replace, previous[j]+1, current[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				current[j] = min(current[j], earlier[j-2]+1)
			}
		}
		earlier, previous, current = previous, current, earlier
	}
	return previous[len(b)]
}

// suggestion returns "; did you mean ...?", or "" where no name is near.
func suggestion(typed string, names []string) string {
	if name := nearest(typed, names); name != "" {
		return "; did you mean " + name + "?"
	}
	return ""
}

// list returns "a, b or c".
func list(names []string, conjunction string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " " + conjunction + " " + names[last]
}

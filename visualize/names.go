package visualize

import (
	"fmt"
	"slices"
	"strings"
)

// nameAt returns the name of a choice, or its number where it has none.
func nameAt(kind string, names []string, choice int) string {
	if choice < 0 || choice >= len(names) {
		return fmt.Sprintf("%s(%d)", kind, choice)
	}
	return names[choice]
}

// choiceOf returns the index of the name that text holds.
func choiceOf(kind string, names []string, text []byte) (int, error) {
	choice := slices.Index(names, string(text))
	if choice < 0 {
		return 0, fmt.Errorf("no %s %q: choose one of %s", kind, text, strings.Join(names, ", "))
	}
	return choice, nil
}

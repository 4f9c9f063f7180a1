package main

import (
	"strconv"
	"strings"

	"github.com/gazevk/gaze/engine/tokenizer"
)

// tokenLabels returns what stands for each token on the axes of a map: its text
// without the space before it; blanks and what cannot be seen, as Go writes them.
func tokenLabels(t *tokenizer.Tokenizer, ids []uint32) []string {
	labels := make([]string, len(ids))
	for i, id := range ids {
		text := t.Decode([]uint32{id}, false)
		if trimmed := strings.TrimSpace(text); trimmed != "" {
			text = trimmed
		}
		if quoted := strconv.Quote(text); strings.TrimSpace(text) == "" || quoted[1:len(quoted)-1] != text && !strings.ContainsAny(text, `"\`) {
			text = quoted
		}
		labels[i] = text
	}
	return labels
}

// Package load is what both programs do to open a model: its tokenizer, what its
// tokens are called, and the attention that a run file gives its layers; and what
// they do for a run without one: queries, keys and values of a file or of a seed.
package load

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/configs"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/tokenizer"
	"github.com/gazevk/gaze/visualize"
)

// Tokenizer loads the tokenizer of the model at path.
func Tokenizer(path string, m *checkpoint.Model) (*tokenizer.Tokenizer, error) {
	t, err := tokenizer.LoadFS(m.Directory, m.Files)
	if err != nil {
		return nil, err
	}
	if known, rows := t.VocabSize(), m.Config.VocabSize; known > rows {
		return nil, fmt.Errorf("%s: its tokenizer has %d tokens, its model %d embeddings: they do not belong together", path, known, rows)
	}
	return t, nil
}

// Limit returns the most tokens of a text, [CLS] and [SEP] included, and who says
// so. As in sentence-transformers, max_seq_length has the last word.
func Limit(m *checkpoint.Model, t *tokenizer.Tokenizer) (tokens int, by string) {
	if e := m.Embedding; e != nil && e.MaxSequenceLength > 0 {
		return e.MaxSequenceLength, "max_seq_length"
	}
	tokens, by = m.Config.MaxPositions, "max_position_embeddings"
	if most := t.MaxLength(); most > 0 && most < tokens {
		tokens, by = most, "model_max_length"
	}
	return tokens, by
}

// TokenLabels returns what stands for each token on the axes of a map: its text
// without the space before it; blanks and what cannot be seen, as Go writes them.
func TokenLabels(t *tokenizer.Tokenizer, ids []uint32) []string {
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

// Tokens returns the tokens of a text that was encoded.
func Tokens(labels []string, encoding tokenizer.Encoding) []visualize.Token {
	tokens := make([]visualize.Token, len(labels))
	for i, label := range labels {
		tokens[i].Label = label
		if !encoding.Special[i] {
			tokens[i].First, tokens[i].End = encoding.Offsets[i].First, encoding.Offsets[i].End
		}
	}
	return tokens
}

// ModelPath returns what a run's model is opened by. A directory stands beside
// the run file, or where its path says; anything else may be a name.
func ModelPath(m *configs.Model) string {
	if m.Path == configs.Builtin {
		return m.Path
	}
	info, err := os.Stat(m.Directory)
	isPath := filepath.IsAbs(m.Path) || strings.HasPrefix(m.Path, ".")
	if isPath || err == nil && info.IsDir() {
		return m.Directory
	}
	return m.Path
}

// Attention returns what each layer computes: the checkpoint's own attention but
// for what the run file replaces.
func Attention(c checkpoint.Config, layers []configs.ModelLayer) ([]gaze.Attention, error) {
	attention := c.Attentions()
	for i, l := range layers {
		numbers, err := numbersOf(c, l)
		if err != nil {
			return nil, fmt.Errorf("[[model.layer]] %d: %w", i+1, err)
		}
		for _, n := range numbers {
			if l.Pattern != nil {
				attention[n].Pattern = l.Pattern
			}
			if l.RopeTheta != nil {
				attention[n].RoPE = gaze.RoPE{Theta: *l.RopeTheta}
			}
		}
	}
	return attention, nil
}

// numbersOf returns the layers of a model that l means.
func numbersOf(c checkpoint.Config, l configs.ModelLayer) ([]int, error) {
	for _, n := range l.Numbers {
		if n >= c.Layers {
			return nil, fmt.Errorf("layers has %d: the model has layers 0 to %d", n, c.Layers-1)
		}
	}
	if l.Kind == "" {
		return l.Numbers, nil
	}
	var numbers []int
	for n, kind := range c.LayerAttention {
		if l.Kind == "all" || l.Kind == kind.String() {
			numbers = append(numbers, n)
		}
	}
	if len(numbers) == 0 {
		return nil, fmt.Errorf("layers is %q: the model has no such layer", l.Kind)
	}
	return numbers, nil
}

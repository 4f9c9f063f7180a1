package checkpoint

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

const (
	embeddingWeight = "embeddings.tok_embeddings.weight"
	decoderWeight   = "decoder.weight"
)

// canonical returns a tensor's name without the prefix that the encoder's
// tensors have in a model with a head. Like transformers it does not mind who
// else has it.
func canonical(name string) string { return strings.TrimPrefix(name, "model.") }

// isBuffer reports whether a tensor of that name is a table that older versions
// stored and that follows from the config.
func isBuffer(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	return last == "position_ids" || strings.Contains(name, "rotary_emb.") && strings.HasSuffix(last, "inv_freq")
}

// canonicalNames returns tensors by their canonical names, without buffers.
func canonicalNames(found map[string]Tensor) (map[string]Tensor, error) {
	tensors := make(map[string]Tensor, len(found))
	for stored, tensor := range found {
		name := canonical(stored)
		if isBuffer(name) {
			continue
		}
		if _, ok := tensors[name]; ok {
			return nil, fmt.Errorf("there are tensors %q and %q: one is expected", name, "model."+name)
		}
		tensors[name] = tensor
	}
	return tensors, nil
}

// tie decides whether the masked-LM decoder's matrix is the embeddings'. Where
// the config says so and a file has both, transformers believes the file if
// they differ; where a file has one of them only, it counts for both.
func (c *Config) tie(head Head, tensors map[string]Tensor) {
	output, ok := tensors[decoderWeight]
	if head != MaskedLM || !c.TieWordEmbeddings || !ok {
		return
	}
	input, both := tensors[embeddingWeight]
	switch {
	case !both:
		tensors[embeddingWeight] = output
		delete(tensors, decoderWeight)
	case output.DType == input.DType && slices.Equal(output.Shape, input.Shape) && bytes.Equal(output.Bytes(), input.Bytes()):
		delete(tensors, decoderWeight)
	default:
		c.TieWordEmbeddings = false
	}
}

// match holds tensors against what is expected and lists all that is missing,
// misshapen, of a type that does not widen to float32, or too many.
func match(expected []TensorShape, tensors map[string]Tensor) error {
	var problems []string
	known := make(map[string]bool, len(expected))
	for _, e := range expected {
		known[e.Name] = true
		t, ok := tensors[e.Name]
		switch {
		case !ok:
			problems = append(problems, fmt.Sprintf("%s: missing, expected %v", e.Name, e.Shape))
		case !slices.Equal(t.Shape, e.Shape):
			problems = append(problems, fmt.Sprintf("%s: found %v, expected %v", e.Name, t.Shape, e.Shape))
		case t.DType != F32 && t.DType != F16 && t.DType != BF16:
			problems = append(problems, fmt.Sprintf("%s: found %s, expected F32, F16 or BF16", e.Name, t.DType))
		}
	}
	for name, t := range tensors {
		if !known[name] {
			problems = append(problems, fmt.Sprintf("%.200s: found %v, expected no such tensor", name, t.Shape))
		}
	}
	if len(problems) == 0 {
		return nil
	}
	slices.Sort(problems)
	count := len(problems)
	const most = 20
	if count > most {
		problems = append(problems[:most], fmt.Sprintf("and %d more", count-most))
	}
	return fmt.Errorf("%d tensors are not as expected:\n  %s", count, strings.Join(problems, "\n  "))
}

package checkpoint

import (
	"fmt"
	"strings"
)

// A Head is what follows the encoder, by the class in transformers that has it.
// All but NoHead begin with the same layer on each hidden state or, where
// there is pooling, on the pooled one: head.dense [D, D], the classifier's
// activation, and the LayerNorm head.norm.
type Head uint8

const (
	NoHead                 Head = iota // ModernBertModel: hidden states [n, D]
	MaskedLM                           // decoder: logits [n, VocabSize]
	SequenceClassification             // pooling, then classifier: logits [labels] of a sequence
	TokenClassification                // classifier: logits [n, labels]
	QuestionAnswering                  // classifier: logits [n, 2], of an answer's first and last token
	MultipleChoice                     // pooling, then classifier: one logit for each choice
)

var architectures = []string{
	NoHead:                 "ModernBertModel",
	MaskedLM:               "ModernBertForMaskedLM",
	SequenceClassification: "ModernBertForSequenceClassification",
	TokenClassification:    "ModernBertForTokenClassification",
	QuestionAnswering:      "ModernBertForQuestionAnswering",
	MultipleChoice:         "ModernBertForMultipleChoice",
}

// String returns the class of transformers.
func (h Head) String() string { return architectures[h] }

// Outputs returns the rows of the head's last layer, 0 for NoHead.
func (c Config) Outputs(h Head) int {
	switch h {
	case NoHead:
		return 0
	case MaskedLM:
		return c.VocabSize
	case MultipleChoice:
		return 1
	}
	return len(c.Labels)
}

// Head returns the head that Architecture names. Without a name, a model with
// the tensors of a masked-LM decoder has that head, and one without tensors of
// any head has none. has reports whether there is a tensor of that name.
func (c Config) Head(has func(name string) bool) (Head, error) {
	if c.Architecture != "" {
		for i, name := range architectures {
			if name != c.Architecture {
				continue
			}
			if h := Head(i); h != QuestionAnswering || len(c.Labels) == 2 {
				return h, nil
			}
			return NoHead, fmt.Errorf("id2label has %d labels: %s needs 2, for an answer's first and last token", len(c.Labels), name)
		}
		return NoHead, fmt.Errorf("architectures names %.80q: expected one of %s", c.Architecture, strings.Join(architectures, ", "))
	}
	switch {
	case has("classifier.weight"):
		return NoHead, fmt.Errorf("architectures is missing, and the weights have a classifier: it must say which of %s this is",
			strings.Join(architectures[SequenceClassification:], ", "))
	case has("head.dense.weight"):
		return MaskedLM, nil
	}
	return NoHead, nil
}

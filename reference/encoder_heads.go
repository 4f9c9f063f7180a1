package reference

import (
	"fmt"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine/checkpoint"
)

// Logits returns what the head makes of s. Of a masked LM that is [n,
// VocabSize], of a token classification [n, labels], of question answering
// [n, 2], of a sequence classification [sequences, labels] and of a multiple
// choice [sequences, 1]. It panics where there is no head.
func (e *Encoder) Logits(s *States) []float64 {
	c, n, x := e.Config, s.Lengths.Tokens(), s.Last
	last := "classifier"
	switch e.Head {
	case checkpoint.MaskedLM:
		last = "decoder" // of a tied one checkpoint.Model has the weight under this name too
	case checkpoint.TokenClassification, checkpoint.QuestionAnswering:
	case checkpoint.SequenceClassification, checkpoint.MultipleChoice:
		pooling := PoolCLS
		if c.ClassifierPooling == checkpoint.Mean {
			pooling = PoolMean
		}
		x, n = Pool(x, sequenceSpans(s.Lengths), pooling, 0, c.HiddenSize), len(s.Lengths)
	default:
		panic(fmt.Sprintf("reference: %v has no logits", e.Head))
	}
	x = e.linear("head.dense", x, n, c.HiddenSize, c.HiddenSize)
	for i := range x {
		x[i] = Activation(c.ClassifierActivation).Of(x[i])
	}
	x = e.norm("head.norm", x, n)
	return e.linear(last, x, n, c.Outputs(e.Head), c.HiddenSize)
}

// sequenceSpans returns the packed rows of each sequence.
func sequenceSpans(lengths gaze.Lengths) []gaze.Span {
	var spans []gaze.Span
	first := 0
	for _, length := range lengths {
		spans = append(spans, gaze.Span{First: first, End: first + length})
		first += length
	}
	return spans
}

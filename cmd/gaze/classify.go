package main

import (
	"context"
	"flag"
	"fmt"

	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/modernbert"
	"github.com/gazevk/gaze/engine/tokenizer"
)

// A classification is the class of one text.
type classification struct {
	Label  string       `json:"label"` // the one with the highest score
	Score  float32      `json:"score"`
	Scores []labelScore `json:"scores"` // of all labels
	Logits []float32    `json:"logits"`
	Tokens int          `json:"tokens"`
}

type labelScore struct {
	Label string  `json:"label"`
	Score float32 `json:"score"`
}

var classifyCommand = &command{
	name:    "classify",
	summary: "classify texts",
	details: "Scores are the softmax of the logits; their sigmoid where there is one label, or each\n" +
		"may hold by itself (problem_type multi_label_classification); and the logits\n" +
		"themselves for a regression.",
	example: "gaze classify --model ./sentiment --text \"What a day!\" --text \"Oh no.\"",
	setup: func(flags *flag.FlagSet) action {
		var model modelFlags
		model.declare(flags, "to be classified")
		return func(ctx context.Context, s streams, _ []string) error {
			return model.run(s, "classify", needs(checkpoint.SequenceClassification), func(r *modelRun) error {
				results, err := r.classify(ctx)
				if err != nil {
					return err
				}
				if model.asJSON {
					return s.printJSON(map[string]any{"results": results})
				}
				t := newTable("lrl")
				for i, c := range results {
					t.add(c.Label, fmt.Sprintf("%.4f", c.Score), excerpt(r.texts[i].string))
				}
				return s.print(t.String())
			})
		}
	},
}

func (r *modelRun) classify(ctx context.Context) ([]classification, error) {
	encodings, err := r.encode(ctx, func(t string) (string, tokenizer.Options) { return t, tokenizer.Options{} })
	if err != nil {
		return nil, err
	}
	logits, err := r.logits(ctx, wholeTexts(encodings))
	if err != nil {
		return nil, err
	}
	results := make([]classification, len(encodings))
	for i, x := range logits {
		scores := classScores(r.checkpoint.Config, x)
		best := argmax(scores)
		c := classification{Label: r.checkpoint.Config.Labels[best], Score: float32(scores[best]), Logits: x, Tokens: len(encodings[i].IDs)}
		for j, score := range scores {
			c.Scores = append(c.Scores, labelScore{r.checkpoint.Config.Labels[j], float32(score)})
		}
		results[i] = c
	}
	return results, nil
}

// logits returns the head's output for each sequence: [labels] of a sequence
// classification, [tokens, outputs] where the head works on every token.
func (r *modelRun) logits(ctx context.Context, sequences []sequence) ([][]float32, error) {
	logits := make([][]float32, len(sequences))
	all := func([]int) modernbert.Want { return modernbert.Want{Logits: true} }
	err := r.forward(ctx, sequences, 0, all, func(batch []int, out *modernbert.Output) {
		at := 0
		for _, s := range batch {
			count := out.LogitColumns
			if r.checkpoint.Head != checkpoint.SequenceClassification {
				count *= len(sequences[s].ids)
			}
			logits[s] = out.Logits[at:][:count:count]
			at += count
		}
	})
	return logits, err
}

// classScores turns logits into scores as transformers' pipeline does
// (pipelines/text_classification.py).
func classScores(c checkpoint.Config, logits []float32) []float64 {
	scores := make([]float64, len(logits))
	for i, x := range logits {
		scores[i] = float64(x)
	}
	switch {
	case c.ProblemType == "regression":
	case c.ProblemType == "multi_label_classification" || len(logits) == 1:
		for i, x := range scores {
			scores[i] = sigmoid(x)
		}
	default:
		scores = softmax(logits)
	}
	return scores
}

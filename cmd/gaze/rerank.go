package main

import (
	"context"
	"flag"
	"fmt"
	"slices"

	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/tokenizer"
)

// A ranked is a document with its score.
type ranked struct {
	Index  int     `json:"index"` // of the document in the input, from 0
	Score  float32 `json:"score"`
	Logit  float32 `json:"logit"`
	Text   string  `json:"text"`
	Tokens int     `json:"tokens"` // of the query and the document together
}

var rerankCommand = &command{
	name:    "rerank",
	summary: "sort documents by how well they answer a query",
	details: "The model is a cross-encoder: it reads the query and a document together and gives one\n" +
		"score, the sigmoid of its logit unless its configuration says otherwise. The best\n" +
		"document comes first.",
	example: "gaze rerank --model Alibaba-NLP/gte-reranker-modernbert-base --query \"capital of France\" --file documents.txt",
	setup: func(flags *flag.FlagSet) action {
		var model modelFlags
		model.declare(flags, "a document")
		query := flags.String("query", "", "rank the documents for this `QUERY`")
		return func(ctx context.Context, s streams, _ []string) error {
			if err := checkUTF8("--query", *query); err != nil {
				return err
			}
			return model.run(s, "rerank", isCrossEncoder, func(r *modelRun) error {
				results, err := r.rerank(ctx, *query)
				if err != nil {
					return err
				}
				if model.asJSON {
					return s.printJSON(struct {
						Query   string   `json:"query"`
						Results []ranked `json:"results"`
					}{*query, results})
				}
				t := newTable("rrl")
				for _, d := range results {
					t.add(fmt.Sprintf("%.4f", d.Score), fmt.Sprint(d.Index), excerpt(d.Text))
				}
				return s.print(t.String())
			})
		}
	},
}

func isCrossEncoder(m *checkpoint.Model) error {
	if err := needs(checkpoint.SequenceClassification)(m); err != nil {
		return err
	}
	if n := len(m.Config.Labels); n != 1 {
		return fmt.Errorf("it gives %d labels, and a reranker gives one; gaze classify fits it", n)
	}
	return nil
}

func (r *modelRun) rerank(ctx context.Context, query string) ([]ranked, error) {
	encodings, err := r.encode(ctx, func(t string) (string, tokenizer.Options) {
		return query, tokenizer.Options{Pair: &t, Truncation: tokenizer.LongestFirst}
	})
	if err != nil {
		return nil, err
	}
	logits, err := r.logits(ctx, wholeTexts(encodings))
	if err != nil {
		return nil, err
	}
	results := make([]ranked, len(encodings))
	for i, x := range logits {
		score := float64(x[0])
		if r.checkpoint.Config.ScoreActivation != checkpoint.Identity {
			score = sigmoid(score)
		}
		results[i] = ranked{i, float32(score), x[0], r.texts[i].string, len(encodings[i].IDs)}
	}
	// By logits: scores near 1 round to the same number.
	slices.SortStableFunc(results, func(a, b ranked) int {
		switch {
		case a.Logit > b.Logit:
			return -1
		case a.Logit < b.Logit:
			return 1
		}
		return 0
	})
	return results, nil
}

package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"slices"

	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/tokenizer"
)

// A ranked is a document with its score.
type ranked struct {
	Index  int      `json:"index"` // of the document in the input, from 0
	Score  float64  `json:"score"`
	Logit  *float32 `json:"logit,omitempty"` // of a cross-encoder
	Text   string   `json:"text"`
	Tokens int      `json:"tokens"` // of the document, for a cross-encoder together with the query
}

var rerankCommand = &command{
	name:    "rerank",
	summary: "sort documents by how well they answer a query",
	details: "A cross-encoder reads the query and a document together and gives one score, the sigmoid\n" +
		"of its logit unless its configuration says otherwise. With any other model a score is the\n" +
		"similarity of two embeddings, as the model's configuration defines it, by default their\n" +
		"cosine; its prompts for queries and documents are used. The best document comes first.",
	example: "gaze rerank --model Alibaba-NLP/gte-reranker-modernbert-base --query \"capital of France\" --file documents.txt\n" +
		"gaze rerank --model builtin --query \"a large wild cat\" --text \"the king of Judah\" --text \"a striped animal like a lion\"",
	setup: func(flags *flag.FlagSet) action {
		var model modelFlags
		model.declare(flags, "a document")
		query := flags.String("query", "", "rank the documents for this `QUERY`")
		return func(ctx context.Context, s streams, _ []string) error {
			if err := checkUTF8("--query", *query); err != nil {
				return err
			}
			return model.run(s, "rerank", reranks, func(r *modelRun) error {
				rank := r.rerank
				if !isCrossEncoder(r.checkpoint) {
					rank = r.rankBySimilarity
				}
				results, err := rank(ctx, *query)
				if err != nil {
					return err
				}
				if model.asJSON {
					return s.printJSON(struct {
						Query   string   `json:"query"`
						Results []ranked `json:"results"`
					}{*query, results})
				}
				return s.print(rankTable(results))
			})
		}
	},
}

func rankTable(results []ranked) string {
	t := newTable("rrl")
	for _, d := range results {
		t.add(fmt.Sprintf("%.4f", d.Score), fmt.Sprint(d.Index), excerpt(d.Text))
	}
	return t.String()
}

// isCrossEncoder reports whether a model scores pairs of texts.
func isCrossEncoder(m *checkpoint.Model) bool {
	return m.Embedding == nil && m.Head == checkpoint.SequenceClassification
}

// reranks returns what tells a model that can neither score pairs nor embed.
func reranks(m *checkpoint.Model) error {
	switch n := len(m.Config.Labels); {
	case isCrossEncoder(m) && n != 1:
		return fmt.Errorf("it gives %d labels, and a reranker gives one; gaze classify fits it", n)
	case isCrossEncoder(m) || m.Embedding != nil || m.Head == checkpoint.NoHead || m.Head == checkpoint.MaskedLM:
		return nil
	}
	return fmt.Errorf("it is a %v, and a reranker or a model for embeddings is needed here; %s fits it", m.Head, commandFor[m.Head])
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
		results[i] = ranked{i, score, &x[0], r.texts[i].string, len(encodings[i].IDs)}
	}
	// By logits: scores near 1 round to the same number.
	slices.SortStableFunc(results, func(a, b ranked) int { return cmp.Compare(*b.Logit, *a.Logit) })
	return results, nil
}

// rankBySimilarity compares the embeddings of the query and the documents.
func (r *modelRun) rankBySimilarity(ctx context.Context, query string) ([]ranked, error) {
	e := newEmbedder(r.checkpoint)
	documents := r.texts
	vectors := func(e *embedder, texts []text) (embeddings, error) {
		r.texts = texts
		defer func() { r.texts = documents }()
		return e.embed(ctx, r)
	}
	of, err := vectors(e.prompted("query"), []text{{"--query", query}})
	if err != nil {
		return nil, err
	}
	all, err := vectors(e.prompted("document", "passage", "corpus"), documents)
	if err != nil {
		return nil, err
	}
	results := make([]ranked, len(documents))
	for i, v := range all.vectors {
		results[i] = ranked{Index: i, Score: similarity(e.Similarity, of.vectors[0], v), Text: documents[i].string, Tokens: all.tokens[i]}
	}
	slices.SortStableFunc(results, func(a, b ranked) int { return cmp.Compare(b.Score, a.Score) })
	return results, nil
}

package main

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"unicode"

	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/tokenizer"
)

// A labelled is a token, or with --aggregate a span, at these bytes of its text.
type labelled struct {
	Text  string  `json:"text"`
	Start int     `json:"start"`
	End   int     `json:"end"`
	Label string  `json:"label"`
	Score float32 `json:"score"`
}

var tokensCommand = &command{
	name:    "tokens",
	summary: "label the tokens of texts, such as names",
	details: "Each token has a label, which is the likeliest, and its softmax as a score. start and\n" +
		"end are bytes of the text. With --aggregate, tokens of one thing are joined: B-X begins\n" +
		"an X and I-X goes on with it, O is left out, and the score is the tokens' mean.",
	example: "gaze tokens --model ./names --aggregate --text \"Ada Lovelace lived in London.\"",
	setup: func(flags *flag.FlagSet) action {
		var model modelFlags
		model.declare(flags, "to be labelled")
		aggregate := flags.Bool("aggregate", false, "join the tokens of each name, or whatever labels stand for")
		return func(ctx context.Context, s streams, _ []string) error {
			return model.run(s, "tokens", needs(checkpoint.TokenClassification), func(r *modelRun) error {
				results, err := r.labelTokens(ctx)
				if err != nil {
					return err
				}
				if *aggregate {
					for i, tokens := range results {
						results[i] = spansOf(r.texts[i].string, tokens)
					}
				}
				if model.asJSON {
					return s.printJSON(map[string]any{"results": results})
				}
				return s.print(labelTable(r.texts, results))
			})
		}
	},
}

// labelTokens labels the tokens of each text, without those of the template.
func (r *modelRun) labelTokens(ctx context.Context) ([][]labelled, error) {
	encodings, err := r.encode(ctx, func(t string) (string, tokenizer.Options) { return t, tokenizer.Options{} })
	if err != nil {
		return nil, err
	}
	logits, err := r.logits(ctx, wholeTexts(encodings))
	if err != nil {
		return nil, err
	}
	labels := r.checkpoint.Config.Labels
	results := make([][]labelled, len(encodings))
	for i, e := range encodings {
		results[i] = []labelled{} // [] in JSON, where there is none
		for row := range e.IDs {
			if e.Special[row] {
				continue
			}
			scores := softmax(logits[i][row*len(labels):][:len(labels)])
			best := argmax(scores)
			start, end := e.Offsets[row].First, e.Offsets[row].End
			results[i] = append(results[i], labelled{r.texts[i].string[start:end], start, end, labels[best], float32(scores[best])})
		}
	}
	return results, nil
}

// spansOf joins tokens that belong together, as transformers' pipeline does
// (pipelines/token_classification.py, the simple strategy). The spaces that
// tokens begin with belong to no span.
func spansOf(text string, tokens []labelled) []labelled {
	spans := []labelled{}
	previous, sum, members := "O", 0.0, 0
	for _, t := range tokens {
		begins, kind := strings.HasPrefix(t.Label, "B-"), strings.TrimPrefix(strings.TrimPrefix(t.Label, "B-"), "I-")
		switch {
		case kind == "O":
		case kind == previous && !begins:
			last := &spans[len(spans)-1]
			sum, members = sum+float64(t.Score), members+1
			last.End, last.Score = t.End, float32(sum/float64(members))
		default:
			sum, members = float64(t.Score), 1
			t.Label = kind
			spans = append(spans, t)
		}
		previous = kind
	}
	for i, s := range spans {
		spans[i].Start, spans[i].End = trimmed(text, s.Start, s.End)
		spans[i].Text = text[spans[i].Start:spans[i].End]
	}
	return spans
}

// trimmed returns where text[start:end] begins and ends without white space.
func trimmed(text string, start, end int) (int, int) {
	right := strings.TrimRightFunc(text[start:end], unicode.IsSpace)
	end = start + len(right)
	return end - len(strings.TrimLeftFunc(right, unicode.IsSpace)), end
}

func labelTable(texts []text, results [][]labelled) string {
	var out strings.Builder
	for i, result := range results {
		if i > 0 {
			out.WriteString("\n")
		}
		out.WriteString(excerpt(texts[i].string) + "\n")
		t := newTable("rlrl")
		for _, l := range result {
			t.add(fmt.Sprintf("  %d:%d", l.Start, l.End), l.Label, fmt.Sprintf("%.4f", l.Score), fmt.Sprintf("%q", l.Text))
		}
		out.WriteString(t.String())
	}
	return out.String()
}

package main

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/modernbert"
	"github.com/gazevk/gaze/engine/tokenizer"
)

// A maskedText is what fill-mask found for one text.
type maskedText struct {
	Masks  []mask `json:"masks"`
	Tokens int    `json:"tokens"`
}

// A mask is one mask token, at these bytes of the text.
type mask struct {
	Start       int          `json:"start"`
	End         int          `json:"end"`
	Predictions []prediction `json:"predictions"` // the likeliest first
}

type prediction struct {
	ID    uint32  `json:"token_id"`
	Token string  `json:"token"` // as it reads in a text: " word"
	Score float32 `json:"score"`
}

var fillMaskCommand = &command{
	name:    "fill-mask",
	summary: "predict the masked tokens of texts",
	details: "Every text has at least one mask token, [MASK] or <mask> as the model's tokenizer has\n" +
		"it. A score is the softmax over the whole vocabulary. A token that begins a word has a\n" +
		"space in front.",
	example: "gaze fill-mask --model answerdotai/ModernBERT-base --text \"Paris is the [MASK] of France.\"",
	setup: func(flags *flag.FlagSet) action {
		var model modelFlags
		model.declare(flags, "with a mask token")
		top := flags.Int("top", 5, "predict the `K` likeliest tokens")
		return func(ctx context.Context, s streams, _ []string) error {
			if *top < 1 {
				return usageError{fmt.Errorf("--top is %d: expected at least 1", *top)}
			}
			return model.run(s, "fill-mask", needs(checkpoint.MaskedLM), func(r *modelRun) error {
				results, err := r.fillMasks(ctx, *top)
				if err != nil {
					return err
				}
				if model.asJSON {
					return s.printJSON(map[string]any{"results": results})
				}
				return s.print(maskTable(r.texts, results))
			})
		}
	},
}

// logitBytes is about what the masked-LM logits of a batch may take, once where they
// are computed and once where they are read, of each of two batches.
const logitBytes = 128 << 20

func (r *modelRun) fillMasks(ctx context.Context, top int) ([]maskedText, error) {
	id, ok := r.tokenizer.Special(tokenizer.Mask)
	if !ok {
		return nil, fmt.Errorf("%s: its tokenizer has no mask token", r.flags.model)
	}
	name, _ := r.tokenizer.Token(id)
	encodings, err := r.encode(ctx, func(t string) (string, tokenizer.Options) { return t, tokenizer.Options{} })
	if err != nil {
		return nil, err
	}
	vocabulary := r.checkpoint.Config.VocabSize
	rowLimit := max(logitBytes/(4*vocabulary), 1)
	results := make([]maskedText, len(encodings))
	var sequences []sequence
	var firstMask []int // of each sequence, in its text
	for i, e := range encodings {
		var rows []int
		for row, token := range e.IDs {
			if token == id && !e.Special[row] {
				rows = append(rows, row)
				// A mask token may take the space before it with it.
				start, end := trimmed(r.texts[i].string, e.Offsets[row].First, e.Offsets[row].End)
				results[i].Masks = append(results[i].Masks, mask{Start: start, End: end})
			}
		}
		if len(rows) == 0 {
			return nil, fmt.Errorf("%s: it has no mask token, which is %s", r.texts[i].source, name)
		}
		results[i].Tokens = len(e.IDs)
		// More masks than one batch may have logits of are taken in several.
		at := 0
		for part := range slices.Chunk(rows, rowLimit) {
			sequences = append(sequences, sequence{text: i, ids: e.IDs, rows: part})
			firstMask = append(firstMask, at)
			at += len(part)
		}
	}
	want := func(batch []int) modernbert.Want {
		var rows []int
		offset := 0
		for _, s := range batch {
			for _, row := range sequences[s].rows {
				rows = append(rows, offset+row)
			}
			offset += len(sequences[s].ids)
		}
		return modernbert.Want{Logits: true, Rows: rows}
	}
	err = r.forward(ctx, sequences, rowLimit, want, func(batch []int, out *modernbert.Output) {
		row := 0
		for _, s := range batch {
			for i := range sequences[s].rows {
				logits := out.Logits[row*vocabulary:][:vocabulary]
				results[sequences[s].text].Masks[firstMask[s]+i].Predictions = r.likeliest(logits, top)
				row++
			}
		}
	})
	return results, err
}

// likeliest returns the tokens with the largest logits.
func (r *modelRun) likeliest(logits []float32, top int) []prediction {
	scores := softmax(logits)
	// The likeliest so far, in order: few of a large vocabulary ever enter.
	ids := make([]uint32, 0, min(top, len(logits))+1)
	for id, x := range logits {
		if len(ids) == top && x <= logits[ids[top-1]] {
			continue
		}
		at := sort.Search(len(ids), func(i int) bool { return logits[ids[i]] < x })
		if ids = slices.Insert(ids, at, uint32(id)); len(ids) > top {
			ids = ids[:top]
		}
	}
	predictions := make([]prediction, len(ids))
	for i := range predictions {
		predictions[i] = prediction{ids[i], r.tokenizer.Decode(ids[i:i+1], false), float32(scores[ids[i]])}
	}
	return predictions
}

// maskTable returns the predictions for people, a table for each mask.
func maskTable(texts []text, results []maskedText) string {
	var out strings.Builder
	for i, result := range results {
		for at, m := range result.Masks {
			if i+at > 0 {
				out.WriteString("\n")
			}
			out.WriteString(excerpt(texts[i].string))
			if len(result.Masks) > 1 {
				fmt.Fprintf(&out, " (mask %d)", at+1)
			}
			out.WriteString("\n")
			t := newTable("rlr")
			for _, p := range m.Predictions {
				t.add(fmt.Sprintf("  %.4f", p.Score), fmt.Sprintf("%q", p.Token), fmt.Sprint(p.ID))
			}
			out.WriteString(t.String())
		}
	}
	return out.String()
}

package main

import (
	"context"
	"flag"
	"fmt"

	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/tokenizer"
)

// An answer is the part of a text that answers a question best.
type answer struct {
	Text   string  `json:"text"`
	Start  int     `json:"start"` // bytes of the text
	End    int     `json:"end"`
	Score  float32 `json:"score"`
	Tokens int     `json:"tokens"` // of the question and the text together
}

var answerCommand = &command{
	name:    "answer",
	summary: "find the answer to a question in texts",
	details: "The score is the probability of the answer's first token times that of its last, each\n" +
		"among all tokens of the text and [CLS]. start and end are bytes of the text.",
	example: "gaze answer --model ./squad --question \"Where did she live?\" --text \"Ada Lovelace lived in London.\"",
	setup: func(flags *flag.FlagSet) action {
		var model modelFlags
		model.declare(flags, "to look for the answer in")
		question := flags.String("question", "", "the `QUESTION`")
		most := flags.Int("max-tokens", 15, "the answer has at most `N` tokens")
		return func(ctx context.Context, s streams, _ []string) error {
			if err := checkUTF8("--question", *question); err != nil {
				return err
			}
			if *most < 1 {
				return usageError{fmt.Errorf("--max-tokens is %d: expected at least 1", *most)}
			}
			return model.run(s, "answer", needs(checkpoint.QuestionAnswering), func(r *modelRun) error {
				results, err := r.answer(ctx, *question, *most)
				if err != nil {
					return err
				}
				if model.asJSON {
					return s.printJSON(struct {
						Question string   `json:"question"`
						Results  []answer `json:"results"`
					}{*question, results})
				}
				t := newTable("rrll")
				for i, a := range results {
					t.add(fmt.Sprintf("%.4f", a.Score), fmt.Sprintf("%d:%d", a.Start, a.End), fmt.Sprintf("%q", a.Text), excerpt(r.texts[i].string))
				}
				return s.print(t.String())
			})
		}
	},
}

func (r *modelRun) answer(ctx context.Context, question string, most int) ([]answer, error) {
	encodings, err := r.encode(ctx, func(t string) (string, tokenizer.Options) {
		return question, tokenizer.Options{Pair: &t, Truncation: tokenizer.OnlySecond}
	})
	if err != nil {
		return nil, err
	}
	for i, e := range encodings {
		if first, end := pairTokens(e); first == end {
			return nil, fmt.Errorf("%s: it has no tokens to answer with", r.texts[i].source)
		}
	}
	logits, err := r.logits(ctx, encodings)
	if err != nil {
		return nil, err
	}
	results := make([]answer, len(encodings))
	for i, e := range encodings {
		first, last, score := bestSpan(e, logits[i], most)
		start, end := trimmed(r.texts[i].string, e.Offsets[first].First, e.Offsets[last].End)
		results[i] = answer{r.texts[i].string[start:end], start, end, float32(score), len(e.IDs)}
	}
	return results, nil
}

// pairTokens returns where the tokens of the second text begin and end.
func pairTokens(e tokenizer.Encoding) (first, end int) {
	for i, sequence := range e.Sequence {
		if sequence == 1 {
			if end == 0 {
				first = i
			}
			end = i + 1
		}
	}
	return first, end
}

// bestSpan returns the tokens of the second text, at most that many, that are
// likeliest the first and last of an answer. logits are [tokens, 2]. As in
// transformers' pipeline (pipelines/question_answering.py) the first token,
// [CLS], takes its share of the probability: it stands for no answer.
func bestSpan(e tokenizer.Encoding, logits []float32, most int) (first, last int, score float64) {
	from, end := pairTokens(e)
	probabilities := func(column int) []float64 {
		x := make([]float32, 0, end-from+1)
		for i := from; i < end; i++ {
			x = append(x, logits[2*i+column])
		}
		if e.Special[0] {
			x = append(x, logits[column])
		}
		return softmax(x)
	}
	starts, ends := probabilities(0), probabilities(1)
	score = -1
	for i := range end - from {
		for j := i; j < min(i+most, end-from); j++ {
			if p := starts[i] * ends[j]; p > score {
				first, last, score = from+i, from+j, p
			}
		}
	}
	return first, last, score
}

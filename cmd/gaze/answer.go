package main

import (
	"context"
	"flag"
	"fmt"

	"github.com/gazevk/gaze/cmd/internal/load"
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
		"among all tokens of the text and [CLS]. start and end are bytes of the text. A text too\n" +
		"long for the model is read in windows that overlap, each together with the question;\n" +
		"the answer with the highest score in any of them counts.",
	example: "gaze answer --model ./squad --question \"Where did she live?\" --text \"Ada Lovelace lived in London.\"",
	setup: func(flags *flag.FlagSet) action {
		var model modelFlags
		model.declare(flags, "to look for the answer in")
		question := flags.String("question", "", "the `QUESTION`")
		most := flags.Int("max-tokens", 15, "the answer has at most `N` tokens")
		var window windowFlags
		flags.IntVar(&window.tokens, "window", 0, "a window has at most `N` tokens, the question's included; 0 is as many as the model takes")
		flags.IntVar(&window.stride, "stride", 0, "windows share `N` tokens of the text; 0 is 128, or half a window if that is less")
		return func(ctx context.Context, s streams, _ []string) error {
			if err := checkUTF8("--question", *question); err != nil {
				return err
			}
			if *most < 1 {
				return usageError{fmt.Errorf("--max-tokens is %d: expected at least 1", *most)}
			}
			if err := window.check(); err != nil {
				return err
			}
			return model.run(s, "answer", needs(checkpoint.QuestionAnswering), func(r *modelRun) error {
				results, err := r.answer(ctx, *question, *most, window)
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

// answer finds the best answer in each text. A text that is longer than the model
// takes is read in windows; the best answer of any is the text's.
func (r *modelRun) answer(ctx context.Context, question string, most int, w windowFlags) ([]answer, error) {
	limit, by := load.Limit(r.checkpoint, r.tokenizer)
	if w.tokens > limit {
		return nil, fmt.Errorf("--window is %d: expected at most %d, which is %s", w.tokens, limit, by)
	}
	var windows []tokenizer.Encoding
	var sequences []sequence
	results := make([]answer, len(r.texts))
	for i, t := range r.texts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		e, err := r.tokenizer.Encode(question, tokenizer.Options{Pair: &t.string})
		if err != nil {
			return nil, t.unreadable(err)
		}
		parts, err := w.windows(e, limit)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.source, err)
		}
		for _, part := range parts {
			windows = append(windows, part)
			sequences = append(sequences, sequence{text: i, ids: part.IDs})
		}
		results[i] = answer{Score: -1, Tokens: len(e.IDs)}
	}
	logits, err := r.logits(ctx, sequences)
	if err != nil {
		return nil, err
	}
	for i, e := range windows {
		a := &results[sequences[i].text]
		first, last, score := bestSpan(e, logits[i], most)
		if score := float32(score); score > a.Score {
			content := r.texts[sequences[i].text].string
			a.Start, a.End = trimmed(content, e.Offsets[first].First, e.Offsets[last].End)
			a.Text, a.Score = content[a.Start:a.End], score
		}
	}
	return results, nil
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

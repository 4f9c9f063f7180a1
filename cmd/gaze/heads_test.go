package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/tokenizer"
)

func TestFillMask(t *testing.T) {
	directory := tinyModel(t, "ModernBertForMaskedLM", nil)
	oracle := newOracle(t, directory)
	texts := []string{"the [MASK] and [MASK].", "[MASK]", "a somewhat longer text with a [MASK] in it"}
	args := []string{"fill-mask", "--model", directory, "--top", "3", "--batch-tokens", "20"}
	for _, text := range texts {
		args = append(args, "--text", text)
	}
	out := mustCall(t, append(args, "--json")...)
	golden(t, "fill-mask.json", shapeOf(mustCall(t, "fill-mask", "--model", directory, "--top", "1", "--json", "--text", "a [MASK]")))
	var got struct{ Results []maskedText }
	parseJSON(t, out, &got)
	for i, text := range texts {
		e := oracle.encode(t, text, tokenizer.Options{})
		logits := oracle.logits(e)
		at := 0
		for row, id := range e.IDs {
			if id != 4 {
				continue
			}
			m := got.Results[i].Masks[at]
			at++
			if s := text[m.Start:m.End]; s != "[MASK]" || len(m.Predictions) != 3 {
				t.Errorf("text %d: the mask is %q, with %d predictions", i, s, len(m.Predictions))
			}
			p := probabilities(logits[row*268:][:268])
			sorted := slices.SortedFunc(slices.Values(p), func(a, b float64) int { return cmp.Compare(b, a) })
			for k, prediction := range m.Predictions {
				what := fmt.Sprintf("text %d, row %d, prediction %d", i, row, k)
				agree(t, what, prediction.Score, sorted[k])
				agree(t, what, prediction.Score, p[prediction.ID])
				if token := oracle.Decode([]uint32{prediction.ID}, false); token != prediction.Token {
					t.Errorf("%s: token %q, expected %q", what, prediction.Token, token)
				}
			}
		}
		if at != len(got.Results[i].Masks) || got.Results[i].Tokens != len(e.IDs) {
			t.Errorf("text %d: %+v", i, got.Results[i])
		}
	}
	if table := mustCall(t, args...); strings.Count(table, "\n") != 4*4+3 || !strings.HasPrefix(table, "the [MASK] and [MASK]. (mask 1)\n  0.") {
		t.Errorf("the table is\n%s", table)
	}
}

func TestClassify(t *testing.T) {
	labels := map[string]any{"0": "bad", "1": "fair", "2": "good"}
	for _, c := range []struct {
		keys  map[string]any
		score func([]float64) []float64
	}{
		{map[string]any{"id2label": labels}, probabilities},
		{map[string]any{"id2label": labels, "problem_type": "multi_label_classification", "classifier_pooling": "mean"}, sigmoids},
		{map[string]any{"id2label": labels, "problem_type": "regression"}, func(x []float64) []float64 { return x }},
		{map[string]any{"id2label": map[string]any{"0": "bad"}}, sigmoids},
	} {
		directory := tinyModel(t, "ModernBertForSequenceClassification", c.keys)
		oracle := newOracle(t, directory)
		texts := []string{"", "the man", strings.Repeat("an ", 20)}
		got := call(t.Context(), strings.Join(texts, "\n"), "classify", "--model", directory, "--file", "-", "--json", "--batch-tokens", "30")
		var out struct{ Results []classification }
		parseJSON(t, got.out, &out)
		if got.err != "" || len(out.Results) != len(texts) {
			t.Fatalf("%+v", got)
		}
		for i, r := range out.Results {
			e := oracle.encode(t, texts[i], tokenizer.Options{})
			logits := oracle.logits(e)
			scores := c.score(logits)
			best := slices.Index(scores, slices.Max(scores))
			if want := oracle.Config.Labels[best]; r.Label != want || r.Tokens != len(e.IDs) || r.Score != r.Scores[best].Score {
				t.Errorf("%v: text %d: %+v, expected %s", c.keys, i, r, want)
			}
			for j, label := range oracle.Config.Labels {
				what := fmt.Sprintf("%v: text %d, %s", c.keys, i, label)
				agree(t, what, r.Logits[j], logits[j])
				agree(t, what, r.Scores[j].Score, scores[j])
				if r.Scores[j].Label != label {
					t.Errorf("%s: label %s", what, r.Scores[j].Label)
				}
			}
		}
		if len(out.Results[0].Logits) == 1 {
			golden(t, "classify.json", shapeOf(mustCall(t, "classify", "--model", directory, "--json", "--text", "a")))
		}
	}
}

func sigmoids(x []float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = 1 / (1 + math.Exp(-v))
	}
	return y
}

func TestTokens(t *testing.T) {
	directory := tinyModel(t, "ModernBertForTokenClassification", map[string]any{"id2label": map[string]any{"0": "O", "1": "B-X", "2": "I-X"}})
	oracle := newOracle(t, directory)
	texts := []string{"Zoë and the cat", ""}
	var out struct{ Results [][]labelled }
	parseJSON(t, mustCall(t, "tokens", "--model", directory, "--json", "--text", texts[0], "--text", texts[1]), &out)
	golden(t, "tokens.json", shapeOf(mustCall(t, "tokens", "--model", directory, "--json", "--text", "", "--text", "the")))
	for i, text := range texts {
		e := oracle.encode(t, text, tokenizer.Options{})
		logits := oracle.logits(e)
		if len(out.Results[i]) != len(e.IDs)-2 {
			t.Fatalf("text %d has %d tokens, expected %d", i, len(out.Results[i]), len(e.IDs)-2)
		}
		for j, l := range out.Results[i] {
			p := probabilities(logits[(j+1)*3:][:3])
			best := slices.Index(p, slices.Max(p))
			agree(t, fmt.Sprintf("token %d", j), l.Score, p[best])
			if span := e.Offsets[j+1]; l.Label != oracle.Config.Labels[best] || l.Start != span.First || l.End != span.End || l.Text != text[l.Start:l.End] {
				t.Errorf("token %d: %+v, expected %s at %v", j, l, oracle.Config.Labels[best], span)
			}
		}
	}
	var joined struct{ Results [][]labelled }
	parseJSON(t, mustCall(t, "tokens", "--model", directory, "--json", "--aggregate", "--text", texts[0]), &joined)
	if want := spansOf(texts[0], out.Results[0]); !slices.Equal(joined.Results[0], want) {
		t.Errorf("joined to %+v, expected %+v", joined.Results[0], want)
	}
}

func TestSpansOf(t *testing.T) {
	text := "Ada Lovelace met  Bob"
	token := func(start, end int, label string, score float32) labelled {
		return labelled{text[start:end], start, end, label, score}
	}
	for _, c := range []struct {
		tokens []labelled
		want   string
	}{
		{[]labelled{token(0, 3, "B-PER", 0.5), token(3, 12, "I-PER", 1), token(12, 16, "O", 1), token(16, 21, "B-PER", 1)}, "[{Ada Lovelace 0 12 PER 0.75} {Bob 18 21 PER 1}]"},
		{[]labelled{token(0, 3, "B-PER", 1), token(3, 12, "B-PER", 1)}, "[{Ada 0 3 PER 1} {Lovelace 4 12 PER 1}]"},
		{[]labelled{token(0, 3, "I-PER", 1), token(3, 12, "I-LOC", 1)}, "[{Ada 0 3 PER 1} {Lovelace 4 12 LOC 1}]"},
		{[]labelled{token(0, 3, "NAME", 1), token(3, 12, "NAME", 0)}, "[{Ada Lovelace 0 12 NAME 0.5}]"},
		{[]labelled{token(0, 3, "I-X", 1), token(3, 12, "O", 1), token(12, 16, "I-X", 1)}, "[{Ada 0 3 X 1} {met 13 16 X 1}]"},
		{[]labelled{token(0, 3, "O", 1)}, "[]"},
		{nil, "[]"},
	} {
		if got := fmt.Sprint(spansOf(text, c.tokens)); got != c.want {
			t.Errorf("%v: %s, expected %s", c.tokens, got, c.want)
		}
	}
}

func TestRerank(t *testing.T) {
	for _, activation := range []string{"", "torch.nn.modules.linear.Identity"} {
		keys := map[string]any{"id2label": map[string]any{"0": "LABEL_0"}}
		score := sigmoids
		if activation != "" {
			keys["sentence_transformers"] = map[string]any{"activation_fn": activation}
			score = func(x []float64) []float64 { return x }
		}
		directory := tinyModel(t, "ModernBertForSequenceClassification", keys)
		oracle := newOracle(t, directory)
		texts := []string{"the cat", "a dog and an ant", "x", "the the the"}
		args := []string{"rerank", "--model", directory, "--query", "the query?"}
		for _, text := range texts {
			args = append(args, "--text", text)
		}
		var out struct {
			Query   string
			Results []ranked
		}
		parseJSON(t, mustCall(t, append(args, "--json")...), &out)
		golden(t, "rerank.json", shapeOf(mustCall(t, "rerank", "--model", directory, "--query", "q", "--json", "--text", "a")))
		seen := map[int]bool{}
		for i, d := range out.Results {
			e := oracle.encode(t, "the query?", tokenizer.Options{Pair: &texts[d.Index]})
			agree(t, d.Text, float32(d.Score), score(oracle.logits(e))[0])
			if d.Text != texts[d.Index] || d.Tokens != len(e.IDs) || i > 0 && d.Score > out.Results[i-1].Score {
				t.Errorf("%d: %+v", i, d)
			}
			seen[d.Index] = true
		}
		if len(seen) != len(texts) || out.Query != "the query?" {
			t.Errorf("%+v", out)
		}
	}
}

// A model for embeddings ranks by their similarity, with its prompts for both sides.
func TestRerankBySimilarity(t *testing.T) {
	directory := tinyModel(t, "ModernBertModel", nil)
	write(t, directory, "modules.json", `[{"path": "", "type": "Transformer"}, {"path": "1_Pooling", "type": "Pooling"}]`)
	write(t, directory, "config_sentence_transformers.json",
		`{"prompts": {"query": "find: ", "document": "", "passage": "in: "}, "similarity_fn_name": "euclidean"}`)
	texts := []string{"the man and an ant", "a cat", "", "the query"}
	embed := func(prompt, text string) []float32 {
		var out struct{ Embeddings [][]float32 }
		parseJSON(t, mustCall(t, "embed", "--model", directory, "--prompt", prompt, "--text", text, "--json"), &out)
		return out.Embeddings[0]
	}
	var out struct{ Results []ranked }
	args := []string{"rerank", "--model", directory, "--query", "the query", "--json"}
	for _, text := range texts {
		args = append(args, "--text", text)
	}
	parseJSON(t, mustCall(t, args...), &out)
	query := embed("query", "the query")
	for i, d := range out.Results {
		sum := 0.0
		for k, y := range embed("passage", texts[d.Index]) {
			sum += (float64(query[k]) - float64(y)) * (float64(query[k]) - float64(y))
		}
		agree(t, d.Text, float32(d.Score), -math.Sqrt(sum))
		if d.Text != texts[d.Index] || d.Logit != nil || i > 0 && d.Score > out.Results[i-1].Score {
			t.Errorf("%d: %+v", i, d)
		}
	}
	if len(out.Results) != len(texts) {
		t.Errorf("%d results of %d", len(out.Results), len(texts))
	}
}

func TestSimilarity(t *testing.T) {
	a, b := []float32{3, 4}, []float32{-4, 3}
	for _, c := range []struct {
		kind checkpoint.Similarity
		x, y []float32
		want float64
	}{
		{checkpoint.Cosine, a, a, 1}, {checkpoint.Cosine, a, b, 0}, {checkpoint.Cosine, a, []float32{0, 0}, 0},
		{"", a, []float32{-3, -4}, -1}, {checkpoint.Dot, a, a, 25}, {checkpoint.Euclidean, a, b, -math.Sqrt(50)}, {checkpoint.Manhattan, a, b, -8},
	} {
		if got := similarity(c.kind, c.x, c.y); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s of %v and %v is %v, expected %v", c.kind, c.x, c.y, got, c.want)
		}
	}
}

func TestAnswer(t *testing.T) {
	directory := tinyModel(t, "ModernBertForQuestionAnswering", nil)
	oracle := newOracle(t, directory)
	// 64 positions: two texts are read in windows, the last with its answer far behind the first.
	question, texts := "who?", []string{"the man and the ant", "Zoë", strings.Repeat("an ", 30), strings.Repeat("the ant ", 60) + "Zoë? " + strings.Repeat("an ", 40)}
	args := []string{"answer", "--model", directory, "--question", question, "--max-tokens", "3"}
	for _, text := range texts {
		args = append(args, "--text", text)
	}
	got := call(t.Context(), "", append(args, "--json")...)
	if got.status != statusOK || got.err != "" {
		t.Fatalf("%+v", got)
	}
	golden(t, "answer.json", shapeOf(mustCall(t, "answer", "--model", directory, "--question", "q", "--json", "--text", "a")))
	var out struct{ Results []answer }
	parseJSON(t, got.out, &out)
	for i, text := range texts {
		e := oracle.encode(t, question, tokenizer.Options{Pair: &text})
		head := len(oracle.encode(t, question, tokenizer.Options{}).IDs) // [CLS] question [SEP]
		room := 64 - head - 1
		best, first, last := 0.0, 0, 0
		for from, end := head, 0; end < len(e.IDs)-1; from += room - room/2 {
			end = min(from+room, len(e.IDs)-1)
			logits := oracle.logits(tokenizer.Encoding{IDs: slices.Concat(e.IDs[:head], e.IDs[from:end], e.IDs[len(e.IDs)-1:])})
			starts, ends := []float64{math.Exp(logits[0])}, []float64{math.Exp(logits[1])}
			for row := head; row < head+end-from; row++ {
				starts, ends = append(starts, math.Exp(logits[2*row])), append(ends, math.Exp(logits[2*row+1]))
			}
			for a := range end - from {
				for b := a; b < min(a+3, end-from); b++ {
					if p := starts[a+1] * ends[b+1] / sum(starts) / sum(ends); p > best {
						best, first, last = p, from+a, from+b
					}
				}
			}
		}
		if i == len(texts)-1 && first < 2*64 {
			t.Errorf("the best answer of the long text is at token %d: let it be farther behind", first)
		}
		r := out.Results[i]
		agree(t, text, r.Score, best)
		if want := strings.TrimSpace(text[e.Offsets[first].First:e.Offsets[last].End]); r.Text != want || r.Text != text[r.Start:r.End] || r.Tokens != len(e.IDs) {
			t.Errorf("text %d: %+v, expected %q", i, r, want)
		}
	}
	few := call(t.Context(), "", "answer", "--model", directory, "--question", strings.Repeat("q", 61), "--text", "a")
	if want := "gaze answer: --text 1: the question and what the tokenizer adds have 64 tokens, which leaves none of 64 for the text: shorten the question\n"; few != (called{statusFailure, "", want}) {
		t.Errorf("%+v", few)
	}
	empty := call(t.Context(), "", "answer", "--model", directory, "--question", "q", "--text", "")
	if empty != (called{statusFailure, "", "gaze answer: --text 1: it has no tokens to answer with\n"}) {
		t.Errorf("%+v", empty)
	}
}

func sum(x []float64) (total float64) {
	for _, v := range x {
		total += v
	}
	return total
}

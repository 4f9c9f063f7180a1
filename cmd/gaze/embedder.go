package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/modernbert"
	"github.com/gazevk/gaze/engine/tokenizer"
)

// An embedder makes one vector of a text, as sentence-transformers does.
type embedder struct {
	checkpoint.Embedding
	hidden int
	prompt string
}

var poolModes = map[checkpoint.Pooling]engine.PoolMode{
	checkpoint.CLS: engine.PoolCLS, checkpoint.Max: engine.PoolMax, checkpoint.Mean: engine.PoolMean,
	checkpoint.MeanSqrt: engine.PoolMeanSqrt, checkpoint.WeightedMean: engine.PoolWeightedMean, checkpoint.LastToken: engine.PoolLast,
}

// newEmbedder returns how a model embeds texts, with its default prompt.
func newEmbedder(m *checkpoint.Model) *embedder {
	e := &embedder{hidden: m.Config.HiddenSize}
	if m.Embedding != nil {
		e.Embedding = *m.Embedding
	} else {
		// What sentence-transformers makes of a model that it does not know.
		e.Embedding = checkpoint.Embedding{Pooling: []checkpoint.Pooling{checkpoint.Mean}, IncludePrompt: true, Similarity: checkpoint.Cosine}
	}
	e.prompt = e.Prompts[e.DefaultPrompt]
	return e
}

// prompted returns e with the first of its prompts that has one of these names,
// or e itself.
func (e *embedder) prompted(names ...string) *embedder {
	for _, name := range names {
		if prompt := e.Prompts[name]; prompt != "" {
			with := *e
			with.prompt = prompt
			return &with
		}
	}
	return e
}

func (e *embedder) embed(ctx context.Context, r *modelRun) (embeddings, error) {
	layers, err := e.layers()
	if err != nil {
		return embeddings{}, err
	}
	skip, err := e.skip(r.tokenizer)
	if err != nil {
		return embeddings{}, err
	}
	encodings, err := r.encode(ctx, func(t string) (string, tokenizer.Options) { return e.prepare(t), tokenizer.Options{} })
	if err != nil {
		return embeddings{}, err
	}
	result := embeddings{make([][]float32, len(encodings)), make([]int, len(encodings))}
	for i, encoding := range encodings {
		result.tokens[i] = len(encoding.IDs)
		if skip >= len(encoding.IDs) {
			return embeddings{}, fmt.Errorf("%s: the prompt alone has its %d tokens, and this model's pooling leaves the prompt out", r.texts[i].source, len(encoding.IDs))
		}
	}
	want := modernbert.Want{PoolSkip: skip}
	for _, p := range e.Pooling {
		want.Pool = append(want.Pool, poolModes[p])
	}
	width := len(e.Pooling) * e.hidden
	err = r.forward(ctx, wholeTexts(encodings), 0, func([]int) modernbert.Want { return want }, func(batch []int, out *modernbert.Output) {
		for i, s := range batch {
			result.vectors[s] = e.finish(slices.Clone(out.Pooled[i*width:][:width]), layers)
		}
	})
	return result, err
}

// prepare returns what is tokenized for a text.
func (e *embedder) prepare(text string) string {
	text = e.prompt + text
	if e.LowerCase {
		text = strings.ToLower(text)
	}
	return text
}

// skip returns the tokens that pooling leaves out: where the prompt takes no
// part, those that it has by itself, with what the template puts before it.
func (e *embedder) skip(t *tokenizer.Tokenizer) (int, error) {
	if e.IncludePrompt || e.prompt == "" {
		return 0, nil
	}
	encoding, err := t.Encode(e.prepare(""), tokenizer.Options{})
	if err != nil {
		return 0, fmt.Errorf("the prompt: %w", err)
	}
	count := len(encoding.IDs)
	if count > 0 && encoding.Special[count-1] {
		count--
	}
	return count, nil
}

// finish turns pooled hidden states into an embedding.
func (e *embedder) finish(x []float32, layers []denseLayer) []float32 {
	for _, l := range layers {
		x = l.apply(x)
	}
	if e.TruncateTo > 0 {
		x = x[:e.TruncateTo]
	}
	if e.Normalize { // of the part alone: that of the whole would cancel out
		sum := 0.0
		for _, v := range x {
			sum += float64(v) * float64(v)
		}
		length := max(math.Sqrt(sum), 1e-12)
		for i, v := range x {
			x[i] = float32(float64(v) / length)
		}
	}
	return x
}

// A denseLayer is a checkpoint.Dense in memory.
type denseLayer struct {
	weight, bias []float32 // [outputs, inputs], [outputs] or nil
	outputs      int
	activation   func(float64) float64
}

func (e *embedder) layers() ([]denseLayer, error) {
	var layers []denseLayer
	for _, d := range e.Dense {
		l := denseLayer{outputs: d.Outputs, activation: activations[d.Activation]}
		var err error
		if l.weight, err = d.Weight.Float32(); err != nil {
			return nil, err
		}
		if d.Bias.Name != "" {
			if l.bias, err = d.Bias.Float32(); err != nil {
				return nil, err
			}
		}
		if l.activation == nil {
			return nil, fmt.Errorf("a dense layer's activation %q is not known here", d.Activation)
		}
		layers = append(layers, l)
	}
	return layers, nil
}

// apply returns activation(weight*x + bias). One vector a text is little work,
// which stays on the CPU.
func (l denseLayer) apply(x []float32) []float32 {
	y := make([]float32, l.outputs)
	for i := range y {
		sum := 0.0
		if l.bias != nil {
			sum = float64(l.bias[i])
		}
		for j, w := range l.weight[i*len(x):][:len(x)] {
			sum += float64(w) * float64(x[j])
		}
		y[i] = float32(l.activation(sum))
	}
	return y
}

var activations = map[checkpoint.Activation]func(float64) float64{
	checkpoint.GELU:     func(x float64) float64 { return x / 2 * (1 + math.Erf(x/math.Sqrt2)) },
	checkpoint.GELUTanh: func(x float64) float64 { return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x))) },
	checkpoint.SiLU:     func(x float64) float64 { return x * sigmoid(x) },
	checkpoint.ReLU:     func(x float64) float64 { return max(x, 0) },
	checkpoint.Tanh:     math.Tanh,
	checkpoint.Sigmoid:  sigmoid,
	checkpoint.Identity: func(x float64) float64 { return x },
}

package reference

import (
	"fmt"
	"slices"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine/checkpoint"
)

// An Encoder is a ModernBERT checkpoint in float64 (transformers,
// modeling_modernbert.py). D is the hidden size, n the number of packed tokens.
type Encoder struct {
	Config    checkpoint.Config
	Head      checkpoint.Head
	Attention []gaze.Attention // [layers]: what each computes; the checkpoint's own until somebody replaces it

	weights map[string][]float64 // by the names of checkpoint.Config.Tensors
}

// NewEncoder widens all of m's weights. m may be closed afterwards.
func NewEncoder(m *checkpoint.Model) (*Encoder, error) {
	e := &Encoder{Config: m.Config, Head: m.Head, Attention: m.Config.Attentions(), weights: map[string][]float64{}}
	for _, name := range m.Names() {
		tensor, _ := m.Tensor(name)
		x, err := tensor.Float32()
		if err != nil {
			return nil, fmt.Errorf("tensor %s: %w", name, err)
		}
		e.weights[name] = Widen(x)
	}
	return e, nil
}

// States are what an Encoder computes for a batch. The slices of each layer are
// as Attention takes and gives them.
type States struct {
	Lengths      gaze.Lengths
	HiddenStates [][]float64 // [layers + 1][n, D]: the embeddings, then what each layer gives, before the final norm
	Last         []float64   // [n, D], after the final norm: last_hidden_state
	Query, Key   [][]float64 // [layers][heads, n, headDim], after rotation
	LSE          [][]float64 // [layers][heads, n]
}

// Forward runs the encoder over a batch of token ids, one list a sequence. It
// panics on an id that is not in the vocabulary.
func (e *Encoder) Forward(batch [][]uint32) *States {
	s := &States{}
	for _, ids := range batch {
		s.Lengths = append(s.Lengths, len(ids))
	}
	c, n := e.Config, s.Lengths.Tokens()
	embedded := Gather(e.weights["embeddings.tok_embeddings.weight"], slices.Concat(batch...), c.HiddenSize)
	x := e.norm("embeddings.norm", embedded, n)
	s.HiddenStates = append(s.HiddenStates, x)
	for layer := range c.Layers {
		normed := x // the embeddings' norm has just been
		if layer > 0 {
			normed = e.norm(fmt.Sprintf("layers.%d.attn_norm", layer), x, n)
		}
		x = sum(x, e.attention(s, layer, normed))
		x = sum(x, e.mlp(layer, e.norm(fmt.Sprintf("layers.%d.mlp_norm", layer), x, n), n))
		s.HiddenStates = append(s.HiddenStates, x)
	}
	s.Last = e.norm("final_norm", x, n)
	return s
}

// attention returns what a layer's attention makes of x, [n, D], and adds its
// queries, keys and log-sum-exps to s.
func (e *Encoder) attention(s *States, layer int, x []float64) []float64 {
	c, a, n := e.Config, e.Attention[layer], s.Lengths.Tokens()
	name := fmt.Sprintf("layers.%d.attn.", layer)
	qkv := e.linear(name+"Wqkv", x, n, 3*c.HiddenSize, c.HiddenSize)
	q, k, v := byHead(qkv, n, 3, 0, a), byHead(qkv, n, 3, 1, a), byHead(qkv, n, 3, 2, a)
	if a.RoPE.Enabled() {
		cos, sin := a.RoPE.Table(a.HeadDim, s.Lengths.Longest())
		positions := s.Lengths.Positions()
		q = Rope(q, cos, sin, positions, a.Heads, a.HeadDim)
		k = Rope(k, cos, sin, positions, a.Heads, a.HeadDim)
	}
	output, lse := Attention(q, k, v, a.ScoreScale(), a.Visible(), s.Lengths, a.Heads, a.HeadDim)
	s.Query, s.Key, s.LSE = append(s.Query, q), append(s.Key, k), append(s.LSE, lse)
	return e.linear(name+"Wo", byRow(output, n, a), n, c.HiddenSize, c.HiddenSize)
}

// Weights returns a layer's attention weights, [heads, n, n].
func (e *Encoder) Weights(s *States, layer int) []float64 {
	a := e.Attention[layer]
	return Weights(s.Query[layer], s.Key[layer], s.LSE[layer], a.ScoreScale(), a.Visible(), s.Lengths, a.Heads, a.HeadDim)
}

func (e *Encoder) mlp(layer int, x []float64, n int) []float64 {
	c := e.Config
	name := fmt.Sprintf("layers.%d.mlp.", layer)
	h := e.linear(name+"Wi", x, n, 2*c.IntermediateSize, c.HiddenSize)
	h = Gated(h, Activation(c.Activation), n, c.IntermediateSize)
	return e.linear(name+"Wo", h, n, c.HiddenSize, c.IntermediateSize)
}

// linear and norm apply the layer of that name to rows of x; a bias that the
// checkpoint lacks is nil.
func (e *Encoder) linear(name string, x []float64, rows, columns, depth int) []float64 {
	return MatMul(x, e.weights[name+".weight"], e.weights[name+".bias"], rows, columns, depth)
}

func (e *Encoder) norm(name string, x []float64, rows int) []float64 {
	return LayerNorm(x, e.weights[name+".weight"], e.weights[name+".bias"], e.Config.NormEps, rows, e.Config.HiddenSize)
}

// byHead returns part of x, [n, parts, heads, headDim], as [heads, n, headDim].
func byHead(x []float64, n, parts, part int, a gaze.Attention) []float64 {
	out := make([]float64, 0, a.Heads*n*a.HeadDim)
	for h := range a.Heads {
		for i := range n {
			out = append(out, vector(x, (i*parts+part)*a.Heads+h, a.HeadDim)...)
		}
	}
	return out
}

// byRow returns x, [heads, n, headDim], as [n, heads, headDim].
func byRow(x []float64, n int, a gaze.Attention) []float64 {
	out := make([]float64, 0, len(x))
	for i := range n {
		for h := range a.Heads {
			out = append(out, vector(x, h*n+i, a.HeadDim)...)
		}
	}
	return out
}

func sum(a, b []float64) []float64 {
	out := make([]float64, len(a))
	for i := range a {
		out[i] = a[i] + b[i]
	}
	return out
}

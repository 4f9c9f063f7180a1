package checkpoint

import "fmt"

// A TensorShape is one tensor that a model must have.
type TensorShape struct {
	Name  string // as in transformers, without the prefix "model."
	Shape []int
}

// Elements returns the product of the dimensions.
func (t TensorShape) Elements() int {
	n := 1
	for _, dimension := range t.Shape {
		n *= dimension
	}
	return n
}

// Tensors returns all tensors of a model with that head, in the order of their
// use. With D hidden, I intermediate and V vocabulary elements they are
//
//	embeddings.tok_embeddings.weight [V, D]
//	embeddings.norm.weight           [D]
//	layers.0.attn_norm.weight        [D]      in every layer but the first
//	layers.0.attn.Wqkv.weight        [3D, D]  queries, keys, values; each head by head
//	layers.0.attn.Wo.weight          [D, D]
//	layers.0.mlp_norm.weight         [D]
//	layers.0.mlp.Wi.weight           [2I, D]  what is activated, then what it is multiplied by
//	layers.0.mlp.Wo.weight           [D, I]
//	final_norm.weight                [D]
//	head.dense.weight                [D, D]   with any head
//	head.norm.weight                 [D]
//	decoder.weight                   [V, D]   masked LM, unless tied to the embeddings
//	decoder.bias                     [V]      masked LM, unless decoder_bias is false
//	classifier.weight                [n, D]   other heads, n outputs
//	classifier.bias                  [n]
//
// and, for a bias that the config asks for, the same name with .bias in place
// of .weight, of as many elements as the weight has rows.
func (c Config) Tensors(head Head) []TensorShape {
	var tensors []TensorShape
	linear := func(name string, outputs, inputs int, bias bool) {
		tensors = append(tensors, TensorShape{name + ".weight", []int{outputs, inputs}})
		if bias {
			tensors = append(tensors, TensorShape{name + ".bias", []int{outputs}})
		}
	}
	hidden := c.HiddenSize
	norm := func(name string) {
		tensors = append(tensors, TensorShape{name + ".weight", []int{hidden}})
		if c.NormBias {
			tensors = append(tensors, TensorShape{name + ".bias", []int{hidden}})
		}
	}
	linear("embeddings.tok_embeddings", c.VocabSize, hidden, false)
	norm("embeddings.norm")
	for i := range c.Layers {
		layer := fmt.Sprintf("layers.%d.", i)
		if i > 0 {
			norm(layer + "attn_norm")
		}
		linear(layer+"attn.Wqkv", 3*hidden, hidden, c.AttentionBias)
		linear(layer+"attn.Wo", hidden, hidden, c.AttentionBias)
		norm(layer + "mlp_norm")
		linear(layer+"mlp.Wi", 2*c.IntermediateSize, hidden, c.MLPBias)
		linear(layer+"mlp.Wo", hidden, c.IntermediateSize, c.MLPBias)
	}
	norm("final_norm")
	if head == NoHead {
		return tensors
	}
	linear("head.dense", hidden, hidden, c.ClassifierBias)
	norm("head.norm")
	if head != MaskedLM {
		linear("classifier", c.Outputs(head), hidden, true)
		return tensors
	}
	if !c.TieWordEmbeddings {
		linear("decoder", c.VocabSize, hidden, false)
	}
	if c.DecoderBias {
		tensors = append(tensors, TensorShape{"decoder.bias", []int{c.VocabSize}})
	}
	return tensors
}

// Parameters returns the number of elements of all tensors together.
func (c Config) Parameters(head Head) int {
	sum := 0
	for _, t := range c.Tensors(head) {
		sum += t.Elements()
	}
	return sum
}

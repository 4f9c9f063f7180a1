package checkpoint

// An Embedding says how sentence-transformers makes one vector of a text: the
// hidden states are pooled, the results of all poolings concatenated, then go
// through the dense layers and are normalized.
type Embedding struct {
	Pooling       []Pooling // at least one
	IncludePrompt bool      // whether the prompt's tokens take part in the pooling
	Dense         []Dense   // each takes what the one before gives, the first len(Pooling)*HiddenSize
	Normalize     bool      // divide by the Euclidean length, or by 1e-12 if that is more

	Prompts           map[string]string // by name, to be put before a text
	DefaultPrompt     string            // the name of the prompt of a text without another, "" for none
	MaxSequenceLength int               // tokens, those that are added included; 0 leaves it to the tokenizer and MaxPositions
	LowerCase         bool              // texts are lower-cased
	TruncateTo        int               // elements of a vector that are kept, the first; 0 means all
	Similarity        Similarity
}

// Dimensions returns the elements of a vector before any truncation.
func (e *Embedding) Dimensions(hidden int) int {
	if len(e.Dense) > 0 {
		return e.Dense[len(e.Dense)-1].Outputs
	}
	return len(e.Pooling) * hidden
}

// A Dense is a layer on a pooled vector x: Activation(Weight*x + Bias).
type Dense struct {
	Inputs, Outputs int
	Activation      Activation
	Weight          Tensor // [Outputs, Inputs]
	Bias            Tensor // [Outputs]; the zero Tensor where there is none
}

// A Similarity compares two embeddings; the larger the more alike.
type Similarity string

const (
	Cosine    Similarity = "cosine"
	Dot       Similarity = "dot"
	Euclidean Similarity = "euclidean" // the distance, negated
	Manhattan Similarity = "manhattan" // the sum of absolute differences, negated
)

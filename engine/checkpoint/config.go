package checkpoint

import (
	"path/filepath"
	"slices"
	"strconv"

	"github.com/gazevk/gaze"
)

// A Config is what config.json says of a ModernBERT encoder and its head, with
// the defaults of transformers 5 (configuration_modernbert.py) filled in. The
// comments name the keys. L is Layers, D is HiddenSize.
type Config struct {
	Architecture string // architectures[0], the class in transformers; "" where none is named

	VocabSize        int // vocab_size: rows of the embedding matrix, which may be more than the tokenizer's ids
	HiddenSize       int // hidden_size, D
	IntermediateSize int // intermediate_size: rows of either half of the gated mlp.Wi
	Layers           int // num_hidden_layers, L
	Heads            int // num_attention_heads; divides D into an even number of elements each
	MaxPositions     int // max_position_embeddings: the longest sequence of the training; nothing breaks beyond it

	Activation           Activation // hidden_activation, of the gated linear unit: GELU, GELUTanh, SiLU or ReLU
	ClassifierActivation Activation // classifier_activation, of every head: likewise
	ClassifierPooling    Pooling    // classifier_pooling, of sequence classification and multiple choice: CLS or Mean
	NormEps              float64    // norm_eps, of every LayerNorm
	NormBias             bool       // norm_bias, of every LayerNorm
	AttentionBias        bool       // attention_bias, of attn.Wqkv and attn.Wo
	MLPBias              bool       // mlp_bias, of mlp.Wi and mlp.Wo
	DecoderBias          bool       // decoder_bias, of the masked-LM decoder
	ClassifierBias       bool       // classifier_bias, of head.dense; the classifier itself always has one
	TieWordEmbeddings    bool       // tie_word_embeddings: the masked-LM decoder multiplies by the embedding matrix

	LayerAttention []LayerKind // [L]: layer_types, or by global_attn_every_n_layers
	Window         int         // keys seen on either side in local layers: local_attention/2, or sliding_window
	GlobalRoPE     gaze.RoPE   // of global layers; zero where there is none
	LocalRoPE      gaze.RoPE   // of local layers; zero where there is none

	Labels      []string // id2label, or LABEL_0 and so on as num_labels says, which is 2 by default
	ProblemType string   // problem_type: "", "regression", "single_label_classification" or "multi_label_classification"
	PadID       int      // pad_token_id, -1 for null

	// ScoreActivation turns a cross-encoder's logits into scores: Sigmoid or
	// Identity, "" where nobody says (sentence-transformers then takes Sigmoid
	// for one label and Identity for more).
	ScoreActivation Activation

	Ignored []string // "config.json: key" of each key that is not known here; transformers does not use it either
}

// A LayerKind says how far the queries of a layer see.
type LayerKind uint8

const (
	GlobalAttention LayerKind = iota // all keys of the sequence: "full_attention"
	LocalAttention                   // the keys within Window: "sliding_attention"
)

func (k LayerKind) String() string {
	if k == LocalAttention {
		return "local"
	}
	return "global"
}

// HeadDim returns the elements of one head's query, key and value vectors.
func (c Config) HeadDim() int { return c.HiddenSize / c.Heads }

// Attention returns what layer computes, 0 <= layer < Layers.
func (c Config) Attention(layer int) gaze.Attention {
	a := gaze.Attention{Heads: c.Heads, HeadDim: c.HeadDim(), RoPE: c.GlobalRoPE, Pattern: gaze.Full{}}
	if c.LayerAttention[layer] == LocalAttention {
		a.RoPE, a.Pattern = c.LocalRoPE, gaze.SlidingWindow{Left: c.Window, Right: c.Window}
	}
	return a
}

// Attentions returns what each layer computes.
func (c Config) Attentions() []gaze.Attention {
	attentions := make([]gaze.Attention, c.Layers)
	for layer := range attentions {
		attentions[layer] = c.Attention(layer)
	}
	return attentions
}

// Bounds of what is believed: several times what any published model has, and
// small enough that no size computed from them overflows.
const (
	maxVocab     = 1 << 24
	maxHidden    = 1 << 16
	maxLayers    = 1000
	maxPositions = 1 << 30
	maxLabels    = 1 << 20
)

// ParseConfig reads data, the contents of a config.json of the flat form that
// transformers 4 wrote, of the nested form of transformers 5, or of any
// mixture, as transformers 5 would. file is what errors call it. A key that
// would change the result in a way not supported here is an error.
func ParseConfig(file string, data []byte) (Config, error) {
	k, err := parseKeys(file, data)
	if err != nil {
		return Config{}, err
	}
	k.requireModernBERT()
	k.refuseUnsupported()
	c := Config{
		VocabSize:        k.integer("vocab_size", 50368, 1, maxVocab),
		HiddenSize:       k.integer("hidden_size", 768, 2, maxHidden),
		IntermediateSize: k.integer("intermediate_size", 1152, 1, maxHidden),
		Layers:           k.integer("num_hidden_layers", 22, 1, maxLayers),
		Heads:            k.integer("num_attention_heads", 12, 1, maxHidden),
		MaxPositions:     k.integer("max_position_embeddings", 8192, 1, maxPositions),

		Activation:           choose(k, "hidden_activation", "gelu", modelActivations),
		ClassifierActivation: choose(k, "classifier_activation", "gelu", modelActivations),
		ClassifierPooling:    choose(k, "classifier_pooling", "cls", map[string]Pooling{"cls": CLS, "mean": Mean}),
		NormEps:              k.number("norm_eps", 1e-5),
		NormBias:             k.boolean("norm_bias", false),
		AttentionBias:        k.boolean("attention_bias", false),
		MLPBias:              k.boolean("mlp_bias", false),
		DecoderBias:          k.boolean("decoder_bias", true),
		ClassifierBias:       k.boolean("classifier_bias", false),
		TieWordEmbeddings:    k.boolean("tie_word_embeddings", true),
		PadID:                50283,
	}
	if k.has("architectures") {
		if names := k.texts("architectures"); len(names) > 0 {
			c.Architecture = names[0]
		}
	}
	if value, ok := k.take("pad_token_id"); ok && string(value) == "null" {
		c.PadID = -1
	} else {
		c.PadID = k.integer("pad_token_id", c.PadID, -maxVocab, maxVocab)
	}
	if c.NormEps <= 0 || c.NormEps >= 1 {
		k.wrong("norm_eps", "a number above 0 and below 1")
	}
	k.headDim(c)
	k.attention(&c)
	k.labels(&c)
	k.scoreActivation(&c)
	if *k.err != nil {
		return Config{}, *k.err
	}
	for _, key := range k.rest() {
		if !harmless[key] {
			c.Ignored = append(c.Ignored, key)
		}
	}
	slices.Sort(c.Ignored)
	c.Ignored = slices.Compact(c.Ignored)
	for i, key := range c.Ignored {
		c.Ignored[i] = filepath.Base(file) + ": " + key
	}
	return c, nil
}

// headDim holds the heads against the hidden size.
func (k *keys) headDim(c Config) {
	if *k.err != nil {
		return
	}
	if c.HiddenSize%c.Heads != 0 {
		k.fail("hidden_size", "is %d: num_attention_heads, %d, does not divide it", c.HiddenSize, c.Heads)
		return
	}
	if c.HeadDim()%2 != 0 {
		k.fail("hidden_size", "is %d: that gives each of %d heads %d elements, which rotary embeddings cannot pair",
			c.HiddenSize, c.Heads, c.HeadDim())
	}
	if k.has("head_dim") {
		if headDim := k.integer("head_dim", 0, 1, maxHidden); headDim != c.HeadDim() {
			k.fail("head_dim", "is %d: only hidden_size/num_attention_heads, %d, is supported", headDim, c.HeadDim())
		}
	}
}

// labels reads id2label, num_labels and problem_type.
func (k *keys) labels(c *Config) {
	count, counted := 2, k.has("num_labels")
	if counted {
		count = k.integer("num_labels", count, 1, maxLabels)
	}
	if k.has("id2label") {
		names := k.object("id2label")
		if names == nil {
			return
		}
		if len(names.values) == 0 || counted && count != len(names.values) {
			k.fail("id2label", "has %d labels: expected at least 1, and as many as num_labels, if given, says", len(names.values))
			return
		}
		for i := range len(names.values) {
			id := strconv.Itoa(i)
			if !names.has(id) {
				k.fail("id2label", "has %d labels and none for %q: expected 0 to %d", len(names.values), id, len(names.values)-1)
				return
			}
			c.Labels = append(c.Labels, names.text(id, ""))
		}
	} else {
		for i := range count {
			c.Labels = append(c.Labels, "LABEL_"+strconv.Itoa(i))
		}
	}
	if k.has("problem_type") {
		c.ProblemType = choose(k, "problem_type", "", map[string]string{
			"regression": "regression", "single_label_classification": "single_label_classification",
			"multi_label_classification": "multi_label_classification",
		})
		if c.ProblemType == "single_label_classification" && len(c.Labels) == 1 {
			k.fail("problem_type", "is %q, which needs at least two labels, and there is one", c.ProblemType)
		}
	}
}

// scoreActivation reads what sentence-transformers has added for its CrossEncoder.
func (k *keys) scoreActivation(c *Config) {
	if k.has("sbert_ce_default_activation_function") {
		c.ScoreActivation = k.score("sbert_ce_default_activation_function")
	}
	if k.has("sentence_transformers") {
		if inner := k.object("sentence_transformers"); inner != nil && inner.has("activation_fn") {
			c.ScoreActivation = inner.score("activation_fn")
		}
	}
}

// score returns the activation of torch at key, which must be one for scores.
func (k *keys) score(key string) Activation {
	activation, err := torchActivation(k.text(key, ""))
	if err == nil && activation != Sigmoid && activation != Identity {
		k.wrong(key, `"torch.nn.modules.activation.Sigmoid" or "torch.nn.modules.linear.Identity"`)
	} else if err != nil {
		k.fail(key, "%v", err)
	}
	return activation
}

package checkpoint

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/gazevk/gaze"
)

// resolved is what transformers made of a config.json.
type resolved struct {
	Vocab        int               `json:"vocab_size"`
	Hidden       int               `json:"hidden_size"`
	Intermediate int               `json:"intermediate_size"`
	Layers       int               `json:"num_hidden_layers"`
	Heads        int               `json:"num_attention_heads"`
	Positions    int               `json:"max_position_embeddings"`
	Activation   string            `json:"hidden_activation"`
	Classifier   string            `json:"classifier_activation"`
	Pooling      string            `json:"classifier_pooling"`
	Eps          float64           `json:"norm_eps"`
	NormBias     bool              `json:"norm_bias"`
	Attention    bool              `json:"attention_bias"`
	MLP          bool              `json:"mlp_bias"`
	Decoder      bool              `json:"decoder_bias"`
	Dense        bool              `json:"classifier_bias"`
	Tie          bool              `json:"tie_word_embeddings"`
	LayerTypes   []string          `json:"layer_types"`
	Window       int               `json:"sliding_window"`
	Problem      string            `json:"problem_type"`
	Pad          *int              `json:"pad_token_id"`
	Labels       []string          `json:"labels"`
	Rope         map[string]string `json:"rope"`
}

type configGoldens struct {
	Cases map[string]struct {
		Config   json.RawMessage
		Resolved *resolved
		Error    string
	}
	Yarn []struct {
		HeadDim    int `json:"head_dim"`
		Rope       string
		Parameters struct {
			Theta    float64 `json:"rope_theta"`
			Factor   float64
			Original int     `json:"original_max_position_embeddings"`
			Fast     float64 `json:"beta_fast"`
			Slow     float64 `json:"beta_slow"`
			Factor2  float64 `json:"attention_factor"`
			Truncate *bool
		} `json:"rope_parameters"`
	}
}

// refusedHere are what transformers accepts and gaze refuses, and why.
var refusedHere = map[string]string{
	"dynamic":              "its frequencies change with the length of the batch",
	"llama3":               "gaze does not compute its frequencies",
	"rope_scaling type":    "versions of transformers disagree about what it means",
	"yarn inner truncate":  "transformers overlooks the key",
	"labels":               "id2label and num_labels contradict each other",
	"problem_type unknown": "it is none of the three",
	"odd head_dim":         "transformers fails when it runs",
	"hidden_size is 0":     "nothing can be computed",
}

// acceptedHere are what gaze accepts though transformers 5 does not, and why.
var acceptedHere = map[string]string{
	"v4 local theta is null":     "transformers 4 takes the global theta",
	"rope_scaling over one kind": "the other kind has its defaults",
}

func readConfigGoldens(t *testing.T) (configGoldens, *File) {
	t.Helper()
	data, err := os.ReadFile("testdata/configs.json")
	if err != nil {
		t.Fatal(err)
	}
	var goldens configGoldens
	if err := json.Unmarshal(data, &goldens); err != nil {
		t.Fatal(err)
	}
	tables, err := Open("testdata/rope.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tables.Close() })
	return goldens, tables
}

func TestParseConfigLikeTransformers(t *testing.T) {
	goldens, tables := readConfigGoldens(t)
	if len(goldens.Cases) < 100 {
		t.Fatalf("only %d cases", len(goldens.Cases))
	}
	for name, golden := range goldens.Cases {
		c, err := ParseConfig("config.json", golden.Config)
		wantError := golden.Error != "" && acceptedHere[name] == "" || refusedHere[name] != ""
		if (err != nil) != wantError {
			t.Errorf("%s: %v: transformers: %q", name, err, golden.Error)
		}
		if err != nil || golden.Resolved == nil {
			continue
		}
		r := *golden.Resolved
		kinds := make([]LayerKind, len(r.LayerTypes))
		for i, kind := range r.LayerTypes {
			if kind == "sliding_attention" {
				kinds[i] = LocalAttention
			}
		}
		pad := -1
		if r.Pad != nil {
			pad = *r.Pad
		}
		for what, same := range map[string]bool{
			"vocab_size":              c.VocabSize == r.Vocab,
			"hidden_size":             c.HiddenSize == r.Hidden,
			"intermediate_size":       c.IntermediateSize == r.Intermediate,
			"num_hidden_layers":       c.Layers == r.Layers,
			"num_attention_heads":     c.Heads == r.Heads,
			"max_position_embeddings": c.MaxPositions == r.Positions,
			"hidden_activation":       c.Activation == modelActivations[r.Activation],
			"classifier_activation":   c.ClassifierActivation == modelActivations[r.Classifier],
			"classifier_pooling":      string(c.ClassifierPooling) == r.Pooling,
			"norm_eps":                c.NormEps == r.Eps,
			"biases": [5]bool{c.NormBias, c.AttentionBias, c.MLPBias, c.DecoderBias, c.ClassifierBias} ==
				[5]bool{r.NormBias, r.Attention, r.MLP, r.Decoder, r.Dense},
			"tie_word_embeddings": c.TieWordEmbeddings == r.Tie,
			"layer_types":         slices.Equal(c.LayerAttention, kinds),
			"window":              c.Window == r.Window,
			"problem_type":        c.ProblemType == r.Problem,
			"labels":              slices.Equal(c.Labels, r.Labels),
			"pad_token_id":        c.PadID == pad,
		} {
			if !same {
				t.Errorf("%s: %s differs: %+v, transformers has %+v", name, what, c, r)
			}
		}
		for kind, rope := range map[string]gaze.RoPE{"full_attention": c.GlobalRoPE, "sliding_attention": c.LocalRoPE} {
			if table, ok := r.Rope[kind]; ok {
				compareTable(t, name+": "+kind, rope, c.HeadDim(), tables, table)
			} else if rope != (gaze.RoPE{}) {
				t.Errorf("%s: %s: %+v: there is no such layer", name, kind, rope)
			}
		}
	}
}

func TestYaRNLikeTransformers(t *testing.T) {
	goldens, tables := readConfigGoldens(t)
	for _, golden := range goldens.Yarn {
		p := golden.Parameters
		rope := gaze.RoPE{Theta: p.Theta, Scaling: gaze.RoPEScaling{
			Method: gaze.YaRNScaling, Factor: p.Factor, OriginalPositions: p.Original, BetaFast: p.Fast, BetaSlow: p.Slow,
			AttentionFactor: p.Factor2, Untruncated: p.Truncate != nil && !*p.Truncate,
		}}
		if err := rope.Validate(); err != nil {
			t.Error(err)
		}
		compareTable(t, golden.Rope, rope, golden.HeadDim, tables, golden.Rope)
	}
}

// compareTable holds a table against that of transformers. Its cosines and
// sines are within one unit of the last place where ours are rounded correctly;
// the factor on them, rounded in turn, can make it two. At position 8191
// another last bit in a frequency would show as hundreds.
func compareTable(t *testing.T, what string, rope gaze.RoPE, headDim int, tables *File, name string) {
	t.Helper()
	positions, _ := tables.Tensor("positions")
	golden, ok := tables.Tensor(name)
	want, err := golden.Float32()
	half := headDim / 2
	if count := positions.Shape[0]; !ok || err != nil || !slices.Equal(golden.Shape, []int{2, count, half}) {
		t.Fatalf("%s: table %q of shape %v, %v", what, name, golden.Shape, err)
	}
	cos, sin := rope.Table(headDim, 8192)
	allowed := int64(1)
	if rope.Scaling.Method == gaze.YaRNScaling {
		allowed = 2
	}
	for i := range positions.Shape[0] {
		p := int(binary.LittleEndian.Uint32(positions.Bytes()[4*i:]))
		for j := range half {
			for k, got := range []float32{cos[p*half+j], sin[p*half+j]} {
				if w := want[(k*positions.Shape[0]+i)*half+j]; ulps(got, w) > allowed {
					t.Errorf("%s: %+v, position %d, pair %d: %v, transformers has %v: %d ulp apart", what, rope, p, j, got, w, ulps(got, w))
					return
				}
			}
		}
	}
}

// ulps counts the float32 values between a and b.
func ulps(a, b float32) int64 {
	ordered := func(f float32) int64 {
		bits := int64(int32(math.Float32bits(f)))
		if bits < 0 {
			return math.MinInt32 - bits
		}
		return bits
	}
	return max(ordered(a)-ordered(b), ordered(b)-ordered(a))
}

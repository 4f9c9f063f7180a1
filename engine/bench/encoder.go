package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/builtin"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/modernbert"
)

// encoderShare is what an encoder may count on of the device's limit. Slow
// devices reach less, and take longer: this is what gaze is for.
const encoderShare = 0.4

// baseLayers are those of ModernBERT-base, and fewer for slow devices. A layer in
// three is global, the first always.
var baseLayers = []int{22, 6, 3, 1}

// baseConfig returns the configuration of ModernBERT-base with so many layers.
// The vocabulary is smaller: time does not depend on it, loading does.
func baseConfig(layers int) ([]byte, error) {
	return json.Marshal(map[string]any{
		"model_type": "modernbert", "architectures": []string{"ModernBertModel"}, "vocab_size": 4096, "pad_token_id": 0,
		"hidden_size": 768, "intermediate_size": 1152, "num_attention_heads": 12, "num_hidden_layers": layers,
		"max_position_embeddings": 8192, "local_attention": 128, "global_attn_every_n_layers": 3,
		"global_rope_theta": 160000.0, "local_rope_theta": 10000.0,
	})
}

// A texts is what an encoder is given.
type texts struct {
	name   string
	tokens int // of one text; 0 where there are several
	gaze.Lengths
}

func (r *runner) batches() []texts {
	var batches []texts
	lengths := r.Lengths
	if len(lengths) == 0 {
		lengths = []int{128, 512, 2048}
		if r.Effort == Quick {
			lengths = []int{128}
		}
	}
	for _, n := range lengths {
		batches = append(batches, texts{fmt.Sprintf("n %d", n), n, gaze.Lengths{n}})
	}
	if len(r.Lengths) == 0 && r.Effort != Quick {
		batches = append(batches, texts{"8 to 128, mixed", 0, gaze.Lengths{128, 20, 8, 64, 36}},
			texts{"50 to 1000, mixed", 0, gaze.Lengths{1000, 50, 300, 120, 500, 78}})
	}
	return batches
}

func (r *runner) encoder() error {
	directory, err := os.MkdirTemp("", "gaze-bench-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(directory)
	s := &encoders{runner: r, directory: directory, models: map[string]*modernbert.Model{}}
	defer s.close()
	batches := r.batches()
	for i, b := range batches {
		for _, precision := range r.precisions(engine.F32) {
			tiers, err := r.tiersOf(precision)
			if err != nil {
				return err
			}
			for _, tier := range tiers {
				if err := s.base(b, tier, precision); err != nil {
					return err
				}
				if err := s.builtin(b, tier, precision); err != nil {
					return err
				}
			}
		}
		r.tell("encoder", float64(i+1)/float64(len(batches)))
	}
	return nil
}

// encoders keeps the models that were loaded.
type encoders struct {
	*runner
	directory string
	models    map[string]*modernbert.Model
}

func (s *encoders) close() {
	for _, m := range s.models {
		m.Close()
	}
}

// base measures a model of ModernBERT-base's size with random weights, with as
// many of its layers as there is time for.
func (s *encoders) base(b texts, tier engine.Tier, precision engine.Precision) error {
	for i, layers := range baseLayers {
		text, err := baseConfig(layers)
		if err != nil {
			return err
		}
		config, err := checkpoint.ParseConfig("config.json", text)
		if err != nil {
			return err
		}
		need, last := encoderCost(config, b.Lengths), i == len(baseLayers)-1
		if !s.affords(need, encoderShare) && !(last && len(s.Lengths) > 0) {
			if last {
				s.omit("encoder", fmt.Sprintf("base, 1 of 22 layers, %s", b.name), need, encoderShare)
			}
			continue
		}
		name := fmt.Sprintf("base, %d of 22 layers", layers)
		m, err := s.load(name, tier, precision, func() (*checkpoint.Model, error) {
			path := fmt.Sprintf("%s/%d", s.directory, layers)
			if err := checkpoint.WriteRandom(path, text, checkpoint.RandomOptions{Seed: 1, DType: checkpoint.F16}); err != nil {
				return nil, err
			}
			return checkpoint.OpenModel(path)
		})
		if err != nil {
			return err
		}
		return s.forward(m, name, "base", b, tier, need)
	}
	return nil
}

// builtin measures the model that gaze carries.
func (s *encoders) builtin(b texts, tier engine.Tier, precision engine.Precision) error {
	m, err := s.load(builtin.Name, tier, precision, func() (*checkpoint.Model, error) { return checkpoint.OpenModel(builtin.Name) })
	if err != nil {
		return err
	}
	need := encoderCost(m.Config, b.Lengths)
	if len(s.Lengths) == 0 && !s.affords(need, encoderShare) {
		s.omit("encoder", fmt.Sprintf("%s, %s", builtin.Name, b.name), need, encoderShare)
		return nil
	}
	return s.forward(m, builtin.Name, builtin.Name, b, tier, need)
}

// load returns a model on the device, loaded once.
func (s *encoders) load(name string, tier engine.Tier, precision engine.Precision, open func() (*checkpoint.Model, error)) (*modernbert.Model, error) {
	key := strings.Join([]string{name, string(tier), string(precision)}, "\x00")
	if m := s.models[key]; m != nil {
		return m, nil
	}
	e, err := s.Open(tier)
	if err != nil {
		return nil, err
	}
	c, err := open()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	m, err := modernbert.Load(s.ctx, e, c, precision)
	if err == nil {
		s.models[key] = m
	}
	return m, err
}

// encoderCost returns the multiply-adds that a forward pass over so many tokens
// needs: those of the layers' products and of the pairs that are visible.
func encoderCost(c checkpoint.Config, lengths gaze.Lengths) int64 {
	d, wide := int64(c.HiddenSize), int64(c.IntermediateSize)
	perToken := 4*d*d + 3*d*wide // Wqkv and Wo, both halves of Wi, and the MLP's Wo
	sum := int64(c.Layers) * perToken * int64(lengths.Tokens())
	pairs := map[string]int64{}
	for _, a := range c.Attentions() {
		name := a.Visible().String()
		if _, known := pairs[name]; !known {
			pairs[name] = gaze.NewBlockMap(a.Visible(), lengths, 64).Pairs
		}
		sum += 2 * d * pairs[name]
	}
	return sum
}

func (s *encoders) forward(m *modernbert.Model, model, series string, b texts, tier engine.Tier, need int64) error {
	batch := make([][]uint32, len(b.Lengths))
	for i, n := range b.Lengths {
		batch[i] = make([]uint32, n)
		for j := range batch[i] {
			batch[i][j] = uint32(1 + (7*i+31*j)%(min(m.Config.VocabSize, 4096)-1))
		}
	}
	e, err := s.Open(tier)
	if err != nil {
		return err
	}
	asked := modernbert.Want{Pool: []engine.PoolMode{engine.PoolMean}}
	program, err := modernbert.NewProgram(e.Traits(), m.Config, m.Head, m.Precision, b.Lengths, asked)
	if err != nil {
		return err
	}
	c := &Case{Suite: "encoder", Name: model + ", " + b.name, Tier: tier, Precision: m.Precision, Series: series, Tokens: b.tokens, MultiplyAdds: need}
	var want []string
	for _, p := range program.Passes {
		c.Bytes += p.Bytes
		want = append(want, p.Kernel)
	}
	if b.tokens == 0 {
		c.Series = ""
	}
	var vectors []float32
	return s.measure(c, want, func() (*engine.Timing, error) {
		out, err := m.Forward(s.ctx, batch, asked, modernbert.Watch{})
		if err != nil {
			return nil, err
		}
		if vectors == nil {
			vectors = out.Pooled
		}
		for i, x := range out.Pooled {
			if x != vectors[i] {
				return nil, errors.New("two runs gave different vectors (gaze verify tells more)")
			}
		}
		return &out.Timing, nil
	})
}

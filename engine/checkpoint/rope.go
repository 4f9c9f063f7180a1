package checkpoint

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"

	"github.com/gazevk/gaze"
)

// ropes resolves the rotary embeddings of both kinds of layers. Each of their
// parameters is taken from rope_scaling, then from the kind's own part of
// rope_parameters; the base also from global_rope_theta or local_rope_theta.
// Parameters of a kind that no layer has are not looked at.
func (k *keys) ropes(c *Config) {
	globalTheta := k.theta("global_rope_theta", 160000)
	localTheta := globalTheta // what transformers 4 made of null
	if value, ok := k.take("local_rope_theta"); !ok || string(value) != "null" {
		localTheta = k.theta("local_rope_theta", 10000)
	}
	var parameters, scaling *keys
	if k.has("rope_parameters") {
		parameters = k.object("rope_parameters")
	}
	if k.has("rope_scaling") {
		scaling = k.object("rope_scaling")
	}
	for _, kind := range []struct {
		layers LayerKind
		name   string
		theta  float64
		rope   *gaze.RoPE
	}{
		{GlobalAttention, fullAttention, globalTheta, &c.GlobalRoPE},
		{LocalAttention, slidingAttention, localTheta, &c.LocalRoPE},
	} {
		var own *keys
		if parameters != nil {
			own = parameters.object(kind.name)
		}
		if *k.err != nil {
			return
		}
		for _, layer := range c.LayerAttention {
			if layer == kind.layers {
				merged := merge(k, own, scaling)
				*kind.rope = merged.rope(kind.theta, c.MaxPositions)
				c.Ignored = append(c.Ignored, merged.rest()...)
				break
			}
		}
	}
	if parameters != nil && len(parameters.rest()) > 0 {
		key := parameters.rest()[0]
		*k.err = fmt.Errorf("%s: %s is not supported there: expected %q and %q, each with its parameters within",
			k.file, key, fullAttention, slidingAttention)
	}
}

// merge returns one kind's parameters, of which scaling overrides own. Either
// may be nil.
func merge(k, own, scaling *keys) *keys {
	merged := &keys{file: k.file, taken: map[string]bool{}, err: k.err, values: map[string]json.RawMessage{}}
	switch {
	case own != nil:
		merged.prefix = own.prefix
		maps.Copy(merged.values, own.values)
	case scaling != nil:
		merged.prefix = scaling.prefix
		merged.values["rope_type"] = json.RawMessage(`"default"`) // where scaling says "type", both are refused
	}
	if scaling != nil {
		maps.Copy(merged.values, scaling.values)
	}
	return merged
}

// theta returns the base at key, fallback if there is none.
func (k *keys) theta(key string, fallback float64) float64 {
	theta := k.number(key, fallback)
	if theta < 1 || theta > math.MaxFloat32 {
		k.wrong(key, fmt.Sprintf("a number from 1 to %.2g", math.MaxFloat32))
	}
	return theta
}

// rope reads one kind's parameters (transformers, modeling_rope_utils.py).
func (k *keys) rope(theta float64, maxPositions int) gaze.RoPE {
	older := k.text("type", "default")
	method := k.text("rope_type", older)
	if _, ok := k.values["type"]; ok && older != method {
		k.fail("type", "is %.40q and rope_type %.40q, which is also what it is when left out here: "+
			"transformers 5 reads rope_type alone; say the same in both", older, method)
	}
	for _, key := range []string{fullAttention, slidingAttention} {
		if _, ok := k.values[key]; ok {
			k.fail(key, "is not supported there: write rope_parameters for parameters by layer type")
		}
	}
	if k.has("partial_rotary_factor") && k.number("partial_rotary_factor", 1) != 1 {
		k.wrong("partial_rotary_factor", "1, because only whole heads can be rotated")
	}
	r := gaze.RoPE{Theta: k.theta("rope_theta", theta)}
	switch method {
	case "default":
		return r
	case string(gaze.LinearScaling):
		r.Scaling = gaze.RoPEScaling{Method: gaze.LinearScaling, Factor: k.number("factor", 0)}
	case string(gaze.YaRNScaling):
		r.Scaling = k.yarn(maxPositions)
	default:
		k.fail("rope_type", "is %.40q: expected one of %q", method,
			[]string{"default", string(gaze.LinearScaling), string(gaze.YaRNScaling)})
	}
	if _, ok := k.values["factor"]; !ok {
		k.fail("factor", "is missing: rope_type %q needs it", method)
	}
	if err := r.Validate(); err != nil && *k.err == nil {
		*k.err = fmt.Errorf("%s: %s%w", k.file, k.prefix, err)
	}
	return r
}

// yarn reads the parameters of YaRN.
func (k *keys) yarn(positions int) gaze.RoPEScaling {
	s := gaze.RoPEScaling{
		Method:            gaze.YaRNScaling,
		OriginalPositions: k.integer("original_max_position_embeddings", positions, 1, maxPositions),
	}
	if s.Factor = float64(positions) / float64(s.OriginalPositions); k.has("factor") {
		s.Factor = k.number("factor", 0)
	}
	optional := func(key string) (value float64) {
		if k.has(key) {
			value = k.number(key, 0)
		}
		return value
	}
	s.BetaFast, s.BetaSlow = optional("beta_fast"), optional("beta_slow")
	mscale, mscaleAll := optional("mscale"), optional("mscale_all_dim")
	if k.has("attention_factor") {
		s.AttentionFactor = k.number("attention_factor", 0)
		if s.AttentionFactor <= 0 {
			k.wrong("attention_factor", "a number above 0")
		}
	} else if mscale != 0 && mscaleAll != 0 {
		s.AttentionFactor = magnitude(s.Factor, mscale) / magnitude(s.Factor, mscaleAll)
		if !(s.AttentionFactor > 0) || math.IsInf(s.AttentionFactor, 0) {
			k.wrong("mscale", "with mscale_all_dim and factor a positive factor of attention")
		}
	}
	// transformers reads it one level further out, where ModernBERT's parameters
	// have no place for it, so that it never has an effect.
	if k.has("truncate") && !k.boolean("truncate", true) {
		k.wrong("truncate", "true: transformers does not heed it for this architecture; leave it out")
	}
	return s
}

// magnitude is get_mscale of transformers.
func magnitude(factor, scale float64) float64 {
	if factor <= 1 {
		return 1
	}
	return 0.1*scale*math.Log(factor) + 1
}

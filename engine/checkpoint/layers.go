package checkpoint

import "math"

// The layer types of transformers, which also name the parts of rope_parameters.
const (
	fullAttention    = "full_attention"
	slidingAttention = "sliding_attention"
)

// attention reads which layers are local, their window, and the rotary
// embeddings of both kinds.
func (k *keys) attention(c *Config) {
	k.take("global_attn_every_n_layers") // counts only where layer_types does not
	if *k.err != nil {
		return
	}
	c.LayerAttention = make([]LayerKind, c.Layers)
	if k.has("layer_types") {
		names := k.texts("layer_types")
		if *k.err == nil && len(names) != c.Layers {
			k.fail("layer_types", "has %d entries: expected num_hidden_layers, %d", len(names), c.Layers)
			return
		}
		for i, name := range names {
			switch name {
			case fullAttention, "attention": // an older name
			case slidingAttention:
				c.LayerAttention[i] = LocalAttention
			default:
				k.fail("layer_types", "has %.40q for layer %d: expected %q or %q", name, i, fullAttention, slidingAttention)
			}
		}
	} else {
		every := k.integer("global_attn_every_n_layers", 3, 1, math.MaxInt)
		for i := range c.LayerAttention {
			if i%every != 0 {
				c.LayerAttention[i] = LocalAttention
			}
		}
	}
	c.Window = k.integer("local_attention", 128, 0, maxPositions) / 2
	c.Window = k.integer("sliding_window", c.Window, 0, maxPositions) // transformers lets it win
	k.ropes(c)
}

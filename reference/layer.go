package reference

import "github.com/gazevk/gaze"

// Layer computes all of a for packed sequences: it rotates q and k by a.RoPE,
// if that rotates anything, and returns what Attention makes of them. q, k and
// v, before RoPE: [heads, n, headDim].
func Layer(a gaze.Attention, lengths gaze.Lengths, q, k, v []float64) (output, lse []float64) {
	if a.RoPE.Enabled() {
		cos, sin := a.RoPE.Table(a.HeadDim, lengths.Longest())
		positions := lengths.Positions()
		q = Rope(q, cos, sin, positions, a.Heads, a.HeadDim)
		k = Rope(k, cos, sin, positions, a.Heads, a.HeadDim)
	}
	return Attention(q, k, v, a.ScoreScale(), a.Visible(), lengths, a.Heads, a.HeadDim)
}

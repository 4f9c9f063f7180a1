package gaze

import (
	"fmt"
	"math"
)

// An Attention says what one attention layer computes:
//
//	output = softmax(scale * RoPE(Q) RoPE(K)^T, over the keys that Pattern shows) V
//
// for every head by itself (Vaswani et al. 2017, section 3.2).
type Attention struct {
	Heads   int     // number of attention heads
	HeadDim int     // elements of one head's query, key and value vectors
	Scale   float64 // factor on the scores; 0 means 1/sqrt(HeadDim)
	RoPE    RoPE    // rotary position embedding; the zero value rotates nothing
	Pattern Pattern // which keys each query sees; nil means Full
}

// HeadDims are the head dimensions that have kernels.
var HeadDims = []int{32, 64, 96, 128}

// ScoreScale returns the factor on the scores, with its default resolved.
func (a Attention) ScoreScale() float64 {
	if a.Scale != 0 {
		return a.Scale
	}
	return 1 / math.Sqrt(float64(a.HeadDim))
}

// Visible returns the pattern, with its default resolved.
func (a Attention) Visible() Pattern {
	if a.Pattern == nil {
		return Full{}
	}
	return a.Pattern
}

// Validate reports the first thing that makes a impossible to compute.
func (a Attention) Validate() error {
	if a.Heads < 1 {
		return fmt.Errorf("heads is %d: at least 1 is needed", a.Heads)
	}
	known := false
	for _, d := range HeadDims {
		known = known || d == a.HeadDim
	}
	if !known {
		return fmt.Errorf("head_dim is %d: it must be one of %v", a.HeadDim, HeadDims)
	}
	if math.IsNaN(a.Scale) || math.IsInf(a.Scale, 0) || a.Scale < 0 {
		return fmt.Errorf("scale is %v: it must be a finite number above 0, or 0 for 1/sqrt(head_dim)", a.Scale)
	}
	if err := a.RoPE.Validate(); err != nil {
		return err
	}
	return a.Visible().Validate()
}

// Lengths are the token counts of sequences packed one after another in one
// row dimension. Attention never crosses from one sequence to the next, and
// positions restart at 0 in each.
type Lengths []int

// Tokens returns the sum of all lengths: the n of every shape.
func (l Lengths) Tokens() int {
	n := 0
	for _, length := range l {
		n += length
	}
	return n
}

// Positions returns the position of every packed row within its own sequence.
func (l Lengths) Positions() []uint32 {
	positions := make([]uint32, 0, l.Tokens())
	for _, length := range l {
		for p := range length {
			positions = append(positions, uint32(p))
		}
	}
	return positions
}

// Longest returns the greatest length, 0 when there is none.
func (l Lengths) Longest() int {
	longest := 0
	for _, length := range l {
		longest = max(longest, length)
	}
	return longest
}

// MaxTokens bounds the packed rows of one run, so that row indices and the
// products the kernels form from them stay within 32 bits, and a grid of tiles of
// 16 rows within the 65535 workgroups that every device allows.
const MaxTokens = 1_000_000

// Validate reports a length below 1, no sequence at all, or too many tokens.
func (l Lengths) Validate() error {
	if len(l) == 0 {
		return fmt.Errorf("no sequences: at least one length is needed")
	}
	total := 0
	for i, length := range l {
		if length < 1 {
			return fmt.Errorf("sequence %d has %d tokens: at least 1 is needed", i, length)
		}
		if length > MaxTokens-total {
			return fmt.Errorf("the sequences hold more than %d tokens: split the batch", MaxTokens)
		}
		total += length
	}
	return nil
}

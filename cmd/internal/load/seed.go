package load

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
)

// Seeded inputs are standard normal numbers, correlated so that pictures of
// their attention have the structure that text gives them. Each sequence is cut
// into passages of 1 to 2*meanPassage-1 tokens, each about one of topics; a
// token's query and key are
//
//	sqrt(t) * topic + sqrt(common-t) * drift + sqrt(1-common) * noise
//
// where a topic is the same vector throughout its head, a drift wanders along
// the sequence (a first-order autoregression of correlation driftKept from one
// token to the next), noise is the token's own, and t, between two bounds, is
// the head's. Query and key share topic and drift: tokens look to their
// neighbours and to passages of their topic. Values are noise alone.
const (
	topics      = 6
	meanPassage = 24
	common      = 0.6
	leastTopic  = 0.3
	mostTopic   = 0.45
	driftKept   = 0.9
)

// A seededHead is what the sequences of one head share.
type seededHead struct {
	topics                  [][]float64
	topicPart, drift, noise float64 // factors
}

func newSeededHead(random *rand.Rand, headDim int) seededHead {
	t := leastTopic + float64((mostTopic-leastTopic)*random.Float64())
	h := seededHead{topicPart: math.Sqrt(t), drift: math.Sqrt(common - t), noise: math.Sqrt(1 - common)}
	for range topics {
		topic := make([]float64, headDim)
		normal(random, topic)
		h.topics = append(h.topics, topic)
	}
	return h
}

// seededInput returns the input that seed stands for: the same on every
// platform, and for a head and a sequence the same however many others there are.
func seededInput(ctx context.Context, seed uint64, a gaze.Attention, lengths gaze.Lengths) (engine.Input, error) {
	elements := a.Heads * lengths.Tokens() * a.HeadDim
	in := engine.Input{Query: make([]float32, 0, elements), Key: make([]float32, 0, elements), Value: make([]float32, 0, elements)}
	for head := range a.Heads {
		h := newSeededHead(rand.New(rand.NewPCG(seed, uint64(head))), a.HeadDim)
		for sequence, length := range lengths {
			if err := ctx.Err(); err != nil {
				return engine.Input{}, err
			}
			h.appendSequence(&in, rand.New(rand.NewPCG(seed, uint64(sequence+1)<<32|uint64(head))), length)
		}
	}
	return in, nil
}

// appendSequence appends one sequence of the head.
func (h seededHead) appendSequence(in *engine.Input, random *rand.Rand, length int) {
	headDim := len(h.topics[0])
	drift, shared, own := make([]float64, headDim), make([]float64, headDim), make([]float64, headDim)
	normal(random, drift)
	left := 0 // tokens of the passage
	var topic []float64
	for range length {
		if left == 0 {
			left, topic = 1+random.IntN(2*meanPassage-1), h.topics[random.IntN(topics)]
		}
		left--
		normal(random, own)
		mix(drift, driftKept, drift, math.Sqrt(1-driftKept*driftKept), own)
		mix(shared, h.topicPart, topic, h.drift, drift)
		for _, to := range []*[]float32{&in.Query, &in.Key} {
			normal(random, own)
			mix(own, 1, shared, h.noise, own)
			*to = appendNarrow(*to, own)
		}
		normal(random, own)
		in.Value = appendNarrow(in.Value, own)
	}
}

func normal(random *rand.Rand, x []float64) {
	for i := range x {
		x[i] = random.NormFloat64()
	}
}

// mix sets to to a*x + b*y, each product rounded: a fused multiply-add, which
// Go uses on some platforms, would give other numbers there.
func mix(to []float64, a float64, x []float64, b float64, y []float64) {
	for i := range to {
		to[i] = float64(a*x[i]) + float64(b*y[i])
	}
}

func appendNarrow(to []float32, x []float64) []float32 {
	for _, v := range x {
		to = append(to, float32(v))
	}
	return to
}

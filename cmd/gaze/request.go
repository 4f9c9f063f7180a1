package main

import (
	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/configs"
	"github.com/gazevk/gaze/engine"
)

// A request is a run with every default resolved, in the words of run files.
type request struct {
	Heads     int            `json:"heads"`
	HeadDim   int            `json:"head_dim"`
	Scale     float64        `json:"scale"`
	RopeTheta float64        `json:"rope_theta"`
	Sequences gaze.Lengths   `json:"sequences"`
	Pattern   map[string]any `json:"pattern"`
	Weights   bool           `json:"weights"` // whether they were computed, to be stored or drawn
	Tensors   string         `json:"input_tensors,omitempty"`
	Seed      *uint64        `json:"input_seed,omitempty"`
}

func resolve(run configs.Run, r engine.Request) request {
	a := r.Attention
	resolved := request{
		Heads: a.Heads, HeadDim: a.HeadDim, Scale: a.ScoreScale(), RopeTheta: a.RoPE.Theta,
		Sequences: r.Lengths, Pattern: patternKeys(a.Visible()), Weights: r.Weights, Tensors: run.Input.Tensors,
	}
	if run.Input.Tensors == "" {
		resolved.Seed = &run.Input.Seed
	}
	return resolved
}

// patternKeys returns a pattern as a run file has it. One that is not known here
// is described by its own words.
func patternKeys(p gaze.Pattern) map[string]any {
	switch p := p.(type) {
	case gaze.Full:
		return map[string]any{"kind": "full"}
	case gaze.Causal:
		return map[string]any{"kind": "causal"}
	case gaze.SlidingWindow:
		return map[string]any{"kind": "sliding_window", "left": p.Left, "right": p.Right}
	case gaze.DilatedWindow:
		return map[string]any{"kind": "dilated_window", "reach": p.Reach, "dilation": p.Dilation}
	case gaze.GlobalTokens:
		return map[string]any{"kind": "global_tokens", "tokens": p.Tokens}
	case gaze.Any:
		return map[string]any{"kind": "any", "patterns": eachPattern(p)}
	case gaze.All:
		return map[string]any{"kind": "all", "patterns": eachPattern(p)}
	}
	return map[string]any{"kind": p.String()}
}

func eachPattern(patterns []gaze.Pattern) []map[string]any {
	list := make([]map[string]any, len(patterns))
	for i, p := range patterns {
		list[i] = patternKeys(p)
	}
	return list
}

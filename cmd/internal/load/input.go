package load

import (
	"context"

	"github.com/gazevk/gaze/configs"
	"github.com/gazevk/gaze/engine"
)

// Request returns what the engine is asked for by a run of attention.
func Request(r configs.Run) (engine.Request, error) {
	precision, err := engine.ParsePrecision(r.Device.Precision)
	if err != nil {
		return engine.Request{}, err
	}
	path, err := engine.ParsePath(string(r.Path))
	if err != nil {
		return engine.Request{}, err
	}
	return engine.Request{Attention: r.Attention, Lengths: r.Lengths, Precision: precision, Path: path}, nil
}

// Inputs load what runs of attention compute from, and remember the latest:
// variants mostly share it.
type Inputs struct {
	from configs.Input
	// lengths as text: seeded numbers depend on each, not on their sum alone.
	shape   shape
	lengths string
	latest  *engine.Input
}

// Load returns the input of a run.
func (c *Inputs) Load(ctx context.Context, run configs.Run) (engine.Input, error) {
	a := run.Attention
	want, lengths := shape{a.Heads, run.Lengths.Tokens(), a.HeadDim}, brackets(run.Lengths...)
	if c.latest != nil && c.from == run.Input && c.shape == want && c.lengths == lengths {
		return *c.latest, nil
	}
	c.latest = nil // before the next one takes as much memory
	var in engine.Input
	var err error
	if run.Input.Tensors != "" {
		in, err = readTensors(run.Input.Tensors, want)
	} else {
		in, err = seededInput(ctx, run.Input.Seed, a, run.Lengths)
	}
	if err != nil {
		return engine.Input{}, err
	}
	c.from, c.shape, c.lengths, c.latest = run.Input, want, lengths, &in
	return in, nil
}

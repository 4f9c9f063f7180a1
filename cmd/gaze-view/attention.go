package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/cmd/internal/load"
	"github.com/gazevk/gaze/configs"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/modernbert"
	"github.com/gazevk/gaze/visualize/explore"
)

// numbersOnly says why a run of attention alone has no text.
const numbersOnly = "this run computes from numbers: there is no text to type"

// takesNoText reports a flag that says which text, where nothing reads one.
func (o *options) takesNoText() error {
	for _, name := range []string{"text", "file", "follow"} {
		if o.given[name] {
			return usageError{fmt.Errorf("%s has no [model]: nothing reads a text, so --%s has no meaning beside it", o.runFile, name)}
		}
	}
	return nil
}

// attend computes a run of attention alone and posts it.
func (l *live) attend(ctx context.Context, v *variant) error {
	run, err := l.compute(ctx, v)
	if err != nil {
		return err
	}
	e := l.explorer
	e.Post(func() {
		e.Open(run)
		e.Complete(run, 1)
		e.Progress(1)
	})
	return nil
}

// compute computes a run of attention alone.
func (l *live) compute(ctx context.Context, v *variant) (*explore.Run, error) {
	if err := l.open(ctx); err != nil {
		return nil, err
	}
	r := v.run
	request, err := load.Request(*r)
	if err != nil {
		return nil, err
	}
	request.Precision = v.precision
	plan, err := engine.NewPlan(l.engine.Traits(), request)
	if err != nil {
		return nil, err
	}
	in, err := l.inputs.Load(ctx, *r)
	if err != nil {
		return nil, err
	}
	capture, err := l.engine.Capture(ctx, plan, in, engine.Watch{Progress: l.progress()})
	if err != nil {
		return nil, err
	}
	run := &explore.Run{Name: v.name, Text: describe(r), Lengths: r.Lengths, Heads: r.Attention.Heads,
		Layers: []gaze.Pattern{r.Attention.Visible()}, Alone: true, Device: l.engine.Traits().Device}
	for i := range r.Lengths.Tokens() {
		run.Tokens = append(run.Tokens, explore.Token{Label: strconv.Itoa(i)})
	}
	l.newSource(run).capture = oneLayer{capture}
	return run, nil
}

// describe says what a run of attention is, in a line.
func describe(r *configs.Run) string {
	lengths := make([]string, len(r.Lengths))
	for i, length := range r.Lengths {
		lengths[i] = strconv.Itoa(length)
	}
	text := fmt.Sprintf("%s: %v over a sequence of %s tokens", r.Name, r.Attention.Visible(), lengths[0])
	if last := len(lengths) - 1; last > 0 {
		text = fmt.Sprintf("%s: %v over sequences of %s and %s tokens", r.Name, r.Attention.Visible(), strings.Join(lengths[:last], ", "), lengths[last])
	}
	if r.Input.Tensors != "" {
		return text + ", of " + r.Input.Tensors
	}
	return fmt.Sprintf("%s, of seed %d", text, r.Input.Seed)
}

// A oneLayer is the capture of a run of attention, as if of a model of one layer.
type oneLayer struct{ *engine.Capture }

func (c oneLayer) Heatmap(ctx context.Context, v modernbert.View) ([]float32, *engine.Timing, error) {
	return c.Capture.Heatmap(ctx, ofOneLayer(v))
}

func (c oneLayer) Place(ctx context.Context, v modernbert.View, to *engine.Room, mix engine.Mix) (*engine.Timing, error) {
	return c.Capture.Place(ctx, ofOneLayer(v), to, mix)
}

func ofOneLayer(v modernbert.View) engine.View {
	return engine.View{Heads: v.Heads, Rectangle: v.Rectangle, Cell: v.Cell, Sum: v.Sum, Measure: v.Measure}
}

// Statistics returns what [modernbert.Capture.Statistics] does, and so on.
func (c oneLayer) Statistics(ctx context.Context, _ int) ([]engine.RowStatistic, error) {
	return c.Capture.Statistics(ctx)
}

func (c oneLayer) Received(ctx context.Context, _ int, heads, queries gaze.Span, factors []float64) ([][]float64, error) {
	return c.Capture.Received(ctx, heads, queries, factors)
}

func (c oneLayer) Given(ctx context.Context, _ int, heads, keys gaze.Span) ([][]float64, error) {
	return c.Capture.Given(ctx, heads, keys)
}

// Rollout passes half of the query on and mixes the other half by the mean of the
// heads' weights.
func (c oneLayer) Rollout(ctx context.Context, query, _ int, _ func(done float64)) ([][]float64, error) {
	received, err := c.Capture.Received(ctx, gaze.Span{End: c.Heads}, gaze.Span{First: query, End: query + 1}, nil)
	if err != nil {
		return nil, err
	}
	shares := make([]float64, c.Lengths.Tokens())
	shares[query] = 0.5
	for _, head := range received {
		for key, weight := range head {
			shares[key] += weight / float64(2*len(received))
		}
	}
	return [][]float64{shares}, nil
}

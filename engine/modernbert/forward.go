package modernbert

import (
	"context"
	"fmt"
	"math"
	"sync"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
)

// An Output is what a forward pass gave; fields that were not wanted are nil. n
// is the number of packed tokens, D the hidden size.
type Output struct {
	Lengths      gaze.Lengths
	Hidden       []float32   // [n, D]
	HiddenStates [][]float32 // [layers + 1][n, D]: the embeddings, then what each layer gives, before the final norm
	Logits       []float32   // [LogitRows, LogitColumns]
	LogitRows    int         // tokens, wanted rows or sequences, as the head has it
	LogitColumns int         // VocabSize, labels, 2 or 1
	Pooled       []float32   // [sequences, modes * D]
	Capture      *Capture    // of the layers that Want.Capture names; to be closed
	Timing       engine.Timing
	Bytes        int64 // of device memory, the weights left out
}

// A Watch hears of a forward pass as it goes, on the goroutine that called Forward.
// Either field may be nil. Neither may call a method of the model.
type Watch struct {
	// Progress receives the share of the work that is done, which only grows.
	Progress func(done float64)
	// Layer hears, in ascending order, that a layer of Want.Capture can be looked
	// at. The pass goes on when it returns, and whatever other goroutines ask of
	// the capture gets its turn in between.
	Layer func(layer int, c *Capture)
}

// Forward runs the model over a batch of token ids, one list a sequence. Several
// goroutines may call it: they take turns on the device, and what one plans,
// uploads and downloads happens while another computes. When ctx ends, Forward
// returns its error as [engine.Engine.Run] does. If it returns an error, the capture
// that watch.Layer may have heard of is closed.
func (m *Model) Forward(ctx context.Context, batch [][]uint32, want Want, watch Watch) (_ *Output, err error) {
	lengths, ids, err := m.pack(batch)
	if err != nil {
		return nil, err
	}
	p, err := m.plan(lengths, want)
	if err != nil {
		return nil, err
	}
	x, err := m.take(ctx)
	if err != nil {
		return nil, err
	}
	defer m.give(x)
	if err := m.start(ctx); err != nil {
		return nil, err
	}
	stop := sync.OnceFunc(m.stop)
	defer stop()
	w, err := m.prepare(ctx, p, x)
	if err != nil {
		return nil, err
	}
	if err := x.buffers.Upload(ctx, bufIDs, 0, engine.Bytes(ids)); err != nil {
		return nil, err
	}
	capture, err := m.newCapture(w.program, ids)
	if err != nil {
		return nil, err
	}
	release, err := capture.hold(-1)
	if err != nil {
		return nil, err
	}
	defer release()
	defer func() {
		if err != nil {
			capture.Close()
		}
	}()
	timing, err := m.run(ctx, w, x, capture, watch, stop)
	if err != nil {
		return nil, err
	}
	capture.complete(m.Config.Layers - 1)
	out, err := p.read(ctx, x.buffers)
	if err != nil {
		return nil, err
	}
	out.Timing = *timing
	if len(want.Capture) > 0 {
		out.Capture = capture
		out.Bytes += capture.buffers.Bytes()
	}
	return out, m.check(out)
}

// pack returns the lengths of a batch's sequences, and their ids one after another.
func (m *Model) pack(batch [][]uint32) (gaze.Lengths, []uint32, error) {
	lengths := make(gaze.Lengths, len(batch))
	var ids []uint32
	for i, sequence := range batch {
		lengths[i] = len(sequence)
		for at, id := range sequence {
			if int(id) >= m.Config.VocabSize {
				return nil, nil, fmt.Errorf("sequence %d, token %d: id %d is not in the vocabulary of %d", i, at, id, m.Config.VocabSize)
			}
		}
		ids = append(ids, sequence...)
	}
	return lengths, ids, nil
}

// run computes a work's program. submitted hears that the model's turn is over,
// unless there is an error before.
func (m *Model) run(ctx context.Context, w *work, x *exchange, c *Capture, watch Watch, submitted func()) (*engine.Timing, error) {
	steps, of := []engine.Step{{Passes: w.program.Passes}}, engine.Watch{Progress: watch.Progress, Submitted: submitted}
	buffers := []*engine.Buffers{w.inputs, x.buffers, m.shared.buffers, m.weights, c.buffers}
	if len(w.program.Captured) > 0 { // in buffers of its own each time: nothing to be run again
		if watch.Layer != nil {
			steps = w.program.Steps()
			of.Step = func(step int) {
				if step < len(w.program.Complete) {
					layer := w.program.Complete[step].Layer
					c.complete(layer)
					watch.Layer(layer, c)
				}
			}
		}
		return m.engine.ExecuteSteps(ctx, steps, of, buffers...)
	}
	run := w.runs[x.number]
	if run == nil {
		var err error
		if run, err = m.engine.Prepare(steps, buffers...); err != nil {
			return nil, err
		}
		w.runs[x.number] = run
	}
	return run.Run(ctx, of)
}

// read brings the outputs back.
func (p *Program) read(ctx context.Context, from *engine.Buffers) (*Output, error) {
	n, d := p.Lengths.Tokens(), p.Config.HiddenSize
	out := &Output{Lengths: p.Lengths, LogitRows: p.LogitRows, LogitColumns: p.LogitColumns, Bytes: total(p.Buffers)}
	var err error
	get := func(name string, count int) []float32 {
		x := make([]float32, count)
		if err == nil {
			err = from.Download(ctx, engine.Bytes(x), bufOutput(name), 0)
		}
		return x
	}
	if p.Want.Hidden {
		out.Hidden = get(bufHidden, n*d)
	}
	if p.Want.HiddenStates {
		for i := range p.Config.Layers + 1 {
			out.HiddenStates = append(out.HiddenStates, get(bufHiddenState(i), n*d))
		}
	}
	if len(p.Want.Pool) > 0 {
		out.Pooled = get(bufPooled, len(p.Lengths)*len(p.Want.Pool)*d)
	}
	if p.Want.Logits {
		padded := get(bufLogits, p.LogitRows*p.LogitStride)
		for row := range p.LogitRows {
			copy(padded[row*p.LogitColumns:], padded[row*p.LogitStride:][:p.LogitColumns])
		}
		out.Logits = padded[:p.LogitRows*p.LogitColumns]
	}
	return out, err
}

// check reports a result that is no number.
func (m *Model) check(out *Output) error {
	for name, x := range map[string][]float32{"hidden state": out.Hidden, "logit": out.Logits, "pooled vector": out.Pooled} {
		for i, v := range x {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return fmt.Errorf("element %d of the %ss is %v on %s: either the checkpoint overflows %s, or the driver miscompiles a kernel: gaze verify tells",
					i, name, v, m.engine.Traits().Device, m.Precision)
			}
		}
	}
	return nil
}

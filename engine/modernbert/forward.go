package modernbert

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"

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

// work is a program with its buffers, kept for the next batch of the same lengths.
type work struct {
	program *Program
	buffers *engine.Buffers
}

func (w *work) close() {
	if w != nil {
		w.buffers.Close()
	}
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
// goroutines may call it; they take turns. When ctx ends, Forward returns its error
// as [engine.Engine.Run] does. If it returns an error, the capture that watch.Layer
// may have heard of is closed.
func (m *Model) Forward(ctx context.Context, batch [][]uint32, want Want, watch Watch) (_ *Output, err error) {
	m.turn.Lock()
	defer m.turn.Unlock()
	if m.closed {
		return nil, errors.New("the model is closed")
	}
	lengths := make(gaze.Lengths, len(batch))
	var ids []uint32
	for i, sequence := range batch {
		lengths[i] = len(sequence)
		for at, id := range sequence {
			if int(id) >= m.Config.VocabSize {
				return nil, fmt.Errorf("sequence %d, token %d: id %d is not in the vocabulary of %d", i, at, id, m.Config.VocabSize)
			}
		}
		ids = append(ids, sequence...)
	}
	w, err := m.prepare(ctx, lengths, want)
	if err != nil {
		return nil, err
	}
	if err := w.buffers.Upload(ctx, bufIDs, 0, engine.Bytes(ids)); err != nil {
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
	steps, of := []engine.Step{{Passes: w.program.Passes}}, engine.Watch{Progress: watch.Progress}
	if watch.Layer != nil {
		steps = w.program.Steps()
		of.Step = func(step int) {
			if step < len(w.program.Complete) {
				layer := w.program.Complete[step].Layer
				capture.complete(layer)
				watch.Layer(layer, capture)
			}
		}
	}
	timing, err := m.engine.ExecuteSteps(ctx, steps, of, w.buffers, m.weights, capture.buffers)
	if err != nil {
		return nil, err
	}
	capture.complete(m.Config.Layers - 1)
	out, err := w.read(ctx)
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

// prepare returns the program for these lengths, the last one if that fits.
func (m *Model) prepare(ctx context.Context, lengths gaze.Lengths, want Want) (*work, error) {
	if w := m.work; w != nil && reflect.DeepEqual(w.program.Lengths, lengths) && reflect.DeepEqual(w.program.Want, want) {
		return w, nil
	}
	p, err := NewProgram(m.traits, m.Config, m.Head, m.Precision, lengths, want)
	if err != nil {
		return nil, err
	}
	m.work.close()
	m.work = nil
	buffers, err := m.engine.NewBuffers(p.Buffers)
	if err != nil {
		return nil, fmt.Errorf("a batch of %d tokens: %w", lengths.Tokens(), err)
	}
	for name, data := range p.Inputs {
		if err := buffers.Upload(ctx, name, 0, data); err != nil {
			buffers.Close()
			return nil, err
		}
	}
	m.work = &work{p, buffers}
	return m.work, nil
}

// read brings the outputs back.
func (w *work) read(ctx context.Context) (*Output, error) {
	p := w.program
	n, d := p.Lengths.Tokens(), p.Config.HiddenSize
	out := &Output{Lengths: p.Lengths, LogitRows: p.LogitRows, LogitColumns: p.LogitColumns, Bytes: w.buffers.Bytes()}
	var err error
	get := func(name string, count int) []float32 {
		x := make([]float32, count)
		if err == nil {
			err = w.buffers.Download(ctx, engine.Bytes(x), name, 0)
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

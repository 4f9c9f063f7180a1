package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/modernbert"
)

// modelWeights recomputes the attention weights that a run of a model wants,
// layer after layer, for all who want them: the file, the comparison, pictures.
type modelWeights struct {
	o           *modelOutcome
	capture     *modernbert.Capture
	bar         *progress
	kept        map[int]*weightStore // of the base, by layer
	storing     bool                 // o is the base
	compared    []int                // layers to be compared with it
	comparisons []layerComparison
	painters    []*painter
}

type layerComparison struct {
	layer int
	*weightComparison
}

// layer recomputes the weights of one layer. file, if not nil, receives its rows too.
func (w *modelWeights) layer(ctx context.Context, layer int, file func(head, query int, weights []float32) error) error {
	rows := &weightRows{heads: w.o.shape().heads, n: w.o.shape().n}
	if file != nil {
		rows.sinks = append(rows.sinks, file)
	}
	if store := w.kept[layer]; store != nil && w.storing {
		rows.sinks = append(rows.sinks, store.add)
	}
	if slices.Contains(w.compared, layer) {
		c := layerComparison{layer, newWeightComparison(w.kept[layer])}
		w.comparisons = append(w.comparisons, c)
		rows.sinks = append(rows.sinks, c.add)
	}
	if w.o.run.Output.Heatmap != "" {
		p := w.o.painter(layer)
		w.painters = append(w.painters, p)
		rows.sinks = append(rows.sinks, p.add)
	}
	timing, err := w.capture.Weights(ctx, layer, engine.Watch{Weights: rows.add, Progress: w.bar.show})
	if err != nil {
		return err
	}
	timing.Host -= rows.took
	w.o.weights.Add(timing)
	if err := ctx.Err(); err != nil {
		return err // too late for the engine, but not for the files
	}
	return rows.complete(true)
}

// distance returns how far the weights of all layers that were compared lie from
// the base's, nil where there are none.
func (w *modelWeights) distance() *modelWeightDistance {
	if len(w.comparisons) == 0 {
		return nil
	}
	d := &modelWeightDistance{}
	all := &weightComparison{}
	for _, c := range w.comparisons {
		d.Layers = append(d.Layers, layerDistance{c.layer, *c.distance()})
		all.include(c.weightComparison)
	}
	d.weightDistance = *all.distance()
	return d
}

// write writes the tensors that the run wants, and computes what else needs the
// weights. They go straight to the file while they are computed, because [heads,
// n, n] may not fit in memory.
func (w *modelWeights) write(ctx context.Context, out *modernbert.Output) error {
	o, path := w.o, w.o.run.Output.Tensors
	if path == "" {
		for _, layer := range o.run.Output.Attentions {
			if err := w.layer(ctx, layer, nil); err != nil {
				return err
			}
		}
		return nil
	}
	s := o.shape()
	entries := []checkpoint.Entry{
		offsetsEntry(o.lengths),
		checkpoint.Float32Entry("last_hidden_state", []int{s.n, o.checkpoint.Config.HiddenSize}, out.Hidden),
	}
	if o.want.Logits {
		entries = append(entries, checkpoint.Float32Entry("logits", []int{out.LogitRows, out.LogitColumns}, out.Logits))
	}
	for i, x := range out.HiddenStates {
		entries = append(entries, checkpoint.Float32Entry(fmt.Sprintf("hidden_states.%d", i), []int{s.n, o.checkpoint.Config.HiddenSize}, x))
	}
	var failure error // of the computation: it has nothing to do with the file
	for _, layer := range o.run.Output.Attentions {
		entry := checkpoint.Entry{Name: fmt.Sprintf("attentions.%d", layer), DType: checkpoint.F32, Shape: []int{s.heads, s.n, s.n}}
		entry.Write = func(file io.Writer) error {
			failure = w.layer(ctx, layer, rowWriter(file, path))
			return failure
		}
		entries = append(entries, entry)
	}
	err := checkpoint.WriteSafetensors(path, map[string]string{"run": o.run.Name, "model": o.run.Model.Path}, entries)
	if failure != nil {
		return failure
	}
	if err == nil {
		o.files = append(o.files, path)
	}
	return err
}

// offsetsEntry is the first row of each sequence, and the end of the last.
func offsetsEntry(lengths []int) checkpoint.Entry {
	return checkpoint.Entry{Name: "offsets", DType: checkpoint.I64, Shape: []int{len(lengths) + 1}, Write: func(w io.Writer) error {
		data := binary.LittleEndian.AppendUint64(nil, 0)
		offset := 0
		for _, length := range lengths {
			offset += length
			data = binary.LittleEndian.AppendUint64(data, uint64(offset))
		}
		_, err := w.Write(data)
		return err
	}}
}

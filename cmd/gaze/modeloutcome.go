package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/modernbert"
)

// A modelOutcome is a modelJob that was computed on a device.
type modelOutcome struct {
	*modelJob
	engine      *engine.Engine
	plan        *modernbert.Program
	hidden      []float32     // [n, hidden size], after the final norm
	predictions []int         // of the head; see predictionsOf
	forward     engine.Timing // of the forward pass
	weights     engine.Timing // of weights that are compared, stored or drawn
	deviceBytes int64         // of the model, and of what one forward pass takes beside it
	distance    *modelDistance
	files       []string // that were written
}

// take keeps what out says.
func (o *modelOutcome) take(out *modernbert.Output, weightBytes int64) {
	o.hidden, o.predictions = out.Hidden, predictionsOf(o.checkpoint, out)
	o.forward, o.deviceBytes = out.Timing, weightBytes+out.Bytes
}

// shape is that of the weights of a layer: [heads, n, n].
func (j *modelJob) shape() shape {
	c := j.checkpoint.Config
	return shape{c.Heads, j.lengths.Tokens(), c.HeadDim()}
}

// times returns what the forward pass took, and what weights took beyond that:
// by the device's clock, or by the host's where it has none.
func (o *modelOutcome) times() (forward, weights time.Duration) {
	if !o.clocked() {
		return o.forward.Host, o.weights.Host
	}
	return o.forward.GPU(), o.weights.GPU()
}

func (o *modelOutcome) clocked() bool { return o.forward.GPU() > 0 }

// rate returns tokens a second of the forward pass.
func (o *modelOutcome) rate() float64 {
	forward, _ := o.times()
	if forward <= 0 {
		return 0
	}
	return float64(o.lengths.Tokens()) / forward.Seconds()
}

// all returns the times of everything.
func (o *modelOutcome) all() engine.Timing {
	t := o.forward
	t.Passes = slices.Clone(t.Passes)
	t.Add(&o.weights)
	return t
}

// painter returns what draws the weights of a layer.
func (o *modelOutcome) painter(layer int) *painter {
	pattern := o.plan.Attention[layer].Visible()
	return &painter{
		pattern: pattern, lengths: o.lengths, labels: o.labels,
		title:    func(head int) string { return fmt.Sprintf("%s, layer %d, head %d", o.run.Name, layer, head) },
		subtitle: fmt.Sprintf("%s, %v, %s, %s", o.run.Model.Path, pattern, tokens(o.lengths), o.engine.Traits().Device),
		file:     func(head int) string { return o.run.Output.LayerHeatmapFile(layer, head) },
	}
}

// predictionsOf returns what a head predicts, as indices: of each row of logits
// the label or token with the largest; of question answering each sequence's
// first and last token. It is nil for a head that gives numbers, or none at all.
func predictionsOf(c *checkpoint.Model, out *modernbert.Output) []int {
	if out.LogitColumns < 2 || c.Config.ProblemType == "regression" && c.Head == checkpoint.SequenceClassification {
		return nil
	}
	var predictions []int
	if c.Head == checkpoint.QuestionAnswering {
		offset := 0
		for _, length := range out.Lengths {
			for column := range out.LogitColumns {
				scores := make([]float32, length)
				for row := range scores {
					scores[row] = out.Logits[(offset+row)*out.LogitColumns+column]
				}
				predictions = append(predictions, argmax(scores))
			}
			offset += length
		}
		return predictions
	}
	for row := range out.LogitRows {
		predictions = append(predictions, argmax(out.Logits[row*out.LogitColumns:][:out.LogitColumns]))
	}
	return predictions
}

// A layerGroup is layers that compute the same.
type layerGroup struct {
	layers    []int
	attention gaze.Attention
	blockMap  *gaze.BlockMap
}

// layerGroups returns the layers of a program by what they compute, in the order
// of their first.
func layerGroups(p *modernbert.Program) []*layerGroup {
	var groups []*layerGroup
	for layer, a := range p.Attention {
		i := slices.IndexFunc(groups, func(g *layerGroup) bool {
			return g.blockMap == p.Maps[layer] && g.attention.RoPE == a.RoPE && g.attention.ScoreScale() == a.ScoreScale()
		})
		if i < 0 {
			i = len(groups)
			groups = append(groups, &layerGroup{attention: a, blockMap: p.Maps[layer]})
		}
		groups[i].layers = append(groups[i].layers, layer)
	}
	return groups
}

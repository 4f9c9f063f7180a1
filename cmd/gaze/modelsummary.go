package main

import (
	"fmt"
	"slices"
	"strings"
)

// modelSummary returns what a user wants to know of all runs of a model: of one
// run its kernels, of several a table that compares them.
func modelSummary(outcomes []*modelOutcome) string {
	var text string
	var files []string
	for _, o := range outcomes {
		files = append(files, o.files...)
	}
	if len(outcomes) == 1 {
		text = singleModel(outcomes[0])
	} else {
		text = modelComparison(outcomes)
	}
	return text + written(files)
}

func singleModel(o *modelOutcome) string {
	all := o.all()
	head := newTable("ll")
	head.add("device", deviceLine(o.engine))
	head.add("model", o.modelLine())
	head.add("input", tokens(o.lengths))
	n := int64(o.lengths.Tokens())
	for _, g := range layerGroups(o.plan) {
		pairs := g.blockMap.Pairs
		head.add(layersText(g.layers), fmt.Sprintf("%v, %s of %s pairs visible (%s)", g.attention.Visible(), count(pairs), count(n*n), share(pairs, n*n)))
	}
	head.add("computed", fmt.Sprintf("in %s, %s of device memory", o.precision, size(o.deviceBytes)))
	head.add("compiled", milliseconds(all.Compile)+" ms")

	kernels := newTable("lrrrr")
	kernels.add("kernel", "dispatches", "ms", "GFLOP/s", "moved")
	addKernels(kernels, &all)
	forward, weights := o.times()
	kernels.add("for the output", "", milliseconds(forward))
	if weights > 0 {
		kernels.add("for weights only", "", milliseconds(weights))
	}
	return head.String() + "\n" + kernels.String() + "\n" + significant(o.rate()) + " tokens a second\n"
}

// modelComparison returns the table that compares runs with the first.
func modelComparison(outcomes []*modelOutcome) string {
	var devices []string
	for _, o := range outcomes {
		if line := deviceLine(o.engine); !slices.Contains(devices, line) {
			devices = append(devices, line)
		}
	}
	t := newTable("lrrrrrrrrrr")
	t.add("", "", "", "weights", "tokens", "device", "output", "output", "predictions", "weights", "weights")
	t.add("run", "tokens", "ms", "ms", "a second", "memory", "cosine", "max |Δ|", "changed", "max |Δ|", "moved")
	clocked, compared := true, false
	for _, o := range outcomes {
		forward, weights := o.times()
		weightTime := "-"
		if weights > 0 {
			weightTime = milliseconds(weights)
		}
		row := []string{o.run.Name, count(int64(o.lengths.Tokens())), milliseconds(forward), weightTime, significant(o.rate()), size(o.deviceBytes)}
		output, changed, moved := modelDistanceCells(o.distance)
		row = slices.Concat(row, output, []string{changed}, moved)
		if len(devices) > 1 {
			row[0] += fmt.Sprintf(" (device %d, %s)", o.engine.Adapter().Index, o.precision)
		}
		t.add(row...)
		clocked = clocked && o.clocked()
		compared = compared || o.distance != nil && o.distance.Weights != nil
	}
	return "device " + strings.Join(devices, "\ndevice ") + "\nmodel  " + outcomes[0].modelLine() + "\n\n" + t.String() + "\n" + notes(clocked, compared)
}

// modelDistanceCells returns two cells on the last hidden states, one on
// predictions and two on weights.
func modelDistanceCells(d *modelDistance) (output []string, changed string, weights []string) {
	changed = "-"
	if d == nil {
		output, weights = distanceCells(nil)
		return output, changed, weights
	}
	if p := d.Predictions; p != nil {
		changed = fmt.Sprintf("%s of %s", count(int64(p.Changed)), count(int64(p.Of)))
	}
	var moved *weightDistance
	if d.Weights != nil {
		moved = &d.Weights.weightDistance
	}
	output, weights = distanceCells(&distance{d.Output, moved})
	return output, changed, weights
}

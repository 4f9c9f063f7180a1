package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gazevk/gaze/engine"
)

// summary returns what a user wants to know of all runs: of one run its kernels,
// of several a table that compares them.
func summary(outcomes []*outcome) string {
	text := ""
	if len(outcomes) == 1 {
		text = single(outcomes[0])
	} else {
		text = comparison(outcomes)
	}
	var files []string
	for _, o := range outcomes {
		files = append(files, o.files...)
	}
	return text + written(files)
}

// written names every file.
func written(files []string) string {
	var text strings.Builder
	for _, path := range files {
		text.WriteString("wrote " + path + "\n")
	}
	if text.Len() == 0 {
		return ""
	}
	return "\n" + text.String()
}

func single(o *outcome) string {
	a, result := o.run.Attention, o.result
	n := int64(o.run.Lengths.Tokens())
	head := newTable("ll")
	head.add("device", deviceLine(o.engine))
	head.add("attention", fmt.Sprintf("heads %d, head_dim %d, %s", a.Heads, a.HeadDim, tokens(o.run.Lengths)))
	head.add("pattern", a.Visible().String())
	head.add("visible pairs", fmt.Sprintf("%s of %s (%s)", count(o.plan.Map.Pairs), count(n*n), share(o.plan.Map.Pairs, n*n)))
	head.add("computed", fmt.Sprintf("%s path in %s, %s of device memory", o.plan.Path, o.plan.Precision, size(result.Bytes)))
	head.add("compiled", milliseconds(result.Compile)+" ms")

	kernels := newTable("lrrrrr")
	kernels.add("kernel", "dispatches", "ms", "GFLOP/s", "of visible", "moved")
	addKernels(kernels, &result.Timing, "")
	output, weights := o.times()
	kernels.add("for the output", "", milliseconds(output), significant(o.rates().Walked), significant(o.rates().Visible))
	if weights > 0 {
		kernels.add("for weights only", "", milliseconds(weights))
	}
	return head.String() + "\n" + kernels.String()
}

// addKernels adds a row for each kernel: its name, dispatches, milliseconds and
// GFLOP/s, or - where the device has no clock, then more, then the bytes moved.
func addKernels(t *table, timing *engine.Timing, more ...string) {
	for _, p := range timing.Passes {
		time, rate := milliseconds(p.GPU), significant(gflops(p.MultiplyAdds, p.GPU))
		if timing.GPU() == 0 {
			time, rate = "-", "-"
		}
		t.add(slices.Concat([]string{p.Kernel, fmt.Sprint(p.Dispatches), time, rate}, more, []string{size(p.Bytes)})...)
	}
}

func deviceLine(e *engine.Engine) string {
	adapter := e.Adapter()
	return fmt.Sprintf("%d: %s, %s, Vulkan %s, tier %s, %s", adapter.Index, adapter.Name, adapter.Driver, adapter.API, e.Traits().Tier, shapesText(e.Traits()))
}

// shapesText says who chose the shapes of kernels.
func shapesText(t engine.Traits) string {
	if t.Tuning.Empty() {
		return "default shapes"
	}
	return "tuned shapes"
}

// comparison returns the table that compares runs with the first.
func comparison(outcomes []*outcome) string {
	var devices []string
	for _, o := range outcomes {
		if line := deviceLine(o.engine); !slices.Contains(devices, line) {
			devices = append(devices, line)
		}
	}
	t := newTable("lrrrrrrrrr")
	t.add("", "", "weights", "visible", "", "device", "output", "output", "weights", "weights")
	t.add("run", "ms", "ms", "pairs", "GFLOP/s", "memory", "cosine", "max |Δ|", "max |Δ|", "moved")
	clocked, compared := true, false
	for i, o := range outcomes {
		output, weights := o.times()
		weightTime := "-"
		if weights > 0 {
			weightTime = milliseconds(weights)
		}
		row := []string{o.run.Name, milliseconds(output), weightTime, count(o.plan.Map.Pairs), significant(o.rates().Visible), size(o.result.Bytes)}
		outputCells, weightCells := distanceCells(o.distance)
		row = slices.Concat(row, outputCells, weightCells)
		if len(devices) > 1 {
			row[0] += fmt.Sprintf(" (device %d, %s)", o.engine.Adapter().Index, o.plan.Precision)
		}
		t.add(row...)
		clocked = clocked && o.result.GPU() > 0
		compared = compared || i > 0 && o.distance != nil && o.distance.Weights != nil
	}
	return "device " + strings.Join(devices, "\ndevice ") + "\n\n" + t.String() + "\n" + notes(clocked, compared)
}

// notes explains the table of a comparison.
func notes(clocked, weightsCompared bool) string {
	text := ""
	if !clocked {
		text += "A device without a clock is timed by the host.\n"
	}
	text += "Distances are from the first run."
	if weightsCompared {
		text += " Weights moved: the share of its attention that a query spends\non other keys, half the sum of |Δ| over its row, on average."
	}
	return text + "\n"
}

// distanceCells returns two cells on outputs and two on weights.
func distanceCells(d *distance) (output, weights []string) {
	output, weights = []string{"-", "-"}, []string{"-", "-"}
	if d == nil {
		return output, weights
	}
	output = []string{fmt.Sprintf("%.6f", d.Output.Cosine), fmt.Sprintf("%.3g", d.Output.Largest)}
	if d.Weights != nil {
		weights = []string{fmt.Sprintf("%.3g", d.Weights.Largest), fmt.Sprintf("%.2f%%", 100*d.Weights.TotalVariation)}
	}
	return output, weights
}

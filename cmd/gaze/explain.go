package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"strings"

	"github.com/gazevk/gaze/configs"
	"github.com/gazevk/gaze/engine"
)

var explainCommand = &command{
	name:     "explain",
	operands: "FILE.toml",
	required: 1,
	allowed:  1,
	summary:  "print how a run file would be computed, without a device",
	details: "For the file's run and each [[variant]] it prints the passes, their grids, multiply-adds\n" +
		"and bytes, the buffers, and how many tiles of the n x n pairs are walked: whole tiles hide\n" +
		"nothing, masked ones hide some pairs, skipped ones hide all and cost nothing. Where few rows\n" +
		"would leave a device idle, attention splits its keys (SPLITS), and merge joins them. The plan is\n" +
		"for what every Vulkan device guarantees, unless --device names one: only that is opened.\n" +
		"Of a run with [model] it reads the configuration and the tokenizer, to count tokens.",
	example: "gaze preset longformer | gaze explain -",
	setup: func(flags *flag.FlagSet) action {
		device := flags.String("device", "none", "plan for the device of this `NAME` (or index)")
		asJSON := flags.Bool("json", false, "print all passes, as JSON")
		return func(ctx context.Context, s streams, operands []string) error {
			file, err := loadFile(s.in, operands[0])
			if err != nil {
				return err
			}
			traits, err := traitsOf(s, *device)
			if err != nil {
				return err
			}
			if isOfModel(file.Runs) {
				plans, err := planModels(ctx, s, file.Runs, traits)
				if err != nil {
					return err
				}
				if *asJSON {
					return s.printJSON(modelPlanDetailsOf(plans))
				}
				parts := make([]string, len(plans))
				for i, p := range plans {
					parts[i] = modelPlanText(p)
				}
				return s.print(strings.Join(parts, "\n\n"))
			}
			plans, err := planAll(file.Runs, traits)
			if err != nil {
				return err
			}
			if *asJSON {
				return s.printJSON(planDetailsOf(file.Runs, plans))
			}
			parts := make([]string, len(plans))
			for i, p := range plans {
				parts[i] = planText(file.Runs[i], p)
			}
			return s.print(strings.Join(parts, "\n\n"))
		}
	},
}

// traitsOf returns the traits of the device of that name, or of "none" in particular.
func traitsOf(s streams, device string) (engine.Traits, error) {
	if device == "none" {
		return engine.AnyDevice, nil
	}
	engines := newEngines(deviceFlags{name: device, noCache: true}, s.err)
	opened, err := engines.get(device)
	if err != nil {
		return engine.Traits{}, err
	}
	return opened.Traits(), engines.close(s)
}

// planAll plans runs of attention for a device with those traits.
func planAll(runs []configs.Run, traits engine.Traits) (plans []*engine.Plan, err error) {
	for _, r := range runs {
		request, err := requestOf(r)
		if err != nil {
			return nil, of(r, runs, err)
		}
		plan, err := engine.NewPlan(traits, request)
		if err != nil {
			return nil, of(r, runs, err)
		}
		plans = append(plans, plan)
	}
	return plans, nil
}

// A passSum is all passes of one kernel in one specialization on grids of one size.
type passSum struct {
	kernel       string
	constants    string
	grid         [3]uint32
	times        int
	multiplyAdds int64
	bytes        int64
}

// passesOf returns all passes of a plan.
func passesOf(p *engine.Plan) []engine.Pass {
	var passes []engine.Pass
	for _, step := range p.Steps {
		passes = append(passes, step.Passes...)
	}
	return passes
}

// sumPasses sums up passes, which may be thousands, in their order.
func sumPasses(passes []engine.Pass) (sums []*passSum, total passSum) {
	known := map[string]*passSum{}
	for _, pass := range passes {
		constants := constantsText(pass.Constants)
		key := fmt.Sprint(kernelName(pass), constants, pass.Groups)
		sum := known[key]
		if sum == nil {
			sum = &passSum{kernel: kernelName(pass), constants: constants, grid: pass.Groups}
			known[key] = sum
			sums = append(sums, sum)
		}
		for _, s := range []*passSum{sum, &total} {
			s.times++
			s.multiplyAdds += pass.MultiplyAdds
			s.bytes += pass.Bytes
		}
	}
	return sums, total
}

// constantsText writes the specialization constants of a pass that are not zero:
// what it computes, and in which shape.
func constantsText(constants map[string]uint32) string {
	given := maps.Clone(constants)
	maps.DeleteFunc(given, func(_ string, value uint32) bool { return value == 0 })
	return keyValues(given)
}

// kernelName is "zero" for a pass that fills a buffer and "copy" for one that
// copies one to another.
func kernelName(p engine.Pass) string {
	switch {
	case p.Kernel != "":
		return p.Kernel
	case len(p.Bind) == 2:
		return "copy"
	}
	return "zero"
}

func passTable(passes []engine.Pass) string {
	t := newTable("lrrrrl")
	t.add("pass", "times", "grid", "multiply-adds", "moved", "constants")
	sums, total := sumPasses(passes)
	for _, s := range sums {
		t.add(s.kernel, fmt.Sprint(s.times), gridText(s.grid), count(s.multiplyAdds), size(s.bytes), s.constants)
	}
	t.add("total", fmt.Sprint(total.times), "", count(total.multiplyAdds), size(total.bytes))
	return t.String()
}

func bufferTable(buffers []engine.BufferSpec) string {
	t := newTable("lr")
	t.add("buffer", "size")
	total := int64(0)
	for _, b := range buffers {
		t.add(b.Name, size(b.Bytes))
		total += b.Bytes
	}
	t.add("total", size(total))
	return t.String()
}

func planText(run configs.Run, p *engine.Plan) string {
	a := p.Attention
	head := newTable("ll")
	head.add("run", run.Name)
	head.add("plan for", fmt.Sprintf("%s, kernel tier %s, %s", p.Traits.Device, p.Traits.Tier, shapesText(p.Traits)))
	head.add("attention", fmt.Sprintf("heads %d, head_dim %d, %s, %s path in %s", a.Heads, a.HeadDim, tokens(p.Lengths), p.Path, p.Precision))
	if a.RoPE.Enabled() {
		head.add("rope_theta", fmt.Sprint(a.RoPE.Theta))
	}
	head.add("pattern", a.Visible().String())

	m := tilesOf(p.Map)
	walked := newTable("lrr")
	walked.add(fmt.Sprintf("tiles of %d x %d", m.Queries, m.Keys), count(m.All), "")
	walked.add("  whole", count(m.Whole), share(m.Whole, m.All))
	walked.add("  masked", count(m.Partial), share(m.Partial, m.All))
	walked.add("  skipped", count(m.Skipped), share(m.Skipped, m.All))
	n := int64(p.Lengths.Tokens())
	walked.add("pairs of a head", count(n*n), "")
	walked.add("  visible", count(p.Map.Pairs), share(p.Map.Pairs, n*n))
	return strings.Join([]string{head.String(), passTable(passesOf(p)), bufferTable(p.Buffers), walked.String()}, "\n")
}

// gridText writes the workgroups of a dispatch; a fill has none.
func gridText(grid [3]uint32) string {
	if grid == [3]uint32{} {
		return ""
	}
	return fmt.Sprintf("%d x %d x %d", grid[0], grid[1], grid[2])
}

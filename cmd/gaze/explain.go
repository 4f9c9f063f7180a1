package main

import (
	"context"
	"flag"
	"fmt"
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
		"nothing, masked ones hide some pairs, skipped ones hide all and cost nothing. The plan is\n" +
		"for what every Vulkan device guarantees, unless --device names one: only that is opened.",
	example: "gaze preset longformer | gaze explain -",
	setup: func(flags *flag.FlagSet) action {
		device := flags.String("device", "none", "plan for the device of this `NAME` (or index)")
		asJSON := flags.Bool("json", false, "print all passes, as JSON")
		return func(_ context.Context, s streams, operands []string) error {
			file, err := loadFile(s.in, operands[0])
			if err != nil {
				return err
			}
			plans, err := planAll(s, file.Runs, *device)
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

// planAll plans runs for the device of that name, or for "none" in particular.
func planAll(s streams, runs []configs.Run, device string) (plans []*engine.Plan, err error) {
	traits := engine.AnyDevice
	if device != "none" {
		engines := newEngines(deviceFlags{name: device, noCache: true}, s.err)
		opened, err := engines.get(device)
		if err != nil {
			return nil, err
		}
		traits = opened.Traits()
		if err := engines.close(s); err != nil {
			return nil, err
		}
	}
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

// A passSum is all passes of one kernel on grids of one size.
type passSum struct {
	kernel       string
	grid         [3]uint32
	times        int
	multiplyAdds int64
	bytes        int64
}

// sumPasses sums up the passes of a plan, which may be thousands, in their order.
func sumPasses(p *engine.Plan) (sums []*passSum, total passSum) {
	known := map[string]*passSum{}
	for _, step := range p.Steps {
		for _, pass := range step.Passes {
			key := fmt.Sprint(pass.Kernel, pass.Groups)
			sum := known[key]
			if sum == nil {
				sum = &passSum{kernel: kernelName(pass), grid: pass.Groups}
				known[key] = sum
				sums = append(sums, sum)
			}
			for _, s := range []*passSum{sum, &total} {
				s.times++
				s.multiplyAdds += pass.MultiplyAdds
				s.bytes += pass.Bytes
			}
		}
	}
	return sums, total
}

// kernelName is "zero" for a pass that fills a buffer.
func kernelName(p engine.Pass) string {
	if p.Kernel == "" {
		return "zero"
	}
	return p.Kernel
}

func planText(run configs.Run, p *engine.Plan) string {
	a := p.Attention
	head := newTable("ll")
	head.add("run", run.Name)
	head.add("plan for", fmt.Sprintf("%s, kernel tier %s", p.Traits.Device, p.Traits.Tier))
	head.add("attention", fmt.Sprintf("heads %d, head_dim %d, %s, %s path in %s", a.Heads, a.HeadDim, tokens(p.Lengths), p.Path, p.Precision))
	if a.RoPE.Enabled() {
		head.add("rope_theta", fmt.Sprint(a.RoPE.Theta))
	}
	head.add("pattern", a.Visible().String())

	passes := newTable("lrrrr")
	passes.add("pass", "times", "grid", "multiply-adds", "moved")
	sums, total := sumPasses(p)
	for _, s := range sums {
		passes.add(s.kernel, fmt.Sprint(s.times), gridText(s.grid), count(s.multiplyAdds), size(s.bytes))
	}
	passes.add("total", fmt.Sprint(total.times), "", count(total.multiplyAdds), size(total.bytes))

	buffers := newTable("lr")
	buffers.add("buffer", "size")
	for _, b := range p.Buffers {
		buffers.add(b.Name, size(b.Bytes))
	}
	buffers.add("total", size(p.DeviceBytes()))

	m := tilesOf(p.Map)
	walked := newTable("lrr")
	walked.add(fmt.Sprintf("tiles of %d x %d", m.Queries, m.Keys), count(m.All), "")
	walked.add("  whole", count(m.Whole), share(m.Whole, m.All))
	walked.add("  masked", count(m.Partial), share(m.Partial, m.All))
	walked.add("  skipped", count(m.Skipped), share(m.Skipped, m.All))
	n := int64(p.Lengths.Tokens())
	walked.add("pairs of a head", count(n*n), "")
	walked.add("  visible", count(p.Map.Pairs), share(p.Map.Pairs, n*n))
	return strings.Join([]string{head.String(), passes.String(), buffers.String(), walked.String()}, "\n")
}

// gridText writes the workgroups of a dispatch; a fill has none.
func gridText(grid [3]uint32) string {
	if grid == [3]uint32{} {
		return ""
	}
	return fmt.Sprintf("%d x %d x %d", grid[0], grid[1], grid[2])
}

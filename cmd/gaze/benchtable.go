package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/gazevk/gaze/engine/bench"
)

// table returns the whole benchmark as text.
func (r *benchReport) table() string {
	head := newTable("ll")
	head.add("device", fmt.Sprintf("%d: %s, %s, Vulkan %s", r.Device.Index, r.Device.Name, r.Device.Driver, r.Device.Vulkan))
	if r.Shapes != "" { // older reports do not say
		head.add("kernels", r.Shapes)
	}
	head.add("machine", r.Host.line())
	head.add("measured", fmt.Sprintf("%s, in %.0f s, by %s: %s", r.Date, r.Seconds, r.Version, r.Command))
	text := head.String() + "\n" + limitTable(r.Limits)
	for _, suite := range bench.Suites {
		var cases []*bench.Case
		for _, c := range r.Cases {
			if c.Suite == suite {
				cases = append(cases, c)
			}
		}
		if len(cases) > 0 {
			text += "\n" + caseTable(suite, cases)
		}
	}
	if len(r.Omitted) > 0 {
		text += "\nLeft out for want of time (--full or --n measures them):\n"
		for _, o := range r.Omitted {
			text += fmt.Sprintf("  %s: %s, about %s s\n", o.Suite, o.Name, significant(o.Seconds))
		}
	}
	return text
}

// limitTable says what the device can do at most, and by what it was reached.
func limitTable(l *bench.Limits) string {
	t := newTable("lrll")
	t.add("limit", "", "", "reached by")
	for _, p := range []struct {
		name string
		bench.Peak
	}{{"multiply-add, f32", l.Multiply}, {"multiply-add, f16", l.Half}, {"matrix units, f16 to f32", l.Matrix}} {
		if p.Missing != "" {
			t.add(p.name, "-", "", p.Missing)
			continue
		}
		t.add(p.name, significant(p.GFLOPS), "GFLOP/s", p.Variant)
	}
	for _, c := range l.Copies {
		t.add("copy within "+size(c.Bytes), significant(c.Rate), "GB/s", c.Variant)
	}
	t.add("empty dispatch and wait", significant(1e6*l.Dispatch.Median), "µs", fmt.Sprintf("%s to %s", significant(1e6*l.Dispatch.Least), significant(1e6*l.Dispatch.Most)))
	t.add("one more in the same submit", significant(1e6*l.Next), "µs", "with a barrier")
	return t.String()
}

// caseTable returns the cases of a suite, a line each.
func caseTable(suite string, cases []*bench.Case) string {
	t := newTable("lllrrrrrrrrl")
	t.add(suite, "", "kernel", "runs", "ms", "least", "most", "host ms", "GFLOP/s", "GB/s", "of limit", "")
	for _, c := range cases {
		s := c.GPU
		if s.Median == 0 {
			s = c.Host
		}
		work, moved, share := "-", "-", "-"
		if c.Bound.By != "" {
			work, moved = significant(c.GFLOPS()), significant(c.Gigabytes())
			share = fmt.Sprintf("%.1f%%", 100*c.Bound.Share)
		}
		t.add(c.Name, string(c.Precision), kernelText(c), fmt.Sprint(len(c.Samples)), significant(1e3*s.Median), significant(1e3*s.Least), significant(1e3*s.Most),
			significant(1e3*c.Host.Median), work, moved, share, c.Bound.By)
	}
	return t.String()
}

// mainKernel returns the kernel that took most of a case.
func mainKernel(c *bench.Case) bench.Kernel {
	return slices.MaxFunc(c.Kernels, func(a, b bench.Kernel) int { return cmp.Compare(a.Seconds, b.Seconds) })
}

// kernelText names the main kernel of a case, with its share where there are more.
func kernelText(c *bench.Case) string {
	if len(c.Kernels) == 0 {
		return ""
	}
	total := 0.0
	for _, k := range c.Kernels {
		total += k.Seconds
	}
	k := mainKernel(c)
	if len(c.Kernels) == 1 || total == 0 || k.Seconds > 0.99*total {
		return k.Name
	}
	return fmt.Sprintf("%s %.0f%%", k.Name, 100*k.Seconds/total)
}

// comparison returns a table of this benchmark against an older one, case by case.
func (r *benchReport) comparison(path string, old *benchReport) string {
	text := "Beside " + path + ", of " + old.Date
	for _, difference := range []struct{ name, then, now string }{
		{"device", old.Device.Name + ", " + old.Device.Driver, r.Device.Name + ", " + r.Device.Driver},
		{"machine", old.Host.Processor, r.Host.Processor},
		{"choice of kernels", old.Shapes, r.Shapes},
	} {
		if difference.then != difference.now && difference.then != "" {
			text += fmt.Sprintf("\nwith another %s then: %s", difference.name, difference.then)
		}
	}
	if old.Host.Load != "" && r.Host.Load != "" {
		text += fmt.Sprintf("\nload of the machine then %s, now %s", old.Host.Load, r.Host.Load)
	}
	t := newTable("llllrrrl")
	t.add("", "", "", "", "ms then", "ms now", "times as quick", "")
	var ratios []float64
	for _, now := range r.Cases {
		i := slices.IndexFunc(old.Cases, func(c *bench.Case) bool { return c.Key() == now.Key() })
		if i < 0 {
			t.add(now.Suite, now.Name, string(now.Precision), string(now.Tier), "-", significant(1e3*now.Seconds()), "-")
			continue
		}
		then := old.Cases[i]
		ratio := then.Seconds() / now.Seconds()
		ratios = append(ratios, math.Log(ratio))
		t.add(now.Suite, now.Name, string(now.Precision), string(now.Tier), significant(1e3*then.Seconds()), significant(1e3*now.Seconds()),
			fmt.Sprintf("%.3f", ratio), overlap(then, now))
	}
	text += "\n\n" + t.String()
	if len(ratios) == 0 {
		return text + "\nThe two have no case in common.\n"
	}
	sum := 0.0
	for _, x := range ratios {
		sum += x
	}
	return text + fmt.Sprintf("\nGeometric mean of %d cases: %.3f times as quick. The limit of multiply-adds was %s GFLOP/s then and is %s now.\n",
		len(ratios), math.Exp(sum/float64(len(ratios))), significant(old.Limits.Multiply.GFLOPS), significant(r.Limits.Multiply.GFLOPS))
}

// overlap says where the middle halves of two measurements have times in common:
// then nothing may have changed.
func overlap(a, b *bench.Case) string {
	x, y := a.GPU, b.GPU
	if x.Median == 0 || y.Median == 0 {
		x, y = a.Host, b.Host
	}
	if x.Quarter <= y.Quarter3 && y.Quarter <= x.Quarter3 {
		return "within the spread"
	}
	return ""
}

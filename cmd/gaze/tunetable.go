package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/gazevk/gaze/engine/tune"
)

// table returns the whole tuning as text: a table of the candidates of each class.
func (r *tuneReport) table() string {
	head := newTable("ll")
	head.add("device", fmt.Sprintf("%d: %s, %s, Vulkan %s", r.Device.Index, r.Device.Name, r.Device.Driver, r.Device.Vulkan))
	head.add("machine", r.Host.line())
	head.add("measured", fmt.Sprintf("%s, in %.0f s, by %s", r.Date, r.Seconds, r.Version))
	var text strings.Builder
	text.WriteString(head.String())
	for _, c := range r.Classes {
		fmt.Fprintf(&text, "\n%s: %s\n%s", classText(c), strings.Join(c.Cases, " and "), candidateTable(c))
	}
	if len(r.Omitted) > 0 {
		text.WriteString("\nLeft out for want of time; the default shapes serve there:\n  " + strings.Join(r.Omitted, "\n  ") + "\n")
	}
	text.WriteString("\n" + r.summary())
	return text.String()
}

// classText says which problems a class has.
func classText(c *tune.Class) string {
	text := fmt.Sprintf("%s %s", c.Suite, c.Precision)
	if c.Suite != "matmul" {
		return fmt.Sprintf("%s, heads of %d", text, c.HeadDim)
	}
	for _, side := range []struct {
		name string
		most int
	}{{"rows", c.Rows}, {"columns of weights", c.Columns}} {
		if side.most > 0 {
			text += fmt.Sprintf(", up to %s %s", count(int64(side.most)), side.name)
		} else {
			text += ", more " + side.name
		}
	}
	return text
}

// candidateTable has a line for each candidate that was tried.
func candidateTable(c *tune.Class) string {
	t := newTable("llrrrrrrl")
	t.add("kernel", "shape", "runs", "ms", "least", "most", "GFLOP/s", "times as quick", "")
	leftOut := 0
	for i, candidate := range c.Candidates {
		if candidate.LeftOut {
			leftOut++
			continue
		}
		var remarks []string
		if i == 0 {
			remarks = append(remarks, "default")
		}
		if i == c.Chosen {
			remarks = append(remarks, "chosen")
		}
		row := []string{string(candidate.Tier()), candidate.String()}
		if s := candidate.Seconds; candidate.Fault != "" {
			row = append(row, "-", "-", "-", "-", "-", "-", "FAILED: "+candidate.Fault)
		} else {
			row = append(row, fmt.Sprint(len(candidate.Samples)), significant(1e3*s.Median), significant(1e3*s.Least), significant(1e3*s.Most),
				significant(candidate.GFLOPS), fmt.Sprintf("%.2f", c.Gain(i)), strings.Join(remarks, ", "))
		}
		t.add(row...)
	}
	if leftOut > 0 {
		return t.String() + fmt.Sprintf("%d others were far behind with fewer rows\n", leftOut)
	}
	return t.String()
}

// summary says what came of it; its last line where it is kept.
func (r *tuneReport) summary() string {
	changed, wrong, sum := 0, 0, 0.0
	for _, c := range r.Classes {
		if c.Chosen != 0 {
			changed++
		}
		sum += math.Log(c.Gain(c.Chosen))
		for _, candidate := range c.Candidates {
			if candidate.Fault != "" {
				wrong++
			}
		}
	}
	text := fmt.Sprintf("%d of %d classes are quicker in another shape than the default; geometric mean of all: %.2f times as quick.\n",
		changed, len(r.Classes), math.Exp(sum/float64(max(len(r.Classes), 1))))
	if wrong > 0 {
		text += fmt.Sprintf("%d candidates gave another result than the default or none, and were left out: gaze verify tells which is right.\n", wrong)
	}
	if r.Stored == "" {
		return text + "nothing is kept (--dry-run)\n"
	}
	return text + "kept in " + r.Stored + "\n"
}

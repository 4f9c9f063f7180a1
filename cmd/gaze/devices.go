package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"strings"

	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/vk"
)

var devicesCommand = &command{
	name:    "devices",
	summary: "list the Vulkan devices and what each can do",
	details: "The number before a device, or any part of its name or driver that no other device\n" +
		"has, chooses it: as [device].name in a run file, or with --device. The kernel tier is\n" +
		"the family of kernels that suits the device: texels for drivers that run on the CPU, lanes\n" +
		"where their texel buffers are small or their subgroups of 4, tiled for GPUs, matrix for\n" +
		"GPUs with matrix units; its shapes are the default ones, or those that gaze tune chose.",
	example: "gaze devices --json",
	setup: func(flags *flag.FlagSet) action {
		asJSON := flags.Bool("json", false, "print all that is known, as JSON")
		return func(_ context.Context, s streams, _ []string) error {
			adapters, err := vk.Adapters()
			if err != nil {
				return err
			}
			if *asJSON {
				return s.printJSON(struct {
					Devices []deviceDetails `json:"devices"`
				}{describeAll(adapters)})
			}
			var parts []string
			for _, a := range adapters {
				parts = append(parts, deviceText(a))
			}
			return s.print(strings.Join(parts, "\n"))
		}
	},
}

// printJSON prints value as indented JSON.
func (s streams) printJSON(value any) error {
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return s.print(string(data) + "\n")
}

// deviceText returns a device as a heading and a table.
func deviceText(a vk.Adapter) string {
	l, f := a.Limits, a.Features
	t := newTable("ll")
	t.add("   kind", a.Kind.String())
	t.add("   driver", fmt.Sprintf("%s (version %s)", a.Driver, driverVersion(a)))
	t.add("   vulkan", a.API)
	t.add("   kernel tier", string(engine.TraitsOf(a).Tier))
	t.add("   kernel shapes", tuningOf(a).text())
	t.add("   float16", fmt.Sprintf("arithmetic %s, storage %s", yes(f.Float16), yes(f.Storage16)))
	t.add("   subgroup", subgroupText(l, f))
	t.add("   matrix units", matrixText(f))
	t.add("   workgroup", fmt.Sprintf("%d invocations, %s shared memory", l.Invocations, size(int64(l.SharedMemory))))
	t.add("   buffer binding", fmt.Sprintf("%s at most, offsets in steps of %d B", size(l.StorageRange), l.StorageAlignment))
	t.add("   texel buffer", fmt.Sprintf("%d texels at most, offsets in steps of %d B", l.Texels, l.TexelAlignment))
	t.add("   allocation", size(l.Allocation)+" at most")
	t.add("   timestamps", yes(f.Timestamps))
	if f.SharedMemory {
		t.add("   cells of maps", "stay on the device, in a window that it shows, too")
	} else {
		t.add("   cells of maps", "come to the CPU: memory cannot be shared with what shows a window")
	}
	if f.Portability {
		t.add("   note", "not fully conformant (a portability driver)")
	}
	return fmt.Sprintf("%d  %s\n%s", a.Index, a.Name, t)
}

// A tuningState is what gaze tune has found out about a device.
type tuningState struct {
	Date    string `json:"date,omitempty"`    // of the verdict that holds
	Ignored string `json:"ignored,omitempty"` // why one does not
}

// tuningOf looks for the verdict on a device.
func tuningOf(a vk.Adapter) tuningState {
	directory := cacheDirectory()
	if directory == "" {
		return tuningState{}
	}
	verdict, err := engine.ReadVerdict(directory, a, nil)
	switch {
	case err != nil:
		return tuningState{Ignored: err.Error()}
	case verdict == nil:
		return tuningState{}
	}
	return tuningState{Date: verdict.Date}
}

func (s tuningState) text() string {
	switch {
	case s.Date != "":
		return "tuned " + s.Date
	case s.Ignored != "":
		return "default; " + s.Ignored
	}
	return "default; gaze tune finds the quickest"
}

func subgroupText(l vk.Limits, f vk.Features) string {
	size := fmt.Sprintf("%d wide", l.SubgroupSize)
	if low, high := l.SubgroupSizeRange[0], l.SubgroupSizeRange[1]; low < high {
		size += fmt.Sprintf(" (%d to %d)", low, high)
	}
	operations := ""
	for _, o := range []struct {
		name string
		has  bool
	}{{"vote", f.SubgroupVote}, {"arithmetic", f.SubgroupAdd}, {"shuffle", f.SubgroupShuffle}, {"choice of size", f.SubgroupControl}} {
		if o.has {
			operations += ", " + o.name
		}
	}
	return size + operations
}

// matrixText names the shapes, each with all its element types, and what is done
// beside products.
func matrixText(f vk.Features) string {
	shapes := f.Matrices
	if len(shapes) == 0 {
		return "none"
	}
	var order []string
	types := map[string][]string{}
	for _, m := range shapes {
		size := fmt.Sprintf("%dx%dx%d", m.M, m.N, m.K)
		if types[size] == nil {
			order = append(order, size)
		}
		types[size] = append(types[size], m.A+"->"+m.Accumulator)
	}
	for i, size := range order {
		order[i] = size + " " + strings.Join(types[size], " ")
	}
	text := strings.Join(order, ", ")
	if f.MatrixReductions {
		text += "; reductions"
	}
	return text
}

func yes(has bool) string {
	if has {
		return "yes"
	}
	return "no"
}

// driverVersion decodes the version number, which each vendor packs in its own way.
func driverVersion(a vk.Adapter) string {
	v := a.DriverVersion
	const nvidia = 0x10de
	if a.Vendor == nvidia {
		return fmt.Sprintf("%d.%d.%d.%d", v>>22, v>>14&0xff, v>>6&0xff, v&0x3f)
	}
	return fmt.Sprintf("%d.%d.%d", v>>22, v>>12&0x3ff, v&0xfff)
}

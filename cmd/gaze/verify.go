package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/verify"
	"github.com/gazevk/gaze/shaders"
	"github.com/gazevk/gaze/vk"
)

var verifyCommand = &command{
	name:    "verify",
	summary: "prove every kernel right on a device, against float64",
	details: "Every kernel of every tier and precision, in every shape that gaze tune may choose, runs\n" +
		"over generated cases: all patterns and their combinations, packed sequences, lengths\n" +
		"around the tiles, extreme scores, queries that see nothing. Each element is compared with\n" +
		"a plain float64 computation, within a bound that follows from the arithmetic; \"of bound\"\n" +
		"says how much of it was needed. Rows named run_... are whole runs. The exit status is 1 if\n" +
		"anything is wrong.",
	example: "gaze verify --device 0 --kernel attention --cases 500",
	setup: func(flags *flag.FlagSet) action {
		var device deviceFlags
		device.declareDevice(flags)
		device.untuned = true
		var o verify.Options
		flags.StringVar(&o.Kernel, "kernel", "", "only kernels whose `NAME` contains this")
		flags.IntVar(&o.Cases, "cases", verify.DefaultCases, fmt.Sprintf("check at least this `NUMBER` of cases (%d)", verify.DefaultCases))
		flags.Uint64Var(&o.Seed, "seed", 1, "generate the cases from this `NUMBER`")
		flags.IntVar(&o.Problem, "problem", 0, "only the cases of problem `NUMBER`, as the report names it")
		directory := flags.String("shaders", "", "take the kernels from the .spv files in this directory `DIR`")
		file := flags.String("json", "", "write the report to this `FILE`, too")
		compile := flags.Bool("compile", false, "run nothing: compile every kernel and print what the driver's compiler reports")
		return func(ctx context.Context, s streams, _ []string) error {
			if o.Cases < 1 || o.Problem < 0 {
				return usageError{errors.New("--cases must be at least 1, and --problem at least 0")}
			}
			for _, name := range []string{"cases", "kernel", "problem", "seed"} {
				if *compile && given(flags, name) {
					return usageError{fmt.Errorf("--compile excludes --%s: it compiles every kernel and runs none", name)}
				}
			}
			var made directories
			defer func() { made.removeEmpty() }()
			if err := made.prepare([]string{*file}); err != nil {
				return err
			}
			engines := newEngines(device, s.err)
			engines.options.Tier = engine.Tiled // to open; all tiers are verified, whatever a trial says of them
			if *directory != "" {
				set, err := shaders.Dir(*directory)
				if err != nil {
					return err
				}
				engines.options.Shaders = set
			}
			if *compile {
				engines.options.Vulkan = append(engines.options.Vulkan, vk.WithStatistics())
			}
			opened, err := engines.get(device.name)
			if err != nil {
				return err
			}
			o.Device = device.name
			if *compile {
				err = compileReport(s, opened, *file)
			} else {
				err = verifyReport(ctx, s, opened, o, *file)
			}
			return errors.Join(err, engines.close(s))
		}
	},
}

// verifyReport verifies and prints the table.
func verifyReport(ctx context.Context, s streams, e *engine.Engine, o verify.Options, file string) error {
	bar := newProgress(s, "verifying")
	o.Progress = bar.show
	report, err := verify.Run(ctx, e, o)
	bar.clear()
	if err != nil {
		return err
	}
	if file != "" {
		if err := writeJSON(file, report); err != nil {
			return err
		}
	}
	t := newTable("llrrrrl")
	t.add("kernel", "variants", "cases", "largest error", "ULP", "of bound", "verdict")
	failed := 0
	for _, row := range report.Rows {
		verdict := "ok"
		if row.Failed > 0 {
			verdict = fmt.Sprintf("WRONG in %d", row.Failed)
			failed++
		}
		t.add(row.Kernel, row.Variants, count(int64(row.Cases)), fmt.Sprintf("%.2g", row.MaxAbs), fmt.Sprintf("%.3g", row.MaxULP),
			fmt.Sprintf("%.0f%%", 100*row.OfBound), verdict)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s (%s): %s cases of %d problems, seed %d\n\n%s\n", report.Device, report.Driver, count(int64(report.Cases)), report.Problems, report.Seed, t)
	for _, row := range report.Rows {
		if row.Failed > 0 {
			fmt.Fprintf(&text, "%s: %s\n  %s\n  repeat: %s\n", row.Kernel, row.Fault, row.Problem, row.Worst)
		}
	}
	if report.Passed() {
		worst := report.Rows[0]
		for _, row := range report.Rows {
			if row.OfBound > worst.OfBound {
				worst = row
			}
		}
		fmt.Fprintf(&text, "All kernels are right. The worst case again: %s\n", worst.Worst)
	}
	if err := s.print(text.String()); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d kernels are wrong on %s", failed, len(report.Rows), report.Device)
	}
	return nil
}

// compileReport compiles every kernel and prints the compiler's own figures.
func compileReport(s streams, e *engine.Engine, file string) error {
	compiled, err := verify.Compile(e)
	if err != nil {
		return err
	}
	if file != "" {
		if err := writeJSON(file, compiled); err != nil {
			return err
		}
	}
	t := newTable("lll")
	t.add("kernel", "variant", "the driver's compiler")
	for _, c := range compiled {
		t.add(c.Kernel, keyValues(c.Constants), keyValues(c.Statistics))
	}
	return s.print(fmt.Sprintf("%s: %d kernels compile\n\n%s", e.Adapter().Name, len(compiled), t))
}

// keyValues writes a map as "name value" pairs in the order of their names.
func keyValues[V uint32 | float64](m map[string]V) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		words = append(words, fmt.Sprintf("%s %.6g", name, float64(m[name])))
	}
	return strings.Join(words, ", ")
}

func writeJSON(file string, value any) error {
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return gaze.WriteFile(file, func(w io.Writer) error {
		_, err := w.Write(append(data, '\n'))
		return err
	})
}

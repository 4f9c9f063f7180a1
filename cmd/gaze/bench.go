package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/bench"
)

// benchFlags are the flags of gaze bench.
type benchFlags struct {
	device    deviceFlags
	suites    string
	tier      string
	precision string
	lengths   string
	runs      int
	quick     bool
	full      bool
	jsonFile  string
	plot      string
	compare   string
	flags     *flag.FlagSet // that were given
}

var benchCommand = &command{
	name:    "bench",
	summary: "measure how quick the kernels are, beside what the device can do at most",
	details: "First the limits of the device, by kernels that do nothing but multiply and add, copy or\n" +
		"start; several variants of each run, and the best counts. Then the suites:\n\n" +
		"  matmul     squares, and the products of a layer of ModernBERT-base\n" +
		"  attention  full, sliding window, dilated and global tokens, over more and more tokens\n" +
		"  encoder    ModernBERT-base's size with random weights, and the built-in model\n" +
		"  startup    from the start of the program to the first answer, twice\n" +
		"  viewer     the map of a head in a window of 1920 x 1080, zoomed out, the coarse picture\n" +
		"             that comes first, and statistics\n\n" +
		"Times are medians of at least ten runs by the device's clock, after one that compiles; host\n" +
		"is the time until the program knows. GFLOP/s counts two for each multiply-add of a visible\n" +
		"pair, GB/s each element once. \"Of limit\" is the share that is reached of the limit which\n" +
		"binds: multiply-adds, or memory. A kernel other than the one that was asked for is an error.\n" +
		"Slow devices get fewer heads, layers and tokens; --full keeps all, and may take hours.",
	example: "gaze bench --json before.json\n" +
		"gaze bench --suite attention --n 1024,4096 --tier all\n" +
		"gaze bench --compare before.json --plot after.svg",
	setup: func(flags *flag.FlagSet) action {
		f := benchFlags{flags: flags}
		f.device.declare(flags)
		flags.Lookup("device").Usage = "measure the device of this `NAME` (or index)"
		flags.StringVar(&f.suites, "suite", "", "measure only these suites: their `NAMES`, with commas")
		flags.StringVar(&f.tier, "tier", "", "measure the kernels of this `TIER`, lanes, texels, tiled or matrix, or of all")
		flags.StringVar(&f.precision, "precision", "", "measure all suites with tensors in this `TYPE`: f32, f16 or all")
		flags.StringVar(&f.lengths, "n", "", "measure these `NUMBERS` of tokens, with commas, however long it takes")
		flags.IntVar(&f.runs, "runs", 0, "time each case this `NUMBER` of times (10; 3 with --quick)")
		flags.BoolVar(&f.quick, "quick", false, "few cases and runs")
		flags.BoolVar(&f.full, "full", false, "all cases in full size, however long it takes")
		flags.StringVar(&f.jsonFile, "json", "", "write every sample to this `FILE`, too")
		flags.StringVar(&f.plot, "plot", "", "draw throughput and limits into this `FILE`, .svg or .png")
		flags.StringVar(&f.compare, "compare", "", "compare with a `FILE` that --json wrote")
		return func(ctx context.Context, s streams, _ []string) error { return f.do(ctx, s) }
	},
}

// options returns what the flags ask for, the engines left out.
func (f *benchFlags) options() (bench.Options, error) {
	o := bench.Options{Suites: bench.Suites, Runs: f.runs, Effort: bench.Normal, Device: f.device.name}
	wrong := func(format string, arguments ...any) (bench.Options, error) {
		return bench.Options{}, usageError{fmt.Errorf(format, arguments...)}
	}
	if f.suites != "" {
		o.Suites = strings.Split(f.suites, ",")
		for _, name := range o.Suites {
			if !slices.Contains(bench.Suites, name) {
				hint := ""
				if near := nearest(name, bench.Suites); near != "" {
					hint = "; did you mean " + near + "?"
				}
				return wrong("--suite has %q: expected some of %s%s", name, strings.Join(bench.Suites, ", "), hint)
			}
		}
	}
	switch f.tier {
	case "", "all":
		o.Tiers = []engine.Tier{""}
	default:
		if !slices.Contains(engine.Tiers, engine.Tier(f.tier)) {
			return wrong("--tier is %q: expected one of %q, or all", f.tier, engine.Tiers)
		}
		o.Tiers = []engine.Tier{engine.Tier(f.tier)}
	}
	switch f.precision {
	case "":
	case "all":
		o.Precisions = []engine.Precision{engine.F32, engine.F16}
	case "f32", "f16":
		o.Precisions = []engine.Precision{engine.Precision(f.precision)}
	default:
		return wrong("--precision is %q: expected f32, f16 or all", f.precision)
	}
	if f.lengths != "" {
		for _, text := range strings.Split(f.lengths, ",") {
			n, err := strconv.Atoi(text)
			const most = 1 << 16
			if err != nil || n < 1 || n > most {
				return wrong("--n has %q: expected numbers of tokens from 1 to %d", text, most)
			}
			o.Lengths = append(o.Lengths, n)
		}
	}
	given := f.runs
	switch {
	case f.quick && f.full:
		return wrong("--quick and --full exclude each other")
	case f.quick:
		o.Effort, o.Runs = bench.Quick, 3
	case f.full:
		o.Effort, o.Runs = bench.Full, 10
	default:
		o.Runs = 10
	}
	if given < 0 || given > 10000 {
		return wrong("--runs is %d: expected 1 to 10000", given)
	}
	if given > 0 {
		o.Runs = given
	}
	if kind := filepath.Ext(f.plot); f.plot != "" && kind != ".svg" && kind != ".png" {
		return wrong("--plot is %s: expected a name that ends in .svg or .png", f.plot)
	}
	return o, nil
}

func (f *benchFlags) do(ctx context.Context, s streams) error {
	o, err := f.options()
	if err != nil {
		return err
	}
	var old *benchReport
	if f.compare != "" {
		if old, err = readBenchReport(f.compare); err != nil {
			return err
		}
	}
	var made directories
	defer func() { made.removeEmpty() }()
	if err := made.prepare([]string{f.jsonFile, f.plot}); err != nil {
		return err
	}
	if slices.Contains(o.Suites, "startup") {
		if o.Program, err = program(); err != nil {
			return err
		}
	}
	engines := newTierEngines(f.device, s.err)
	result, err := f.run(ctx, s, o, engines)
	if closing := engines.close(s); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	if f.jsonFile != "" {
		if err := writeJSON(f.jsonFile, result); err != nil {
			return err
		}
	}
	if f.plot != "" {
		if err := result.plot(f.plot); err != nil {
			return err
		}
	}
	text := result.table()
	if old != nil {
		text += "\n" + result.comparison(f.compare, old)
	}
	return s.print(text + written(slices.DeleteFunc([]string{f.jsonFile, f.plot}, func(path string) bool { return path == "" })))
}

// run measures everything, with a bar that says what is under way.
func (f *benchFlags) run(ctx context.Context, s streams, o bench.Options, engines *tierEngines) (*benchReport, error) {
	e, err := engines.get(o.Tiers[0])
	if err != nil {
		return nil, err
	}
	suits := engine.TraitsOf(e.Adapter()).Tier
	switch f.tier {
	case "":
		o.Tiers = []engine.Tier{suits}
	case "all": // the one that suits the device first, the others stand beside it
		o.Tiers = []engine.Tier{suits}
		for _, tier := range e.Traits().Tiers() {
			if tier != suits {
				o.Tiers = append(o.Tiers, tier)
			}
		}
	}
	o.Open = engines.get
	bar := newProgress(s, "")
	o.Progress = func(what string, done float64) {
		if bar != nil {
			bar.name = what
			bar.show(done)
		}
	}
	host, started := thisHost(), time.Now()
	result, err := bench.Run(ctx, o)
	bar.clear()
	if err != nil {
		return nil, err
	}
	return &benchReport{
		Command: f.command(), Version: version(), Date: started.UTC().Format(time.RFC3339), Seconds: time.Since(started).Seconds(),
		Host: host, Device: deviceOf(e), Shapes: shapesText(e.Traits()), Runs: o.Runs, Result: result,
	}, nil
}

// command returns the command line that asked for this.
func (f *benchFlags) command() string {
	words := "gaze bench"
	f.flags.Visit(func(given *flag.Flag) {
		words += " --" + given.Name
		if value := given.Value.String(); value != "true" {
			words += " " + value
		}
	})
	return words
}

// program returns the words that start this program again. An interpreter, such
// as a loader of libraries that is not the system's, may stand before its name.
func program() ([]string, error) {
	if text, err := os.ReadFile("/proc/self/cmdline"); err == nil {
		words := strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
		if before := len(words) - len(os.Args); before > 0 {
			return words[:before+1], nil
		}
	}
	path, err := os.Executable()
	if err != nil {
		return nil, errors.New("the suite startup cannot tell where this program is: leave it out, by --suite")
	}
	return []string{path}, nil
}

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/tune"
)

// tuneFlags are the flags of gaze tune.
type tuneFlags struct {
	device deviceFlags
	suites string
	dryRun bool
	forget bool
	asJSON bool
}

var tuneCommand = &command{
	name:    "tune",
	summary: "find the shapes of kernels with which a device is quickest, and keep them",
	details: "How many sums a workgroup has, how many invocations share them, how far a loop is unrolled:\n" +
		"what is quickest differs from device to device. This runs all shapes that the device can\n" +
		"run, of every tier, in turns, over what a layer of ModernBERT-base computes, and keeps the\n" +
		"winners beside the compiled kernels. Other commands then take them; --untuned leaves them.\n\n" +
		"  matmul     matrix products, for few rows, more and many; for few and many columns\n" +
		"  attention  fused attention over heads of 64\n\n" +
		"A shape wins if it is quicker than the default by more than noise, and only if it gives\n" +
		"what the default gives; gaze verify proves all of them. It takes half a minute, up to two\n" +
		"on a driver that runs on a CPU. Leave the machine alone meanwhile. After an update of the\n" +
		"driver or of gaze the old verdict no longer counts, and a line says so.",
	example: "gaze tune\n" +
		"gaze tune --device 1 --suite matmul --dry-run\n" +
		"gaze tune --forget",
	setup: func(flags *flag.FlagSet) action {
		f := tuneFlags{}
		f.device.declareDevice(flags)
		f.device.untuned = true
		flags.Lookup("device").Usage = "tune the device of this `NAME` (or index)"
		flags.StringVar(&f.suites, "suite", "", "tune only these suites: their `NAMES`, with commas")
		flags.BoolVar(&f.dryRun, "dry-run", false, "measure, and keep nothing")
		flags.BoolVar(&f.forget, "forget", false, "measure nothing, and remove what was kept for the device")
		flags.BoolVar(&f.asJSON, "json", false, "print all that was measured, as JSON")
		return func(ctx context.Context, s streams, _ []string) error { return f.do(ctx, s) }
	},
}

// A tuneReport is a whole tuning, as JSON. Times are in seconds.
type tuneReport struct {
	Version string        `json:"version"`
	Date    string        `json:"date"`
	Seconds float64       `json:"seconds"` // that it took
	Host    hostSummary   `json:"host"`
	Device  deviceSummary `json:"device"`
	*tune.Result
	Stored string `json:"stored,omitempty"` // path of the verdict
}

// options returns what the flags ask for.
func (f *tuneFlags) options() (tune.Options, error) {
	var o tune.Options
	if f.suites == "" {
		return o, nil
	}
	o.Suites = strings.Split(f.suites, ",")
	for _, name := range o.Suites {
		if !slices.Contains(tune.Suites, name) {
			hint := ""
			if near := nearest(name, tune.Suites); near != "" {
				hint = "; did you mean " + near + "?"
			}
			return o, usageError{fmt.Errorf("--suite has %q: expected some of %s%s", name, strings.Join(tune.Suites, ", "), hint)}
		}
	}
	return o, nil
}

func (f *tuneFlags) do(ctx context.Context, s streams) error {
	o, err := f.options()
	if err != nil {
		return err
	}
	if f.forget && (f.dryRun || f.asJSON || f.suites != "") {
		return usageError{errors.New("--forget goes with --device alone")}
	}
	directory := cacheDirectory()
	if directory == "" && !f.dryRun {
		return errors.New("the system names no directory for caches (XDG_CACHE_HOME, or HOME): there is no place for the verdict; --dry-run measures without one")
	}
	engines := newEngines(f.device, s.err)
	e, err := engines.get("auto")
	if err != nil {
		return err
	}
	var made directories
	defer func() { made.removeEmpty() }()
	if !f.dryRun && !f.forget {
		if err := made.make(directory); err != nil {
			return errors.Join(fmt.Errorf("there is no place for the verdict: %w; --dry-run measures without one", err), engines.close(s))
		}
	}
	if f.forget {
		err = forget(s, directory, e)
	} else {
		err = f.tune(ctx, s, e, o, directory)
	}
	return errors.Join(err, engines.close(s))
}

// forget removes the verdict on the device of e.
func forget(s streams, directory string, e *engine.Engine) error {
	path, existed, err := engine.ForgetVerdict(directory, e.Adapter())
	switch {
	case err != nil:
		return err
	case existed:
		return s.print("removed " + path + "\n")
	}
	return s.print(fmt.Sprintf("%s was not tuned: there is no %s\n", e.Adapter().Name, path))
}

// tune measures, keeps the verdict and prints the report.
func (f *tuneFlags) tune(ctx context.Context, s streams, e *engine.Engine, o tune.Options, directory string) error {
	bar := newProgress(s, "")
	o.Progress = func(what string, done float64) {
		if bar != nil {
			bar.name = what
			bar.show(done)
		}
	}
	r := &tuneReport{Version: version(), Host: thisHost(), Device: deviceOf(e)}
	started := time.Now()
	r.Date = started.UTC().Format(time.RFC3339)
	var err error
	r.Result, err = tune.Run(ctx, e, o)
	bar.clear()
	if err != nil {
		return err
	}
	r.Seconds = time.Since(started).Seconds()
	if !f.dryRun {
		if r.Stored, err = keepVerdict(e, directory, r, o.Suites); err != nil {
			return err
		}
	}
	if f.asJSON {
		return s.printJSON(r)
	}
	return s.print(r.table())
}

// keepVerdict writes the verdict and returns its path. Suites that were not tuned
// now keep what an earlier tuning chose, if that still holds.
func keepVerdict(e *engine.Engine, directory string, r *tuneReport, suites []string) (string, error) {
	tuning := r.Tuning
	if old, err := engine.ReadVerdict(directory, e.Adapter(), nil); err == nil && old != nil && len(suites) > 0 {
		if !slices.Contains(suites, "matmul") {
			tuning.MatMul = old.MatMul
		}
		if !slices.Contains(suites, "attention") {
			tuning.Attention = old.Attention
		}
	}
	verdict, err := engine.NewVerdict(e.Adapter(), nil, r.Date, tuning)
	if err != nil {
		return "", err
	}
	return verdict.Write(directory, e.Adapter())
}

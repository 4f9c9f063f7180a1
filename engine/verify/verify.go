// Package verify proves the kernels on one device: it runs every kernel of every
// tier and precision over generated problems and compares each element that it
// writes with package reference in float64, within bounds derived from the
// arithmetic (bounds.go). Elements that a kernel has no business with hold a
// pattern that must survive.
package verify

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gazevk/gaze/engine"
)

// Options say what to verify. The zero value is everything.
type Options struct {
	Kernel   string // only rows whose name contains this
	Checks   int    // how many checks to make at least; 0 takes DefaultChecks
	Seed     uint64
	Problem  int // 0: as many problems as the checks need; else only this one, counted from 1
	Device   string
	Progress func(done float64)
}

// DefaultChecks is how many checks a verification makes.
const DefaultChecks = 2400

// A Report is the outcome.
type Report struct {
	Device, Driver string
	Seed           uint64
	Problems       int
	Checks         int
	Rows           []Row
}

// A Row sums up all checks of one kernel.
type Row struct {
	Kernel   string
	Variants int // distinct specializations
	Checks   int
	Failed   int
	MaxAbs   float64 // largest absolute error
	MaxULP   float64 // largest error in units in the last place of the exact value
	OfBound  float64 // largest error as a share of its bound
	Worst    string  // the command that repeats the worst check
	Fault    string  // what the worst failure was
	worst    float64
	variants map[string]bool
}

// Passed reports whether every check of every row passed, and that there were any.
func (r *Report) Passed() bool {
	for _, row := range r.Rows {
		if row.Failed > 0 || row.Checks == 0 {
			return false
		}
	}
	return len(r.Rows) > 0
}

// Run verifies the kernels of e. An error means that the verification itself
// could not go on; wrong numbers are in the report.
func Run(ctx context.Context, e *engine.Engine, o Options) (*Report, error) {
	if o.Checks == 0 {
		o.Checks = DefaultChecks
	}
	a := e.Adapter()
	v := &verifier{Engine: e, options: o, rows: map[string]*Row{},
		report: &Report{Device: a.Name, Driver: a.Driver, Seed: o.Seed}}
	first, last := 1, math.MaxInt
	if o.Problem > 0 {
		first, last = o.Problem, o.Problem
	}
	for index := first; index <= last; index++ {
		if o.Problem == 0 && v.report.Checks >= o.Checks && v.report.Problems >= cycle {
			break
		}
		if err := v.problem(ctx, index); err != nil {
			return nil, fmt.Errorf("verify: problem %d of seed %d: %w", index, o.Seed, err)
		}
		v.report.Problems++
		if v.report.Problems == cycle && v.report.Checks == 0 {
			return nil, fmt.Errorf("verify: no kernel's name contains %q", o.Kernel)
		}
		if o.Progress != nil {
			o.Progress(min(float64(v.report.Checks)/float64(o.Checks), 1))
		}
	}
	for _, row := range v.rows {
		row.Variants = len(row.variants)
		v.report.Rows = append(v.report.Rows, *row)
	}
	slices.SortFunc(v.report.Rows, func(a, b Row) int { return strings.Compare(a.Kernel, b.Kernel) })
	return v.report, nil
}

type verifier struct {
	*engine.Engine
	options Options
	rows    map[string]*Row
	report  *Report
}

// wants reports whether the options ask for this row.
func (v *verifier) wants(kernel string) bool { return strings.Contains(kernel, v.options.Kernel) }

// problem makes all checks of one problem.
func (v *verifier) problem(ctx context.Context, index int) error {
	p := newProblem(v.options.Seed, index)
	for _, tier := range engine.Tiers {
		for _, path := range []engine.Path{engine.Fused, engine.Explicit} {
			traits := v.Traits()
			traits.Tier = tier
			request := engine.Request{Attention: p.Attention, Lengths: p.Lengths, Precision: p.Precision, Path: path, Weights: true}
			plan, err := engine.NewPlan(traits, request)
			if err != nil {
				return err
			}
			if p.cramped {
				// The least range that still works: one head a pass, one tile of rows a chunk.
				if plan, err = cramped(traits, request, plan); err != nil {
					return err
				}
			}
			if err := v.passes(ctx, p, plan); err != nil {
				return err
			}
			if err := v.whole(ctx, p, plan); err != nil {
				return err
			}
		}
	}
	return nil
}

// cramped plans the request again for a device with the smallest buffers that can hold it.
func cramped(t engine.Traits, r engine.Request, roomy *engine.Plan) (*engine.Plan, error) {
	n := int64(r.Lengths.Tokens())
	t.StorageRange = 32 * (n + 32) * 4 // one tile of weights
	for _, b := range roomy.Buffers {
		switch b.Name {
		case "output":
			t.StorageRange = max(t.StorageRange, b.Bytes/int64(r.Attention.Heads))
		case "block map", "cosines", "sines", "positions":
			t.StorageRange = max(t.StorageRange, b.Bytes)
		}
	}
	return engine.NewPlan(t, r)
}

// passes checks every kind of pass by itself, at most passesOfAKind of each.
func (v *verifier) passes(ctx context.Context, p *problem, plan *engine.Plan) error {
	seen := map[string]int{}
	for _, step := range plan.Steps {
		for _, pass := range step.Passes {
			if pass.Kernel == "" || !v.wants(pass.Kernel) || seen[pass.Kernel] == passesOfAKind {
				continue
			}
			seen[pass.Kernel]++
			c := p.check(plan, pass)
			if err := v.RunPass(ctx, plan, pass, c.buffers); err != nil {
				return err
			}
			v.note(p, pass.Kernel, fmt.Sprint(pass.Constants), c.compare())
		}
	}
	return nil
}

const passesOfAKind = 3

// note adds one check to its row.
func (v *verifier) note(p *problem, kernel, variant string, found finding) {
	row := v.rows[kernel]
	if row == nil {
		row = &Row{Kernel: kernel, worst: -1, variants: map[string]bool{}}
		v.rows[kernel] = row
	}
	v.report.Checks++
	row.Checks++
	row.variants[variant] = true
	row.MaxAbs, row.MaxULP = max(row.MaxAbs, found.abs), max(row.MaxULP, found.ulp)
	row.OfBound = max(row.OfBound, found.ratio)
	if found.fault != "" {
		row.Failed++
	}
	if found.ratio > row.worst {
		row.worst = found.ratio
		row.Fault = found.fault
		row.Worst = fmt.Sprintf("gaze verify --device %s --kernel %s --seed %d --problem %d", v.device(), kernel, v.options.Seed, p.index)
	}
}

func (v *verifier) device() string {
	if v.options.Device != "" {
		return v.options.Device
	}
	return fmt.Sprint(v.Adapter().Index)
}

// Package verify proves the kernels on one device: it runs every kernel of every
// tier and precision over generated problems and compares each element that it
// writes with package reference in float64, within bounds derived from the
// arithmetic (bounds.go). Elements that a kernel has no business with hold a
// pattern that must survive.
package verify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/gazevk/gaze/engine"
)

// Options say what to verify. The zero value is everything.
type Options struct {
	Kernel   string // only rows whose name contains this
	Exact    bool   // only the row whose name is Kernel
	Cases    int    // how many cases to check at least; 0 takes DefaultCases
	Seed     uint64
	Problem  int    // 0: as many problems as the checks need; else only this one, counted from 1
	Device   string // as the user named it, for the command that repeats a check
	Stop     bool   // stop at the first failure
	Progress func(done float64)
}

// DefaultCases is how many cases a verification checks. A case is one kernel on
// one generated problem.
const DefaultCases = 2600

// A Report is the outcome.
type Report struct {
	Device   string `json:"device"`
	Driver   string `json:"driver"`
	Seed     uint64 `json:"seed"`
	Problems int    `json:"problems"`
	Cases    int    `json:"cases"`
	Rows     []Row  `json:"kernels"`
}

// A Row sums up all cases of one kernel. Rows named run_... are whole runs: every
// pass of a plan from upload to download.
type Row struct {
	Kernel   string  `json:"kernel"`
	Variants string  `json:"variants"` // the specializations that were met
	Cases    int     `json:"cases"`
	Failed   int     `json:"failed"`
	MaxAbs   float64 `json:"max_absolute_error"`
	MaxULP   float64 `json:"max_ulp_error"` // in units in the last place of the exact value
	OfBound  float64 `json:"max_error_of_bound"`
	Worst    string  `json:"worst_case"` // the command that repeats it
	Problem  string  `json:"worst_problem"`
	Fault    string  `json:"fault,omitempty"` // what was wrong in it

	worst    float64
	variants map[string]map[uint32]bool
}

// Passed reports whether every check of every row passed, and that there were any.
func (r *Report) Passed() bool {
	for _, row := range r.Rows {
		if row.Failed > 0 || row.Cases == 0 {
			return false
		}
	}
	return len(r.Rows) > 0
}

// Run verifies the kernels of e. An error means that the verification itself
// could not go on; wrong numbers are in the report.
func Run(ctx context.Context, e *engine.Engine, o Options) (*Report, error) {
	if o.Cases == 0 {
		o.Cases = DefaultCases
	}
	a := e.Adapter()
	v := &verifier{Engine: e, options: o, rows: map[string]*Row{},
		report: &Report{Device: a.Name, Driver: a.Driver, Seed: o.Seed}}
	first, last := 1, math.MaxInt
	if o.Problem > 0 {
		first, last = o.Problem, o.Problem
	}
	for index := first; index <= last; index++ {
		if o.Problem == 0 && v.report.Cases >= o.Cases && v.report.Problems >= fewest {
			break
		}
		err := v.problem(ctx, index)
		if err == nil {
			err = v.layers(ctx, index)
		}
		if err != nil && !errors.Is(err, errStop) {
			return nil, fmt.Errorf("problem %d of seed %d: %w", index, o.Seed, err)
		}
		v.report.Problems++
		if err != nil {
			break
		}
		if v.report.Problems == cycle && v.report.Cases == 0 {
			return nil, fmt.Errorf("%s runs no kernel whose name contains %q: names are such as attention_tiled_f32", a.Name, o.Kernel)
		}
		if o.Progress != nil {
			o.Progress(min(float64(v.report.Cases)/float64(o.Cases), 1))
		}
	}
	for _, row := range v.rows {
		row.Variants = variantText(row.variants)
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

// errStop ends a verification at its first failure.
var errStop = errors.New("verify: the first failure")

// wants reports whether the options ask for this row.
func (v *verifier) wants(kernel string) bool {
	if v.options.Exact {
		return kernel == v.options.Kernel
	}
	return strings.Contains(kernel, v.options.Kernel)
}

// problem checks every kernel on one problem.
func (v *verifier) problem(ctx context.Context, index int) error {
	p := newProblem(v.options.Seed, index)
	for _, tier := range v.Traits().Tiers() {
		traits := v.Traits().Untuned().OfTier(tier)
		if traits.TierOf(p.Precision) != tier {
			continue // another tier's kernels would run, which have their turn
		}
		shapes := oneOfEachKernel(traits.AttentionShapes(p.Attention.HeadDim), p.index/cycle)
		for _, shape := range shapes {
			shape.Splits = p.splits()
			traits.Tuning.Attention = []engine.AttentionChoice{{Shape: shape}}
			if err := v.attention(ctx, p, traits, engine.Fused); err != nil {
				return err
			}
		}
		if err := v.attention(ctx, p, traits, engine.Explicit); err != nil {
			return err
		}
	}
	return v.pictures(ctx, p)
}

// oneOfEachKernel returns a shape of each kernel of fused attention, another in each turn.
func oneOfEachKernel(shapes []engine.AttentionShape, turn int) []engine.AttentionShape {
	var chosen []engine.AttentionShape
	for _, reductions := range []bool{false, true} {
		of := slices.DeleteFunc(slices.Clone(shapes), func(s engine.AttentionShape) bool { return s.Reductions != reductions })
		if len(of) > 0 {
			chosen = append(chosen, of[turn%len(of)])
		}
	}
	return chosen
}

// attention checks every kernel of one path on one problem.
func (v *verifier) attention(ctx context.Context, p *problem, traits engine.Traits, path engine.Path) error {
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
	return v.whole(ctx, p, plan)
}

// cramped plans the request again for a device with the smallest buffers that can hold it.
func cramped(t engine.Traits, r engine.Request, roomy *engine.Plan) (*engine.Plan, error) {
	n := int64(r.Lengths.Tokens())
	t.StorageRange = int64(roomy.Map.QueryTile) * (n + 32) * 4 // one tile of weights
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
			kinds := []engine.Pass{pass}
			if narrow, ok := narrowOutput(pass); ok {
				kinds = append(kinds, narrow)
			}
			for _, pass := range kinds {
				if pass.Kernel == "" || !v.wants(pass.Kernel) || seen[pass.Kernel] == passesOfAKind {
					continue
				}
				seen[pass.Kernel]++
				if err := v.pass(ctx, p, plan, pass); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// pass checks one pass.
func (v *verifier) pass(ctx context.Context, p *problem, plan *engine.Plan, pass engine.Pass) error {
	p.ready()
	c := p.check(plan, pass)
	if err := v.RunPass(ctx, c.pass, c.buffers); err != nil {
		return err
	}
	return v.note(p.index, p.String(), pass.Kernel, pass.Constants, c.compare())
}

const passesOfAKind = 3

// note adds one check to its row. It returns errStop if it failed and the options want no more.
func (v *verifier) note(problem int, text, kernel string, constants map[string]uint32, found finding) error {
	row := v.rows[kernel]
	if row == nil {
		row = &Row{Kernel: kernel, worst: -1, variants: map[string]map[uint32]bool{}}
		v.rows[kernel] = row
	}
	v.report.Cases++
	row.Cases++
	for name, value := range constants {
		if row.variants[name] == nil {
			row.variants[name] = map[uint32]bool{}
		}
		row.variants[name][value] = true
	}
	row.MaxAbs, row.MaxULP = max(row.MaxAbs, found.abs), max(row.MaxULP, found.ulp)
	row.OfBound = max(row.OfBound, found.ratio)
	if found.fault != "" {
		row.Failed++
	}
	if found.ratio > row.worst {
		row.worst = found.ratio
		row.Fault, row.Problem = found.fault, text
		row.Worst = fmt.Sprintf("gaze verify --device %s --kernel %s --seed %d --problem %d", v.device(), kernel, v.options.Seed, problem)
	}
	if found.fault != "" && v.options.Stop {
		return errStop
	}
	return nil
}

// variantText lists the values that each specialization constant took.
func variantText(variants map[string]map[uint32]bool) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(variants)) {
		values := make([]string, 0, len(variants[name]))
		for _, value := range slices.Sorted(maps.Keys(variants[name])) {
			values = append(values, fmt.Sprint(value))
		}
		words = append(words, name+" "+strings.Join(values, "/"))
	}
	return strings.Join(words, ", ")
}

func (v *verifier) device() string {
	if v.options.Device != "" {
		return v.options.Device
	}
	return fmt.Sprint(v.Adapter().Index)
}

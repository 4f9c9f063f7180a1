package bench

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/gazevk/gaze/engine"
)

// Suites lists all suites, in the order in which they run.
var Suites = []string{"matmul", "attention", "encoder", "startup", "viewer"}

// An Effort says how much time a benchmark may take.
type Effort int

const (
	Quick  Effort = iota // few cases, of the sizes that a second or two has room for
	Normal               // about a minute on two cores of a CPU
	Full                 // every case in full size, however long it takes
)

// seconds is how long all runs of a case shall take.
func (e Effort) seconds() float64 {
	return map[Effort]float64{Quick: 0.8, Normal: 3, Full: math.Inf(1)}[e]
}

// Options say what to measure.
type Options struct {
	Suites     []string           // of Suites
	Tiers      []engine.Tier      // to compare; the first is the one that suits the device
	Precisions []engine.Precision // none: those that each suite is about
	Lengths    []int              // n of attention, encoder and viewer; none: those that the device has time for
	Runs       int                // samples of a case; fewer, but three, of what takes much longer than expected
	Effort     Effort
	Limits     *Limits // of the device; nil: they are measured
	// Open returns an engine of a tier, the same again for the same tier. The
	// caller closes it.
	Open func(engine.Tier) (*engine.Engine, error)
	// Program is the command that starts gaze, its first words; without it the
	// suite startup is left out.
	Program []string
	Device  string // that Program is told
	// Progress hears what is being measured, and the share of all that is done.
	Progress func(what string, done float64)
}

// A Case is one thing that was measured.
type Case struct {
	Suite     string           `json:"suite"`
	Name      string           `json:"case"`
	Tier      engine.Tier      `json:"kernel_tier,omitempty"`
	Precision engine.Precision `json:"precision,omitempty"`
	Series    string           `json:"series,omitempty"` // cases that differ in Tokens alone share it
	Tokens    int              `json:"tokens,omitempty"`
	Kernels   []Kernel         `json:"kernels,omitempty"` // that ran, all of them
	// MultiplyAdds and Bytes are those that the case needs: of visible pairs,
	// each element moved once. Kernels may do more.
	MultiplyAdds int64    `json:"multiply_adds,omitempty"`
	Bytes        int64    `json:"bytes,omitempty"`
	Samples      []Sample `json:"samples"` // in seconds, in their order
	GPU          Spread   `json:"gpu"`
	Host         Spread   `json:"host"`
	Bound        Bound    `json:"bound"`

	compiled bool // it has run once
}

// A Kernel is one that a case ran.
type Kernel struct {
	Name         string  `json:"kernel"`
	Dispatches   int     `json:"dispatches"`
	Seconds      float64 `json:"seconds"` // of one run on average, 0 where the device has no clock
	MultiplyAdds int64   `json:"multiply_adds"`
	Bytes        int64   `json:"bytes"`
}

// Key is what two measurements of the same case have in common.
func (c *Case) Key() string {
	return strings.Join([]string{c.Suite, c.Name, string(c.Tier), string(c.Precision)}, "\x00")
}

// Seconds returns the median by the device's clock, or by the host's where there is none.
func (c *Case) Seconds() float64 {
	if c.GPU.Median > 0 {
		return c.GPU.Median
	}
	return c.Host.Median
}

// GFLOPS returns the operations that the case needs, two a multiply-add, in 1e9 a second.
func (c *Case) GFLOPS() float64 { return rate(2*float64(c.MultiplyAdds), c.Seconds()) }

// Gigabytes returns the bytes that the case needs to move, in 1e9 a second.
func (c *Case) Gigabytes() float64 { return rate(float64(c.Bytes), c.Seconds()) }

func rate(amount, seconds float64) float64 {
	if seconds <= 0 {
		return 0
	}
	return amount / seconds / 1e9
}

// A Result is a whole benchmark.
type Result struct {
	Limits  *Limits   `json:"limits"`
	Cases   []*Case   `json:"cases"`
	Omitted []Omitted `json:"omitted"` // for want of time
}

// An Omitted is what a device has no time for.
type Omitted struct {
	Suite   string  `json:"suite"`
	Name    string  `json:"case"`
	Seconds float64 `json:"seconds"` // that it would take, about
}

// Run measures the limits of the device and then all suites.
func Run(ctx context.Context, o Options) (*Result, error) {
	r := &runner{Options: o, ctx: ctx, result: &Result{Cases: []*Case{}, Omitted: []Omitted{}}}
	if r.Progress == nil {
		r.Progress = func(string, float64) {}
	}
	e, err := o.Open(o.Tiers[0])
	if err != nil {
		return nil, err
	}
	r.parts = len(o.Suites) + 1
	if r.result.Limits = o.Limits; o.Limits == nil {
		r.result.Limits, err = Measure(ctx, e, o.Effort, func(done float64) { r.tell("limits", done) })
		if err != nil {
			return nil, err
		}
	}
	suites := map[string]func() error{"matmul": r.matmul, "attention": r.attention, "encoder": r.encoder, "startup": r.startup, "viewer": r.viewer}
	for _, name := range Suites {
		if !slices.Contains(o.Suites, name) {
			continue
		}
		r.done++
		r.tell(name, 0)
		if err := suites[name](); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if o.Limits == nil {
			if err := r.result.Limits.again(ctx, e, o.Effort); err != nil {
				return nil, err
			}
		}
	}
	r.bind()
	return r.result, nil
}

type runner struct {
	Options
	ctx         context.Context
	result      *Result
	done, parts int // of limits and suites
}

// tell shows which share of the part under way is done.
func (r *runner) tell(what string, share float64) {
	r.Progress(what, (float64(r.done)+share)/float64(r.parts))
}

// precisions returns those to measure a suite in.
func (r *runner) precisions(usual ...engine.Precision) []engine.Precision {
	if len(r.Precisions) > 0 {
		return r.Precisions
	}
	return usual
}

// affords reports whether there is time for all runs of a case, going by how
// quick the device is at best and which share of that a suite may count on. It
// depends on the power of two below the device's limit alone, so that a device
// gets the same cases every time, and better kernels the same as worse.
func (r *runner) affords(multiplyAdds int64, share float64) bool {
	return r.expected(multiplyAdds, share) <= r.Effort.seconds()
}

// expected returns the seconds that all runs of a case will take, about.
func (r *runner) expected(multiplyAdds int64, share float64) float64 {
	pace := share * 1e9 * math.Exp2(math.Floor(math.Log2(r.result.Limits.Multiply.GFLOPS)))
	return 2 * float64(multiplyAdds) / pace * float64(r.Runs+1)
}

// omit notes a case that there is no time for, once for all tiers.
func (r *runner) omit(suite, name string, multiplyAdds int64, share float64) {
	if slices.ContainsFunc(r.result.Omitted, func(o Omitted) bool { return o.Suite == suite && o.Name == name }) {
		return
	}
	r.result.Omitted = append(r.result.Omitted, Omitted{suite, name, r.expected(multiplyAdds, share)})
}

// A case that takes patience times as long as it should gets fewestRuns.
const fewestRuns, patience = 3, 8

// measure runs a case once to compile it, then as often as is wanted, and adds
// it to the result. Each kernel that must run is in want, at least its beginning;
// another in its place, or none, is an error: it would be a figure of something else.
func (r *runner) measure(c *Case, want []string, run func() (*engine.Timing, error)) error {
	var all engine.Timing
	began := time.Now()
	for len(c.Samples) < r.Runs {
		start := time.Now()
		timing, err := run()
		if err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		if !c.compiled {
			c.compiled, began = true, time.Now()
			continue
		}
		c.Samples = append(c.Samples, sampleOf(timing, time.Since(start)))
		all.Add(timing)
		if len(c.Samples) >= fewestRuns && time.Since(began).Seconds() > patience*r.Effort.seconds() && len(r.Lengths) == 0 {
			break
		}
	}
	for _, p := range all.Passes {
		runs := len(c.Samples)
		c.Kernels = append(c.Kernels, Kernel{p.Kernel, p.Dispatches / runs, p.GPU.Seconds() / float64(runs), p.MultiplyAdds / int64(runs), p.Bytes / int64(runs)})
	}
	if err := c.ran(want); err != nil {
		return err
	}
	r.add(c)
	return nil
}

// ran reports a kernel that had to run and did not.
// tiersOf lists the tiers to compare in a precision, each by the kernels that run.
func (r *runner) tiersOf(p engine.Precision) ([]engine.Tier, error) {
	var tiers []engine.Tier
	for _, tier := range r.Tiers {
		e, err := r.Open(tier)
		if err != nil {
			return nil, err
		}
		if tier = e.Traits().TierOf(p); !slices.Contains(tiers, tier) {
			tiers = append(tiers, tier)
		}
	}
	return tiers, nil
}

func (c *Case) ran(want []string) error {
	var names []string
	for _, k := range c.Kernels {
		names = append(names, k.Name)
	}
	for _, w := range want {
		if !slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, w) }) {
			return fmt.Errorf("%s: no kernel %s ran, but %s", c.Name, w, strings.Join(names, ", "))
		}
	}
	return nil
}

// add sums a case up.
func (r *runner) add(c *Case) {
	c.GPU, c.Host = GPU(c.Samples), Host(c.Samples)
	r.result.Cases = append(r.result.Cases, c)
}

// bind holds all cases against the limits.
func (r *runner) bind() {
	for _, c := range r.result.Cases {
		if c.MultiplyAdds > 0 || c.Bytes > 0 {
			c.Bound = r.result.Limits.bound(c.MultiplyAdds, c.Bytes, c.Seconds())
		}
	}
}

// execute times passes over buffers.
func (r *runner) execute(e *engine.Engine, passes []engine.Pass, buffers *engine.Buffers) func() (*engine.Timing, error) {
	return func() (*engine.Timing, error) { return e.Execute(r.ctx, passes, nil, buffers) }
}

package tune

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/bench"
	"github.com/gazevk/gaze/vk"
)

// Suites lists what can be tuned, in the order in which it is.
var Suites = []string{"matmul", "attention"}

// Options say what to tune.
type Options struct {
	Suites     []string           // of Suites; none: all
	Precisions []engine.Precision // none: both
	Rows       []int              // of matrix products, and tokens of attention: those that there is time for, ascending; none: 16, 128, 512 and 4096
	Time       time.Duration      // that all may take, about; 0: 30 s, or 100 s on a driver that runs on a CPU
	// Progress hears what is being measured, and the share of all that is done.
	Progress func(what string, done float64)
}

// A Result is all that was measured, and what follows.
type Result struct {
	Classes []*Class      `json:"classes"`
	Omitted []string      `json:"omitted"` // for want of time
	Tuning  engine.Tuning `json:"tuning"`
}

// A Class is the problems that get one shape.
type Class struct {
	Suite      string           `json:"suite"`
	Precision  engine.Precision `json:"precision"`
	Rows       int              `json:"rows,omitempty"`     // of matrix products, at most; 0: any number
	Columns    int              `json:"columns,omitempty"`  // likewise, of weights
	HeadDim    int              `json:"head_dim,omitempty"` // of attention
	Cases      []string         `json:"cases"`              // that stand for the class
	Candidates []*Candidate     `json:"candidates"`         // the first is the default
	Chosen     int              `json:"chosen"`             // index of the winner

	measured     int   // rows
	multiplyAdds int64 // of all cases
}

// A Candidate is one shape in one class. Its seconds are of one run of all cases.
type Candidate struct {
	Shape
	Samples []float64    `json:"samples"` // without the first, unless it has only that
	Seconds bench.Spread `json:"seconds"`
	GFLOPS  float64      `json:"gflops"`          // of the median
	Fault   string       `json:"fault,omitempty"` // why it could not win
	// LeftOut tells that it was not tried: it was far behind with fewer rows.
	LeftOut bool `json:"left_out,omitempty"`
}

// Gain returns how many times as quick as the default a candidate is, 0 where it
// was not timed.
func (c *Class) Gain(candidate int) float64 {
	if s := c.Candidates[candidate].Seconds.Median; s > 0 {
		return c.Candidates[0].Seconds.Median / s
	}
	return 0
}

// Run tunes the device of e. It uses the shapes that e was opened with for nothing.
func Run(ctx context.Context, e *engine.Engine, o Options) (*Result, error) {
	if len(o.Suites) == 0 {
		o.Suites = Suites
	}
	if len(o.Precisions) == 0 {
		o.Precisions = []engine.Precision{engine.F32, engine.F16}
	}
	if o.Time == 0 {
		o.Time = 30 * time.Second
		if e.Traits().CPU {
			o.Time = 100 * time.Second
		}
	}
	if o.Progress == nil {
		o.Progress = func(string, float64) {}
	}
	t := &tuner{Options: o, ctx: ctx, engine: e, result: &Result{Classes: []*Class{}, Omitted: []string{}}, began: time.Now()}
	suites := map[string]func(engine.Precision) error{"matmul": t.matMul, "attention": t.attention}
	parts := len(o.Suites) * len(o.Precisions)
	for _, name := range Suites {
		if !slices.Contains(o.Suites, name) {
			continue
		}
		for _, precision := range o.Precisions {
			t.from = t.to
			t.to += 1 / float64(parts)
			t.what = fmt.Sprintf("%s %s", name, precision)
			t.tell(0)
			if err := suites[name](precision); err != nil {
				return nil, fmt.Errorf("%s: %w", t.what, err)
			}
		}
	}
	o.Progress("", 1)
	for _, c := range t.result.Classes {
		t.result.Tuning = c.addTo(t.result.Tuning)
	}
	return t.result, nil
}

// addTo appends what the class decides.
func (c *Class) addTo(t engine.Tuning) engine.Tuning {
	winner := c.Candidates[c.Chosen].Shape
	if winner.MatMul != nil {
		t.MatMul = append(t.MatMul, engine.MatMulChoice{Precision: c.Precision, Rows: c.Rows, Columns: c.Columns, Shape: *winner.MatMul})
	} else {
		t.Attention = append(t.Attention, engine.AttentionChoice{Precision: c.Precision, HeadDim: c.HeadDim, Shape: *winner.Attention})
	}
	return t
}

// A tuner is a tuning under way.
type tuner struct {
	Options
	ctx      context.Context
	engine   *engine.Engine
	result   *Result
	began    time.Time
	what     string
	from, to float64 // the share of everything that this part ends and began with
}

// tell shows which share of the part under way is done.
func (t *tuner) tell(share float64) { t.Progress(t.what, t.from+share*(t.to-t.from)) }

// left returns the time that the part under way has left.
func (t *tuner) left() time.Duration {
	return time.Until(t.began.Add(time.Duration(t.to * float64(t.Time))))
}

// muchSlower is how many times as long as the best a shape must be expected to take
// not to be tried.
const muchSlower = 4

// measure times the shapes over the cases of c, within about budget, and adds c
// with its winner to the result. expected, if not nil, foretells the seconds of a
// shape, 0 where it cannot. tell hears the share that is done.
func (t *tuner) measure(c *Class, work []*bench.Workload, shapes []Shape, expected func(Shape) float64, budget time.Duration, tell func(float64)) error {
	for _, w := range work {
		c.Cases = append(c.Cases, w.Name)
		c.multiplyAdds += w.MultiplyAdds
	}
	best := 0.0
	for _, s := range shapes {
		c.Candidates = append(c.Candidates, &Candidate{Shape: s})
	}
	outputs := make([][]float32, len(work))
	started, laps := time.Now(), 0
	samples, err := race(len(shapes), started.Add(budget), func(i int, first bool) (float64, bool, error) {
		if first && i > 0 && expected != nil && expected(shapes[i]) > muchSlower*best {
			c.Candidates[i].LeftOut = true
			return 0, false, nil
		}
		seconds := 0.0
		for j, w := range work {
			timing, err := w.Run(t.ctx, shapes[i].traits(t.engine.Traits()))
			if err == nil {
				seconds += secondsOf(timing)
			}
			if err == nil && first {
				var out []float32
				if out, err = w.Output(t.ctx); err == nil && i == 0 {
					outputs[j] = out
				} else if err == nil {
					if text := differs(out, outputs[j], c.Precision); text != "" {
						err = errors.New(text)
					}
				}
			}
			if err != nil {
				if i == 0 || t.ctx.Err() != nil || errors.Is(err, vk.ErrDeviceLost) {
					return 0, false, fmt.Errorf("%s, %s %s: %w", w.Name, shapes[i].Tier(), shapes[i], err)
				}
				c.Candidates[i].Fault = w.Name + ": " + err.Error()
				return 0, false, nil
			}
		}
		if laps++; best == 0 || seconds < best {
			best = seconds
		}
		tell(min(max(float64(laps)/float64(2*len(shapes)), time.Since(started).Seconds()/budget.Seconds()), 1))
		return seconds, true, nil
	})
	if err != nil {
		return err
	}
	for i, candidate := range c.Candidates {
		candidate.Samples = samples[i]
		if candidate.Seconds = bench.SpreadOf(samples[i]); candidate.Fault == "" && len(samples[i]) > 0 {
			candidate.GFLOPS = 2 * float64(c.multiplyAdds) / candidate.Seconds.Median / 1e9
		}
	}
	c.Chosen = choose(spreads(samples))
	t.result.Classes = append(t.result.Classes, c)
	return nil
}

// secondsOf returns what a run took by the device's clock, by the host's where
// there is none.
func secondsOf(timing *engine.Timing) float64 {
	if gpu := timing.GPU(); gpu > 0 {
		return gpu.Seconds()
	}
	return max(timing.Host, time.Nanosecond).Seconds()
}

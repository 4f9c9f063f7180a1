package engine

import (
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/gazevk/gaze"
)

var patterns = []gaze.Pattern{
	nil,
	gaze.Causal{},
	gaze.SlidingWindow{Left: 5, Right: 40},
	gaze.DilatedWindow{Reach: 9, Dilation: 3},
	gaze.GlobalTokens{Tokens: []int{0, 33}},
	gaze.Any{gaze.SlidingWindow{Left: 8, Right: 8}, gaze.GlobalTokens{Tokens: []int{2}}},
	gaze.All{gaze.Causal{}, gaze.GlobalTokens{Tokens: []int{40}}}, // most queries see nothing
}

var packed = gaze.Lengths{37, 1, 96, 5}

// TestPathsAgree holds that fused and explicit attention, on both tiers, give
// the same output, lse and weights for every pattern.
func TestPathsAgree(t *testing.T) {
	e := open(t)
	for _, pattern := range patterns {
		for _, precision := range []Precision{F32, F16} {
			a := layer(3, pattern)
			in := randomInput(1, a, packed)
			var first outcome
			for i, tier := range e.Traits().Tiers() {
				for j, path := range []Path{Explicit, Fused} {
					traits := e.Traits()
					traits.Tier = tier
					plan := mustPlan(t, traits, Request{Attention: a, Lengths: packed, Precision: precision, Path: path, Weights: true})
					o := run(t, e, plan, in)
					if i+j == 0 {
						first = o
						checkRows(t, a, o)
						continue
					}
					// Scores are below 32/sqrt(32) and values below 1, in f32.
					for what, distance := range map[string]float64{
						"output": far(o.Output, first.Output), "lse": far(o.LSE, first.LSE), "weights": far(o.weights, first.weights)} {
						limit := 1e-5
						if plan.OnMatrixUnits() && what == "output" {
							limit = 0x1p-10 // weights are rounded to f16
						}
						if distance > limit {
							t.Errorf("%v, %s, %s, %s: the %s is %v away from the explicit path's on %s", a.Visible(), tier, path, precision, what, distance, Tiers[0])
						}
					}
				}
			}
		}
	}
}

// checkRows holds that weights are zero where the pattern hides a key and sum to
// one elsewhere, and that a query which sees nothing gets zeros.
func checkRows(t *testing.T, a gaze.Attention, o outcome) {
	t.Helper()
	n := packed.Tokens()
	var offsets, lengths []int // of each query's sequence
	for _, length := range packed {
		offset := len(offsets)
		for range length {
			offsets, lengths = append(offsets, offset), append(lengths, length)
		}
	}
	for row := range a.Heads * n {
		query, sum, seen := row%n, 0.0, 0
		offset, length := offsets[query], lengths[query]
		for key, w := range o.weights[row*n:][:n] {
			inside := key >= offset && key < offset+length
			if inside && gaze.Sees(a.Visible(), query-offset, key-offset, length) {
				seen++
				sum += float64(w)
			} else if w != 0 {
				t.Fatalf("%v: row %d gives the hidden key %d a weight of %v", a.Visible(), row, key, w)
			}
		}
		if seen == 0 {
			if !math.IsInf(float64(o.LSE[row]), -1) || slices.ContainsFunc(o.Output[row*a.HeadDim:][:a.HeadDim], func(x float32) bool { return x != 0 }) {
				t.Fatalf("%v: row %d sees nothing, but has lse %v", a.Visible(), row, o.LSE[row])
			}
		} else if math.Abs(sum-1) > 1e-5 {
			t.Fatalf("%v: the weights of row %d sum to %v", a.Visible(), row, sum)
		}
	}
}

// TestRunsRepeat holds that a plan run three times, with other work between,
// gives the same bits and stays as it was: nothing is left over from a run.
func TestRunsRepeat(t *testing.T) {
	e := open(t)
	a := layer(2, gaze.SlidingWindow{Left: 20, Right: 9})
	in := randomInput(2, a, packed)
	other := layer(4, nil)
	between := mustPlan(t, e.Traits(), Request{Attention: other, Lengths: gaze.Lengths{150}, Path: Explicit, Weights: true})
	for _, path := range []Path{Fused, Explicit} {
		request := Request{Attention: a, Lengths: packed, Path: path, Weights: true}
		plan := mustPlan(t, e.Traits(), request)
		first := run(t, e, plan, in)
		for range 2 {
			run(t, e, between, randomInput(3, other, between.Lengths))
			if !same(run(t, e, plan, in), first) {
				t.Errorf("%s: a run's result depends on what ran before", path)
			}
		}
		if !reflect.DeepEqual(plan, mustPlan(t, e.Traits(), request)) {
			t.Errorf("%s: running a plan changed it", path)
		}
	}
}

// runPiecemeal runs a plan at a pace that submits every workgroup by itself, and
// returns how many there are.
func runPiecemeal(t *testing.T, e *Engine, plan *Plan, in Input) (cut outcome, workgroups int) {
	t.Helper()
	learned := e.pace
	slowest := pace{first: 1, rates: map[string]float64{}}
	e.pace = slowest
	cut, err := tryRun(e, plan, in, func(float64) { clear(slowest.rates) })
	e.pace = learned
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range plan.Steps {
		for _, pass := range s.Passes {
			workgroups += max(len(cells(pass)), 1)
		}
	}
	return cut, workgroups
}

// TestPartsMakeTheWhole holds that a result has the same bits however the work
// is cut: into submits of one workgroup, and into heads and rows by a device
// that binds little at a time.
func TestPartsMakeTheWhole(t *testing.T) {
	e := open(t)
	a := layer(3, gaze.SlidingWindow{Left: 30, Right: 30})
	in := randomInput(4, a, packed)
	for _, path := range []Path{Fused, Explicit} {
		request := Request{Attention: a, Lengths: packed, Path: path, Weights: true}
		plan := mustPlan(t, e.Traits(), request)
		whole := run(t, e, plan, in)

		cut, workgroups := runPiecemeal(t, e, plan, in)
		if cut.Submits != workgroups {
			t.Errorf("%s: %d submits of %d workgroups", path, cut.Submits, workgroups)
		}
		if !same(cut, whole) {
			t.Errorf("%s: cut into %d submits, the result is another", path, cut.Submits)
		}

		traits := e.Traits()
		traits.Device = "test device"
		traits.StorageRange = leastRange(t, traits, request)
		cramped := mustPlan(t, traits, request)
		if len(cramped.Steps) < 2*a.Heads {
			t.Errorf("%s: a cramped device has only %d steps", path, len(cramped.Steps))
		}
		if !same(run(t, e, cramped, in), whole) {
			t.Errorf("%s: in %d steps, the result is another", path, len(cramped.Steps))
		}
	}
}

// TestPackedEqualsAlone holds that a sequence in a batch gets what it gets alone.
func TestPackedEqualsAlone(t *testing.T) {
	e := open(t)
	for _, pattern := range patterns[:3] {
		a := layer(2, pattern)
		in := randomInput(5, a, packed)
		for _, path := range []Path{Fused, Explicit} {
			together := run(t, e, mustPlan(t, e.Traits(), Request{Attention: a, Lengths: packed, Path: path}), in)
			offset := 0
			for _, length := range packed {
				take := func(x []float32, width int) (part []float32) {
					for h := range a.Heads {
						part = append(part, x[(h*packed.Tokens()+offset)*width:][:length*width]...)
					}
					return part
				}
				alone := run(t, e, mustPlan(t, e.Traits(), Request{Attention: a, Lengths: gaze.Lengths{length}, Path: path}),
					Input{take(in.Query, a.HeadDim), take(in.Key, a.HeadDim), take(in.Value, a.HeadDim)})
				if d := max(far(alone.Output, take(together.Output, a.HeadDim)), far(alone.LSE, take(together.LSE, 1))); d > 1e-6 {
					t.Errorf("%v, %s: %d tokens at %d are %v away from what they are alone", a.Visible(), path, length, offset, d)
				}
				offset += length
			}
		}
	}
}

// TestTimes holds that what a run says of itself adds up, cut or not.
func TestTimes(t *testing.T) {
	e := open(t)
	a := layer(4, nil)
	lengths := gaze.Lengths{700}
	for _, path := range []Path{Fused, Explicit} {
		plan := mustPlan(t, e.Traits(), Request{Attention: a, Lengths: lengths, Path: path, Weights: true})
		var progress []float64
		o, err := tryRun(e, plan, randomInput(6, a, lengths), func(done float64) { progress = append(progress, done) })
		if err != nil {
			t.Fatal(err)
		}
		if !slices.IsSorted(progress) || progress[0] <= 0 || progress[len(progress)-1] != 1 || len(progress) != o.Submits+1 {
			t.Errorf("%s: %d submits progress by %v", path, o.Submits, progress)
		}
		if o.Bytes != plan.DeviceBytes() || o.Compile <= 0 {
			t.Errorf("%s: %d bytes, compiled in %v", path, o.Bytes, o.Compile)
		}
		multiplyAdds, seen := int64(0), map[string]bool{}
		for _, pass := range o.Passes {
			multiplyAdds += pass.MultiplyAdds
			if seen[pass.Kernel] || pass.Kernel == "" || pass.Dispatches < 1 || pass.Bytes < 1 {
				t.Errorf("%s: %+v", path, pass)
			}
			seen[pass.Kernel] = true
			if e.Adapter().Features.Timestamps && pass.GPU <= 0 {
				t.Errorf("%s: %s took no time", path, pass.Kernel)
			}
		}
		if multiplyAdds != plan.MultiplyAdds {
			t.Errorf("%s: %d multiply-adds were done, %d planned", path, multiplyAdds, plan.MultiplyAdds)
		}
		if o.GPU() > o.Host {
			t.Errorf("%s: %v on the device in %v of the host", path, o.GPU(), o.Host)
		}
	}
}

// TestAttention holds that the call for everyday use is the one it stands for.
func TestAttention(t *testing.T) {
	e := open(t)
	a := layer(2, gaze.Causal{})
	in := randomInput(7, a, packed)
	simple, err := e.Attention(t.Context(), a, packed, in)
	if err != nil {
		t.Fatal(err)
	}
	full := run(t, e, mustPlan(t, e.Traits(), Request{Attention: a, Lengths: packed}), in)
	if !slices.Equal(simple.Output, full.Output) || !slices.Equal(simple.LSE, full.LSE) {
		t.Error("Attention and Run differ")
	}
	if _, err := e.Attention(t.Context(), a, nil, in); err == nil {
		t.Error("no error for no sequences")
	}
}

package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/checkpoint"
)

// opener returns engines of all tiers, closed at the end of the test.
func opener(t *testing.T) func(engine.Tier) (*engine.Engine, error) {
	known := map[engine.Tier]*engine.Engine{}
	return func(tier engine.Tier) (*engine.Engine, error) {
		if known[tier] == nil {
			e, err := engine.Open("auto", engine.Options{Tier: tier})
			if err != nil {
				return nil, err
			}
			known[tier] = e
			t.Cleanup(func() {
				if err := e.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		return known[tier], nil
	}
}

func mustRun(t *testing.T, o Options) *Result {
	t.Helper()
	if o.Open == nil {
		o.Open = opener(t)
	}
	result, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// Suites give a case for each tier and length, of the kernels that were asked
// for, with as many samples as were wanted, held against the limits.
func TestRun(t *testing.T) {
	told := 0.0
	tiers := []engine.Tier{engine.Lanes, engine.Tiled}
	result := mustRun(t, Options{Suites: []string{"attention", "encoder", "viewer"}, Tiers: tiers, Lengths: []int{40}, Runs: 2, Effort: Quick, Limits: known(),
		Progress: func(what string, done float64) {
			if done < told || done > 1 || what == "" {
				t.Errorf("progress of %q went from %v to %v", what, told, done)
			}
			told = done
		}})
	if told != 1 {
		t.Errorf("progress ended at %v", told)
	}
	seen := map[string]bool{}
	count := map[string]int{}
	for _, c := range result.Cases {
		if seen[c.Key()] {
			t.Errorf("%s: %s twice", c.Suite, c.Name)
		}
		seen[c.Key()] = true
		count[c.Suite+" "+string(c.Tier)]++
		if len(c.Samples) != 2 || !(c.GPU.Least > 0) || !(c.Host.Least >= c.GPU.Least) || c.Tokens != 40 {
			t.Errorf("%s: %s: %+v", c.Suite, c.Name, c)
		}
		if want := result.Limits.bound(c.MultiplyAdds, c.Bytes, c.GPU.Median); c.Bound != want || !(want.Share > 0) {
			t.Errorf("%s: bound %+v, expected %+v", c.Name, c.Bound, want)
		}
		for _, k := range c.Kernels {
			if tier := string(c.Tier); strings.HasPrefix(k.Name, "attention_") && !strings.HasPrefix(k.Name, "attention_"+tier+"_f32") {
				t.Errorf("%s in tier %s ran %s", c.Name, tier, k.Name)
			}
			if k.Dispatches < 1 || !(k.Seconds > 0) {
				t.Errorf("%s: kernel %+v", c.Name, k)
			}
		}
	}
	for _, tier := range tiers {
		if count["attention "+string(tier)] != len(patterns) || count["encoder "+string(tier)] != 2 {
			t.Errorf("tier %s has %v cases", tier, count)
		}
	}
	if count["viewer "] != 2 {
		t.Errorf("%v cases, 2 of the viewer are expected", count)
	}
	i := slices.IndexFunc(result.Cases, func(c *Case) bool { return c.Name == "full, n 40, 12 heads" })
	if i < 0 {
		t.Fatal("there is no case of full attention")
	}
	// Two products of 64 elements a pair, whatever tiles are walked.
	if c := result.Cases[i]; c.MultiplyAdds != 2*12*64*40*40 || c.Bytes < 4*4*12*40*64 || c.Bytes > 5*4*12*40*64 {
		t.Errorf("%d multiply-adds, %d bytes", c.MultiplyAdds, c.Bytes)
	}
}

// A device that is too slow for a case leaves it out and says so, unless its
// length was asked for.
func TestRunLeavesOut(t *testing.T) {
	slow := known()
	slow.Multiply.GFLOPS = 1e-3
	result := mustRun(t, Options{Suites: []string{"matmul", "attention", "encoder"}, Tiers: []engine.Tier{engine.Lanes}, Runs: 1, Effort: Quick, Limits: slow})
	if len(result.Cases) != 0 {
		t.Errorf("%d cases, none is expected", len(result.Cases))
	}
	var names []string
	for _, o := range result.Omitted {
		names = append(names, o.Suite+" "+o.Name)
		if !(o.Seconds > Quick.seconds()) {
			t.Errorf("%s %s would take %v s", o.Suite, o.Name, o.Seconds)
		}
	}
	for _, want := range []string{"matmul 768 x 768 x 768 f16", "attention full, n 512, 1 head", "encoder base, 1 of 22 layers, n 128", "encoder builtin, n 128"} {
		if !slices.Contains(names, want) {
			t.Errorf("%q lack %q", names, want)
		}
	}
	result = mustRun(t, Options{Suites: []string{"attention"}, Tiers: []engine.Tier{engine.Lanes}, Lengths: []int{33}, Runs: 1, Effort: Quick, Limits: slow})
	if len(result.Cases) != len(patterns) || !strings.HasSuffix(result.Cases[0].Name, "n 33, 1 head") {
		t.Errorf("%d cases, the first %+v", len(result.Cases), result.Cases[0])
	}
}

func TestProduct(t *testing.T) {
	r := &runner{Options: Options{Open: opener(t), Runs: 1, Effort: Full, Progress: func(string, float64) {}}, ctx: context.Background(), result: &Result{Limits: known()}}
	for _, tier := range []engine.Tier{engine.Lanes, engine.Tiled} {
		for _, precision := range []engine.Precision{engine.F32, engine.F16} {
			if err := r.product(Product{"small", 8, 16, 32, true}, tier, precision); err != nil {
				t.Fatal(err)
			}
			c := r.result.Cases[len(r.result.Cases)-1]
			size := elementBytes(precision)
			if len(c.Kernels) != 1 || !strings.HasPrefix(c.Kernels[0].Name, fmt.Sprintf("matmul_%s_%s", tier, precision)) ||
				c.MultiplyAdds != 8*32*32 || c.Bytes != size*(8*32+32*32+8*16) {
				t.Errorf("%+v", c)
			}
		}
	}
}

// A kernel in another's place is an error.
func TestRanNamesTheKernel(t *testing.T) {
	c := &Case{Name: "a case", Kernels: []Kernel{{Name: "attention_lanes_f32"}, {Name: "rope_f32"}}}
	if err := c.ran([]string{"attention_lanes_f32", "rope"}); err != nil {
		t.Error(err)
	}
	err := c.ran([]string{"attention_tiled_f32"})
	if err == nil || err.Error() != "a case: no kernel attention_tiled_f32 ran, but attention_lanes_f32, rope_f32" {
		t.Errorf("the error is %v", err)
	}
}

// The model that is timed is ModernBERT-base but for its vocabulary.
func TestBaseConfig(t *testing.T) {
	text, err := baseConfig(22)
	if err != nil {
		t.Fatal(err)
	}
	c, err := checkpoint.ParseConfig("config.json", text)
	if err != nil {
		t.Fatal(err)
	}
	global := 0
	for _, a := range c.Attentions() {
		if a.Pattern == (gaze.Full{}) {
			global++
		}
	}
	if c.HiddenSize != 768 || c.IntermediateSize != 1152 || c.Heads != 12 || c.Layers != 22 || c.Window != 64 || global != 8 || len(c.Ignored) != 0 {
		t.Errorf("%+v, %d global layers", c, global)
	}
	// For each token and layer 768 x (3 + 1) x 768 and 768 x 3 x 1152 weights, and
	// for each pair twice 768 elements: 40 tokens see one another in a window of 64.
	if got, want := encoderCost(c, gaze.Lengths{40}), int64(22*(40*(768*4*768+768*3*1152)+2*768*40*40)); got != want {
		t.Errorf("%d multiply-adds, expected %d", got, want)
	}
}

func TestRunStops(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	for _, limits := range []*Limits{nil, known()} {
		_, err := Run(ctx, Options{Suites: []string{"attention"}, Tiers: []engine.Tier{engine.Lanes}, Lengths: []int{33}, Runs: 1, Limits: limits, Open: opener(t)})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the error is %v", err)
		}
	}
}

// Of a coarse picture one row of cells in eight is computed, each by itself.
func TestSampledPicture(t *testing.T) {
	p := picture{cell: 16, band: 128}
	list := p.rectangles(8190)
	if len(list) != 64 || list[63] != (gaze.Rectangle{Queries: gaze.Span{First: 8064, End: 8080}, Keys: gaze.Span{End: 8190}}) {
		t.Errorf("%d requests, the last %v", len(list), list[len(list)-1])
	}
	if got := p.pairs(8190); got != 64*16*8190 {
		t.Errorf("%d pairs", got)
	}
	if got := (picture{cell: 16}).pairs(8190); got != 8190*8190 {
		t.Errorf("%d pairs of the exact picture", got)
	}
	result := mustRun(t, Options{Suites: []string{"viewer"}, Tiers: engine.Tiers, Lengths: []int{300}, Runs: 1, Effort: Normal, Limits: known()})
	dispatches := map[string]int{}
	for _, c := range result.Cases {
		for _, k := range c.Kernels {
			dispatches[c.Name] += k.Dispatches
		}
	}
	// Three requests, and what one is, a few dispatches.
	if got, one := dispatches["19 x 19 pixels, 16 of 128 queries, n 300"], dispatches["19 x 19 pixels of 16 x 16 pairs, n 300"]; got != 3*one || one < 1 {
		t.Errorf("%d dispatches, %d are expected of %v", got, 3*one, dispatches)
	}
}

// The window of a viewer shows more as one zooms out, up to everything.
func TestVisible(t *testing.T) {
	for _, c := range []struct{ n, cell, queries, keys int }{{8192, 1, 1080, 1920}, {8192, 4, 4320, 7680}, {8192, 8, 8192, 8192}, {100, 1, 100, 100}, {5000, 0, 5000, 5000}} {
		if r := visible(c.n, c.cell); r.Queries != (gaze.Span{End: c.queries}) || r.Keys != (gaze.Span{End: c.keys}) {
			t.Errorf("%d tokens, cell %d: %v", c.n, c.cell, r)
		}
	}
}

package engine

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
)

func TestBadInputs(t *testing.T) {
	const heads, n, headDim = 2, 7, 32
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	place := (1*n+5)*headDim + 31
	for name, c := range map[string]struct {
		precision Precision
		spoil     func(*Input)
		want      string
	}{
		"NaN":             {F32, func(in *Input) { in.Query[place] = nan }, "q[1, 5, 31] is NaN"},
		"infinity":        {F32, func(in *Input) { in.Key[0] = inf }, "k[0, 0, 0] is +Inf"},
		"minus infinity":  {F16, func(in *Input) { in.Value[headDim] = -inf }, "v[0, 1, 0] is -Inf"},
		"beyond f16":      {F16, func(in *Input) { in.Value[place] = -70000 }, "v[1, 5, 31] is -70000: f16 holds at most 65504; use precision f32"},
		"two are bad":     {F32, func(in *Input) { in.Query[place], in.Value[0] = nan, inf }, "q[1, 5, 31] is NaN"},
		"one too few":     {F32, func(in *Input) { in.Key = in.Key[1:] }, "k has 447 elements; [2, 7, 32] needs 448"},
		"one too many":    {F32, func(in *Input) { in.Value = append(in.Value, 0) }, "v has 449 elements; [2, 7, 32] needs 448"},
		"nothing":         {F32, func(in *Input) { *in = Input{} }, "q has 0 elements; [2, 7, 32] needs 448"},
		"the largest f16": {F16, func(in *Input) { in.Query[0] = 65504 }, ""},
		"the largest f32": {F32, func(in *Input) { in.Query[0] = math.MaxFloat32 }, ""},
	} {
		a, lengths := layer(heads, nil), gaze.Lengths{n}
		plan := mustPlan(t, AnyDevice, Request{Attention: a, Lengths: lengths, Precision: c.precision})
		in := randomInput(13, a, lengths)
		c.spoil(&in)
		err := plan.check(in)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, not %q", name, err, c.want)
		}
	}
}

// TestBadCalls holds that what a device cannot do comes back as an error, and
// that input is not changed.
func TestBadCalls(t *testing.T) {
	if _, err := Open("auto", Options{Tier: "warps"}); err == nil || !strings.Contains(err.Error(), `tier is "warps"`) {
		t.Errorf("error %v for an unknown tier", err)
	}
	if _, err := Open("no such device", Options{}); err == nil {
		t.Error("a device that is not there was opened")
	}
	e := open(t)
	ctx := context.Background()
	a, lengths := layer(2, nil), gaze.Lengths{20}
	plan := mustPlan(t, e.Traits(), Request{Attention: a, Lengths: lengths})
	in, kept := randomInput(14, a, lengths), randomInput(14, a, lengths)
	if _, err := e.Run(ctx, plan, in, Watch{}); err != nil {
		t.Fatal(err)
	}
	if far(in.Query, kept.Query)+far(in.Key, kept.Key)+far(in.Value, kept.Value) != 0 {
		t.Error("a run changed its input")
	}
	in.Key[3] = float32(math.NaN())
	if _, err := e.Run(ctx, plan, in, Watch{}); err == nil || !strings.Contains(err.Error(), "k[0, 0, 3] is NaN") {
		t.Errorf("error %v for a NaN", err)
	}
	pass := plan.Steps[0].Passes[0]
	if err := e.RunPass(ctx, pass, map[string][]byte{bufQuery: make([]byte, 4)}); err == nil || !strings.Contains(err.Error(), "of q, 4 are given") {
		t.Errorf("error %v for too small a buffer", err)
	}
	pass = plan.Steps[0].Passes[2]
	buffers := map[string][]byte{}
	for _, b := range plan.Buffers {
		buffers[b.Name] = make([]byte, b.Bytes)
	}
	if err := e.RunPass(ctx, pass, buffers); err != nil {
		t.Error(err)
	}
	pass.Push = nil
	if err := e.RunPass(ctx, pass, buffers); err == nil || !strings.Contains(err.Error(), "push constants") {
		t.Errorf("error %v for no push constants", err)
	}
	pass.Kernel = "rope_f64"
	if _, err := e.Statistics(pass); err == nil || !strings.Contains(err.Error(), "no kernel rope_f64") {
		t.Errorf("error %v for an unknown kernel", err)
	}
	pass.Kernel, pass.Constants = "rope_f32", map[string]uint32{"TILES": 1}
	if _, err := e.Statistics(pass); err == nil || !strings.Contains(err.Error(), "no specialization constant TILES") {
		t.Errorf("error %v for an unknown constant", err)
	}
	usable(t, e)
}

// TestImpossibleResults holds that what cannot come of finite inputs is an error.
func TestImpossibleResults(t *testing.T) {
	e := open(t)
	a, lengths := layer(2, nil), gaze.Lengths{20}
	plan := mustPlan(t, e.Traits(), Request{Attention: a, Lengths: lengths})
	for want, spoil := range map[string]func(*Result){
		"output[0, 1, 3] is NaN on ":  func(r *Result) { r.Output[35] = float32(math.NaN()) },
		"output[1, 0, 0] is +Inf on ": func(r *Result) { r.Output[640] = float32(math.Inf(1)) },
		"lse[1, 19] is +Inf on ":      func(r *Result) { r.LSE[39] = float32(math.Inf(1)) },
		"":                            func(r *Result) { r.LSE[39] = float32(math.Inf(-1)) }, // a query that sees nothing
	} {
		r := &runner{Engine: e, plan: plan, result: &Result{Output: make([]float32, 2*20*32), LSE: make([]float32, 2*20)}}
		spoil(r.result)
		err := r.checkResult()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "gaze verify --device ")) {
			t.Errorf("error %v, not %q", err, want)
		}
	}
}

func TestNames(t *testing.T) {
	for _, name := range []string{"", "auto", "f32"} {
		if p, err := ParsePrecision(name); p != F32 || err != nil {
			t.Errorf("precision %q is %q: %v", name, p, err)
		}
	}
	for _, name := range []string{"", "auto", "fused"} {
		if p, err := ParsePath(name); p != Fused || err != nil {
			t.Errorf("path %q is %q: %v", name, p, err)
		}
	}
	if p, err := ParsePrecision("f16"); p != F16 || err != nil {
		t.Error(p, err)
	}
	if p, err := ParsePath("explicit"); p != Explicit || err != nil {
		t.Error(p, err)
	}
	if _, err := ParsePrecision("F16"); err == nil {
		t.Error("precision F16 was read")
	}
	if _, err := ParsePath("flash"); err == nil {
		t.Error("path flash was read")
	}
}

package engine

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/gazevk/gaze"
)

func TestNilPatternIsFull(t *testing.T) {
	plan, err := NewPlan(AnyDevice, Request{Attention: gaze.Attention{Heads: 1, HeadDim: 32}, Lengths: gaze.Lengths{40, 2}})
	if err != nil {
		t.Fatal(err)
	}
	if plan.Map.Pairs != 40*40+2*2 {
		t.Errorf("%d pairs are visible", plan.Map.Pairs)
	}
	if plan.Precision != F32 || plan.Path != Fused {
		t.Errorf("precision %s, path %s", plan.Precision, plan.Path)
	}
}

// TestImpossibleRequests holds that each gets an error that says what and where,
// and at once: nothing large is built first.
func TestImpossibleRequests(t *testing.T) {
	good := gaze.Attention{Heads: 2, HeadDim: 64}
	with := func(change func(*gaze.Attention)) gaze.Attention {
		a := good
		change(&a)
		return a
	}
	small := AnyDevice
	small.Device, small.StorageRange = "a small device", 1<<16
	narrow := AnyDevice
	narrow.Device, narrow.GroupCount = "a narrow device", [3]int{3, 1, 64}
	flat := AnyDevice
	flat.Device, flat.GroupCount = "a flat device", [3]int{65535, 65535, 16}
	odd := AnyDevice
	odd.Tier = "warps"
	ok := gaze.Lengths{100}
	for name, c := range map[string]struct {
		traits  Traits
		request Request
		want    []string
	}{
		"no heads":          {AnyDevice, Request{Attention: with(func(a *gaze.Attention) { a.Heads = 0 }), Lengths: ok}, []string{"heads is 0"}},
		"negative heads":    {AnyDevice, Request{Attention: with(func(a *gaze.Attention) { a.Heads = math.MinInt }), Lengths: ok}, []string{"heads is -"}},
		"countless heads":   {AnyDevice, Request{Attention: with(func(a *gaze.Attention) { a.Heads = math.MaxInt }), Lengths: ok}, []string{"heads of 100 tokens", "fewer heads"}},
		"odd head":          {AnyDevice, Request{Attention: with(func(a *gaze.Attention) { a.HeadDim = 33 }), Lengths: ok}, []string{"head_dim is 33", "[32 64 96 128]"}},
		"no head":           {AnyDevice, Request{Lengths: ok}, []string{"heads is 0"}},
		"scale NaN":         {AnyDevice, Request{Attention: with(func(a *gaze.Attention) { a.Scale = math.NaN() }), Lengths: ok}, []string{"scale is NaN"}},
		"scale beyond f32":  {AnyDevice, Request{Attention: with(func(a *gaze.Attention) { a.Scale = 1e39 }), Lengths: ok}, []string{"scale is 1e+39", "1e+30"}},
		"scale below f32":   {AnyDevice, Request{Attention: with(func(a *gaze.Attention) { a.Scale = 1e-50 }), Lengths: ok}, []string{"scale is 1e-50", "1e-30"}},
		"negative scale":    {AnyDevice, Request{Attention: with(func(a *gaze.Attention) { a.Scale = -1 }), Lengths: ok}, []string{"scale is -1"}},
		"theta":             {AnyDevice, Request{Attention: with(func(a *gaze.Attention) { a.RoPE.Theta = 0.5 }), Lengths: ok}, []string{"rope_theta is 0.5"}},
		"window":            {AnyDevice, Request{Attention: with(func(a *gaze.Attention) { a.Pattern = gaze.SlidingWindow{Left: -1} }), Lengths: ok}, []string{"sliding_window", "-1"}},
		"nil inside":        {AnyDevice, Request{Attention: with(func(a *gaze.Attention) { a.Pattern = gaze.Any{nil} }), Lengths: ok}, []string{"any", "nil"}},
		"no sequences":      {AnyDevice, Request{Attention: good}, []string{"no sequences"}},
		"an empty sequence": {AnyDevice, Request{Attention: good, Lengths: gaze.Lengths{4, 0}}, []string{"sequence 1 has 0 tokens"}},
		"negative length":   {AnyDevice, Request{Attention: good, Lengths: gaze.Lengths{-4}}, []string{"sequence 0 has -4 tokens"}},
		"too many tokens":   {AnyDevice, Request{Attention: good, Lengths: gaze.Lengths{gaze.MaxTokens, 1}}, []string{"more than 1000000 tokens", "split the batch"}},
		"lengths overflow":  {AnyDevice, Request{Attention: good, Lengths: gaze.Lengths{math.MaxInt, math.MaxInt}}, []string{"more than 1000000 tokens"}},
		"precision":         {AnyDevice, Request{Attention: good, Lengths: ok, Precision: "bf16"}, []string{`precision is "bf16"`, "f16"}},
		"path":              {AnyDevice, Request{Attention: good, Lengths: ok, Path: "flash"}, []string{`path is "flash"`, "explicit"}},
		"tier":              {odd, Request{Attention: good, Lengths: ok}, []string{`tier is "warps"`, `"tiled"`}},
		"no device":         {Traits{Tier: Lanes}, Request{Attention: good, Lengths: ok}, []string{"dispatches 0 at most"}},
		"one head too long": {small, Request{Attention: good, Lengths: gaze.Lengths{300}}, []string{"one head of 300 tokens needs 0.1 MiB", "a small device binds 0.1 MiB", "split the batch"}},
		"a long table": {small, Request{Attention: with(func(a *gaze.Attention) { a.RoPE.Theta = 100 }), Lengths: gaze.Lengths{600}},
			[]string{"cosines", "a small device binds 0.1 MiB", "fewer tokens"}},
		"too many tiles": {narrow, Request{Attention: good, Lengths: ok}, []string{"100 tokens need 7 workgroups", "a narrow device dispatches 3 at most", "split the batch"}},
		"too few rows":   {flat, Request{Attention: good, Lengths: ok}, []string{"a flat device dispatches [65535 65535 16]", "[1 1 64]"}},
		"a full million": {AnyDevice, Request{Attention: good, Lengths: gaze.Lengths{gaze.MaxTokens}},
			[]string{"block map", "any Vulkan device binds 128.0 MiB", "sparser pattern"}},
		"a sprinkled million": {AnyDevice, Request{Attention: with(func(a *gaze.Attention) { a.Pattern = gaze.DilatedWindow{Reach: 1e9, Dilation: 50} }), Lengths: gaze.Lengths{gaze.MaxTokens}},
			[]string{"block map", "any Vulkan device binds 128.0 MiB"}},
	} {
		start := time.Now()
		plan, err := NewPlan(c.traits, c.request)
		if err == nil || plan != nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", name, err, want)
			}
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%s: the error took %v", name, d)
		}
	}
}

// TestWindowsGrowLinearly holds that work and memory of a sliding window are
// proportional to the tokens, and those of the weights bounded.
func TestWindowsGrowLinearly(t *testing.T) {
	for _, tier := range Tiers {
		traits := AnyDevice
		traits.Tier, traits.Units = tier, MatrixUnits{M: 16, N: 16, K: 16, Subgroup: 32}
		plan := func(n int, weights bool) *Plan {
			p, err := NewPlan(traits, Request{Lengths: gaze.Lengths{n}, Weights: weights,
				Attention: gaze.Attention{Heads: 12, HeadDim: 64, RoPE: gaze.RoPE{Theta: 10000}, Pattern: gaze.SlidingWindow{Left: 64, Right: 64}}})
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		short, long := plan(8192, false), plan(65536, false)
		within := func(what string, a, b int64) {
			if ratio := float64(b) / float64(a); math.Abs(ratio-8) > 0.08 {
				t.Errorf("%s: eight times the tokens take %.3f times the %s (%d, %d)", tier, ratio, what, a, b)
			}
		}
		within("multiply-adds", short.MultiplyAdds, long.MultiplyAdds)
		within("device memory", short.DeviceBytes(), long.DeviceBytes())
		if len(short.Buffers) != len(long.Buffers) {
			t.Fatalf("%s: %d buffers, then %d", tier, len(short.Buffers), len(long.Buffers))
		}
		for i, b := range long.Buffers {
			if ratio := float64(b.Bytes) / float64(short.Buffers[i].Bytes); ratio > 8.08 {
				t.Errorf("%s: eight times the tokens make the %s %.3f times as large", tier, b.Name, ratio)
			}
		}
		if extra := plan(65536, true).DeviceBytes() - long.DeviceBytes(); extra > weightsBudget {
			t.Errorf("%s: the weights of 65536 tokens take %d bytes more", tier, extra)
		}
	}
}

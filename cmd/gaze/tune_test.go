package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/bench"
	"github.com/gazevk/gaze/engine/tune"
)

// tuned is a tuning that nobody ran.
func tuned() *tuneReport {
	candidate := func(shape tune.Shape, milliseconds ...float64) *tune.Candidate {
		c := &tune.Candidate{Shape: shape}
		for _, ms := range milliseconds {
			c.Samples = append(c.Samples, 1e-3*ms)
		}
		if c.Seconds = bench.SpreadOf(c.Samples); len(c.Samples) > 0 {
			c.GFLOPS = 0.2 / c.Seconds.Median
		}
		return c
	}
	product := func(rows, columns, invocations, step, unroll int) tune.Shape {
		return tune.Shape{MatMul: &engine.MatMulShape{Tier: engine.Tiled, Rows: rows, Columns: columns, Invocations: invocations, Step: step, Unroll: unroll}}
	}
	lanes := tune.Shape{MatMul: &engine.MatMulShape{Tier: engine.Lanes, Rows: 16, Columns: 32, Invocations: 8, Uniform: true}}
	matrix := tune.Shape{MatMul: &engine.MatMulShape{Tier: engine.Matrix, Rows: 64, Columns: 128, Invocations: 128, Down: 2}}
	left, wrong := candidate(product(128, 128, 256, 2, 1)), candidate(product(128, 64, 128, 4, 4))
	left.LeftOut, wrong.Fault = true, "Wo 16 x 768 x 768: element 7 is NaN, and the default's is 3.5"
	attention := func(tier engine.Tier, rows, own int) tune.Shape {
		return tune.Shape{Attention: &engine.AttentionShape{Tier: tier, Rows: rows, Own: own}}
	}
	return &tuneReport{
		Version: "gaze v1.2.3 go1.24 linux/amd64", Date: "2026-11-24T12:00:00Z", Seconds: 31.4,
		Host:   hostSummary{"linux", "amd64", 2, "A Processor", "0.10 0.20 0.30"},
		Device: deviceSummary{0, "a GPU", "discrete GPU", "Some Driver 1.2", "1.2.0", "1.3.230"},
		Result: &tune.Result{
			Classes: []*tune.Class{
				{Suite: "matmul", Precision: engine.F32, Rows: 16, Columns: 1024, Cases: []string{"Wo 16 x 768 x 768", "MLP out 16 x 768 x 1152"}, Chosen: 1,
					Candidates: []*tune.Candidate{candidate(product(64, 64, 64, 4, 1), 2, 2.1, 2.2), candidate(product(16, 64, 32, 4, 4), 1, 1.05, 1.1), candidate(lanes, 20), left, wrong}},
				{Suite: "matmul", Precision: engine.F16, Cases: []string{"QKV 4096 x 2304 x 768"},
					Candidates: []*tune.Candidate{candidate(product(64, 64, 64, 4, 1), 40, 41, 44), candidate(matrix, 40, 41, 42)}},
				{Suite: "attention", Precision: engine.F16, HeadDim: 64, Cases: []string{"full, n 512, 12 heads"},
					Candidates: []*tune.Candidate{candidate(attention(engine.Tiled, 64, 4), 4, 4, 4)}},
			},
			Omitted: []string{"matmul f32, 4096 rows: about 45 s"},
		},
		Stored: "/home/me/.cache/gaze/10de-2684-nvidia.tuning.json",
	}
}

func TestTuneTable(t *testing.T) {
	golden(t, "tune.txt", tuned().table())
	dry := tuned()
	dry.Stored, dry.Omitted, dry.Classes = "", nil, dry.Classes[1:]
	text := dry.table()
	if !strings.HasSuffix(text, "\n0 of 2 classes are quicker in another shape than the default; geometric mean of all: 1.00 times as quick.\nnothing is kept (--dry-run)\n") ||
		strings.Contains(text, "want of time") || strings.Contains(text, "candidates gave") {
		t.Errorf("the table is\n%s", text)
	}
}

func TestTuneErrors(t *testing.T) {
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"--suite", "matmul,atention"}, statusUsage, `--suite has "atention": expected some of matmul, attention; did you mean attention?`},
		{[]string{"--suite", ""}, statusFailure, "no such device"},
		{[]string{"--forget", "--dry-run"}, statusUsage, "--forget goes with --device alone"},
		{[]string{"--forget", "--suite", "matmul"}, statusUsage, "--forget goes with --device alone"},
		{[]string{"--untuned"}, statusUsage, "there is no flag --untuned"},
		{[]string{"run.toml"}, statusUsage, `unexpected operand "run.toml"`},
		{nil, statusFailure, "no such device"},
	} {
		args := append([]string{"tune", "--device", "no such device"}, c.args...)
		got := call(context.Background(), "", args...)
		if got.status != c.status || !strings.HasPrefix(got.err, "gaze tune: ") || !strings.Contains(got.err, c.want) || got.out != "" {
			t.Errorf("gaze %s: status %d, expected %d\n%s%sexpected in it: %s", strings.Join(args, " "), got.status, c.status, got.out, got.err, c.want)
		}
	}
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	if got := call(context.Background(), "", "tune"); got.status != statusFailure || !strings.Contains(got.err, "no place for the verdict; --dry-run measures without one") {
		t.Errorf("without a cache: %+v", got)
	}
	file := write(t, t.TempDir(), "file", "")
	t.Setenv("XDG_CACHE_HOME", file)
	got := call(context.Background(), "", "tune", "--suite", "attention")
	if want := "gaze tune: there is no place for the verdict: cannot make the directory of an output: mkdir " + file + ": not a directory; --dry-run measures without one\n"; got.status != statusFailure || got.err != want {
		t.Errorf("with a file for a cache: %+v, expected %q", got, want)
	}
}

// What gaze tune keeps, other commands take, until it does not hold.
func TestTune(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	file := write(t, t.TempDir(), "run.toml", "[attention]\nheads = 1\nhead_dim = 64\nsequences = [40]\n")
	explained := func(want string) {
		t.Helper()
		if out := mustCall(t, "explain", "--device", "0", file); !strings.Contains(out, want) {
			t.Errorf("the plan lacks %q:\n%s", want, out)
		}
	}
	state := func(want string) {
		t.Helper()
		if out := mustCall(t, "devices"); !strings.Contains(out, want) {
			t.Errorf("gaze devices lacks %q:\n%s", want, out)
		}
	}
	explained("default shapes")
	state("kernel shapes   default; gaze tune finds the quickest")

	out := mustCall(t, "tune", "--suite", "attention", "--dry-run")
	if !strings.Contains(out, "attention f16, heads of 64: full, n 512, 12 heads and window 64, n 512, 12 heads\n") || !strings.HasSuffix(out, "\nnothing is kept (--dry-run)\n") {
		t.Errorf("a dry run says\n%s", out)
	}
	if list := listing(t, cache); strings.Contains(list, "tuning") {
		t.Errorf("a dry run left\n%s", list)
	}

	var report struct {
		Date    string
		Classes []struct {
			Suite      string
			Candidates []struct {
				Attention struct {
					Tier string `json:"kernel_tier"`
					Rows int
				}
				Samples []float64
			}
			Chosen int
		}
		Stored string
	}
	if err := json.Unmarshal([]byte(mustCall(t, "tune", "--suite", "attention", "--json")), &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Classes) != 2 || report.Classes[0].Suite != "attention" || len(report.Classes[0].Candidates) < 2 || len(report.Classes[0].Candidates[0].Samples) < 3 ||
		filepath.Dir(report.Stored) != filepath.Join(cache, "gaze") {
		t.Errorf("%+v", report)
	}
	explained("tuned shapes")
	state("kernel shapes   tuned " + report.Date)

	// A verdict of our own: the kernel that nobody would choose for a CPU.
	text, err := os.ReadFile(report.Stored)
	if err != nil {
		t.Fatal(err)
	}
	verdict := map[string]any{}
	if err := json.Unmarshal(text, &verdict); err != nil {
		t.Fatal(err)
	}
	verdict["attention"] = []any{map[string]any{"shape": map[string]any{"kernel_tier": "tiled", "rows": 64, "own": 4}}}
	if text, err = json.Marshal(verdict); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Dir(report.Stored), filepath.Base(report.Stored), string(text))
	explained("attention_tiled_f32")
	if out := mustCall(t, "bench", "--suite", "attention", "--n", "40", "--runs", "1", "--quick"); !strings.Contains(out, "kernels   tuned shapes\n") || !strings.Contains(out, "attention_tiled_f32") {
		t.Errorf("gaze bench says\n%s", out)
	}
	if out := mustCall(t, "bench", "--suite", "attention", "--n", "40", "--runs", "1", "--quick", "--untuned"); !strings.Contains(out, "kernels   default shapes\n") || strings.Contains(out, "attention_tiled_f32") {
		t.Errorf("gaze bench --untuned says\n%s", out)
	}
	// Tuning the other suite keeps it.
	e, err := engine.Open("auto", engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	other := &tuneReport{Date: "2026-11-24T12:00:00Z", Result: &tune.Result{}}
	other.Tuning.MatMul = []engine.MatMulChoice{{Shape: e.Traits().MatMulShapes()[0]}}
	if _, err := keepVerdict(e, filepath.Dir(report.Stored), other, []string{"matmul"}); err != nil {
		t.Fatal(err)
	}
	explained("attention_tiled_f32")
	if v, err := engine.ReadVerdict(filepath.Dir(report.Stored), e.Adapter(), nil); err != nil || !slices.Equal(v.MatMul, other.Tuning.MatMul) {
		t.Errorf("%+v, %v", v, err)
	}

	// One that does not hold is said, in one line, and nothing fails.
	write(t, filepath.Dir(report.Stored), filepath.Base(report.Stored), strings.Replace(string(text), `"build":"`, `"build":"0`, 1))
	got := call(context.Background(), "", "explain", "--device", "0", file)
	if got.status != statusOK || strings.Count(got.err, "\n") != 1 || !strings.HasPrefix(got.err, "gaze: "+report.Stored) || !strings.Contains(got.err, "run gaze tune again") || !strings.Contains(got.out, "default shapes") {
		t.Errorf("a stale verdict: %+v", got)
	}
	state("kernel shapes   default; " + report.Stored + " is ignored")
	if out := mustCall(t, "verify", "--kernel", "pool", "--cases", "1"); !strings.Contains(out, "All kernels are right") {
		t.Errorf("gaze verify says\n%s", out)
	}

	if out := mustCall(t, "tune", "--forget"); out != "removed "+report.Stored+"\n" {
		t.Errorf("forgotten: %s", out)
	}
	if out := mustCall(t, "tune", "--forget"); !strings.Contains(out, "was not tuned: there is no "+report.Stored) {
		t.Errorf("forgotten again: %s", out)
	}
	state("kernel shapes   default; gaze tune finds the quickest")
}

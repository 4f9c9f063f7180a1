package main

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/bench"
)

// measured is a benchmark that nobody ran.
func measured() *benchReport {
	spread := func(milliseconds float64) []bench.Sample {
		return []bench.Sample{{GPU: milliseconds * 0.9e-3, Host: 1e-3 * milliseconds}, {GPU: milliseconds * 1e-3, Host: 1.1e-3 * milliseconds}, {GPU: milliseconds * 1.2e-3, Host: 1.3e-3 * milliseconds}}
	}
	of := func(c bench.Case, share float64, by string) *bench.Case {
		c.GPU, c.Host = bench.GPU(c.Samples), bench.Host(c.Samples)
		c.Bound = bench.Bound{By: by, Seconds: share * c.Seconds(), Share: share}
		return &c
	}
	kernel := func(name string, seconds float64) bench.Kernel {
		return bench.Kernel{Name: name, Dispatches: 1, Seconds: seconds, MultiplyAdds: 1, Bytes: 1}
	}
	cold := of(bench.Case{Suite: "startup", Name: "first answer", Samples: []bench.Sample{{Host: 1.5}, {Host: 2}}}, 0, "")
	return &benchReport{
		Command: "gaze bench --quick", Version: "gaze v1.2.3 go1.24 linux/amd64", Date: "2026-11-24T12:00:00Z", Seconds: 61.4, Runs: 3,
		Host:   hostSummary{"linux", "amd64", 2, "A Processor", "0.10 0.20 0.30"},
		Device: deviceSummary{0, "llvmpipe", "CPU", "llvmpipe Mesa 22.3.6", "0.0.1", "1.3.230"},
		Shapes: "default shapes",
		Result: &bench.Result{
			Limits: &bench.Limits{
				Multiply: bench.Peak{GFLOPS: 125, Variant: "12 sums of 32 invocations"}, Half: bench.Peak{GFLOPS: 8.25, Variant: "8 sums of 256 invocations"},
				Matrix:   bench.Peak{Missing: "not offered"},
				Copies:   []bench.Copy{{Bytes: 256 << 10, Rate: 30, Variant: "vkCmdCopyBuffer"}, {Bytes: 256 << 20, Rate: 12.5, Variant: "a kernel"}},
				Dispatch: bench.Spread{Least: 50e-6, Median: 60e-6, Most: 1200e-6}, Next: 8e-6},
			Cases: []*bench.Case{
				of(bench.Case{Suite: "matmul", Name: "768 x 768 x 768", Tier: engine.Lanes, Precision: engine.F16, Samples: spread(25), MultiplyAdds: 768 * 768 * 768, Bytes: 3 * 2 * 768 * 768,
					Kernels: []bench.Kernel{kernel("matmul_lanes_f16", 0.025)}}, 0.29, bench.ByMultiply),
				of(bench.Case{Suite: "attention", Name: "full, n 128, 12 heads", Tier: engine.Lanes, Precision: engine.F32, Series: "full", Tokens: 128, Samples: spread(4), MultiplyAdds: 25e6, Bytes: 1.6e6,
					Kernels: []bench.Kernel{kernel("attention_lanes_f32", 0.004)}}, 0.1, bench.ByMultiply),
				of(bench.Case{Suite: "attention", Name: "full, n 1024, 4 heads", Tier: engine.Lanes, Precision: engine.F32, Series: "full", Tokens: 1024, Samples: spread(80), MultiplyAdds: 537e6, Bytes: 5e6,
					Kernels: []bench.Kernel{kernel("attention_lanes_f32", 0.08)}}, 0.105, bench.ByMultiply),
				of(bench.Case{Suite: "encoder", Name: "builtin, n 128", Tier: engine.Lanes, Precision: engine.F32, Series: "builtin", Tokens: 128, Samples: spread(50), MultiplyAdds: 5e8, Bytes: 1e10,
					Kernels: []bench.Kernel{kernel("gather_f32", 0.001), kernel("matmul_lanes_f32", 0.04), kernel("attention_lanes_f32", 0.009)}}, 0.9, bench.ByMemory),
				cold,
			},
			Omitted: []bench.Omitted{{Suite: "attention", Name: "full, n 8192, 1 head", Seconds: 123}},
		},
	}
}

func TestBenchTable(t *testing.T) {
	golden(t, "bench.txt", measured().table())
}

// What is written and read again says the same.
func TestBenchReport(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bench.json")
	if err := writeJSON(path, measured()); err != nil {
		t.Fatal(err)
	}
	r, err := readBenchReport(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.table(), measured().table(); got != want {
		t.Errorf("read again it is\n%s\nexpected\n%s", got, want)
	}
	// Every sample is there, under names that do not change.
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var whole struct {
		Command, Date string
		Device        struct{ Name, Driver string }
		Limits        struct {
			Multiply struct{ GFLOPS float64 } `json:"multiply_add_f32"`
		}
		Cases []struct {
			Case    string
			Tier    string `json:"kernel_tier"`
			Samples []struct{ GPU, Host float64 }
		}
	}
	if err := json.Unmarshal(text, &whole); err != nil {
		t.Fatal(err)
	}
	if c := whole.Cases[1]; whole.Command == "" || whole.Date == "" || whole.Device.Driver == "" || whole.Limits.Multiply.GFLOPS != 125 ||
		c.Case != "full, n 128, 12 heads" || c.Tier != "lanes" || len(c.Samples) != 3 || c.Samples[2].Host != 1.3e-3*4 {
		t.Errorf("%+v", whole)
	}
}

func TestBenchComparison(t *testing.T) {
	old := measured()
	old.Date, old.Device.Driver = "2026-10-01T08:00:00Z", "llvmpipe Mesa 21.0.0"
	old.Limits.Multiply.GFLOPS, old.Shapes = 100, "tuned shapes"
	for i, factor := range []float64{2, 1.01, 0.5, 4, 1} {
		c := old.Cases[i]
		for j := range c.Samples {
			c.Samples[j].GPU *= factor
			c.Samples[j].Host *= factor
		}
		c.GPU, c.Host = bench.GPU(c.Samples), bench.Host(c.Samples)
	}
	old.Cases = append(old.Cases[:3], old.Cases[4:]...) // one that was not measured then
	golden(t, "bench-compare.txt", measured().comparison("old.json", old))
	old.Cases = nil
	if text := measured().comparison("old.json", old); !strings.Contains(text, "no case in common") {
		t.Errorf("nothing in common gives\n%s", text)
	}
}

func TestBenchPlot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bench.svg")
	if err := measured().plot(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(text, new(struct{})); err != nil {
		t.Errorf("it is no XML: %v", err)
	}
	for _, want := range []string{">full<", ">builtin<", ">matmul_lanes_f16<", ">multiply-add: 125 GFLOP/s<", ">copy within 256.0 MiB: 12.5 GB/s<", ">copy within 256.0 KiB: 30.0 GB/s<", "Roofline"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s lacks %s", path, want)
		}
	}
	none := measured()
	none.Cases = none.Cases[4:]
	if err := none.plot(path); err == nil || !strings.Contains(err.Error(), "nothing to draw") {
		t.Errorf("startup alone: the error is %v", err)
	}
}

func TestBenchRoofline(t *testing.T) {
	chart := measured().roofline()
	points := 0
	for _, s := range chart.Series {
		for _, p := range s.Points {
			switch {
			case !s.Limit:
				points++
			case p.Y > 125.0001:
				t.Errorf("%s passes the limit of multiply-adds: %v", s.Name, p)
			}
		}
	}
	if points != 4 {
		t.Errorf("%d points, expected 4", points)
	}
	if s := chart.Series[1]; s.Points[1].X != 10 || s.Points[0].Y != s.Points[0].X*12.5 { // 125 GFLOP/s at 12.5 GB/s
		t.Errorf("the roof of memory is %+v", s)
	}
}

func TestBenchErrors(t *testing.T) {
	directory := t.TempDir()
	noCases := write(t, directory, "none.json", `{"limits": {}, "cases": []}`)
	noTime := write(t, directory, "zero.json", `{"limits": {}, "cases": [{"suite": "matmul"}]}`)
	text := write(t, directory, "text.json", "no JSON")
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"--suite", "matmul,atention"}, statusUsage, `--suite has "atention": expected some of matmul, attention, encoder, startup, viewer; did you mean attention?`},
		{[]string{"--tier", "fast"}, statusUsage, `--tier is "fast": expected one of ["lanes" "texels" "tiled" "matrix"], or all`},
		{[]string{"--precision", "f64"}, statusUsage, `--precision is "f64": expected f32, f16 or all`},
		{[]string{"--n", "128,,512"}, statusUsage, `--n has "": expected numbers of tokens from 1 to 65536`},
		{[]string{"--n", "0"}, statusUsage, `--n has "0"`},
		{[]string{"--n", "100000"}, statusUsage, `--n has "100000"`},
		{[]string{"--runs", "-1"}, statusUsage, "--runs is -1: expected 1 to 10000"},
		{[]string{"--runs", "ten"}, statusUsage, `--runs is "ten": expected a whole number`},
		{[]string{"--quick", "--full"}, statusUsage, "--quick and --full exclude each other"},
		{[]string{"--plot", "plot.gif"}, statusUsage, "--plot is plot.gif: expected a name that ends in .svg or .png"},
		{[]string{"run.toml"}, statusUsage, `unexpected operand "run.toml"`},
		{[]string{"--compare", filepath.Join(directory, "absent.json")}, statusFailure, "cannot compare: open "},
		{[]string{"--compare", noCases}, statusFailure, "none.json: it has no cases; expected what gaze bench --json writes"},
		{[]string{"--compare", noTime}, statusFailure, "zero.json: case 0 has no time"},
		{[]string{"--compare", text}, statusFailure, "text.json: invalid character"},
		{[]string{"--json", directory}, statusFailure, "it is a directory"},
		{[]string{"--device", "no such device"}, statusFailure, "no such device"},
	} {
		got := call(context.Background(), "", append([]string{"bench"}, c.args...)...)
		if got.status != c.status || !strings.HasPrefix(got.err, "gaze bench: ") || !strings.Contains(got.err, c.want) || got.out != "" {
			t.Errorf("gaze bench %s: status %d, expected %d\n%s%sexpected in it: %s", strings.Join(c.args, " "), got.status, c.status, got.out, got.err, c.want)
		}
	}
}

// The whole command on a device, the suite startup with this program as gaze.
func TestBench(t *testing.T) {
	directory := t.TempDir()
	file, plot := filepath.Join(directory, "new", "bench.json"), filepath.Join(directory, "bench.png")
	args := []string{"bench", "--suite", "startup,viewer", "--n", "64", "--runs", "1", "--quick", "--json", file}
	out := mustCall(t, append(args, "--plot", plot)...)
	for _, want := range []string{"multiply-add, f32", "heatmap_", "first answer, kernels kept from before", "statistics of a head, n 64", "wrote " + file, "wrote " + plot} {
		if !strings.Contains(out, want) {
			t.Errorf("the output lacks %q:\n%s", want, out)
		}
	}
	r, err := readBenchReport(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := "gaze bench --json " + file + " --n 64 --plot " + plot + " --quick --runs 1 --suite startup,viewer"; r.Command != want || len(r.Cases) != 4 || r.Device.Name == "" {
		t.Errorf("command %q with %d cases, expected %q with 4", r.Command, len(r.Cases), want)
	}
	out = mustCall(t, "bench", "--suite", "viewer", "--n", "64", "--runs", "1", "--quick", "--compare", file)
	if !strings.Contains(out, "Geometric mean of 2 cases") {
		t.Errorf("the comparison is\n%s", out)
	}
}

package main

import (
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/configs"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/reference"
)

func rawEntry(name string, dtype checkpoint.DType, shape []int, data []byte) checkpoint.Entry {
	return checkpoint.Entry{Name: name, DType: dtype, Shape: shape, Write: func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}}
}

// writeInput writes q, k and v, standard normal and rounded to dtype, and
// returns them widened.
func writeInput(t *testing.T, path string, dtype checkpoint.DType, heads, n, headDim int) (q, k, v []float64) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, uint64(n)))
	var entries []checkpoint.Entry
	for _, target := range []struct {
		name string
		to   *[]float64
	}{{"q", &q}, {"k", &k}, {"v", &v}} {
		data := make([]float32, heads*n*headDim)
		var bits []byte
		for i := range data {
			x := float32(random.NormFloat64())
			switch dtype {
			case checkpoint.F16:
				half := checkpoint.Float32ToFloat16(x)
				data[i], bits = checkpoint.Float16ToFloat32(half), append(bits, byte(half), byte(half>>8))
			case checkpoint.BF16:
				upper := math.Float32bits(x) >> 16
				data[i], bits = math.Float32frombits(upper<<16), append(bits, byte(upper), byte(upper>>8))
			default:
				data[i], bits = x, appendFloats(bits, []float32{x})
			}
		}
		entry := checkpoint.Float32Entry(target.name, []int{heads, n, headDim}, data)
		if dtype != checkpoint.F32 {
			entry = rawEntry(target.name, dtype, []int{heads, n, headDim}, bits)
		}
		entries = append(entries, entry)
		*target.to = reference.Widen(data)
	}
	if err := checkpoint.WriteSafetensors(path, nil, entries); err != nil {
		t.Fatal(err)
	}
	return q, k, v
}

// Both paths and both precisions against the float64 reference: output, lse and
// weights, of packed sequences.
func TestRunAgainstReference(t *testing.T) {
	window := gaze.Any{gaze.SlidingWindow{Left: 7, Right: 3}, gaze.GlobalTokens{Tokens: []int{0, 40}}}
	nothing := gaze.GlobalTokens{Tokens: []int{60}} // the second sequence has no such token
	for _, c := range []struct {
		path, precision string
		dtype           checkpoint.DType
		heads, headDim  int
		theta           float64
		pattern         gaze.Pattern
		text            string
		lengths         gaze.Lengths
		bound           float64
	}{
		// In f32 a score, a sum of headDim products of about 1, is off by some 1e-6, and an
		// output as much relative to its size. Inputs that are f16 already lose nothing in
		// f16 storage; but rotated ones are rounded again, by 2^-12 each, which moves a
		// score by up to 2^-11*sum|q||k|*scale, about 5e-3.
		{"fused", "f32", checkpoint.F32, 2, 64, 10000, window, windowText, gaze.Lengths{70, 33}, 2e-5},
		{"explicit", "f32", checkpoint.F32, 2, 64, 10000, window, windowText, gaze.Lengths{70, 33}, 2e-5},
		{"fused", "f16", checkpoint.F16, 3, 32, 0, gaze.Causal{}, `[{kind = "causal"}]`, gaze.Lengths{1, 50}, 2e-5},
		{"explicit", "f16", checkpoint.F16, 3, 32, 0, gaze.Causal{}, `[{kind = "causal"}]`, gaze.Lengths{1, 50}, 2e-5},
		{"fused", "f16", checkpoint.F32, 1, 96, 10000, gaze.Full{}, `[]`, gaze.Lengths{65}, 3e-2},
		{"auto", "auto", checkpoint.BF16, 1, 128, 160000, nothing, `[{kind = "global_tokens", tokens = [60]}]`, gaze.Lengths{64, 20}, 2e-5},
	} {
		name := fmt.Sprintf("%s %s %s %v", c.path, c.precision, c.dtype, c.pattern)
		t.Run(name, func(t *testing.T) {
			directory := t.TempDir()
			n := c.lengths.Tokens()
			q, k, v := writeInput(t, filepath.Join(directory, "qkv.safetensors"), c.dtype, c.heads, n, c.headDim)
			mustCall(t, "run", write(t, directory, "run.toml", fmt.Sprintf(`
				[device]
				precision = "%s"
				[attention]
				heads = %d
				head_dim = %d
				rope_theta = %f
				sequences = %s
				path = "%s"
				pattern = %s
				[input]
				tensors = "qkv.safetensors"
				[output]
				tensors = "new/out.safetensors"
				weights = true`, c.precision, c.heads, c.headDim, c.theta, strings.ReplaceAll(fmt.Sprint(c.lengths), " ", ", "), c.path, c.text)))

			a := gaze.Attention{Heads: c.heads, HeadDim: c.headDim, RoPE: gaze.RoPE{Theta: c.theta}, Pattern: c.pattern}
			output, lse := reference.Layer(a, c.lengths, q, k, v)
			if a.RoPE.Enabled() {
				cos, sin := a.RoPE.Table(c.headDim, c.lengths.Longest())
				q = reference.Rope(q, cos, sin, c.lengths.Positions(), c.heads, c.headDim)
				k = reference.Rope(k, cos, sin, c.lengths.Positions(), c.heads, c.headDim)
			}
			weights := reference.Weights(q, k, lse, a.ScoreScale(), c.pattern, c.lengths, c.heads, c.headDim)
			out := filepath.Join(directory, "new", "out.safetensors")
			near(t, "output", readFloats(t, out, "output"), output, c.bound)
			near(t, "lse", readFloats(t, out, "lse"), lse, c.bound)
			near(t, "weights", readFloats(t, out, "weights"), weights, c.bound)
		})
	}
}

const windowText = `[{kind = "sliding_window", left = 7, right = 3}, {kind = "global_tokens", tokens = [0, 40]}]`

// near compares numbers. Where 0 or -Inf is expected nothing else will do.
func near(t *testing.T, what string, got []float32, want []float64, bound float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s has %d elements, expected %d", what, len(got), len(want))
	}
	for i := range got {
		g := float64(got[i])
		if g == want[i] {
			continue
		}
		if exact := want[i] == 0 || math.IsInf(want[i], 0); exact || !(math.Abs(g-want[i]) <= bound) {
			t.Fatalf("%s[%d] is %v, expected %v within %v", what, i, g, want[i], bound)
		}
	}
}

// One file with variants: distances, reports and pictures.
func TestRunVariants(t *testing.T) {
	directory := t.TempDir()
	path := write(t, directory, "run.toml", `
		name = "all"
		[attention]
		heads = 2
		head_dim = 32
		sequences = [40, 30]
		[output]
		tensors = "out.safetensors"
		weights = true
		heatmap = "map/head{head}.png"
		report = "report.json"
		[[variant]]
		name = "window"
		attention.pattern = [{kind = "sliding_window", left = 4, right = 4}]
		[[variant]]
		name = "explicit"
		attention.path = "explicit"
		[[variant]]
		name = "no weights"
		output.weights = false
		output.heatmap = ""
		[[variant]]
		name = "other lengths"
		attention.sequences = [30, 40]`)
	var got struct {
		Runs []report `json:"runs"`
	}
	if err := json.Unmarshal([]byte(mustCall(t, "run", path, "--json")), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Runs) != 5 {
		t.Fatalf("%d reports", len(got.Runs))
	}
	base, window, explicit, plain, other := got.Runs[0], got.Runs[1], got.Runs[2], got.Runs[3], got.Runs[4]

	// Distances, against those of the tensors that were written.
	if base.Distance != nil || other.Distance != nil {
		t.Errorf("distances of the base and of another shape: %+v, %+v", base.Distance, other.Distance)
	}
	if plain.Distance == nil || plain.Distance.Weights != nil || plain.Distance.Output != (outputDistance{1, 0}) && plain.Distance.Output.Largest > 1e-5 {
		t.Errorf("distance of the same without weights: %+v", plain.Distance)
	}
	for _, r := range []report{window, explicit} {
		checkDistance(t, filepath.Join(directory, "out.safetensors"), filepath.Join(directory, "out-"+r.Run+".safetensors"), r)
	}
	if w := window.Distance.Weights; w.TotalVariation < 0.1 || w.TotalVariation > 1 {
		t.Errorf("a window of 9 moves %v of the weights of %v", w.TotalVariation, base.Request.Sequences)
	}
	if e := explicit.Distance; e.Weights.Largest > 1e-5 || e.Output.Largest > 1e-5 || e.Output.Cosine < 0.999999 {
		t.Errorf("the explicit path lies %+v %+v from the fused one", e.Output, e.Weights)
	}

	// Reports.
	if base.VisiblePairs != 40*40+30*30 || base.Tiles.All != base.Tiles.Whole+base.Tiles.Partial+base.Tiles.Skipped {
		t.Errorf("%d visible pairs, tiles %+v", base.VisiblePairs, base.Tiles)
	}
	if base.Request.Heads != 2 || base.Request.Scale != 1/math.Sqrt(32) || *base.Request.Seed != 1 || fmt.Sprint(window.Request.Pattern) != "map[kind:sliding_window left:4 right:4]" {
		t.Errorf("requests %+v, %+v", base.Request, window.Request)
	}
	for _, r := range got.Runs {
		if r.Device.Name == "" || r.DeviceBytes == 0 || r.Submits == 0 || len(r.Kernels) == 0 || r.Milliseconds.Output <= 0 || r.Rate.Visible <= 0 || r.Rate.Walked < r.Rate.Visible {
			t.Errorf("report %+v", r)
		}
		for _, file := range r.Files {
			if info, err := os.Stat(file); err != nil || info.Size() == 0 {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
	data, err := os.ReadFile(filepath.Join(directory, "report-window.json"))
	var stored report
	if err == nil {
		err = json.Unmarshal(data, &stored)
	}
	if err != nil || fmt.Sprintf("%+v", stored.Distance.Weights) != fmt.Sprintf("%+v", window.Distance.Weights) || len(stored.Files) != len(window.Files) {
		t.Errorf("the stored report is %+v, %v", stored, err)
	}

	// Everything is there, and nothing else.
	want := []string{directory, path}
	for _, r := range got.Runs {
		want = append(want, r.Files...)
	}
	if got := strings.Count(listing(t, directory), "\n"); got != len(want)+1 { // and map/
		t.Errorf("%d files, expected %d:\n%s", got, len(want)+1, listing(t, directory))
	}
	for _, name := range []string{"head0.png", "head1.png", "head1-window.png"} {
		f, err := os.Open(filepath.Join(directory, "map", name))
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(f)
		f.Close()
		if err != nil || img.Bounds().Dx() < 200 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// checkDistance computes a report's distances from two files' tensors.
func checkDistance(t *testing.T, base, path string, r report) {
	t.Helper()
	a, b := reference.Widen(readFloats(t, base, "output")), reference.Widen(readFloats(t, path, "output"))
	dot, aa, bb, largest := 0.0, 0.0, 0.0, 0.0
	for i := range a {
		dot, aa, bb, largest = dot+a[i]*b[i], aa+a[i]*a[i], bb+b[i]*b[i], max(largest, math.Abs(a[i]-b[i]))
	}
	close := func(x, y float64) bool { return math.Abs(x-y) <= 1e-12 }
	if d := r.Distance.Output; !close(d.Cosine, dot/math.Sqrt(aa*bb)) || d.Largest != largest {
		t.Errorf("%s: outputs differ by cosine %v and %v, reported as %+v", r.Run, dot/math.Sqrt(aa*bb), largest, d)
	}
	a, b = reference.Widen(readFloats(t, base, "weights")), reference.Widen(readFloats(t, path, "weights"))
	sum, largest := 0.0, 0.0
	for i := range a {
		sum, largest = sum+math.Abs(a[i]-b[i]), max(largest, math.Abs(a[i]-b[i]))
	}
	rows := float64(2 * 70)
	if d := r.Distance.Weights; !close(d.TotalVariation, sum/2/rows) || !close(d.Mean, sum/float64(len(a))) || d.Largest != largest {
		t.Errorf("%s: weights differ by %v at most and %v in all, reported as %+v", r.Run, largest, sum, d)
	}
}

// The table of variants, with numbers that do not change from run to run.
func TestRunTables(t *testing.T) {
	directory := t.TempDir()
	head := "[attention]\nheads = 1\nhead_dim = 32\nsequences = [33]\n[output]\nreport = \"r.json\"\n"
	single := mustCall(t, "run", write(t, directory, "one.toml", head))
	for _, part := range []string{"device  ", "heads 1, head_dim 32, 33 tokens", "pattern", "1,089 of 1,089 (100.0%)", "attention_", "for the output", "wrote " + filepath.Join(directory, "r.json") + "\n"} {
		if !strings.Contains(single, part) {
			t.Errorf("the summary lacks %q:\n%s", part, single)
		}
	}
	several := mustCall(t, "run", write(t, directory, "two.toml", head+"[[variant]]\nname = \"again\"\n[[variant]]\nname = \"more heads\"\nattention.heads = 2\n"))
	var rows []string
	for _, line := range strings.Split(several, "\n") {
		for _, name := range []string{"base ", "again ", "more heads "} {
			if strings.HasPrefix(line, name) {
				fields := strings.Fields(line)
				rows = append(rows, strings.Join(fields[len(fields)-4:], " "))
			}
		}
	}
	want := "- - - -; 1.000000 0 - -; - - - -"
	if got := strings.Join(rows, "; "); got != want {
		t.Errorf("the last columns are %q, expected %q:\n%s", got, want, several)
	}
}

// A run file may come from standard input.
func TestRunFromStandardInput(t *testing.T) {
	got := call(t.Context(), "[attention]\nheads = 1\nsequences = [5]", "run", "-")
	if got.status != statusOK || !strings.Contains(got.out, ", 5 tokens") {
		t.Errorf("%+v", got)
	}
	got = call(t.Context(), "[attention]\nhead = 1", "run", "-")
	want := "gaze run: <stdin>:2:1: "
	if got.status != statusFailure || !strings.HasPrefix(got.err, want) || !strings.Contains(got.err, "\n    head = 1\n    ^^^^\n") {
		t.Errorf("%+v", got)
	}
}

// The validation layers, synchronization included, find nothing.
func TestRunValidated(t *testing.T) {
	mustCall(t, "run", "--validate", "--no-cache", write(t, t.TempDir(), "run.toml",
		"[attention]\nheads = 2\nsequences = [40, 3]\nrope_theta = 10.0\n[output]\ntensors = \"out.safetensors\"\nweights = true\n[[variant]]\nname = \"e\"\nattention.path = \"explicit\""))
}

// That the files cannot be written is told before anything else.
func TestDemoWithoutAPlace(t *testing.T) {
	file := write(t, t.TempDir(), "file", "")
	want := "gaze demo: cannot make the directory of an output: mkdir " + file + ": not a directory\n"
	if got := call(t.Context(), "", "demo", "--out", file); got != (called{statusFailure, "", want}) {
		t.Errorf("%+v, expected %q", got, want)
	}
}

func TestVerifyErrors(t *testing.T) {
	file := write(t, t.TempDir(), "file", "")
	for _, c := range []struct{ args, want string }{
		{"--cases 1000000 --json " + file + "/report.json", "gaze verify: cannot make the directory of an output: mkdir " + file + ": not a directory\n"},
		{"--compile --kernel matmul --seed 3", "gaze verify: --compile excludes --kernel: it compiles every kernel and runs none\n"},
	} {
		if got := call(t.Context(), "", append([]string{"verify"}, strings.Fields(c.args)...)...); got.status == statusOK || got.err != c.want {
			t.Errorf("%s: %+v, expected %q", c.args, got, c.want)
		}
	}
	got := call(t.Context(), "", "verify", "--kernel", "nothing")
	if want := ` runs no kernel whose name contains "nothing": names are such as attention_tiled_f32`; got.status != statusFailure || !strings.HasSuffix(got.err, want+"\n") {
		t.Errorf("%+v, expected %q", got, want)
	}
}

func TestDemo(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "a", "demo")
	text := mustCall(t, "demo", "--out", directory)
	for _, name := range []string{"head.png", "patterns.png"} {
		picture := filepath.Join(directory, name)
		if !strings.Contains(text, picture) {
			t.Errorf("it says nothing of %s:\n%s", picture, text)
		}
		f, err := os.Open(picture)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if size, err := png.DecodeConfig(f); err != nil || size.Width < 1000 || size.Height < 1000 {
			t.Errorf("%s: %v x %v, %v", name, size.Width, size.Height, err)
		}
	}
	for _, asked := range slices.Concat(demoMasks, demoSentences) {
		if !strings.Contains(text, excerpt(asked)) {
			t.Errorf("it prints nothing of %q", asked)
		}
	}
	text0, err := configs.Preset("compare")
	if err != nil {
		t.Fatal(err)
	}
	file, err := configs.Parse("compare.toml", text0)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range file.Runs {
		if !strings.Contains(text, r.Name) {
			t.Errorf("the table lacks %s", r.Name)
		}
		for head := range r.Attention.Heads {
			if _, err := os.Stat(filepath.Join(directory, filepath.Base(r.Output.HeatmapFile(head)))); err != nil {
				t.Error(err)
			}
		}
	}
}

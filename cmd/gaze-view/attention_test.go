package main

import (
	"encoding/csv"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/cmd/internal/load"
	"github.com/gazevk/gaze/configs"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/reference"
	"github.com/gazevk/gaze/visualize"
	"github.com/gazevk/gaze/visualize/explore"
)

// exactWeights returns the weights of a run of attention, [heads, n, n], in float64.
func exactWeights(t *testing.T, run configs.Run) []float64 {
	t.Helper()
	in, err := new(load.Inputs).Load(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	a, q, k, v := run.Attention, reference.Widen(in.Query), reference.Widen(in.Key), reference.Widen(in.Value)
	_, lse := reference.Layer(a, run.Lengths, q, k, v)
	if a.RoPE.Enabled() {
		cos, sin := a.RoPE.Table(a.HeadDim, run.Lengths.Longest())
		q = reference.Rope(q, cos, sin, run.Lengths.Positions(), a.Heads, a.HeadDim)
		k = reference.Rope(k, cos, sin, run.Lengths.Positions(), a.Heads, a.HeadDim)
	}
	return reference.Weights(q, k, lse, a.ScoreScale(), a.Visible(), run.Lengths, a.Heads, a.HeadDim)
}

// holdsCells holds a CSV of what is in sight of a head, in cells of one pair,
// against exact weights.
func holdsCells(t *testing.T, text string, run configs.Run, weights []float64, head int) {
	t.Helper()
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(lines) < 10 || len(lines[0]) < 10 {
		t.Fatalf("error %v in\n%s", err, text)
	}
	first := func(text string) int {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	query, key := first(lines[2][0]), first(lines[0][2])
	var got []float32
	for _, line := range lines[2:] {
		for _, text := range line[2:] {
			value, err := strconv.ParseFloat(text, 32)
			if text == "" {
				value, err = explore.Hidden, nil
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, float32(value))
		}
	}
	r := gaze.Rectangle{Queries: gaze.Span{First: query, End: query + len(lines) - 2}, Keys: gaze.Span{First: key, End: key + len(lines[0]) - 2}}
	size := len(got)
	nearExact(t, run, got, exactCells(run, weights, explore.Request{Rectangle: r, Cell: 1})[head*size:][:size])
}

// exactCells returns what a source gives for a request of all heads.
func exactCells(run configs.Run, weights []float64, r explore.Request) []float64 {
	cells := reference.Heatmap(weights, run.Attention.Visible(), run.Lengths, run.Attention.Heads, r.Rectangle, gaze.Square(r.Cell), r.Pooling == visualize.MeanPooling)
	for i, cell := range cells {
		if math.IsNaN(cell) {
			cells[i] = explore.Hidden
		}
	}
	return cells
}

func nearExact(t *testing.T, run configs.Run, got []float32, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d cells, expected %d", run.Name, len(got), len(want))
	}
	for i, exact := range want {
		if (exact == explore.Hidden) != (got[i] == explore.Hidden) || math.Abs(float64(got[i])-exact) > 2e-6+2e-5*math.Abs(exact) {
			t.Fatalf("%s: cell %d is %v, expected %v", run.Name, i, got[i], exact)
		}
	}
}

// Cells of the presets' attention are those of the float64 reference, whichever
// variant is in sight, whole and where two sequences meet.
func TestAttentionAlone(t *testing.T) {
	e := explore.New(new(program), explore.DefaultSettings())
	defer e.Close()
	computing := newLive(nil, "auto", engine.Options{})
	computing.explorer = e
	defer computing.close()
	for name, variants := range map[string][]string{
		"longformer": {"longformer"}, "dilated": {"dilated"},
		"compare": {"modernbert global", "modernbert local", "longformer", "dilated"},
	} {
		preset, err := configs.Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		directory := t.TempDir()
		path := write(t, directory, name+".toml", string(preset))
		file, err := configs.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(file.Runs) != len(variants) {
			t.Fatalf("%s has %d variants", name, len(file.Runs))
		}
		for i, run := range file.Runs {
			if run.Name != variants[i] {
				t.Errorf("variant %d of %s is %s", i, name, run.Name)
			}
			weights := exactWeights(t, run)
			meeting := run.Lengths[0]
			to := filepath.Join(directory, "a.csv")
			script := strings.Repeat("press v\nsettle\n", i)
			script += fmt.Sprintf("press ctrl+shift+e\npress ctrl+u\ntype %s\npress enter\nsettle\n", to)
			mustCall(t, "--validate", "--size", "900x700", "--head", "3", "--rect", fmt.Sprintf("%d:%d,%d:%d", meeting-20, meeting+20, meeting-30, meeting+10),
				"--play", write(t, directory, "script", script), "--snapshot", filepath.Join(directory, "a.png"), path)
			holdsCells(t, read(t, to), run, weights, 3)

			shown, err := computing.compute(t.Context(), &variant{name: run.Name, precision: engine.F32, run: &run})
			if err != nil {
				t.Fatal(err)
			}
			all := gaze.Span{End: run.Lengths.Tokens()}
			for _, r := range []explore.Request{
				{Rectangle: gaze.Rectangle{Queries: all, Keys: all}, Cell: 4},
				{Rectangle: gaze.Rectangle{Queries: all, Keys: gaze.Span{First: 64, End: all.End}}, Cell: 64, Pooling: visualize.MeanPooling},
			} {
				r.Heads = gaze.Span{End: run.Attention.Heads}
				cells, err := shown.Source.Cells(t.Context(), r)
				if err != nil {
					t.Fatal(err)
				}
				nearExact(t, run, cells, exactCells(run, weights, r))
			}
			if err := shown.Source.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// What there is comes from a file as well as from a seed; and from a
// path that stores weights.
func TestAttentionOfTensors(t *testing.T) {
	directory := t.TempDir()
	run := configs.Run{Attention: gaze.Attention{Heads: 2, HeadDim: 32}, Lengths: gaze.Lengths{40, 1, 30}, Input: configs.Input{Seed: 9}}
	in, err := new(load.Inputs).Load(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	shape := []int{2, 71, 32}
	err = checkpoint.WriteSafetensors(filepath.Join(directory, "in.safetensors"), nil, []checkpoint.Entry{
		checkpoint.Float32Entry("q", shape, in.Query), checkpoint.Float32Entry("k", shape, in.Key), checkpoint.Float32Entry("v", shape, in.Value)})
	if err != nil {
		t.Fatal(err)
	}
	path := write(t, directory, "run.toml", `[attention]
heads = 2
head_dim = 32
sequences = [40, 1, 30]
path = "explicit"
[[attention.pattern]]
kind = "all"
patterns = [{kind = "causal"}, {kind = "global_tokens", tokens = [3]}]
[input]
tensors = "in.safetensors"
`)
	file, err := configs.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(directory, "a.csv")
	mustCall(t, path, "--layer", "0", "--head", "1", "--size", "900x700", "--export", to, "--snapshot", filepath.Join(directory, "a.png"))
	holdsCells(t, read(t, to), file.Runs[0], exactWeights(t, file.Runs[0]), 1)
	for _, row := range strings.Split(read(t, to), "\n")[2:4] {
		if strings.Trim(row[strings.Index(row, ",")+2:], ",") != "" {
			t.Errorf("a query that sees nothing has %s", row)
		}
	}
}

// Nobody can type; heads have no role that needs text; rows that see nothing are no fault.
func TestAttentionHasNoText(t *testing.T) {
	directory := t.TempDir()
	path := write(t, directory, "run.toml", `[attention]
heads = 2
head_dim = 32
sequences = [40, 30]
[[attention.pattern]]
kind = "all"
patterns = [{kind = "causal"}, {kind = "global_tokens", tokens = [3]}]
[input]
seed = 1
`)
	for _, args := range [][]string{{path, "--text", "a"}, {"--file", "a", path}, {path, "--follow"}} {
		got := call(t.Context(), "", args...)
		if got.status != 2 || strings.Count(got.err, "\n") != 1 || !strings.Contains(got.err, "run.toml has no [model]: nothing reads a text, so --") {
			t.Errorf("gaze-view %q: %+v", args, got)
		}
	}
	o := &options{runFile: path, given: map[string]bool{}, precision: "auto", device: "auto"}
	v := lookAt(t, o, nil)
	v.live.run("")
	before := slices.Clone(v.well().Pix)
	for _, event := range []explore.Event{explore.Press{Key: "t"}, explore.Rune{Rune: 't'}, explore.Paste{Text: "pasted"}, explore.Drop{Paths: []string{path}}} {
		v.explorer.Handle(event)
		if _, isRune := event.(explore.Rune); !isRune && v.explorer.Message() != numbersOnly {
			t.Errorf("after %v the message is %q", event, v.explorer.Message())
		}
	}
	v.explorer.Handle(explore.Press{Key: "escape"})
	if !slices.Equal(v.well().Pix, before) {
		t.Error("it looks otherwise after an attempt to type")
	}
	run, err := v.live.compute(t.Context(), &v.variants.list[0]) // while nobody else does
	if err != nil {
		t.Fatal(err)
	}
	defer run.Source.Close()
	summaries, err := run.Source.Summary(t.Context(), 0)
	if err != nil || len(summaries) != 2 {
		t.Fatalf("%d summaries, error %v", len(summaries), err)
	}
	for _, s := range summaries {
		for _, role := range s.Roles {
			if role.Name == "copy" {
				t.Error("it says what tokens of the same id receive")
			}
		}
		for query, sum := range s.Sums {
			if math.Abs(float64(sum)-1) > 1e-5 {
				t.Errorf("row %d adds up to %v", query, sum)
			}
		}
	}
	rollout, err := run.Source.Rollout(t.Context(), 0, 50)
	if err != nil {
		t.Fatal(err)
	}
	// Causal, and the global token of the second sequence is all that most see.
	for key, share := range rollout {
		want := map[int]float64{43: 0.5, 50: 0.5}[key]
		if math.Abs(share-want) > 1e-6 {
			t.Errorf("of query 50, %v comes from token %d, expected %v", share, key, want)
		}
	}
}

package main

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/gazevk/gaze/engine/tokenizer"
	"github.com/gazevk/gaze/reference"
)

// readCSV returns the fields of a file.
func readCSV(t *testing.T, path string) [][]string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// The mean of heads is that of their maps, cell by cell, and says so.
func TestMapMean(t *testing.T) {
	directory := tinyModel(t, "ModernBertModel", map[string]any{"local_attention": 12, "max_position_embeddings": 2000})
	for text, says := range map[string]string{
		"the man and an ant":                     "layer 1, mean of 2 heads, queries",
		strings.Repeat("a cat and the dog ", 80): "layer 1, mean of the pooled cells of 2 heads, queries",
	} {
		var of [3][][]string
		for i, head := range []string{"0", "1", "mean"} {
			out := filepath.Join(t.TempDir(), "map.csv")
			said := mustCall(t, "map", "--model", directory, "--text", text, "--precision", "f32", "--layer", "1", "--head", head, "--out", out)
			if head == "mean" && !strings.Contains(said, says) {
				t.Errorf("it says %q, expected %q", said, says)
			}
			of[i] = readCSV(t, out)
		}
		shown := 0
		for row := 2; row < len(of[2]); row++ {
			for column := 2; column < len(of[2][row]); column++ {
				if of[2][row][column] == "" {
					if of[0][row][column] != "" {
						t.Fatalf("row %d, column %d is hidden", row, column)
					}
					continue
				}
				var x [3]float64
				for i := range x {
					x[i], _ = strconv.ParseFloat(of[i][row][column], 64)
				}
				if shown++; math.Abs(x[2]-(x[0]+x[1])/2) > 1e-6 {
					t.Fatalf("row %d, column %d is %v of %v and %v", row, column, x[2], x[0], x[1])
				}
			}
		}
		if shown == 0 || len(of[2]) != len(of[0]) {
			t.Errorf("%d cells in %d lines", shown, len(of[2]))
		}
	}
}

// Rollout is the reference's, by layer.
func TestMapRollout(t *testing.T) {
	directory := tinyModel(t, "ModernBertModel", map[string]any{"local_attention": 6})
	oracle := newOracle(t, directory)
	text := "the man and an ant"
	e := oracle.encode(t, text, tokenizer.Options{})
	forward := oracle.Forward([][]uint32{e.IDs})
	folder := t.TempDir()
	for _, toLayer := range []int{0, 1} {
		var weights [][]float64
		for layer := range toLayer + 1 {
			weights = append(weights, oracle.Weights(forward, layer))
		}
		want := reference.Rollout(weights, 3, 2, len(e.IDs))
		out := filepath.Join(folder, "rollout.csv")
		said := mustCall(t, "map", "--model", directory, "--text", text, "--precision", "f32", "--layer", strconv.Itoa(toLayer), "--rollout", "3", "--out", out)
		if !strings.Contains(said, "attention rollout of token 3 (") {
			t.Errorf("it says %q", said)
		}
		lines := readCSV(t, out)
		if len(lines) != toLayer+3 || len(lines[0]) != len(e.IDs)+1 || lines[0][1] != "0" || lines[1][1] != "[CLS]" || lines[2][0] != "0" {
			t.Fatalf("%d lines, the first %q", len(lines), lines[0])
		}
		for layer := range want {
			for token, share := range want[layer] {
				if got, err := strconv.ParseFloat(lines[layer+2][token+1], 64); err != nil || math.Abs(got-share) > 1e-5 {
					t.Fatalf("layer %d, token %d is %v, expected %v", layer, token, got, share)
				}
			}
		}
	}
	out := filepath.Join(folder, "rollout.npy")
	mustCall(t, "map", "--model", directory, "--text", text, "--layer", "1", "--rollout", "0", "--out", out)
	if data, err := os.ReadFile(out); err != nil || len(data) != 128+4*2*len(e.IDs) {
		t.Errorf("%d bytes, error %v", len(data), err)
	}
	out = filepath.Join(folder, "rollout.svg")
	mustCall(t, "map", "--model", directory, "--text", text, "--layer", "1", "--rollout", "3", "--out", out)
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for want, times := range map[string]int{">[CLS]<": 2, ">as it enters layer 0: the text<": 1, ">layer 1<": 1, "attention rollout of token 3 (": 1} {
		if got := strings.Count(string(data), want); got != times {
			t.Errorf("the picture has %q %d times, expected %d", want, got, times)
		}
	}
	got := call(t.Context(), "", "map", "--model", directory, "--text", text, "--rollout", "99", "--out", out)
	if want := "--rollout is 99: the text has tokens 0 to " + strconv.Itoa(len(e.IDs)-1); got.status == statusOK || !strings.Contains(got.err, want) {
		t.Errorf("%+v, expected %q", got, want)
	}
}

// No flag is ignored: what has no meaning beside the others is wrong usage.
func TestMapFlagsThatExcludeEachOther(t *testing.T) {
	for arguments, want := range map[string]string{
		"--grid --layer 0":                       "--grid excludes --layer: ",
		"--grid --head mean":                     "--grid excludes --head: ",
		"--grid --layer 1 --head 0 --rect 0:1,:": "--grid excludes --head, --layer, --rect: ",
		"--grid --range 0.1:1":                   "--grid excludes --range: ",
		"--grid --size 300":                      "--grid excludes --size: ",
		"--grid --rollout 0":                     "--grid excludes --rollout: ",
		"--rollout 0 --head 0":                   "--rollout excludes --head: ",
		"--rollout 0 --measure lift --pool mean": "--rollout excludes --measure, --pool: ",
		"--rollout 0 --rect :,:":                 "--rollout excludes --rect: ",
		"--rect=":                                "--rect is empty: expected Q0:Q1,K0:K1",
		"--sort layer":                           "--sort is of the heads of --grid, which is missing",
		"--rollout 0 --sort entropy":             "--sort is of the heads of --grid, which is missing",
		"--out x.csv --colors magma":             "--out x.csv excludes --colors: ",
		"--out x.npy --density 2 --size 99":      "--out x.npy excludes --density, --size: ",
		"--out x.npy --scale log":                "--out x.npy excludes --scale: ",
		"--rollout 0 --out x.csv --range 0.1:1":  "--out x.csv excludes --range: ",
	} {
		got := call(t.Context(), "", append(strings.Fields("map --model none --text a"), strings.Fields(arguments)...)...)
		if got.status != statusUsage || !strings.HasPrefix(got.err, "gaze map: "+want) || strings.Count(got.err, "\n") != 1 {
			t.Errorf("%s: status %d, %q, expected %q", arguments, got.status, got.err, want)
		}
	}
}

package main

import (
	"encoding/binary"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/reference"
)

// checkWeights compares weights, [2, n, n], and holds their sums to 1.
func checkWeights(t *testing.T, path, name string, want []float64, offsets []int) {
	t.Helper()
	got, n := readFloats(t, path, name), offsets[len(offsets)-1]
	near(t, name, got, want, tolerance) // 0 where 0 is expected
	for row := range 2 * n {
		sum := float32(0)
		for _, w := range got[row*n:][:n] {
			sum += w
		}
		agree(t, fmt.Sprintf("the sum of row %d of %s", row, name), sum, 1)
	}
}

func checkPicture(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if img, err := png.Decode(f); err != nil || img.Bounds().Dx() < 200 {
		t.Errorf("%s: %v", path, err)
	}
}

// checkTensors checks the names, shapes and offsets of a file.
func checkTensors(t *testing.T, path string, names []string, offsets []int) {
	t.Helper()
	f, err := checkpoint.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	slices.Sort(names)
	if !slices.Equal(f.Names(), names) {
		t.Errorf("%s has %v, expected %v", path, f.Names(), names)
	}
	n := offsets[len(offsets)-1]
	for _, name := range names {
		shape := []int{n, 64}
		switch {
		case name == "logits":
			shape = []int{n, 268}
		case name == "offsets":
			shape = []int{len(offsets)}
		case strings.HasPrefix(name, "attentions"):
			shape = []int{2, n, n}
		}
		if tensor, _ := f.Tensor(name); !slices.Equal(tensor.Shape, shape) {
			t.Errorf("%s of %s is %v, expected %v", name, path, tensor.Shape, shape)
		}
	}
	tensor, _ := f.Tensor("offsets")
	for i, want := range offsets {
		if got := binary.LittleEndian.Uint64(tensor.Bytes()[8*i:]); tensor.DType != checkpoint.I64 || got != uint64(want) {
			t.Errorf("offset %d is %d in %s, expected %d", i, got, tensor.DType, want)
		}
	}
}

func checkModelReport(t *testing.T, r modelReport, n int, attentions []int) {
	t.Helper()
	if r.Tokens != n || r.Request.Sequences.Tokens() != n || r.Request.Model != "model" || r.Request.Architecture != "ModernBertForMaskedLM" || !slices.Equal(r.Request.Attentions, attentions) {
		t.Errorf("%d tokens, request %+v", r.Tokens, r.Request)
	}
	if r.TokensPerSecond <= 0 || r.DeviceBytes <= 0 || r.Submits < 3 || r.Milliseconds.Output <= 0 || r.Milliseconds.Weights <= 0 || r.Milliseconds.Host <= 0 {
		t.Errorf("report %+v", r)
	}
	layers, weights := 0, 0
	for _, a := range r.Attention {
		layers += len(a.Layers)
		if a.Tiles.All != a.Tiles.Whole+a.Tiles.Partial+a.Tiles.Skipped || a.VisiblePairs < int64(n) {
			t.Errorf("attention %+v", a)
		}
	}
	for _, k := range r.Kernels {
		if strings.HasPrefix(k.Kernel, "weights_") {
			weights += k.Dispatches
		}
	}
	if layers != 4 || weights != len(attentions) {
		t.Errorf("%s: attention of %d layers, %d dispatches for weights", r.Run, layers, weights)
	}
}

// checkModelDistances computes the distances of variants from the files.
func checkModelDistances(t *testing.T, directory string, runs []modelReport, predictions [][]int) {
	t.Helper()
	file := func(suffix string) string { return filepath.Join(directory, "new", "out"+suffix+".safetensors") }
	if runs[0].Distance != nil {
		t.Errorf("the base is %+v from itself", runs[0].Distance)
	}
	for i, c := range []struct {
		suffix string
		layers []int // of which weights are compared
	}{{"-narrow", []int{3, 1}}, {"-other", []int{1}}} {
		d := runs[i+1].Distance
		if d == nil || d.Predictions == nil || d.Weights == nil || len(d.Weights.Layers) != len(c.layers) {
			t.Fatalf("%s: distance %+v", c.suffix, d)
		}
		if want := outputDistanceOf(readFloats(t, file(""), "last_hidden_state"), readFloats(t, file(c.suffix), "last_hidden_state")); d.Output != want || want.Cosine > 0.999 {
			t.Errorf("%s: output %+v, expected %+v", c.suffix, d.Output, want)
		}
		changed := 0
		for row, p := range predictions[0] {
			if p != predictions[i+1][row] {
				changed++
			}
		}
		if *d.Predictions != (predictionDistance{changed, len(predictions[0])}) || changed == 0 {
			t.Errorf("%s: predictions %+v, expected %d changed of %d", c.suffix, *d.Predictions, changed, len(predictions[0]))
		}
		largest, mean := 0.0, 0.0
		for k, layer := range c.layers {
			name := fmt.Sprintf("attentions.%d", layer)
			a, b := reference.Widen(readFloats(t, file(""), name)), reference.Widen(readFloats(t, file(c.suffix), name))
			sum, most := 0.0, 0.0
			for j := range a {
				sum, most = sum+max(a[j]-b[j], b[j]-a[j]), max(most, a[j]-b[j], b[j]-a[j])
			}
			rows := float64(2 * len(predictions[0]))
			l := d.Weights.Layers[k]
			agree(t, c.suffix+name, l.TotalVariation, sum/2/rows)
			if l.Layer != layer || l.Largest != most || l.TotalVariation < 1e-4 {
				t.Errorf("%s: %s is %+v, expected %v at most", c.suffix, name, l, most)
			}
			largest, mean = max(largest, most), mean+l.TotalVariation/float64(len(c.layers))
		}
		agree(t, c.suffix+", all weights", d.Weights.TotalVariation, mean)
		if d.Weights.Largest != largest {
			t.Errorf("%s: weights differ by %v, expected %v", c.suffix, d.Weights.Largest, largest)
		}
	}
}

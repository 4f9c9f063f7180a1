package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/configs"
	"github.com/gazevk/gaze/visualize"
)

// A store gives back what it was given, from memory and from a file, as often
// as one asks, and leaves no file.
func TestWeightStore(t *testing.T) {
	directory := t.TempDir()
	t.Setenv("TMPDIR", directory)
	s := shape{heads: 2, n: 3, headDim: 32}
	for _, limit := range []int64{weightMemory, 4*2*3*3 - 1} {
		store := newWeightStore(s, limit)
		var want []byte
		for row := range s.heads * s.n {
			weights := []float32{float32(row), 0.5, -1}
			want = appendFloats(want, weights)
			if err := store.add(row/s.n, row%s.n, weights); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			r, err := store.reader()
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(r); err != nil || !slices.Equal(got, want) {
				t.Errorf("limit %d: %v, %v", limit, got, err)
			}
		}
		files, err := os.ReadDir(directory)
		if err != nil || (len(files) == 1) != (limit < weightMemory) {
			t.Errorf("limit %d: %v, %v", limit, files, err)
		}
		store.close()
		if files, err := os.ReadDir(directory); err != nil || len(files) != 0 {
			t.Errorf("limit %d: %v is left, %v", limit, files, err)
		}
	}
}

// A directory for temporary files that is not there is an error, no panic.
func TestWeightStoreWithoutDirectory(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "none"))
	err := newWeightStore(shape{1, 1, 32}, 0).add(0, 0, []float32{1})
	if err == nil || !strings.HasPrefix(err.Error(), "cannot keep 4 B of weights: ") {
		t.Error(err)
	}
}

func TestWeightRowsInOrder(t *testing.T) {
	sum := float32(0)
	rows := &weightRows{heads: 1, n: 2, sinks: []func(int, int, []float32) error{func(_, _ int, w []float32) error {
		sum += w[0]
		return nil
	}}}
	if err := rows.add(0, 0, []float32{1, 0}); err != nil {
		t.Fatal(err)
	}
	if rows.complete(true) == nil || rows.complete(false) != nil {
		t.Error("half the rows are complete, or none are not")
	}
	if rows.add(0, 0, []float32{1, 0}) == nil || rows.add(1, 0, []float32{1, 0}) == nil || rows.add(0, 1, []float32{1}) == nil {
		t.Error("rows out of order are accepted")
	}
	if err := rows.add(0, 1, []float32{2, 0}); err != nil || rows.complete(true) != nil || sum != 3 {
		t.Error(err, sum)
	}
}

// The keys of a walk are those that the pattern shows, sequence by sequence.
func TestVisibleKeys(t *testing.T) {
	lengths := gaze.Lengths{3, 1, 7}
	for _, p := range []gaze.Pattern{gaze.Full{}, gaze.SlidingWindow{Left: 1, Right: 2}, gaze.GlobalTokens{Tokens: []int{2}}} {
		keys := visibleKeys{pattern: p, lengths: lengths}
		m := gaze.NewBlockMap(p, lengths, 16)
		for query := range lengths.Tokens() {
			sees := make([]bool, lengths.Tokens())
			for _, s := range keys.next() {
				for key := s.First; key < s.End; key++ {
					sees[key] = true
				}
			}
			for key := range sees {
				if sees[key] != m.Sees(query, key) {
					t.Errorf("%v: query %d sees key %d: %v", p, query, key, sees[key])
				}
			}
		}
	}
}

// A picture shows the weights that the run stores.
func TestPictureShowsWeights(t *testing.T) {
	directory := t.TempDir()
	file, err := configs.Parse(filepath.Join(directory, "run.toml"), []byte(`
		[attention]
		heads = 2
		head_dim = 32
		sequences = [20, 30]
		pattern = [{kind = "causal"}]
		[output]
		tensors = "out.safetensors"
		weights = true
		heatmap = "{head}.png"`))
	if err != nil {
		t.Fatal(err)
	}
	drawn := map[int]*visualize.Map{}
	s := &suite{streams: streams{err: io.Discard}, picture: func(_ *outcome, head int, p visualize.Picture) { drawn[head] = p.Map }}
	if _, err := s.run(t.Context(), file.Runs); err != nil {
		t.Fatal(err)
	}
	weights := readFloats(t, filepath.Join(directory, "out.safetensors"), "weights")
	const n = 50
	for head := range 2 {
		for query := range n {
			for key := range n {
				value, visible := drawn[head].At(query, key)
				if w := weights[(head*n+query)*n+key]; value != float64(w) || visible != (key <= query && (query < 20) == (key < 20)) {
					t.Fatalf("head %d, query %d, key %d shows %v (visible: %v), the weight is %v", head, query, key, value, visible, w)
				}
			}
		}
	}
}

func TestOutputDistance(t *testing.T) {
	for _, c := range []struct {
		a, b []float32
		want outputDistance
	}{
		{[]float32{1, 0}, []float32{2, 0}, outputDistance{1, 1}},
		{[]float32{1, 0}, []float32{0, 1}, outputDistance{0, 1}},
		{[]float32{0, 0}, []float32{0, 0}, outputDistance{1, 0}},
		{[]float32{0, 0}, []float32{0, 3}, outputDistance{0, 3}},
		{[]float32{3}, []float32{-1}, outputDistance{-1, 4}},
	} {
		if got := outputDistanceOf(c.a, c.b); got != c.want {
			t.Errorf("%v and %v: %+v, expected %+v", c.a, c.b, got, c.want)
		}
	}
}

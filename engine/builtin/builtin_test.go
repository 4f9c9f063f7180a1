package builtin_test

import (
	"context"
	"encoding/json"
	"io/fs"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/builtin"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/modernbert"
	"github.com/gazevk/gaze/engine/tokenizer"
)

// goldens is what training/goldens.py writes: what transformers makes of the model.
type goldens struct {
	Texts []struct {
		Text      string
		IDs       []uint32
		Hidden    [][]float64 // the first elements of each token
		Embedding []float64
		Weights   [][]float64 // of the last query of head 1, in layers 0 and 1
	}
	Heldout []struct {
		IDs             []uint32
		Rows            []int // that are masked
		Tokens, Guesses []uint32
	}
}

func readGoldens(t *testing.T) goldens {
	t.Helper()
	data, err := os.ReadFile("testdata/goldens.json")
	if err != nil {
		t.Fatal(err)
	}
	var g goldens
	if err := json.Unmarshal(data, &g); err != nil || len(g.Texts) == 0 || len(g.Heldout) == 0 {
		t.Fatalf("testdata/goldens.json has %d texts and %d passages, error %v", len(g.Texts), len(g.Heldout), err)
	}
	return g
}

// load opens the model, on the device in that precision.
func load(t *testing.T, precision engine.Precision) *modernbert.Model {
	t.Helper()
	c, err := checkpoint.OpenModel(builtin.Name)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	e, err := engine.Open("auto", engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	m, err := modernbert.Load(context.Background(), e, c, precision)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// The model is what its card says: ModernBERT's own pattern, and small.
func TestModel(t *testing.T) {
	c, err := checkpoint.OpenModel(builtin.Name)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if c.Head != checkpoint.MaskedLM || c.Config.Layers != 7 || c.Config.Window != 64 || len(c.Ignored) > 0 {
		t.Errorf("%v of %d layers, window %d, ignored %v", c.Head, c.Config.Layers, c.Config.Window, c.Ignored)
	}
	for layer, kind := range c.Config.LayerAttention {
		if (kind == checkpoint.GlobalAttention) != (layer%3 == 0) {
			t.Errorf("layer %d is %v", layer, kind)
		}
	}
	size := int64(0)
	err = fs.WalkDir(builtin.Files(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		size += info.Size()
		return err
	})
	if err != nil || size > 12_000_000 {
		t.Errorf("it has %d bytes, error %v", size, err)
	}
}

func TestTokensLikeTransformers(t *testing.T) {
	tokens, err := tokenizer.LoadFS(builtin.Name, builtin.Files())
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range readGoldens(t).Texts {
		e, err := tokens.Encode(text.Text, tokenizer.Options{})
		if err != nil || !slices.Equal(e.IDs, text.IDs) {
			t.Errorf("%q: %v, expected %v, error %v", text.Text, e.IDs, text.IDs, err)
		}
	}
}

func TestLikeTransformers(t *testing.T) {
	g := readGoldens(t)
	for precision, tolerance := range map[engine.Precision]float64{engine.F32: 1e-4, engine.F16: 2e-2} {
		m := load(t, precision)
		for _, text := range g.Texts {
			n, d := len(text.IDs), m.Config.HiddenSize
			out, err := m.Forward(context.Background(), [][]uint32{text.IDs}, modernbert.Want{
				Hidden: true, Pool: []engine.PoolMode{engine.PoolMean}, Capture: []int{0, 1}}, modernbert.Watch{})
			if err != nil {
				t.Fatal(err)
			}
			near := func(what string, got []float32, want []float64, tolerance float64) {
				t.Helper()
				for i, w := range want {
					if !(math.Abs(float64(got[i])-w) <= tolerance) {
						t.Fatalf("%s, %d tokens, %s: element %d is %v, expected %v", precision, n, what, i, got[i], w)
					}
				}
			}
			for row, want := range text.Hidden {
				near("hidden state", out.Hidden[row*d:], want, tolerance)
			}
			length := 0.0
			for _, x := range out.Pooled {
				length += float64(x) * float64(x)
			}
			for i := range out.Pooled {
				out.Pooled[i] /= float32(math.Sqrt(length))
			}
			near("embedding", out.Pooled, text.Embedding, tolerance/4)
			for layer, want := range text.Weights {
				_, err := out.Capture.Weights(context.Background(), layer, engine.Watch{Weights: func(head, query int, w []float32) error {
					if head == 1 && query == n-1 {
						near("attention weights", w, want, tolerance/4)
					}
					return nil
				}})
				if err != nil {
					t.Fatal(err)
				}
			}
			out.Capture.Close()
		}
	}
}

// It guesses masked tokens of text that it has never seen as transformers does,
// more than a third of them rightly, and far more than by always naming the commonest.
func TestGuessesMaskedTokens(t *testing.T) {
	m := load(t, engine.F16)
	var batch [][]uint32
	var rows []int
	var tokens, guesses []uint32
	for _, passage := range readGoldens(t).Heldout {
		for _, row := range passage.Rows {
			rows = append(rows, len(batch)*len(passage.IDs)+row)
		}
		batch = append(batch, passage.IDs)
		tokens, guesses = append(tokens, passage.Tokens...), append(guesses, passage.Guesses...)
	}
	out, err := m.Forward(context.Background(), batch, modernbert.Want{Logits: true, Rows: rows}, modernbert.Watch{})
	if err != nil {
		t.Fatal(err)
	}
	right, alike := 0, 0
	counts := map[uint32]int{}
	for i := range rows {
		logits := out.Logits[i*out.LogitColumns:][:out.LogitColumns]
		best := uint32(slices.Index(logits, slices.Max(logits)))
		counts[tokens[i]]++
		if best == tokens[i] {
			right++
		}
		if best == guesses[i] {
			alike++
		}
	}
	commonest := 0
	for _, count := range counts {
		commonest = max(commonest, count)
	}
	t.Logf("%d of %d right, %d as transformers guesses; the commonest token alone: %d", right, len(rows), alike, commonest)
	if float64(right) < 0.35*float64(len(rows)) || right < 4*commonest {
		t.Errorf("%d of %d masked tokens are right, the commonest occurs %d times", right, len(rows), commonest)
	}
	if float64(alike) < 0.99*float64(len(rows)) {
		t.Errorf("%d of %d guesses are those of transformers", alike, len(rows))
	}
}

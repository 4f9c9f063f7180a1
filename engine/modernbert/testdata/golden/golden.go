// Package golden holds what transformers computes for small random checkpoints,
// for the tests of everything that must compute the same. cases.json says what
// they are, ../make_goldens.py makes outputs.safetensors.
package golden

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine/checkpoint"
)

//go:embed cases.json
var casesJSON []byte

//go:embed outputs.safetensors
var outputs []byte

// A Case is a checkpoint and the batch that it is run on.
type Case struct {
	Name        string
	Config      map[string]any // added to the base
	DType       checkpoint.DType
	OtherPrefix bool `json:"other_prefix"`
	Seed        uint64
	Lengths     gaze.Lengths
	States      bool // hidden states and attention weights are stored too
	// Patterns are what layers of a type see in place of their own: a window or
	// multiples of a dilation, and tokens that see all and are seen by all.
	Patterns map[string]struct {
		Left, Right, Reach, Dilation int
		Tokens                       []int
	}

	base map[string]any
}

// Cases returns all cases.
func Cases() []Case {
	var all struct {
		Base  map[string]any
		Cases []Case
	}
	if err := json.Unmarshal(casesJSON, &all); err != nil {
		panic(err)
	}
	for i := range all.Cases {
		all.Cases[i].base = all.Base
	}
	return all.Cases
}

// Attention returns what each layer computes.
func (c Case) Attention(config checkpoint.Config) []gaze.Attention {
	attention := config.Attentions()
	for layer, kind := range config.LayerAttention {
		p, replaced := c.Patterns[map[checkpoint.LayerKind]string{checkpoint.GlobalAttention: "full_attention", checkpoint.LocalAttention: "sliding_attention"}[kind]]
		switch {
		case !replaced:
		case p.Dilation > 0:
			attention[layer].Pattern = gaze.DilatedWindow{Reach: p.Reach, Dilation: p.Dilation}
		default:
			attention[layer].Pattern = gaze.Any{gaze.SlidingWindow{Left: p.Left, Right: p.Right}, gaze.GlobalTokens{Tokens: p.Tokens}}
		}
	}
	return attention
}

// Write makes directory the case's checkpoint.
func (c Case) Write(directory string) error {
	config := maps.Clone(c.base)
	maps.Copy(config, c.Config)
	text, err := json.Marshal(config)
	if err != nil {
		return err
	}
	return checkpoint.WriteRandom(directory, text, checkpoint.RandomOptions{Seed: c.Seed, DType: c.DType, OtherPrefix: c.OtherPrefix})
}

// Open writes the case's checkpoint and opens it for the time of a test.
func (c Case) Open(t testing.TB) *checkpoint.Model {
	t.Helper()
	directory := t.TempDir()
	if err := c.Write(directory); err != nil {
		t.Fatal(err)
	}
	m, err := checkpoint.OpenModel(directory)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// Batch returns random token ids below vocab, of sequences of these lengths.
func Batch(lengths gaze.Lengths, vocab int) [][]uint32 {
	batch := make([][]uint32, len(lengths))
	for i, length := range lengths {
		x := uint32(i + 1)
		for range length {
			x = 1664525*x + 1013904223 // Numerical Recipes, section 7.1
			batch[i] = append(batch[i], x>>8%uint32(vocab))
		}
	}
	return batch
}

// Sampled returns the rows of a sequence that outputs are stored of.
func Sampled(length int) []int {
	var rows []int
	for _, row := range []int{0, length / 3, length / 2, length - 1} {
		if len(rows) == 0 || row > rows[len(rows)-1] {
			rows = append(rows, row)
		}
	}
	return rows
}

// Rows returns the packed rows that outputs are stored of.
func Rows(lengths gaze.Lengths) []int {
	var rows []int
	offset := 0
	for _, length := range lengths {
		for _, row := range Sampled(length) {
			rows = append(rows, offset+row)
		}
		offset += length
	}
	return rows
}

// Pick returns rows of x, [rows, width].
func Pick[T float32 | float64](x []T, rows []int, width int) []T {
	var picked []T
	for _, row := range rows {
		picked = append(picked, x[row*width:(row+1)*width]...)
	}
	return picked
}

// SampledWeights returns, for each sequence, the rows of weights, [heads, n, n],
// that are stored, without the keys of other sequences.
func SampledWeights[T float32 | float64](weights []T, lengths gaze.Lengths, heads int) []T {
	n, offset := lengths.Tokens(), 0
	var sampled []T
	for _, length := range lengths {
		for h := range heads {
			for _, row := range Sampled(length) {
				sampled = append(sampled, weights[(h*n+offset+row)*n+offset:][:length]...)
			}
		}
		offset += length
	}
	return sampled
}

// Output returns one of the case's stored outputs.
func (c Case) Output(t testing.TB, name string) []float32 {
	t.Helper()
	file, err := open(t)
	if err != nil {
		t.Fatal(err)
	}
	tensor, ok := file.Tensor(c.Name + ": " + name)
	if !ok {
		t.Fatalf("no output %s of %s: run make_goldens.py", name, c.Name)
	}
	x, err := tensor.Float32()
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func open(t testing.TB) (*checkpoint.File, error) {
	path := filepath.Join(t.TempDir(), "outputs.safetensors")
	if err := os.WriteFile(path, outputs, 0o666); err != nil {
		return nil, err
	}
	file, err := checkpoint.Open(path)
	if err == nil {
		t.Cleanup(func() { file.Close() })
	}
	return file, err
}

// Names returns the names of all stored outputs.
func Names(t testing.TB) []string {
	file, err := open(t)
	if err != nil {
		t.Fatal(err)
	}
	return file.Names()
}

// Difference returns the largest absolute difference of two outputs; NaN counts
// as infinite.
func Difference[A, B float32 | float64](got []A, want []B) (float64, error) {
	if len(got) != len(want) || len(want) == 0 {
		return math.Inf(1), fmt.Errorf("%d elements, expected %d", len(got), len(want))
	}
	largest := 0.0
	for i := range want {
		d := math.Abs(float64(got[i]) - float64(want[i]))
		if math.IsNaN(d) {
			d = math.Inf(1)
		}
		largest = max(largest, d)
	}
	return largest, nil
}

// Cosine returns the cosine of the angle between two outputs.
func Cosine[A, B float32 | float64](got []A, want []B) float64 {
	var dot, a, b float64
	for i := range want {
		x, y := float64(got[i]), float64(want[i])
		dot, a, b = dot+x*y, a+x*x, b+y*y
	}
	return dot / math.Sqrt(a*b)
}

package load

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/configs"
)

// The numbers of a seed never change: whoever quotes a result can repeat it.
func TestSeedIsForever(t *testing.T) {
	in, err := seededInput(t.Context(), 1, gaze.Attention{Heads: 2, HeadDim: 32}, gaze.Lengths{30, 20})
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, x := range [][]float32{in.Query, in.Key, in.Value} {
		last := len(x) - 1
		text += fmt.Sprintf("%v %v %v\n", x[0], x[20*32], x[last])
	}
	want, err := os.ReadFile(filepath.Join("testdata", "seed.txt"))
	if err != nil || text != string(want) {
		t.Errorf("error %v, the numbers are\n%s\nexpected:\n%s", err, text, want)
	}
}

// Heads and sequences do not depend on how many others there are.
func TestSeedByHeadAndSequence(t *testing.T) {
	const headDim = 32
	many, err := seededInput(t.Context(), 7, gaze.Attention{Heads: 3, HeadDim: headDim}, gaze.Lengths{9, 40})
	if err != nil {
		t.Fatal(err)
	}
	few, err := seededInput(t.Context(), 7, gaze.Attention{Heads: 2, HeadDim: headDim}, gaze.Lengths{9})
	if err != nil {
		t.Fatal(err)
	}
	other, err := seededInput(t.Context(), 8, gaze.Attention{Heads: 2, HeadDim: headDim}, gaze.Lengths{9})
	if err != nil {
		t.Fatal(err)
	}
	for head := range 2 {
		want := few.Query[head*9*headDim : (head+1)*9*headDim]
		if !slices.Equal(many.Query[head*49*headDim:][:9*headDim], want) {
			t.Errorf("head %d depends on the number of heads or sequences", head)
		}
		if slices.Equal(other.Query[head*9*headDim:][:9*headDim], want) {
			t.Errorf("head %d is the same for another seed", head)
		}
	}
}

// Elements are standard normal, and queries and keys of a token resemble each other.
func TestSeedStatistics(t *testing.T) {
	in, err := seededInput(t.Context(), 3, gaze.Attention{Heads: 16, HeadDim: 64}, slices.Repeat(gaze.Lengths{200}, 10))
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string][]float32{"q": in.Query, "k": in.Key, "v": in.Value} {
		var sum, squares, beyond float64
		for _, v := range x {
			sum += float64(v)
			squares += float64(v) * float64(v)
			if math.Abs(float64(v)) > 2 {
				beyond++
			}
		}
		n := float64(len(x))
		// Topics are few, so that means and variances spread by about 1%.
		if mean, variance := sum/n, squares/n; math.Abs(mean) > 0.03 || math.Abs(variance-1) > 0.05 || math.Abs(beyond/n-0.0455) > 0.006 {
			t.Errorf("%s: mean %v, variance %v, %v beyond 2", name, mean, variance, beyond/n)
		}
	}
	product := 0.0
	for i := range in.Query {
		product += float64(in.Query[i]) * float64(in.Key[i])
	}
	if correlation := product / float64(len(in.Query)); math.Abs(correlation-common) > 0.03 {
		t.Errorf("query and key correlate by %v, expected %v", correlation, common)
	}
}

// Runs that share an input share the memory, and those that do not, do not.
func TestInputsAreShared(t *testing.T) {
	run := configs.Run{Attention: gaze.Attention{Heads: 1, HeadDim: 32}, Lengths: gaze.Lengths{4, 3}, Input: configs.Input{Seed: 1}}
	var c Inputs
	load := func() *float32 {
		in, err := c.Load(t.Context(), run)
		if err != nil {
			t.Fatal(err)
		}
		return &in.Query[0]
	}
	first := load()
	if load() != first {
		t.Error("the same input is made twice")
	}
	run.Lengths = gaze.Lengths{3, 4}
	second := load()
	run.Input.Seed = 2
	if third := load(); second == first || third == second {
		t.Error("another input is the same")
	}
}

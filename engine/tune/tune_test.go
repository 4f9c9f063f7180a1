package tune

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/shaders"
)

var (
	gpu    = engine.Traits{Device: "a GPU", Tier: engine.Tiled, Subgroup: 32, Invocations: 1024, SharedMemory: 48 << 10, Units: engine.MatrixUnits{M: 16, N: 16, K: 16, Subgroup: 32}}
	units2 = engine.MatrixUnits{M: 16, N: 16, K: 16, Subgroup: 32, Reductions: true}
	gpu2   = engine.Traits{Device: "a GPU with reductions", Tier: engine.Tiled, Subgroup: 32, Invocations: 1024, SharedMemory: 48 << 10, Units: units2}
	cpu    = engine.Traits{Device: "a CPU", Tier: engine.Lanes, Subgroup: 8, CPU: true, Invocations: 1024, SharedMemory: 32 << 10}
	texels = engine.Traits{Device: "a CPU with texels", Tier: engine.Texels, Texels: true, Subgroup: 8, CPU: true, Invocations: 1024, SharedMemory: 32 << 10}
)

// The default comes first, every shape once, those of a device's own tier before
// others; matrix units only where they can, unrolled loops only on GPUs.
func TestCandidates(t *testing.T) {
	for _, c := range []struct {
		device            engine.Traits
		precision         engine.Precision
		rows              int
		products, matrix  int
		attentions, units int
	}{
		{gpu, engine.F32, 512, 18 + 4, 0, 3, 0},
		{gpu, engine.F16, 512, 18 + 4 + 4, 4, 5, 2},
		{gpu2, engine.F16, 512, 18 + 4 + 4, 4, 7, 4},
		{cpu, engine.F16, 16, 2 + 9, 0, 4, 0},
		{texels, engine.F32, 512, 2 + 2 + 9, 0, 6, 0},
		{engine.AnyDevice, engine.F32, 512, 14, 0, 2, 0},
	} {
		m := engine.MatMul{Rows: c.rows, Columns: 768, Depth: 768, Precision: c.precision}
		tuned := c.device // what is tuned already changes nothing
		tuned.Tuning.MatMul = []engine.MatMulChoice{{Shape: tuned.MatMulShapes()[1]}}
		tuned.Tuning.Attention = []engine.AttentionChoice{{Shape: tuned.AttentionShapes(64)[0]}}
		for suite, shapes := range map[string][]Shape{"matmul": products(tuned, c.rows, c.precision), "attention": attentions(tuned, 64, c.precision)} {
			wantCount, wantUnits := c.products, c.matrix
			if suite == "attention" {
				wantCount, wantUnits = c.attentions, c.units
			}
			seen, units, others := map[string]bool{}, 0, false
			for i, s := range shapes {
				text := string(s.Tier()) + " " + s.String()
				if seen[text] {
					t.Errorf("%s: %s twice", c.device.Device, text)
				}
				seen[text] = true
				if s.Tier() == engine.Matrix {
					units++
				}
				if others = others || s.Tier() != c.device.Tier; others && s.Tier() == c.device.Tier {
					t.Errorf("%s: %s comes after other tiers", c.device.Device, text)
				}
				if c.device.CPU && s.MatMul != nil && s.MatMul.Unroll > 1 {
					t.Errorf("%s: %s is unrolled", c.device.Device, text)
				}
				isRule := s.MatMul != nil && *s.MatMul == c.device.MatMulShape(m) || s.Attention != nil && *s.Attention == c.device.AttentionShape(engine.FusedAttention{Precision: c.precision, HeadDim: 64})
				if isRule != (i == 0) {
					t.Errorf("%s: %s is candidate %d, and the rule's: %v", c.device.Device, text, i, isRule)
				}
			}
			if len(shapes) != wantCount || units != wantUnits {
				t.Errorf("%s, %s %s: %d candidates, %d of matrix units, expected %d and %d", c.device.Device, suite, c.precision, len(shapes), units, wantCount, wantUnits)
			}
		}
	}
}

// A CPU takes as much longer as there are more tiles, parts of tiles among them.
func TestForetell(t *testing.T) {
	shape := Shape{MatMul: &engine.MatMulShape{Tier: engine.Tiled, Rows: 64}}
	left := Shape{MatMul: &engine.MatMulShape{Tier: engine.Tiled, Rows: 128}}
	c := &Class{measured: 16, Candidates: []*Candidate{{Shape: shape}, {Shape: left, LeftOut: true}}}
	c.Candidates[0].Seconds.Median = 2
	for rows, want := range map[int]float64{16: 2, 64: 2, 65: 4, 512: 16} {
		if got := c.foretell(rows)(shape); got != want {
			t.Errorf("%d rows: %v s, expected %v", rows, got, want)
		}
	}
	if got := c.foretell(64)(left); !math.IsInf(got, 1) {
		t.Errorf("one that was left out: %v s", got)
	}
	if got := c.foretell(64)(Shape{MatMul: &engine.MatMulShape{Rows: 7}}); got != 0 {
		t.Errorf("an unknown one: %v s", got)
	}
}

func open(t *testing.T, o engine.Options) *engine.Engine {
	t.Helper()
	e, err := engine.Open("auto", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// A tuning on a device: every class has its candidates' times and a winner that
// the default does not beat, and the verdict says what was chosen.
func TestRun(t *testing.T) {
	e := open(t, engine.Options{})
	told := 0.0
	r, err := Run(context.Background(), e, Options{Precisions: []engine.Precision{engine.F32}, Rows: []int{8, 24}, Time: time.Millisecond,
		Progress: func(what string, done float64) {
			if done < told || done > 1 {
				t.Errorf("progress of %q went from %v to %v", what, told, done)
			}
			told = done
		}})
	if err != nil {
		t.Fatal(err)
	}
	if told != 1 {
		t.Errorf("progress ended at %v", told)
	}
	// No time at all: the fewest rows alone are measured.
	if len(r.Omitted) != 1 || !strings.HasPrefix(r.Omitted[0], "matmul f32, 24 rows: about ") {
		t.Errorf("left out: %q", r.Omitted)
	}
	if len(r.Classes) != 3 || len(r.Tuning.MatMul) != 2 || len(r.Tuning.Attention) != 1 {
		t.Fatalf("%d classes, tuning %+v", len(r.Classes), r.Tuning)
	}
	for i, c := range r.Classes {
		if len(c.Cases) != 2 || c.Precision != engine.F32 || len(c.Candidates) < 2 {
			t.Errorf("%+v", c)
		}
		for j, candidate := range c.Candidates {
			if candidate.Fault != "" || candidate.LeftOut || !(candidate.Seconds.Median > 0) || !(candidate.GFLOPS > 0) {
				t.Errorf("class %d: %s %s: %+v", i, candidate.Tier(), candidate, *candidate)
			}
			if want := c.Candidates[0].Seconds.Median / candidate.Seconds.Median; c.Gain(j) != want {
				t.Errorf("class %d: gain of %s is %v, expected %v", i, candidate, c.Gain(j), want)
			}
		}
		if c.Gain(c.Chosen) < 1 {
			t.Errorf("class %d: the winner is slower than the default", i)
		}
	}
	if first, second := r.Tuning.MatMul[0], r.Tuning.MatMul[1]; first.Rows != 8 || first.Columns != 1024 || second.Rows != 8 || second.Columns != 0 ||
		first.Shape != *r.Classes[0].Candidates[r.Classes[0].Chosen].MatMul {
		t.Errorf("%+v", r.Tuning.MatMul)
	}
	if a := r.Tuning.Attention[0]; a.HeadDim != 64 || a.Precision != engine.F32 {
		t.Errorf("%+v", a)
	}
	// What comes out can be taken.
	open(t, engine.Options{Tuning: r.Tuning})
}

// A kernel that computes something else, quick as it may be, cannot win and is
// named; nor can one that cannot run.
func TestWrongKernelsLose(t *testing.T) {
	subtracting := func(spirv []byte) []byte {
		const header, add, subtract = 5 * 4, 129, 131 // OpFAdd, OpFSub
		for at := header; at < len(spirv); at += 4 * int(binary.LittleEndian.Uint16(spirv[at+2:])) {
			if binary.LittleEndian.Uint16(spirv[at:]) == add {
				binary.LittleEndian.PutUint16(spirv[at:], subtract)
			}
		}
		return spirv
	}
	for name, c := range map[string]struct {
		take   string // in place of matmul_tiled_f32
		change func([]byte) []byte
		want   string
	}{
		"wrong":            {"matmul_tiled_f32", subtracting, "element "},
		"NaN":              {"matmul_tiled_f16_f32", bytes.Clone, " is NaN"},
		"another kernel's": {"matmul_lanes_f32", bytes.Clone, "no specialization constant"},
	} {
		directory := t.TempDir()
		if err := os.CopyFS(directory, os.DirFS("../../shaders/spirv")); err != nil {
			t.Fatal(err)
		}
		code, err := os.ReadFile(filepath.Join(directory, c.take+".spv"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(directory, "matmul_tiled_f32.spv"), c.change(code), 0o644); err != nil {
			t.Fatal(err)
		}
		set, err := shaders.Dir(directory)
		if err != nil {
			t.Fatal(err)
		}
		o := Options{Suites: []string{"matmul"}, Precisions: []engine.Precision{engine.F32}, Rows: []int{8}, Time: time.Millisecond}
		r, err := Run(context.Background(), open(t, engine.Options{Shaders: set}), o)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Omitted) != 0 || len(r.Tuning.MatMul) != 2 || r.Tuning.MatMul[1].Rows != 0 {
			t.Errorf("%s: left out %q, tuning %+v", name, r.Omitted, r.Tuning)
		}
		for _, class := range r.Classes {
			for _, candidate := range class.Candidates {
				if wrong := candidate.Tier() == engine.Tiled; wrong != strings.Contains(candidate.Fault, c.want) {
					t.Errorf("%s: %s %s: fault %q", name, candidate.Tier(), candidate, candidate.Fault)
				}
			}
			if winner := class.Candidates[class.Chosen]; winner.Tier() == engine.Tiled {
				t.Errorf("%s: %s %s is chosen", name, winner.Tier(), winner)
			}
		}
	}
}

func TestRunStops(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := Run(ctx, open(t, engine.Options{}), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}

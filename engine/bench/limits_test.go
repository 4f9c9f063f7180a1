package bench

import (
	"context"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/shaders"
)

func known() *Limits {
	return &Limits{Multiply: Peak{GFLOPS: 100}, Copies: []Copy{{Bytes: 1000, Rate: 20}, {Bytes: 10000, Rate: 50}, {Bytes: 100000, Rate: 5}}}
}

// A small copy may be slow because it is short: then a larger one tells.
func TestBandwidth(t *testing.T) {
	for bytes, want := range map[int64]float64{1: 50, 1000: 50, 1001: 50, 10000: 50, 10001: 5, 100000: 5, 1 << 40: 5} {
		if got := known().Bandwidth(bytes); got != want {
			t.Errorf("%d bytes: %v GB/s, expected %v", bytes, got, want)
		}
	}
}

func TestBound(t *testing.T) {
	for _, c := range []struct {
		multiplyAdds, bytes int64
		seconds             float64
		want                Bound
	}{
		{5e10, 1e5, 4, Bound{ByMultiply, 1, 0.25}}, // 1e11 operations, 20 µs of copying
		{1, 1e9, 0.8, Bound{ByMemory, 0.2, 0.25}},
		{1e9, 1e9, 0.4, Bound{ByMemory, 0.2, 0.5}},
		{2e10, 1e9, 0.4, Bound{ByMultiply, 0.4, 1}},
		{0, 5000, 1e-6, Bound{ByMemory, 1e-7, 0.1}},
	} {
		got := known().bound(c.multiplyAdds, c.bytes, c.seconds)
		near := func(a, b float64) bool { return math.Abs(a-b) < 1e-12*b }
		if got.By != c.want.By || !near(got.Seconds, c.want.Seconds) || !near(got.Share, c.want.Share) {
			t.Errorf("%d multiply-adds, %d bytes in %v s: %+v, expected %+v", c.multiplyAdds, c.bytes, c.seconds, got, c.want)
		}
	}
}

// A limit moves by a tenth from one measurement to the next, and the cases must not.
func TestAffords(t *testing.T) {
	r := func(gflops float64, effort Effort) *runner {
		return &runner{Options: Options{Runs: 9, Effort: effort}, result: &Result{Limits: &Limits{Multiply: Peak{GFLOPS: gflops}}}}
	}
	// 10 runs of 1.25e9 multiply-adds: 25e9 operations, 2 s at 12.5 GFLOP/s.
	for _, c := range []struct {
		gflops float64
		effort Effort
		want   float64
		fits   bool
	}{
		{128, Normal, 0.1953125e1, true}, {140, Normal, 0.1953125e1, true}, {255, Quick, 0.1953125e1, false}, {127, Normal, 3.90625, false}, {127, Full, 3.90625, true},
	} {
		got := r(c.gflops, c.effort).expected(1.25e9, 0.1)
		if math.Abs(got-c.want) > 1e-9 || r(c.gflops, c.effort).affords(1.25e9, 0.1) != c.fits {
			t.Errorf("%v GFLOP/s: %v s, expected %v, and affordable: %v", c.gflops, got, c.want, c.fits)
		}
	}
}

func open(t *testing.T, set *shaders.Set) *engine.Engine {
	t.Helper()
	e, err := engine.Open("auto", engine.Options{Shaders: set})
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

func TestMeasure(t *testing.T) {
	e := open(t, nil)
	shown := 0.0
	l, err := Measure(context.Background(), e, Quick, func(done float64) {
		if done <= shown {
			t.Errorf("progress went from %v to %v", shown, done)
		}
		shown = done
	})
	if err != nil {
		t.Fatal(err)
	}
	if shown != 1 {
		t.Errorf("progress ended at %v", shown)
	}
	features := e.Adapter().Features
	for name, c := range map[string]struct {
		Peak
		offered bool
	}{"f32": {l.Multiply, true}, "f16": {l.Half, features.Float16}, "matrix": {l.Matrix, features.Float16 && features.CooperativeMatrix}} {
		if c.GFLOPS > 0 != c.offered || (c.Missing == "") != c.offered {
			t.Errorf("%s: %+v, and offered: %v", name, c.Peak, c.offered)
		}
		for _, v := range c.Tried {
			if v.Best > c.GFLOPS || !(v.Best > 0) {
				t.Errorf("%s: variant %+v, and the best is %v", name, v, c.GFLOPS)
			}
		}
	}
	if len(l.Copies) < 3 || !(l.Dispatch.Least > 0) || l.Dispatch.Least > l.Dispatch.Median {
		t.Errorf("copies %+v, dispatches %+v", l.Copies, l.Dispatch)
	}
	for i, c := range l.Copies {
		if !(c.Rate > 0) || c.Variant == "" || i > 0 && c.Bytes <= l.Copies[i-1].Bytes {
			t.Errorf("copy %+v", c)
		}
	}
}

// The best moment counts.
func TestAgainKeepsTheBetter(t *testing.T) {
	e := open(t, nil)
	for _, before := range []float64{1e-6, 1e12} {
		l := &Limits{Multiply: Peak{GFLOPS: before}}
		if err := l.again(context.Background(), e, Quick); err != nil {
			t.Fatal(err)
		}
		if got := l.Multiply.GFLOPS; before > 1 != (got == before) {
			t.Errorf("%v GFLOP/s before, %v after", before, got)
		}
	}
}

// Kernels that do less than they should, as those of a compiler that removed the
// work would, give no figure.
func TestMeasureFindsWorkThatWasNotDone(t *testing.T) {
	embedded := func(name string) []byte {
		k, err := shaders.Embedded.Kernel(name)
		if err != nil {
			t.Fatal(err)
		}
		return k.SPIRV
	}
	for kernel, c := range map[string]struct {
		code    []byte
		measure func(m *meter) error
	}{
		"limit_multiply_3_f32": {embedded("limit_multiply_2_f32"), func(m *meter) error { _, err := m.multiply(engine.F32); return err }},
		"limit_copy":           {without(t, embedded("limit_copy")), func(m *meter) error { _, err := m.copy(copySizes[0]); return err }},
		"limit_dispatch":       {without(t, embedded("limit_dispatch")), func(m *meter) error { _, _, err := m.dispatches(); return err }},
		"limit_matrix":         {without(t, embedded("limit_matrix")), func(m *meter) error { _, err := m.matrix(); return err }},
	} {
		directory := t.TempDir()
		for _, name := range shaders.Embedded.Names() {
			code := embedded(name)
			if name == kernel {
				code = c.code
			}
			if err := os.WriteFile(filepath.Join(directory, name+".spv"), code, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		set, err := shaders.Dir(directory)
		if err != nil {
			t.Fatal(err)
		}
		m := &meter{context.Background(), open(t, set), true}
		if f := m.engine.Adapter().Features; kernel == "limit_matrix" && !(f.CooperativeMatrix && f.Float16) {
			continue // tests.TestBench has a driver that offers them
		}
		err = c.measure(m)
		if err == nil || !strings.Contains(err.Error(), "gaze verify") {
			t.Errorf("%s: the error is %v", kernel, err)
		}
	}
}

// without returns SPIR-V without its last store: code in which what is stored
// there is computed and goes nowhere.
func without(t *testing.T, code []byte) []byte {
	t.Helper()
	const opNop, opStore, opMatrixStore = 0, 62, 4458
	code = append([]byte{}, code...)
	last := 0
	word := func(at int) uint32 { return binary.LittleEndian.Uint32(code[at:]) }
	for at := 20; at < len(code); at += int(word(at)>>16) * 4 {
		if op := word(at) & 0xffff; op == opStore || op == opMatrixStore {
			last = at
		}
	}
	if last == 0 {
		t.Fatal("there is no store")
	}
	for i := range int(word(last) >> 16) {
		binary.LittleEndian.PutUint32(code[last+4*i:], 1<<16|opNop)
	}
	return code
}

package engine

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gazevk/gaze/shaders"
)

// needUnits skips on a device without matrix units; tests.TestMatrixUnits runs
// these tests on one that has them.
func needUnits(t *testing.T, e *Engine) {
	t.Helper()
	if e.Traits().Units.M == 0 {
		t.Skipf("%s has no matrix units", e.Traits().Device)
	}
}

// Kernels on matrix units are tried; one that leaves out a result is found out, and
// the engine does without: without reductions where they alone are to blame.
func TestTrialOfMatrixUnits(t *testing.T) {
	e := open(t)
	needUnits(t, e)
	units := e.Traits().Units
	try := func(e *Engine, reductions bool) {
		e.traits.Tier, e.traits.Units = Matrix, units
		e.traits.Units.Reductions = reductions && units.Reductions
		e.tryUnits(context.Background())
	}
	for _, cpu := range []bool{true, false} { // for a GPU loops are written out, and other shapes taken
		for _, reductions := range []bool{true, false} {
			e.traits.CPU = cpu
			if try(e, reductions); e.Note() != "" {
				t.Errorf("on a CPU: %v, with reductions: %v: %s", cpu, reductions, e.Note())
			}
		}
	}
	const product, plain, reduced = "matmul_matrix_f16_f32", "attention_matrix_f16_f32", "attention_matrix2_f16_f32"
	const noUnits, noReductions = "the matrix units of ", "reductions on the matrix units of "
	for _, c := range []struct {
		broken     []string
		reductions bool // that the device has; a case with them needs a device that does
		notes      []string
		left       bool // the units are still used
	}{
		{[]string{product}, false, []string{noUnits}, false},
		{[]string{product}, true, []string{noUnits}, false},
		{[]string{plain}, false, []string{noUnits}, false},
		{[]string{reduced}, true, []string{noReductions}, true},
		{[]string{plain, reduced}, true, []string{noReductions, noUnits}, false},
	} {
		if c.reductions && !units.Reductions {
			continue
		}
		broken, err := Open("auto", Options{Shaders: setWithout(t, c.broken...)})
		if err != nil {
			t.Fatal(err)
		}
		try(broken, c.reductions)
		notes := strings.Split(broken.Note(), "; ")
		for i, want := range c.notes {
			if len(notes) != len(c.notes) || !strings.HasPrefix(notes[i], want) || !strings.Contains(notes[i], " are not used: ") || !strings.Contains(notes[i], "on matrix units and") {
				t.Errorf("without a store in %v: note %q", c.broken, broken.Note())
				break
			}
		}
		if traits := broken.Traits(); (traits.Tier == Matrix) != c.left || (traits.Units.M > 0) != c.left || traits.Units.Reductions {
			t.Errorf("without a store in %v: tier %s, units %v", c.broken, traits.Tier, traits.Units)
		}
		if err := broken.Close(); err != nil {
			t.Error(err)
		}
	}
}

// setWithout returns the kernels, some of them without their last store to a buffer.
func setWithout(t *testing.T, kernels ...string) *shaders.Set {
	t.Helper()
	const opNop, opVariable, opStore, opAccessChain, storageBuffer = 0, 59, 62, 65, 12
	directory := t.TempDir()
	for _, name := range shaders.Embedded.Names() {
		k, err := shaders.Embedded.Kernel(name)
		if err != nil {
			t.Fatal(err)
		}
		code := append([]byte{}, k.SPIRV...)
		if slices.Contains(kernels, name) {
			word, last := func(at int) uint32 { return binary.LittleEndian.Uint32(code[at:]) }, 0
			buffers := map[uint32]bool{} // ids of buffers and of what lies in them
			for at := 20; at < len(code); at += int(word(at)>>16) * 4 {
				switch op := word(at) & 0xffff; {
				case op == opVariable && word(at+12) == storageBuffer, op == opAccessChain && buffers[word(at+12)]:
					buffers[word(at+8)] = true
				case op == opStore && buffers[word(at+4)]:
					last = at
				}
			}
			for i := range int(word(last) >> 16) {
				binary.LittleEndian.PutUint32(code[last+4*i:], 1<<16|opNop)
			}
		}
		if err := os.WriteFile(filepath.Join(directory, name+".spv"), code, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	set, err := shaders.Dir(directory)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

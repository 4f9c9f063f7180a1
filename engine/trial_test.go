package engine

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
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
// the engine does without.
func TestTrialOfMatrixUnits(t *testing.T) {
	e := open(t)
	needUnits(t, e)
	if err := e.tryUnits(context.Background()); err != nil {
		t.Fatal(err)
	}
	// As for a GPU: loops written out, other shapes.
	e.traits.CPU = false
	if err := e.tryUnits(context.Background()); err != nil {
		t.Error(err)
	}
	for _, kernel := range []string{"matmul_matrix_f16_f32", "attention_matrix_f16_f32"} {
		broken, err := Open("auto", Options{Shaders: setWithout(t, kernel)})
		if err != nil {
			t.Fatal(err)
		}
		err = broken.tryUnits(context.Background())
		if err == nil || !strings.Contains(err.Error(), "on matrix units and") {
			t.Errorf("without a store in %s: the error is %v", kernel, err)
		} else {
			broken.distrust(err)
			if traits := broken.Traits(); traits.Tier == Matrix || traits.Units.M != 0 || !strings.Contains(broken.Note(), "are not used: ") {
				t.Errorf("tier %s, units %v, note %q", traits.Tier, traits.Units, broken.Note())
			}
		}
		if err := broken.Close(); err != nil {
			t.Error(err)
		}
	}
}

// setWithout returns the kernels, one of them without its last store.
func setWithout(t *testing.T, kernel string) *shaders.Set {
	t.Helper()
	const opNop, opStore = 0, 62
	directory := t.TempDir()
	for _, name := range shaders.Embedded.Names() {
		k, err := shaders.Embedded.Kernel(name)
		if err != nil {
			t.Fatal(err)
		}
		code := append([]byte{}, k.SPIRV...)
		if name == kernel {
			word, last := func(at int) uint32 { return binary.LittleEndian.Uint32(code[at:]) }, 0
			for at := 20; at < len(code); at += int(word(at)>>16) * 4 {
				if word(at)&0xffff == opStore {
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

package engine

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/gazevk/gaze/shaders"
	"github.com/gazevk/gaze/vk"
)

// adapter is a device that nobody has.
var adapter = vk.Adapter{Name: "a GPU", Driver: "Some Driver 1.2", Vendor: 0x1002, Device: 0x7, DriverVersion: 3,
	Limits: vk.Limits{Invocations: 1024, GroupSize: [3]int{1024, 1024, 64}, SharedMemory: 32 << 10}}

func keep(t *testing.T, directory string, tuning Tuning) string {
	t.Helper()
	v, err := NewVerdict(adapter, nil, "2026-11-24T12:00:00Z", tuning)
	if err != nil {
		t.Fatal(err)
	}
	path, err := v.Write(directory, adapter)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var someTuning = Tuning{
	MatMul:    []MatMulChoice{{Precision: F32, Rows: 16, Columns: 1024, Shape: tiledShapes[1]}, {Shape: tiledShapes[len(tiledShapes)-1]}},
	Attention: []AttentionChoice{{HeadDim: 64, Shape: AttentionShape{Tier: Tiled, Rows: 64, Own: 8}}},
}

// What is kept is read again, by its user alone.
func TestVerdict(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "made", "at need")
	if v, err := ReadVerdict(directory, adapter, nil); v != nil || err != nil {
		t.Errorf("where nothing is: %v, %v", v, err)
	}
	path := keep(t, directory, someTuning)
	if filepath.Base(path) != "1002-0007-some.tuning.json" {
		t.Errorf("it is kept in %s", path)
	}
	v, err := ReadVerdict(directory, adapter, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(v.MatMul) != 2 || v.MatMul[0] != someTuning.MatMul[0] || v.MatMul[1] != someTuning.MatMul[1] || v.Attention[0] != someTuning.Attention[0] || v.Date != "2026-11-24T12:00:00Z" {
		t.Errorf("%+v", v)
	}
	if runtime.GOOS != "windows" {
		for name, want := range map[string]fs.FileMode{path: 0o600, directory: 0o700} {
			if about, err := os.Stat(name); err != nil || about.Mode().Perm() != want {
				t.Errorf("%s: %v, %v, expected %v", name, about.Mode().Perm(), err, want)
			}
		}
	}
	keep(t, directory, Tuning{MatMul: someTuning.MatMul[:1]}) // in its place
	if v, err := ReadVerdict(directory, adapter, nil); err != nil || len(v.MatMul) != 1 || len(v.Attention) != 0 {
		t.Errorf("%+v, %v", v, err)
	}
	if list, err := os.ReadDir(directory); err != nil || len(list) != 1 {
		t.Errorf("%v, %v", list, err)
	}
	for _, want := range []bool{true, false} {
		if at, existed, err := ForgetVerdict(directory, adapter); at != path || existed != want || err != nil {
			t.Errorf("%s, %v, %v", at, existed, err)
		}
	}
}

// A verdict is of one driver's build and of these kernels.
func TestStaleVerdicts(t *testing.T) {
	directory := t.TempDir()
	keep(t, directory, someTuning)
	newer := adapter
	newer.DriverVersion++
	if v, err := ReadVerdict(directory, newer, nil); v != nil || err == nil || !strings.Contains(err.Error(), "another build of it, Some Driver 1.2: run gaze tune again") {
		t.Errorf("a newer driver: %v, %v", v, err)
	}
	other := adapter
	other.Driver = "Another 1.0"
	if v, err := ReadVerdict(directory, other, nil); v != nil || err != nil {
		t.Errorf("another driver beside it: %v, %v", v, err)
	}
	changed := t.TempDir()
	if err := os.CopyFS(changed, os.DirFS("../shaders/spirv")); err != nil {
		t.Fatal(err)
	}
	set := func(file string) *shaders.Set {
		code, err := os.ReadFile(filepath.Join(changed, file))
		if err != nil {
			t.Fatal(err)
		}
		code[8] ^= 1 // the number of whoever made it: the kernel is the same
		if err := os.WriteFile(filepath.Join(changed, file), code, 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := shaders.Dir(changed)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if _, err := ReadVerdict(directory, adapter, set("rope_f32.spv")); err != nil {
		t.Errorf("a kernel without shapes has changed: %v", err)
	}
	if v, err := ReadVerdict(directory, adapter, set("matmul_tiled_f16.spv")); v != nil || err == nil || !strings.Contains(err.Error(), "other kernels than this gaze has: run gaze tune again") {
		t.Errorf("a kernel with shapes has changed: %v, %v", v, err)
	}
}

// Whatever happened to the file, there is one error that says what to do, and the
// next tuning replaces it.
func TestDamagedVerdicts(t *testing.T) {
	directory := t.TempDir()
	path := keep(t, directory, someTuning)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ content, want string }{
		"empty":             {"", "EOF"},
		"cut":               {string(good[:len(good)/2]), "unexpected EOF"},
		"no JSON":           {"tuned!\n", "invalid character"},
		"no object":         {"[1]\n", "cannot unmarshal array"},
		"something after":   {string(good) + "{}", "something follows"},
		"an unknown key":    {strings.Replace(string(good), `"step"`, `"stride"`, 1), "unknown field"},
		"a negative number": {strings.Replace(string(good), `"rows": 16,`, `"rows": -16,`, 1), "matmul[0]: rows -16"},
		"an odd shape":      {strings.Replace(string(good), `"step": 4`, `"step": 3`, 1), "has no shape"},
		"a tier it lacks":   {strings.Replace(string(good), `"kernel_tier": "tiled"`, `"kernel_tier": "matrix"`, 1), "has no shape"},
		"an unknown tier":   {strings.Replace(string(good), `"kernel_tier": "tiled"`, `"kernel_tier": "warps"`, 1), "has no shape"},
		"larger than any":   {string(bytes.Repeat([]byte(" "), largestVerdict+1)), "no verdict has more than"},
	} {
		if err := os.WriteFile(path, []byte(c.content), 0o644); err != nil {
			t.Fatal(err)
		}
		v, err := ReadVerdict(directory, adapter, nil)
		if v != nil || err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "gaze tune writes it anew") {
			t.Errorf("%s: %v, %v, expected %q", name, v, err, c.want)
		}
	}
	keep(t, directory, someTuning)
	if _, err := ReadVerdict(directory, adapter, nil); err != nil {
		t.Errorf("it was not replaced: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadVerdict(directory, adapter, nil); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("a directory in its place: %v", err)
	}
}

// An engine takes the verdict on its device from the directory that it is told,
// and says why it does not.
func TestOpenTuned(t *testing.T) {
	directory := t.TempDir()
	plain := open(t)
	shapes := plain.Traits().OfTier(Tiled).MatMulShapes()
	tuning := Tuning{MatMul: []MatMulChoice{{Shape: shapes[2]}}}
	v, err := NewVerdict(plain.Adapter(), nil, "", tuning)
	if err != nil {
		t.Fatal(err)
	}
	path, err := v.Write(directory, plain.Adapter())
	if err != nil {
		t.Fatal(err)
	}
	opened := func(o Options) *Engine {
		e, err := Open("auto", o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { e.Close() })
		return e
	}
	m := MatMul{Rows: 100, Columns: 64, Depth: 64, Precision: F32}
	if e := opened(Options{TuningDir: directory}); e.Note() != "" || e.Traits().MatMulShape(m) != shapes[2] {
		t.Errorf("tuned: %+v, note %q", e.Traits().Tuning, e.Note())
	}
	if !plain.Traits().Tuning.Empty() {
		t.Errorf("told of no directory: %+v", plain.Traits().Tuning)
	}
	other := Tuning{MatMul: []MatMulChoice{{Shape: shapes[3]}}}
	if e := opened(Options{TuningDir: directory, Tuning: other}); e.Traits().MatMulShape(m) != shapes[3] {
		t.Errorf("given another: %+v", e.Traits().Tuning)
	}
	if e := opened(Options{TuningDir: directory, Tier: Lanes}); e.Traits().MatMulShape(m).Tier != Lanes {
		t.Errorf("tier lanes alone: %+v", e.Traits().MatMulShape(m))
	}
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if e := opened(Options{TuningDir: directory}); !strings.Contains(e.Note(), "cannot be read and is ignored") || !e.Traits().Tuning.Empty() {
		t.Errorf("damaged: %+v, note %q", e.Traits().Tuning, e.Note())
	}
}

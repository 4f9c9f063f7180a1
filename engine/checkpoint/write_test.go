package checkpoint

import (
	"errors"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestWriteSafetensors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.safetensors")
	long := make([]float32, 10000) // more than one chunk
	for i := range long {
		long[i] = float32(i)
	}
	entries := []Entry{
		Float32Entry("z", []int{100, 100}, long),
		Float32Entry("scalar", nil, []float32{float32(math.Inf(-1))}),
		Float32Entry("<é \"quoted\">", []int{0}, nil),
		{Name: "pieces", DType: U8, Shape: []int{3}, Write: func(w io.Writer) error {
			_, err1 := w.Write([]byte{1, 2})
			_, err2 := w.Write([]byte{3})
			return errors.Join(err1, err2)
		}},
	}
	metadata := map[string]string{"note": "1 < 2\n", "": ""}
	if err := WriteSafetensors(path, metadata, entries); err != nil {
		t.Fatal(err)
	}
	file, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if !maps.Equal(file.Metadata(), metadata) {
		t.Errorf("metadata is %q, expected %q", file.Metadata(), metadata)
	}
	if want := []string{"<é \"quoted\">", "pieces", "scalar", "z"}; !slices.Equal(file.Names(), want) {
		t.Errorf("names are %q, expected %q", file.Names(), want)
	}
	z, _ := file.Tensor("z")
	if got, err := z.Float32(); err != nil || !slices.Equal(got, long) || !slices.Equal(z.Shape, []int{100, 100}) {
		t.Errorf("z came back otherwise: shape %v, error %v", z.Shape, err)
	}
	pieces, _ := file.Tensor("pieces")
	if !slices.Equal(pieces.Bytes(), []byte{1, 2, 3}) {
		t.Errorf("pieces are %v", pieces.Bytes())
	}
	scalar, _ := file.Tensor("scalar")
	if got, err := scalar.Float32(); err != nil || len(scalar.Shape) != 0 || got[0] != float32(math.Inf(-1)) {
		t.Errorf("scalar is %v of shape %v, error %v", got, scalar.Shape, err)
	}
}

// The bytes of a small file, written out.
func TestWriteSafetensorsLayout(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.safetensors")
	if err := WriteSafetensors(path, nil, []Entry{Float32Entry("a", []int{1}, []float32{1})}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	header := `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}  `
	want := "\x38\x00\x00\x00\x00\x00\x00\x00" + header + "\x00\x00\x80\x3f"
	if err != nil || string(got) != want {
		t.Errorf("the file is %q, expected %q, error %v", got, want, err)
	}
	if err := WriteSafetensors(path, nil, nil); err != nil {
		t.Fatal(err)
	}
	got, err = os.ReadFile(path)
	if want := "\x08\x00\x00\x00\x00\x00\x00\x00{}      "; err != nil || string(got) != want {
		t.Errorf("the file of nothing is %q, expected %q, error %v", got, want, err)
	}
}

func TestWriteSafetensorsErrors(t *testing.T) {
	fails := errors.New("the source dried up")
	good := Float32Entry("a", []int{2}, []float32{1, 2})
	bytes := func(count int) func(io.Writer) error {
		return func(w io.Writer) error {
			_, err := w.Write(make([]byte, count))
			return err
		}
	}
	for _, c := range []struct {
		metadata map[string]string
		entry    Entry
		want     string
	}{
		{nil, Float32Entry("b", []int{3}, []float32{1}), `tensor "b": F32 of shape [3] takes 12 bytes: 8 too few`},
		{nil, Float32Entry("b", []int{1}, []float32{1, 2, 3}), `tensor "b": more bytes were written`},
		{nil, Entry{"b", F16, []int{2}, bytes(3)}, `tensor "b": F16 of shape [2] takes 4 bytes: 1 too few`},
		{nil, Entry{"b", F16, []int{2}, bytes(5)}, `tensor "b": more bytes were written`},
		{nil, Entry{"b", F16, []int{0}, func(io.Writer) error { return fails }}, `tensor "b": the source dried up`},
		{nil, Entry{"b", "F17", []int{1}, bytes(2)}, `tensor "b": dtype is "F17"`},
		{nil, Entry{"b", F16, []int{-1}, bytes(2)}, `tensor "b": shape is [-1]`},
		{nil, Entry{"b", F16, []int{math.MaxInt}, bytes(2)}, `tensor "b": shape is`},
		{nil, Entry{"b", U8, []int{math.MaxInt}, bytes(2)}, `tensor "b": the tensors together`},
		{nil, Entry{"a", U8, []int{1}, bytes(1)}, `tensor "a": the name is taken`},
		{nil, Entry{"__metadata__", U8, []int{1}, bytes(1)}, `tensor "__metadata__": the name is taken`},
		{nil, Entry{"\xff", U8, []int{1}, bytes(1)}, `not UTF-8`},
		{nil, Entry{strings.Repeat("n", 1025), U8, []int{1}, bytes(1)}, `has 1025 bytes: at most 1024`},
		{nil, Entry{"b", U8, make([]int, 65), bytes(0)}, `tensor "b": shape has 65 dimensions`},
		{map[string]string{"k": "\xff"}, good, `metadata "k"`},
		{map[string]string{"\xff": "v"}, good, `not UTF-8`},
	} {
		directory := t.TempDir()
		path := filepath.Join(directory, "out.safetensors")
		if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
			t.Fatal(err)
		}
		err := WriteSafetensors(path, c.metadata, []Entry{good, c.entry})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%v: expected %q and the path in it", err, c.want)
		}
		if strings.Contains(c.want, fails.Error()) && !errors.Is(err, fails) {
			t.Errorf("%v does not wrap what Write returned", err)
		}
		left, _ := os.ReadDir(directory)
		if old, _ := os.ReadFile(path); string(old) != "old" || len(left) != 1 {
			t.Errorf("%v: the directory holds %v, the file %q", err, left, old)
		}
	}
}

// entriesOf returns entries that write the tensors of file.
func entriesOf(file *File) []Entry {
	var entries []Entry
	for _, name := range file.Names() {
		tensor, _ := file.Tensor(name)
		entries = append(entries, Entry{name, tensor.DType, tensor.Shape, func(w io.Writer) error {
			_, err := w.Write(tensor.Bytes())
			return err
		}})
	}
	return entries
}

func compareFiles(t *testing.T, got, want *File) {
	t.Helper()
	if !maps.Equal(got.Metadata(), want.Metadata()) || !slices.Equal(got.Names(), want.Names()) {
		t.Fatalf("metadata %q, names %q: expected %q and %q", got.Metadata(), got.Names(), want.Metadata(), want.Names())
	}
	for _, name := range want.Names() {
		a, _ := got.Tensor(name)
		b, _ := want.Tensor(name)
		if a.Name != b.Name || a.DType != b.DType || !slices.Equal(a.Shape, b.Shape) || !slices.Equal(a.Bytes(), b.Bytes()) {
			t.Fatalf("tensor %q: %s %v: expected %s %v, and equal bytes", name, a.DType, a.Shape, b.DType, b.Shape)
		}
		count := 1
		for _, dimension := range b.Shape {
			count *= dimension
		}
		if values, err := b.Float32(); err == nil && len(values) != count {
			t.Fatalf("tensor %q: %d values of shape %v", name, len(values), b.Shape)
		}
	}
}

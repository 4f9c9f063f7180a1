package checkpoint

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A file that the format's own implementation wrote.
func TestOpenOfficialFile(t *testing.T) {
	file, err := Open("testdata/types.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	names := []string{"bf16", "bool", "empty", "f16", "f32", "f64", "i16", "i32", "i64", "i8", "scalar", "u8"}
	if !slices.Equal(file.Names(), names) {
		t.Errorf("names are %v, expected %v", file.Names(), names)
	}
	if len(file.Metadata()) != 1 || file.Metadata()["format"] != "pt" {
		t.Errorf("metadata is %v", file.Metadata())
	}
	infinity := float32(math.Inf(1))
	floats := map[string]struct {
		dtype  DType
		shape  []int
		values []float32
	}{
		"f16":    {F16, []int{5}, []float32{0, -1.5, 65504, 0x1p-24, infinity}},
		"bf16":   {BF16, []int{5}, []float32{0, -1.5, 65536, 0x1p-24, infinity}}, // bfloat16 has no 65504
		"f32":    {F32, []int{2, 5}, []float32{0, -1.5, 65504, 0x1p-24, infinity, 0.1, 1e-45, math.MaxFloat32, float32(math.Copysign(0, -1)), 1}},
		"scalar": {F32, []int{}, []float32{7}},
		"empty":  {F32, []int{0, 3}, []float32{}},
	}
	for name, want := range floats {
		tensor, ok := file.Tensor(name)
		got, err := tensor.Float32()
		if !ok || err != nil || tensor.Name != name || tensor.DType != want.dtype || !slices.Equal(tensor.Shape, want.shape) || !slices.Equal(got, want.values) {
			t.Errorf("%s: %v %v %v %v, expected %v %v %v", name, tensor.DType, tensor.Shape, got, err, want.dtype, want.shape, want.values)
		}
	}
	raw := map[string][]byte{
		"i64": {255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 64},
		"i32": {255, 255, 255, 255}, "i16": {255, 255}, "i8": {255}, "u8": {255}, "bool": {1, 0},
	}
	for name, want := range raw {
		tensor, ok := file.Tensor(name)
		if !ok || !slices.Equal(tensor.Bytes(), want) {
			t.Errorf("%s: bytes are %v, expected %v", name, tensor.Bytes(), want)
		}
		if _, err := tensor.Float32(); err == nil || !strings.Contains(err.Error(), string(tensor.DType)) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: widened to float32: %v", name, err)
		}
	}
	double, _ := file.Tensor("f64")
	if _, err := double.Float32(); err == nil || !strings.Contains(err.Error(), "F64") {
		t.Errorf("f64: narrowed to float32: %v", err)
	}
	if _, ok := file.Tensor("none"); ok {
		t.Error("there is a tensor \"none\"")
	}
}

func TestClose(t *testing.T) {
	file, err := Open("testdata/types.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	tensor, _ := file.Tensor("f32")
	values, err := tensor.Float32()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	}
	if values[5] != 0.1 {
		t.Error("the values went with the file")
	}
	if _, ok := file.Tensor("f32"); ok || len(file.Names()) != 0 {
		t.Error("a closed file still has tensors")
	}
}

// withHeader returns a file of that header and so many bytes of data.
func withHeader(header string, dataBytes int) []byte {
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(file, header...), make([]byte, dataBytes)...)
}

// goodFiles are sound; the fuzz test starts from them and from their pieces.
var goodFiles = map[string][]byte{
	"no tensors": withHeader(`{}`, 0),
	"padded":     withHeader(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}   `, 4),
	"spread":     withHeader("{\n \"a\" : {\"dtype\":\"F32\",\t\"shape\":[ 1 ],\"data_offsets\":[0,4]}\n}", 4),
	"scalar":     withHeader(`{"a":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}`, 8),
	"any order":  withHeader(`{"b":{"data_offsets":[4,6],"shape":[1],"dtype":"F16"},"a":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}}`, 6),
	"empty":      withHeader(`{"a":{"dtype":"F32","shape":[0,9],"data_offsets":[0,0]},"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"c":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}}`, 1),
	"metadata":   withHeader(`{"__metadata__":{"format":"pt","é":"\u00e9\n"},"\u0061":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}}`, 2),
}

func TestOpenGoodFiles(t *testing.T) {
	for what, contents := range goodFiles {
		file, err := Open(written(t, contents))
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if what == "metadata" && (file.Metadata()["é"] != "é\n" || file.Names()[0] != "a") {
			t.Errorf("metadata %v, names %v", file.Metadata(), file.Names())
		}
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestOpenBadFiles(t *testing.T) {
	one := func(description string, dataBytes int) []byte {
		return withHeader(`{"a":{`+description+`}}`, dataBytes)
	}
	two := func(first, second string, dataBytes int) []byte {
		return withHeader(`{"a":{"dtype":"U8",`+first+`},"b":{"dtype":"U8",`+second+`}}`, dataBytes)
	}
	long := withHeader(`{}`, 0)
	binary.LittleEndian.PutUint64(long, math.MaxUint64)
	for _, c := range []struct {
		contents []byte
		want     string // in the error
	}{
		{nil, "0 bytes"},
		{[]byte("1234567"), "7 bytes"},
		{long, "at most 100000000"},
		{withHeader(`{}`, 0)[:9], "should have 2 bytes and the file ends after 1"},
		{withHeader(``, 0), `expected a JSON object`},
		{withHeader(` {}`, 0), `expected a JSON object`},
		{withHeader(`[]`, 0), `expected a JSON object`},
		{withHeader(`{"a"`, 0), "not JSON"},
		{withHeader(`{}{}`, 0), "not JSON"},
		{withHeader("{}\x00", 0), "not JSON"},
		{withHeader("{\"\xff\":1}", 0), "UTF-8"},
		{withHeader(`{"a":3}`, 0), `tensor "a": expected an object, found 3`},
		{withHeader(`{"a":null}`, 0), `tensor "a": expected an object`},
		{withHeader(`{"__metadata__":[]}`, 0), "__metadata__: expected an object"},
		{withHeader(`{"__metadata__":{"k":1}}`, 0), `__metadata__: "k": expected a string, found 1`},
		{withHeader(`{"__metadata__":{"k":"1","k":"2"}}`, 0), `__metadata__: "k" is given twice`},
		{withHeader(`{"__metadata__":{},"__metadata__":{}}`, 0), `"__metadata__" is given twice`},
		{withHeader(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2), `"a" is given twice`},
		{one(`"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]`, 1), `tensor "a": "dtype" is given twice`},
		{one(`"shape":[1],"data_offsets":[0,1]`, 1), "dtype is missing"},
		{one(`"dtype":"U8","data_offsets":[0,1]`, 1), "shape is missing"},
		{one(`"dtype":"U8","shape":[1]`, 1), "data_offsets are missing"},
		{one(`"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":0`, 1), `the key "x" is not known`},
		{one(`"DType":"U8","shape":[1],"data_offsets":[0,1]`, 1), `the key "DType" is not known`},
		{one(`"dtype":8,"shape":[1],"data_offsets":[0,1]`, 1), "dtype: expected a string, found 8"},
		{one(`"dtype":"F128","shape":[1],"data_offsets":[0,16]`, 16), `dtype is "F128": expected one of`},
		{one(`"dtype":"f32","shape":[1],"data_offsets":[0,4]`, 4), `dtype is "f32": expected one of`},
		{one(`"dtype":"U8","shape":null,"data_offsets":[0,1]`, 1), "shape: expected an array"},
		{one(`"dtype":"U8","shape":[null],"data_offsets":[0,1]`, 1), "whole numbers of at least 0, found <nil>"},
		{one(`"dtype":"U8","shape":["1"],"data_offsets":[0,1]`, 1), "whole numbers of at least 0, found 1"},
		{one(`"dtype":"U8","shape":[-1],"data_offsets":[0,1]`, 1), "whole numbers of at least 0, found -1"},
		{one(`"dtype":"U8","shape":[1.5],"data_offsets":[0,1]`, 1), "whole numbers of at least 0, found 1.5"},
		{one(`"dtype":"U8","shape":[[1]],"data_offsets":[0,1]`, 1), "whole numbers of at least 0, found ["},
		{one(`"dtype":"U8","shape":[99999999999999999999],"data_offsets":[0,1]`, 1), "found 99999999999999999999"},
		{one(`"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]`, 0), "do not fit in memory"},
		{one(`"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]`, 0), "do not fit in memory"},
		{one(`"dtype":"U8","shape":[1`+strings.Repeat(",1", 64)+`],"data_offsets":[0,1]`, 1), "shape has 65 dimensions"},
		{withHeader(`{"`+strings.Repeat("n", 1025)+`":{}}`, 0), "has 1025 bytes: at most 1024"},
		{one(`"dtype":"U8","shape":[1],"data_offsets":[0]`, 1), "expected 2 numbers, begin and end, found 1"},
		{one(`"dtype":"U8","shape":[1],"data_offsets":[0,1,2]`, 1), "expected 2 numbers, begin and end, found 3"},
		{one(`"dtype":"U8","shape":[1],"data_offsets":[1,0]`, 1), "data_offsets are [1, 0]"},
		{one(`"dtype":"U8","shape":[2],"data_offsets":[0,2]`, 1), "its bytes end at 2 and the file's data at 1"},
		{one(`"dtype":"F32","shape":[2],"data_offsets":[0,4]`, 4), "F32 of shape [2] takes 8 bytes: data_offsets [0, 4] give it 4"},
		{one(`"dtype":"U8","shape":[1],"data_offsets":[1,2]`, 2), "its bytes begin at 1: expected 0"},
		{one(`"dtype":"U8","shape":[1],"data_offsets":[0,1]`, 2), "the tensors end at byte 1 of the data and the file at 2"},
		{withHeader(`{}`, 1), "the tensors end at byte 0 of the data and the file at 1"},
		{two(`"shape":[2],"data_offsets":[0,2]`, `"shape":[2],"data_offsets":[1,3]`, 3), `tensor "b": its bytes begin at 1, within those of tensor "a", which end at 2`},
		{two(`"shape":[2],"data_offsets":[0,2]`, `"shape":[2],"data_offsets":[0,2]`, 2), `tensor "b": its bytes begin at 0, within`},
		{two(`"shape":[1],"data_offsets":[0,1]`, `"shape":[1],"data_offsets":[2,3]`, 3), `tensor "b": its bytes begin at 2: expected 1`},
	} {
		path := written(t, c.contents)
		file, err := Open(path)
		if err == nil {
			t.Errorf("%q was opened: expected an error with %q", c.contents, c.want)
			file.Close()
		} else if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v: expected %q and the path in it", c.contents, err, c.want)
		}
	}
}

// A file cut off anywhere is an error, never a panic.
func TestOpenTruncated(t *testing.T) {
	whole, err := os.ReadFile("testdata/types.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "cut.safetensors")
	for size := range whole {
		if err := os.WriteFile(path, whole[:size], 0o666); err != nil {
			t.Fatal(err)
		}
		if file, err := Open(path); err == nil {
			t.Errorf("the first %d bytes were opened", size)
			file.Close()
		}
	}
}

func TestOpenNoFile(t *testing.T) {
	directory := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(directory, "none"): "none",
		directory:                        "not a regular file",
		os.DevNull:                       "not a regular file",
	} {
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v: expected an error with %q", path, err, want)
		}
	}
}

func FuzzOpen(f *testing.F) {
	official, err := os.ReadFile("testdata/types.safetensors")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(official)
	for _, contents := range goodFiles {
		f.Add(contents)
		f.Add(contents[:len(contents)/2])
		f.Add(contents[:len(contents)-1])
	}
	directory := f.TempDir()
	path, copied := filepath.Join(directory, "fuzzed.safetensors"), filepath.Join(directory, "copy.safetensors")
	f.Fuzz(func(t *testing.T, contents []byte) {
		if err := os.WriteFile(path, contents, 0o666); err != nil {
			t.Fatal(err)
		}
		file, err := Open(path)
		if err != nil {
			return
		}
		defer file.Close()
		// What is sound can be written, and then says the same. Not to a file,
		// because WriteSafetensors waits for the disk.
		entries := entriesOf(file)
		head, sizes, err := encodeHeader(file.Metadata(), entries)
		if err != nil {
			t.Fatal(err)
		}
		written := bytes.NewBuffer(head)
		if err := writeData(written, entries, sizes); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(copied, written.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		second, err := Open(copied)
		if err != nil {
			t.Fatal(err)
		}
		defer second.Close()
		compareFiles(t, second, file)
	})
}

// written returns the path of a new file of those contents.
func written(t *testing.T, contents []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.safetensors")
	if err := os.WriteFile(path, contents, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

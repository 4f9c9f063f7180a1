package checkpoint

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestShardErrors(t *testing.T) {
	const first = "model-00001-of-00002.safetensors"
	index := func(text string) func(string) error {
		return func(d string) error { return os.WriteFile(filepath.Join(d, indexName), []byte(text), 0o666) }
	}
	for what, c := range map[string]struct {
		spoil func(directory string) error
		want  string
	}{
		"missing shard":  {func(d string) error { return os.Remove(filepath.Join(d, first)) }, `names "` + first + `", which is missing: the model was not copied`},
		"cut shard":      {func(d string) error { return os.Truncate(filepath.Join(d, first), 3000) }, first + ": "},
		"cut index":      {func(d string) error { return os.Truncate(filepath.Join(d, indexName), 100) }, indexName + ": it is not JSON"},
		"no map":         {index(`{"metadata":{}}`), "weight_map is missing"},
		"empty map":      {index(`{"weight_map":{}}`), "weight_map is empty"},
		"map is a list":  {index(`{"weight_map":["a"]}`), `weight_map is ["a"]: expected an object`},
		"shard a number": {index(`{"weight_map":{"a":1}}`), "weight_map.a is 1: expected a string"},
		"not there":      {index(`{"weight_map":{"nothing":"` + first + `"}}`), `weight_map says that "nothing" is in "` + first + `", which has no such tensor`},
		"outside":        {index(`{"weight_map":{"a":"../other/model.safetensors"}}`), `names "../other/model.safetensors": expected a path below`},
		"inside out":     {index(`{"weight_map":{"a":"x/../../model.safetensors"}}`), "expected a path below"},
		"absolute":       {index(`{"weight_map":{"a":"/etc/passwd"}}`), `names "/etc/passwd": expected a path below`},
		"no name":        {index(`{"weight_map":{"a":""}}`), `names "": expected a path below`},
		"a zero byte":    {index(`{"weight_map":{"a":"a\u0000b"}}`), "expected a path below"},
		"twice": {func(d string) error {
			contents, err := os.ReadFile(filepath.Join(d, first))
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(d, "model-00002-of-00002.safetensors"), contents, 0o666)
		}, "is also in"},
	} {
		directory := random(t, "", RandomOptions{Shards: 2})
		if err := c.spoil(directory); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenModel(directory); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), directory) {
			t.Errorf("%s: %v: expected an error with %q and the directory", what, err, c.want)
		}
	}
}

// As in transformers, one file counts before an index.
func TestSingleFileFirst(t *testing.T) {
	directory := random(t, "", RandomOptions{})
	if err := os.WriteFile(filepath.Join(directory, indexName), []byte("broken"), 0o666); err != nil {
		t.Fatal(err)
	}
	openModel(t, directory)
}

// Shards may lie in a folder of the model's.
func TestShardInFolder(t *testing.T) {
	directory := random(t, "", RandomOptions{})
	if err := os.Mkdir(filepath.Join(directory, "parts"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(directory, weightsName), filepath.Join(directory, "parts", "a")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(directory, indexName), []byte(`{"weight_map":{"final_norm.weight":"parts/a"}}`), 0o666); err != nil {
		t.Fatal(err)
	}
	openModel(t, directory)
}

func FuzzParseIndex(f *testing.F) {
	for _, text := range []string{
		`{"metadata":{"total_size":3},"weight_map":{"a":"model-1","b":"model-1","c":"model-2"}}`,
		`{"weight_map":{"a":"../x"}}`, `{"weight_map":{"a":null}}`, `{"weight_map":{}}`, `[]`, `{`,
	} {
		f.Add([]byte(text))
	}
	in := directory(f.TempDir())
	f.Fuzz(func(t *testing.T, data []byte) {
		shards, err := parseIndex("index", data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "index: ") {
				t.Errorf("%v: expected the file first", err)
			}
			return
		}
		for shard, names := range shards {
			if len(names) == 0 || !slices.IsSorted(names) {
				t.Errorf("%q has %q", shard, names)
			}
			if in.within(shard) != nil {
				continue
			}
			if rest, err := filepath.Rel(in.path, in.file(shard)); err != nil || !filepath.IsLocal(rest) {
				t.Errorf("%q leads to %q", shard, in.file(shard))
			}
		}
	})
}

// A pipe would never end, and nothing may wait for it.
func TestFolderRefuses(t *testing.T) {
	if runtime.GOOS != "windows" {
		if _, err := directory(filepath.Dir(os.DevNull)).text(filepath.Base(os.DevNull)); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("%s: %v", os.DevNull, err)
		}
	}
	long := filepath.Join(t.TempDir(), "long")
	if err := os.WriteFile(long, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(long, maxTextBytes+1); err != nil { // a hole, which takes no space
		t.Fatal(err)
	}
	if _, err := directory(filepath.Dir(long)).text("long"); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("a file of %d bytes: %v", maxTextBytes+1, err)
	}
}

package checkpoint

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// neededOf asks for the files that are needed of a directory.
func neededOf(directory string) ([]string, error) {
	return NeededFiles("org/tiny",
		func(file string) bool {
			info, err := os.Stat(filepath.Join(directory, filepath.FromSlash(file)))
			return err == nil && info.Mode().IsRegular()
		},
		func(file string) ([]byte, error) {
			return os.ReadFile(filepath.Join(directory, filepath.FromSlash(file)))
		})
}

// What is needed, and no more, opens as the whole does.
func TestNeededFiles(t *testing.T) {
	embedding := sentence(t, []string{"Pooling 1_Pooling", "Dense 2_Dense", "Normalize 3_Normalize"}, map[string]string{
		"1_Pooling/config.json": "{}", "2_Dense/config.json": `{"in_features":64,"out_features":8,"bias":false}`,
		"config_sentence_transformers.json": `{"prompts":{"query":"find: "}}`, "sentence_bert_config.json": `{"max_seq_length":7}`,
		"README.md": "", "pytorch_model.bin": "", "1_Pooling/README.md": "", "2_Dense/pytorch_model.bin": "",
	})
	dense(t, embedding, "2_Dense", 8, 64, false)
	sharded := random(t, "", RandomOptions{Shards: 2})
	for _, file := range []string{"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt", "onnx.json"} {
		if err := os.WriteFile(filepath.Join(sharded, file), []byte("{}"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	both := random(t, "", RandomOptions{Shards: 2})
	if err := WriteRandom(both, small(""), RandomOptions{}); err != nil {
		t.Fatal(err)
	}
	inFolder := filepath.Join(t.TempDir(), "model")
	if err := os.CopyFS(filepath.Join(inFolder, "0_Transformer"), os.DirFS(random(t, "", RandomOptions{}))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(inFolder, "modules.json"),
		[]byte(`[{"path":"0_Transformer","type":"x.Transformer"},{"path":"1_Pooling","type":"x.Pooling"}]`), 0o666); err != nil {
		t.Fatal(err)
	}
	for directory, want := range map[string]string{
		embedding: "1_Pooling/config.json 2_Dense/config.json 2_Dense/model.safetensors config.json config_sentence_transformers.json " +
			"model.safetensors modules.json sentence_bert_config.json",
		sharded: "config.json model-00001-of-00002.safetensors model-00002-of-00002.safetensors model.safetensors.index.json " +
			"special_tokens_map.json tokenizer.json tokenizer_config.json",
		both:     "config.json model.safetensors",
		inFolder: "0_Transformer/config.json 0_Transformer/model.safetensors modules.json",
	} {
		files, err := neededOf(directory)
		if err != nil || strings.Join(files, " ") != want {
			t.Errorf("%q, %v, expected %s", files, err, want)
			continue
		}
		alone := t.TempDir()
		for _, file := range files {
			data, err := os.ReadFile(filepath.Join(directory, filepath.FromSlash(file)))
			if err != nil {
				t.Fatal(err)
			}
			to := filepath.Join(alone, filepath.FromSlash(file))
			if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(to, data, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		whole, part := openModel(t, directory), openModel(t, alone)
		if whole.Head != part.Head || !slices.Equal(whole.Names(), part.Names()) || (whole.Embedding == nil) != (part.Embedding == nil) {
			t.Errorf("%s: as a whole %+v, with what is needed %+v", want, whole, part)
		}
	}
}

// An adapter is refused by name: that it is one must not get lost.
func TestNeededFilesOfAdapter(t *testing.T) {
	directory := random(t, "", RandomOptions{})
	if err := os.WriteFile(filepath.Join(directory, "adapter_config.json"), []byte("{}"), 0o666); err != nil {
		t.Fatal(err)
	}
	if files, err := neededOf(directory); err != nil || !slices.Contains(files, "adapter_config.json") {
		t.Errorf("%q, %v", files, err)
	}
}

// Whatever a repository's own files say, no name leads out of it.
func FuzzNeededFiles(f *testing.F) {
	f.Add([]byte(`[{"path":"","type":"x.Transformer"},{"path":"1_Pooling","type":"x.Dense"}]`), []byte(`{"weight_map":{"a":"a.safetensors"}}`))
	f.Add([]byte(`[{"path":"../x","type":"x.Transformer"}]`), []byte(`{"weight_map":{"a":"../../a"}}`))
	f.Add([]byte(`[{"path":"a\\b","type":"x.Transformer"},{"path":"/","type":"x.Dense"}]`), []byte(`{"weight_map":{"a":"C:\\a"}}`))
	f.Fuzz(func(t *testing.T, modules, index []byte) {
		files, err := NeededFiles("org/tiny",
			func(file string) bool { return !strings.HasSuffix(file, "model.safetensors") },
			func(file string) ([]byte, error) {
				if file == "modules.json" {
					return modules, nil
				}
				return index, nil
			})
		for _, file := range files {
			if !fs.ValidPath(file) || !filepath.IsLocal(filepath.FromSlash(file)) || strings.ContainsRune(file, '\\') || err != nil {
				t.Errorf("it needs %q of %q and %q, %v", file, modules, index, err)
			}
		}
	})
}

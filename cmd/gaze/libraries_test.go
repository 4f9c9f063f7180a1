package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"testing"
)

var checkpointFolder = flag.String("checkpoints", "", "keep the checkpoints of TestLikeLibraries in this folder")

// A libraryCase is a checkpoint and a command line.
type libraryCase struct {
	Name         string
	Architecture string
	Config       map[string]any
	Files        map[string]json.RawMessage // beside config.json
	Command      string
	Flags        []string
	Question     string // or query
	Texts        []string
}

// Every command answers what transformers' pipeline or sentence-transformers
// does; testdata/make_libraries.py asked them.
func TestLikeLibraries(t *testing.T) {
	var cases []libraryCase
	readTestdata(t, "libraries/cases.json", &cases)
	outputs := map[string]any{}
	folder := t.TempDir()
	if *checkpointFolder != "" {
		folder = *checkpointFolder
	}
	for _, c := range cases {
		c.write(t, filepath.Join(folder, c.Name))
	}
	readTestdata(t, "libraries/outputs.json", &outputs)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			args := append([]string{c.Command, "--json", "--model", filepath.Join(folder, c.Name)}, c.Flags...)
			for _, text := range c.Texts {
				args = append(args, "--text", text)
			}
			switch c.Command {
			case "answer":
				args = append(args, "--question", c.Question)
			case "rerank":
				args = append(args, "--query", c.Question)
			}
			got := call(t.Context(), "", args...)
			if got.status != statusOK {
				t.Fatalf("%+v", got)
			}
			var value any
			parseJSON(t, got.out, &value)
			if outputs[c.Name] == nil {
				t.Fatal("there is no such output: run make_libraries.py")
			}
			compareValues(t, "", value, outputs[c.Name])
		})
	}
}

// write writes the case's checkpoint.
func (c libraryCase) write(t *testing.T, directory string) {
	t.Helper()
	if err := os.Rename(tinyModel(t, c.Architecture, c.Config), directory); err != nil {
		t.Fatal(err)
	}
	write(t, directory, "tokenizer_config.json", `{"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 64,
		"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "mask_token": "[MASK]",
		"model_input_names": ["input_ids", "attention_mask"], "clean_up_tokenization_spaces": false}`)
	for name, text := range c.Files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(directory, name)), 0o777); err != nil {
			t.Fatal(err)
		}
		write(t, directory, filepath.FromSlash(name), string(text))
	}
}

func readTestdata(t *testing.T, name string, value any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	parseJSON(t, string(data), value)
}

// compareValues holds what the library says against what is printed, which may
// say more.
func compareValues(t *testing.T, place string, got, want any) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		object, _ := got.(map[string]any)
		for key := range maps.Keys(want) {
			compareValues(t, place+"."+key, object[key], want[key])
		}
	case []any:
		list, _ := got.([]any)
		if len(list) != len(want) {
			t.Fatalf("%s: %v, expected %d elements: %v", place, got, len(want), want)
		}
		for i := range want {
			compareValues(t, fmt.Sprintf("%s[%d]", place, i), list[i], want[i])
		}
	case float64:
		if number, ok := got.(float64); !ok || !(math.Abs(number-want) <= 1e-5) {
			t.Errorf("%s: %v, expected %v", place, got, want)
		}
	default:
		if got != want {
			t.Errorf("%s: %v, expected %v", place, got, want)
		}
	}
}

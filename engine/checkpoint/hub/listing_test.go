package hub

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
)

// What the hub says is believed only where it makes sense.
func TestParseListing(t *testing.T) {
	one, two := strings.Repeat("1", 40), strings.Repeat("2", 64)
	file := func(fields string) string {
		return `{"sha":"` + one + `","siblings":[{"rfilename":"a","size":1,"blobId":"` + one + `"},{` + fields + `}]}`
	}
	l, err := parseListing([]byte(file(`"rfilename":"b","size":1,"blobId":"` + one + `","lfs":{"size":7,"sha256":"` + two + `","pointerSize":1}`)))
	if err != nil || l.commit != one || l.files["a"] != (File{Path: "a", Size: 1, Hash: one}) || l.files["b"] != (File{Path: "b", Size: 7, Hash: two}) {
		t.Errorf("%+v, %v", l, err)
	}
	for text, want := range map[string]string{
		"<html>":                             "that is no JSON about a model",
		`{}`:                                 `"" is no commit`,
		`{"sha":"main"}`:                     `"main" is no commit`,
		`{"sha":"../../` + one[6:] + `"}`:    "is no commit",
		`{"sha":"` + one + `"}`:              "it lists no files",
		file(`"rfilename":"b"`):              `it gives no size of "b"`,
		file(`"rfilename":"b","size":1`):     `"" is no hash of "b"`,
		file(`"rfilename":"b","size":"one"`): "that is no JSON about a model",
		file(`"rfilename":"b","size":1,"blobId":"../../../` + one[9:] + `"`):             "is no hash",
		file(`"rfilename":"b","size":1,"blobId":"` + two + `"`):                          "is no hash",
		file(`"rfilename":"b","size":1,"lfs":{"size":1,"sha256":"` + one + `"}`):         "is no hash",
		file(`"rfilename":"b","size":-1,"blobId":"` + one + `"`):                         `"b" cannot have -1 bytes`,
		file(`"rfilename":"b","size":9223372036854775807,"blobId":"` + one + `"`):        "cannot have 9223372036854775807 bytes",
		file(`"rfilename":"a","size":1,"blobId":"` + one + `"`):                          `it lists "a" twice`,
		file(`"rfilename":"b","size":1,"blobId":"`+one+`"`) + strings.Repeat(" ", 1<<26): "it lists more than 67108864 bytes of files",
	} {
		if _, err := parseListing([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.200s: %v, expected %s", text, err, want)
		}
	}
}

func TestNoHub(t *testing.T) {
	h := newHub(t)
	h.fault = func(w http.ResponseWriter, _ *http.Request, _ string) bool {
		w.Write([]byte("<html>Please log in to this network</html>"))
		return true
	}
	_, _, err := h.pull(t.Context(), model, nil)
	if err == nil || !strings.Contains(err.Error(), "does not answer as the Hugging Face hub does") || !strings.HasSuffix(err.Error(), "is HF_ENDPOINT right?") {
		t.Errorf("the error is %v", err)
	}
}

// A repository whose files lead elsewhere, or that has not what it needs.
func TestUnfitRepositories(t *testing.T) {
	const transformer = `{"path":"","type":"x.Transformer"}`
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"module above":      {map[string]string{"modules.json": `[` + transformer + `,{"path":"../1_Pooling","type":"x.Pooling"}]`, "../1_Pooling/config.json": "{}"}, `path names "../1_Pooling"`},
		"absolute module":   {map[string]string{"modules.json": `[` + transformer + `,{"path":"/etc","type":"x.Pooling"}]`, "/etc/config.json": "{}"}, `path names "/etc"`},
		"backslash":         {map[string]string{"modules.json": `[` + transformer + `,{"path":"a\\..\\b","type":"x.Pooling"}]`, `a\..\b/config.json`: "{}", "model.safetensors": "x"}, `expected no backslash`},
		"shard above":       {map[string]string{"model.safetensors.index.json": `{"weight_map":{"a":"../a.safetensors"}}`, "../a.safetensors": "x"}, `weight_map names "../a.safetensors"`},
		"shard is missing":  {map[string]string{"model.safetensors.index.json": `{"weight_map":{"a":"a.safetensors"}}`}, `weight_map names "a.safetensors", which is missing`},
		"pickled":           {map[string]string{"pytorch_model.bin": "x"}, "org/tiny.model has its weights in pytorch_model.bin, which can run code and is not read"},
		"no weights at all": {map[string]string{"README.md": "x"}, "org/tiny.model has no weights: expected model.safetensors"},
		"pickled module": {map[string]string{"modules.json": `[` + transformer + `,{"path":"2_Dense","type":"x.Dense"}]`, "model.safetensors": "x",
			"2_Dense/config.json": "{}", "2_Dense/pytorch_model.bin": "x"}, "org/tiny.model/2_Dense has its weights in pytorch_model.bin"},
		"no configuration": {map[string]string{"config.json": "", "model.safetensors": "x"}, "org/tiny.model has no config.json"},
	} {
		h := newHub(t)
		h.files = map[string]string{"config.json": "{}", "tokenizer.json": "{}"}
		for file, contents := range c.files {
			h.files[file] = contents
		}
		if name == "no configuration" {
			delete(h.files, "config.json")
		}
		h.large = nil
		_, _, err := h.pull(t.Context(), model, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, expected %s", name, err, c.want)
		}
		for _, file := range h.cached() { // but for what said so
			if !slices.Contains([]string{h.hashOf("modules.json"), h.hashOf("model.safetensors.index.json")}, strings.TrimPrefix(file, "blobs/")) {
				t.Errorf("%s: it leaves %s", name, file)
			}
		}
		if left, _ := os.ReadDir(os.Getenv("HF_HOME")); len(left) > 1 {
			t.Errorf("%s: it leaves %v", name, left)
		}
	}
}

// A list of modules of gigabytes is not read into memory.
func TestLongText(t *testing.T) {
	h := newHub(t)
	h.files["modules.json"] = strings.Repeat(" ", maxText+1)
	if _, _, err := h.pull(t.Context(), model, nil); err == nil || !strings.Contains(err.Error(), "modules.json: it has 67108865 bytes") {
		t.Errorf("the error is %v", err)
	}
	if seen := h.seen(); !slices.Equal(seen, []string{"hub"}) {
		t.Errorf("requests are %q", seen)
	}
}

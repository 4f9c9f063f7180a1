package hub

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gazevk/gaze/engine/checkpoint"
)

var three = []string{"config.json", "model.safetensors", "tokenizer.json"}

// What is needed is downloaded, and nothing else, into the cache's layout.
func TestPull(t *testing.T) {
	h := newHub(t)
	t.Setenv("HF_TOKEN", secret)
	h.fault = func(_ http.ResponseWriter, r *http.Request, file string) bool {
		if got := r.Header.Get("Authorization"); got != "Bearer "+secret && !r.URL.Query().Has("Signature") {
			t.Errorf("the hub is asked for %q with the authorization %q", file, got)
		}
		return false
	}
	var last Progress
	s, err := Pull(t.Context(), model, Options{Progress: func(p Progress) { last = p }})
	if err != nil {
		t.Fatal(err)
	}
	h.expectContents(s, three...)
	bytes := int64(len(h.files["config.json"]) + len(h.files["model.safetensors"]) + len(h.files["tokenizer.json"]))
	if want := (Progress{Done: bytes, Total: bytes}); last != want {
		t.Errorf("the last progress is %+v, expected %+v", last, want)
	}
	want := []string{"hub", "hub config.json", "hub model.safetensors", "store model.safetensors", "hub tokenizer.json"}
	if seen := h.seen(); !slices.Equal(seen, want) {
		t.Errorf("requests are %q, expected %q", seen, want)
	}
	for _, f := range s.Files {
		target, err := os.Readlink(filepath.Join(s.Directory, f.Path))
		if want := filepath.Join("..", "..", "blobs", h.hashOf(f.Path)); target != want || err != nil {
			t.Errorf("%s links to %s, %v: expected %s", f.Path, target, err, want)
		}
		if !f.Downloaded {
			t.Errorf("%s was not downloaded", f.Path)
		}
	}
	reference, err := os.ReadFile(filepath.Join(s.Directory, "..", "..", "refs", "main"))
	if string(reference) != commit || err != nil {
		t.Errorf("the reference is %q, %v", reference, err)
	}
	if located, err := checkpoint.Locate(model); located != s.Directory || err != nil {
		t.Errorf("it is located at %s, %v: expected %s", located, err, s.Directory)
	}
	if files := h.cached(); len(files) != 2*len(three)+1 {
		t.Errorf("the cache has %q", files)
	}

	// Once more: one request, to learn that nothing has changed, and nothing is written.
	before, err := os.Lstat(filepath.Join(s.Directory, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	s = h.mustPull(model)
	if after, err := os.Lstat(filepath.Join(s.Directory, "config.json")); err != nil || !os.SameFile(before, after) {
		t.Errorf("pulled again, it makes another link, %v", err)
	}
	h.expectContents(s, three...)
	if seen := h.seen(); !slices.Equal(seen, []string{"hub"}) || slices.ContainsFunc(s.Files, func(f File) bool { return f.Downloaded }) {
		t.Errorf("pulled again: requests are %q, files %v", seen, s.Files)
	}
}

// A branch that has moved: what is the same is not downloaded again, and the old
// commit stays.
func TestPullNewCommit(t *testing.T) {
	h := newHub(t)
	old := h.mustPull(model)
	h.seen()
	h.commit = strings.Repeat("9", 40)
	h.files["config.json"] = `{"model_type":"modernbert","num_labels":3}`
	s := h.mustPull(model)
	h.expectContents(s, three...)
	if seen := h.seen(); !slices.Equal(seen, []string{"hub", "hub config.json"}) {
		t.Errorf("requests are %q", seen)
	}
	if located, err := checkpoint.Locate(model); located != s.Directory || s.Directory == old.Directory || err != nil {
		t.Errorf("it is located at %s, %v: expected %s", located, err, s.Directory)
	}
	if located, err := checkpoint.Locate(model + "@" + commit); located != old.Directory || err != nil {
		t.Errorf("the old commit is located at %s, %v", located, err)
	}
	if data, err := os.ReadFile(filepath.Join(old.Directory, "config.json")); string(data) != `{"model_type":"modernbert"}` {
		t.Errorf("the old commit's config.json is %s, %v", data, err)
	}
}

func TestPullRevisions(t *testing.T) {
	h := newHub(t)
	for _, revision := range []string{"v1.0", "refs/pr/1", commit} {
		name := model + "@" + revision
		s := h.mustPull(name)
		if s.Revision != revision || s.Commit != commit {
			t.Errorf("%s: %+v", name, s)
		}
		if located, err := checkpoint.Locate(name); located != s.Directory || err != nil {
			t.Errorf("%s is located at %s, %v", name, located, err)
		}
		if _, err := os.Stat(filepath.Join(s.Directory, "..", "..", "refs", commit)); err == nil {
			t.Error("a commit has a reference")
		}
	}
	if _, err := checkpoint.Locate(model); err == nil {
		t.Error("main is there, though nobody pulled it")
	}
}

// Modules and shards: the files that others name.
func TestPullParts(t *testing.T) {
	h := newHub(t)
	delete(h.files, "model.safetensors")
	for name, contents := range map[string]string{
		"modules.json": `[{"path":"","type":"sentence_transformers.models.Transformer"},{"path":"1_Pooling","type":"x.Pooling"},
			{"path":"2 #%Dense","type":"x.Dense"}]`,
		"config_sentence_transformers.json": "{}", "sentence_bert_config.json": "{}",
		"1_Pooling/config.json": "{}", "1_Pooling/notes.txt": "", "2 #%Dense/config.json": `{"bias":false}`, "2 #%Dense/model.safetensors": "dense",
		"model.safetensors.index.json": `{"weight_map":{"a":"model-1.safetensors","b":"parts/model-2.safetensors","c":"model-1.safetensors"}}`,
		"model-1.safetensors":          weights(1000), "parts/model-2.safetensors": weights(2000), "model-3.safetensors": weights(3000),
	} {
		h.files[name] = contents
	}
	h.expectContents(h.mustPull(model), "1_Pooling/config.json", "2 #%Dense/config.json", "2 #%Dense/model.safetensors", "config.json",
		"config_sentence_transformers.json", "model-1.safetensors", "model.safetensors.index.json", "modules.json",
		"parts/model-2.safetensors", "sentence_bert_config.json", "tokenizer.json")
	h.seen()
	h.mustPull(model)
	if seen := h.seen(); !slices.Equal(seen, []string{"hub"}) {
		t.Errorf("pulled again: requests are %q", seen)
	}
}

// Two at once: both get everything, and each file is downloaded once.
func TestPullTwice(t *testing.T) {
	h := newHub(t)
	var begun, ended sync.WaitGroup
	begun.Add(2)
	h.fault = func(_ http.ResponseWriter, _ *http.Request, file string) bool {
		if file == "" { // both begin before either downloads
			begun.Done()
			begun.Wait()
		}
		return false
	}
	for range 2 {
		ended.Add(1)
		go func() {
			defer ended.Done()
			s, err := Pull(t.Context(), model, Options{})
			if err != nil {
				t.Error(err)
				return
			}
			h.expectContents(s, three...)
		}()
	}
	ended.Wait()
	seen := h.seen()
	slices.Sort(seen)
	want := []string{"hub", "hub", "hub config.json", "hub model.safetensors", "hub tokenizer.json", "store model.safetensors"}
	if !slices.Equal(seen, want) {
		t.Errorf("requests are %q, expected %q", seen, want)
	}
}

// Stopped, it leaves what has arrived and nothing that could be opened. The next
// goes on from there.
func TestPullInterrupted(t *testing.T) {
	h := newHub(t)
	const part = 300_000
	ctx, cancel := context.WithCancel(t.Context())
	h.fault = atStore(func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Content-Length", fmt.Sprint(len(h.files["model.safetensors"])))
		w.Write([]byte(h.files["model.safetensors"][:part]))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return true
	})
	config := int64(len(h.files["config.json"]))
	_, _, err := h.pull(ctx, model, func(p *puller) {
		p.progress = func(p Progress) {
			if p.Done == config+part {
				cancel()
			}
		}
	})
	if err != context.Canceled {
		t.Errorf("the error is %v", err)
	}
	left := []string{"blobs/" + h.hashOf("config.json"), "blobs/" + h.hashOf("model.safetensors") + ".incomplete"}
	slices.Sort(left)
	if files := h.cached(); !slices.Equal(files, left) {
		t.Errorf("it leaves %q, expected %q", files, left)
	}
	if _, err := checkpoint.Locate(model); err == nil {
		t.Error("half a model can be opened")
	}
	h.fault = nil
	h.seen()
	var first Progress
	s, _, err := h.pull(t.Context(), model, func(p *puller) {
		p.progress = func(p Progress) {
			if first == (Progress{}) {
				first = p
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	h.expectContents(s, three...)
	want := []string{"hub", "hub model.safetensors bytes=300000-", "store model.safetensors bytes=300000-", "hub tokenizer.json"}
	if seen := h.seen(); !slices.Equal(seen, want) {
		t.Errorf("requests are %q, expected %q", seen, want)
	}
	if want := int64(len(h.files["model.safetensors"]) + len(h.files["tokenizer.json"])); first != (Progress{Done: part, Total: want}) {
		t.Errorf("the first progress is %+v", first)
	}
}

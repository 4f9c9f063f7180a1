package hub

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	model  = "org/tiny.model"
	commit = "0123456789abcdef0123456789abcdef01234567"
	secret = "hf_secretsecretsecret"
)

// A fakeHub answers as the hub does, with one model. Large files lie on a second
// server, as those of the hub do, on another port of the same host: the standard
// library would send a token there too.
type fakeHub struct {
	t          *testing.T
	hub, store *httptest.Server
	commit     string
	files      map[string]string // contents
	large      map[string]bool   // by name: kept at the store
	listed     map[string]string // what the listing takes for the contents, where not the contents
	// fault may answer in the hub's place, or the store's, and says whether it
	// did. file is "" for the listing.
	fault func(w http.ResponseWriter, r *http.Request, file string) bool

	mutex    sync.Mutex
	requests []string // "hub FILE RANGE" or "store FILE RANGE", in order
}

// newHub makes a hub with a model of a config.json, a tokenizer.json in git, a
// model.safetensors at the store, and some files that nobody needs. The
// environment of the test leads there, and to a cache in a new directory.
func newHub(t *testing.T) *fakeHub {
	h := &fakeHub{
		t: t, commit: commit, listed: map[string]string{}, large: map[string]bool{"model.safetensors": true, "pytorch_model.bin": true},
		files: map[string]string{
			"config.json": `{"model_type":"modernbert"}`, "tokenizer.json": "{}", "README.md": "# tiny", ".gitattributes": "*.bin lfs",
			"model.safetensors": weights(600_000), "pytorch_model.bin": "pickle", "onnx/model.onnx": "onnx",
		},
	}
	h.hub = httptest.NewServer(http.HandlerFunc(h.serveHub))
	t.Cleanup(h.hub.Close)
	h.store = httptest.NewServer(http.HandlerFunc(h.serveStore))
	t.Cleanup(h.store.Close)
	home := t.TempDir()
	for _, name := range []string{"HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN", "HF_TOKEN_PATH",
		"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HTTP_PROXY", "http_proxy"} {
		t.Setenv(name, "")
	}
	t.Setenv("HF_HOME", home)
	t.Setenv("HF_HUB_CACHE", filepath.Join(home, "hub"))
	t.Setenv("HF_ENDPOINT", h.hub.URL)
	return h
}

// weights returns bytes that do not repeat.
func weights(n int) string {
	b := make([]byte, 0, n+20)
	for i := 0; len(b) < n; i++ {
		b = strconv.AppendInt(b, int64(i), 36)
	}
	return string(b[:n])
}

// hashOf returns a file's name as a blob.
func (h *fakeHub) hashOf(file string) string {
	contents, other := h.listed[file]
	if !other {
		contents = h.files[file]
	}
	if h.large[file] {
		return hex.EncodeToString(sum256(contents))
	}
	sum := sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(contents), contents))
	return hex.EncodeToString(sum[:])
}

func sum256(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

func (h *fakeHub) note(r *http.Request, server, file string) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.requests = append(h.requests, strings.TrimSpace(server+" "+file+" "+r.Header.Get("Range")))
}

// seen returns the requests so far and forgets them.
func (h *fakeHub) seen() []string {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	seen := h.requests
	h.requests = nil
	return seen
}

func (h *fakeHub) serveHub(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Accept-Encoding") != "identity" {
		h.t.Errorf("%s: Accept-Encoding is %q", r.URL, r.Header.Get("Accept-Encoding"))
	}
	path := r.URL.EscapedPath()
	if revision, ok := strings.CutPrefix(path, "/api/models/"+model+"/revision/"); ok {
		h.note(r, "hub", "")
		if h.fault != nil && h.fault(w, r, "") {
			return
		}
		if !slices.Contains([]string{"main", "v1.0", "refs%2Fpr%2F1", h.commit}, revision) || r.URL.RawQuery != "blobs=true" {
			refuse(w, http.StatusNotFound, "RevisionNotFound")
			return
		}
		h.list(w)
		return
	}
	file, ok := strings.CutPrefix(path, "/"+model+"/resolve/"+h.commit+"/")
	file, err := url.PathUnescape(file)
	contents, exists := h.files[file]
	if !ok || err != nil || !exists {
		h.t.Errorf("the hub is asked for %s", r.URL)
		refuse(w, http.StatusNotFound, "EntryNotFound")
		return
	}
	h.note(r, "hub", file)
	w.Header().Set("X-Repo-Commit", h.commit)
	if h.large[file] {
		w.Header().Set("X-Linked-Etag", `"`+h.hashOf(file)+`"`)
		w.Header().Set("X-Linked-Size", fmt.Sprint(len(contents)))
	}
	if h.fault != nil && h.fault(w, r, file) {
		return
	}
	if h.large[file] {
		http.Redirect(w, r, h.store.URL+"/"+file+"?Signature=secretsignature", http.StatusFound)
		return
	}
	w.Header().Set("ETag", `"`+h.hashOf(file)+`"`)
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(contents))
}

func (h *fakeHub) serveStore(w http.ResponseWriter, r *http.Request) {
	file := strings.TrimPrefix(r.URL.Path, "/")
	h.note(r, "store", file)
	if r.Header.Get("Authorization") != "" {
		h.t.Errorf("the store of %s is told the token", file)
	}
	w.Header().Set("ETag", `"of-the-store"`)
	if h.fault != nil && h.fault(w, r, file) {
		return
	}
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(h.files[file]))
}

func (h *fakeHub) list(w http.ResponseWriter) {
	siblings := []map[string]any{}
	for name, contents := range h.files {
		if other, ok := h.listed[name]; ok {
			contents = other
		}
		entry := map[string]any{"rfilename": name, "size": len(contents), "blobId": h.hashOf(name)}
		if h.large[name] {
			entry["blobId"] = strings.Repeat("d", 40) // of the pointer that lies in git
			entry["lfs"] = map[string]any{"size": len(contents), "sha256": h.hashOf(name), "pointerSize": 134}
		}
		siblings = append(siblings, entry)
	}
	json.NewEncoder(w).Encode(map[string]any{"id": model, "sha": h.commit, "gated": false, "siblings": siblings})
}

// refuse answers as the hub does where it has an error to tell.
func refuse(w http.ResponseWriter, status int, code string) {
	if code != "" {
		w.Header().Set("X-Error-Code", code)
	}
	w.WriteHeader(status)
}

// atStore makes a fault of the store's answers about the weights.
func atStore(answer func(w http.ResponseWriter, r *http.Request) bool) func(http.ResponseWriter, *http.Request, string) bool {
	return func(w http.ResponseWriter, r *http.Request, file string) bool {
		return file == "model.safetensors" && r.URL.Query().Has("Signature") && answer(w, r)
	}
}

// cut sends the first bytes of an answer that promises more, and breaks off.
func cut(w http.ResponseWriter, contents string, bytes int) bool {
	w.Header().Set("Content-Length", fmt.Sprint(len(contents)))
	w.Write([]byte(contents[:bytes]))
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

// pull makes a puller that does not sleep. pauses are what it would have slept.
func (h *fakeHub) pull(ctx context.Context, name string, change func(*puller)) (s *Snapshot, pauses []time.Duration, err error) {
	_, revision, _ := strings.Cut(name+"@main", "@")
	revision, _, _ = strings.Cut(revision, "@")
	p, err := newPuller(model, revision, Options{})
	if err != nil {
		return nil, nil, err
	}
	p.sleep = func(_ context.Context, pause time.Duration) { pauses = append(pauses, pause) }
	if change != nil {
		change(p)
	}
	s, err = p.pull(ctx)
	return s, pauses, err
}

// mustPull pulls without any fault.
func (h *fakeHub) mustPull(name string) *Snapshot {
	h.t.Helper()
	s, err := Pull(h.t.Context(), name, Options{})
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

// blob returns the path of a file's blob.
func (h *fakeHub) blob(file string) string {
	return filepath.Join(os.Getenv("HF_HUB_CACHE"), "models--org--tiny.model", "blobs", h.hashOf(file))
}

// cached returns the paths of all files in the cache's folder of the model.
func (h *fakeHub) cached() []string {
	folder := filepath.Join(os.Getenv("HF_HUB_CACHE"), "models--org--tiny.model")
	paths := []string{}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			relative, _ := filepath.Rel(folder, path)
			paths = append(paths, filepath.ToSlash(relative))
		}
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		h.t.Fatal(err)
	}
	return paths
}

// expectContents holds a snapshot against the hub's files.
func (h *fakeHub) expectContents(s *Snapshot, names ...string) {
	h.t.Helper()
	got := []string{}
	for _, f := range s.Files {
		got = append(got, f.Path)
		data, err := os.ReadFile(filepath.Join(s.Directory, filepath.FromSlash(f.Path)))
		if err != nil || string(data) != h.files[f.Path] || f.Size != int64(len(data)) || f.Hash != h.hashOf(f.Path) {
			h.t.Errorf("%s: %d bytes, %+v, %v", f.Path, len(data), f, err)
		}
	}
	if !slices.Equal(got, names) {
		h.t.Errorf("the snapshot has %q, expected %q", got, names)
	}
}

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gazevk/gaze/engine/checkpoint/hub"
)

const pullCommit = "0123456789abcdef0123456789abcdef01234567"

// serveModel makes the environment's hub one that has the model of a directory,
// named org/tiny, with all its files at a second server. It returns the cache.
func serveModel(t *testing.T, directory string) (cache string) {
	t.Helper()
	store := httptest.NewServer(http.FileServer(http.Dir(directory)))
	t.Cleanup(store.Close)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if file, ok := strings.CutPrefix(r.URL.Path, "/org/tiny/resolve/"+pullCommit+"/"); ok {
			http.Redirect(w, r, store.URL+"/"+file, http.StatusFound)
			return
		}
		if r.URL.Path != "/api/models/org/tiny/revision/main" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		var siblings []map[string]any
		err := filepath.WalkDir(directory, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			sum := sha256.Sum256(data)
			name, _ := filepath.Rel(directory, path)
			siblings = append(siblings, map[string]any{"rfilename": filepath.ToSlash(name), "size": len(data),
				"lfs": map[string]any{"size": len(data), "sha256": hex.EncodeToString(sum[:])}})
			return err
		})
		if err != nil {
			t.Error(err)
		}
		json.NewEncoder(w).Encode(map[string]any{"sha": pullCommit, "siblings": siblings})
	}))
	t.Cleanup(server.Close)
	for _, name := range []string{"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HTTP_PROXY", "http_proxy"} {
		t.Setenv(name, "")
	}
	cache = filepath.Join(t.TempDir(), "hub")
	t.Setenv("HF_HOME", filepath.Dir(cache))
	t.Setenv("HF_HUB_CACHE", cache)
	t.Setenv("HF_ENDPOINT", server.URL)
	return cache
}

// A model that is not there, then pulled, then used by its name: the embedding is
// that of the directory that the hub serves.
func TestPull(t *testing.T) {
	source := tinyModel(t, "ModernBertModel", nil)
	write(t, source, "modules.json", `[{"path":"","type":"x.Transformer"},{"path":"1_Pooling","type":"x.Pooling"},{"path":"2_Normalize","type":"x.Normalize"}]`)
	if err := os.Mkdir(filepath.Join(source, "1_Pooling"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(source, "1_Pooling"), "config.json", `{"pooling_mode_cls_token":true}`)
	write(t, source, "README.md", "not needed")
	cache := serveModel(t, source)
	embed := func(model string) called {
		return call(t.Context(), "", "embed", "--model", model, "--text", "an ant", "--json")
	}
	if got := embed("org/tiny"); got.status != statusFailure || !strings.HasSuffix(got.err, "; to download it: gaze pull org/tiny\n") {
		t.Errorf("before: %+v", got)
	}

	directory := filepath.Join(cache, "models--org--tiny", "snapshots", pullCommit)
	said := mustCall(t, "pull", "org/tiny")
	lines := strings.Split(said, "\n")
	if len(lines) != 9 || !strings.HasPrefix(lines[0], "1_Pooling/config.json ") || !strings.HasPrefix(lines[2], "model.safetensors ") ||
		!strings.HasPrefix(lines[6], "org/tiny main (commit "+pullCommit+"): 5 of 5 files downloaded, ") || lines[7] != directory {
		t.Errorf("it says\n%s", said)
	}
	if strings.Contains(listing(t, cache), "README") {
		t.Error("it has pulled what nobody needs")
	}
	want := embed(source)
	if got := embed("org/tiny"); got != want || got.status != statusOK {
		t.Errorf("%+v\nexpected %+v", got, want)
	}
	if got, want := mustCall(t, "pull", "org/tiny"), "org/tiny main (commit "+pullCommit+") is complete: nothing to download\n"+directory+"\n"; got != want {
		t.Errorf("pulled again, it says %q, expected %q", got, want)
	}

	elsewhere := t.TempDir()
	var described struct {
		Model, Revision, Commit, Directory string
		Files                              []pulledFile
	}
	parseJSON(t, mustCall(t, "pull", "org/tiny@main", "--cache", elsewhere, "--json"), &described)
	if described.Model != "org/tiny" || described.Revision != "main" || described.Commit != pullCommit ||
		described.Directory != filepath.Join(elsewhere, "models--org--tiny", "snapshots", pullCommit) || len(described.Files) != 5 {
		t.Errorf("%+v", described)
	}
	for _, f := range described.Files {
		data, err := os.ReadFile(filepath.Join(source, f.Path))
		if sum := sha256.Sum256(data); err != nil || f.Size != int64(len(data)) || f.Hash != hex.EncodeToString(sum[:]) || !f.Downloaded {
			t.Errorf("%+v, %v", f, err)
		}
	}
	if got := embed(described.Directory); got != want {
		t.Errorf("by its path: %+v\nexpected %+v", got, want)
	}
}

// What gaze cannot use is downloaded all the same, and said.
func TestPullUnusable(t *testing.T) {
	for file, contents := range map[string]string{"config.json": `{"model_type":"bert"}`, "tokenizer.json": `{"version":"2.0"}`} {
		source := tinyModel(t, "ModernBertModel", nil)
		write(t, source, file, contents)
		serveModel(t, source)
		got := call(t.Context(), "", "pull", "org/tiny")
		if got.status != statusOK || !strings.HasPrefix(got.err, "gaze: warning: gaze cannot use this model: ") || strings.Count(got.err, "\n") != 1 ||
			!strings.Contains(got.err, filepath.Join(pullCommit, file)) || !strings.Contains(got.out, "3 of 3 files downloaded") {
			t.Errorf("%s: %+v", file, got)
		}
	}
}

func TestPullErrors(t *testing.T) {
	cache := serveModel(t, t.TempDir())
	host := strings.TrimPrefix(os.Getenv("HF_ENDPOINT"), "http://")
	for name, want := range map[string]called{
		"a/b/c":    {statusUsage, "", "gaze pull: \"a/b/c\": it is no name of a model on the Hugging Face hub: expected organization/model or organization/model@revision\n"},
		"org/none": {statusFailure, "", "gaze pull: cannot pull org/none: " + host + " has no such model, or none for everybody: check the name, and for a private model set HF_TOKEN\n"},
	} {
		if got := call(t.Context(), "", "pull", name); got != want {
			t.Errorf("%s: %+v\nexpected %+v", name, got, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := call(ctx, "", "pull", "org/tiny"); got != (called{statusInterrupted, "", "gaze pull: interrupted\n"}) {
		t.Errorf("interrupted: %+v", got)
	}
	if _, err := os.Stat(cache); err == nil {
		t.Errorf("it leaves\n%s", listing(t, cache))
	}
}

func TestTransferText(t *testing.T) {
	for want, c := range map[string]struct {
		progress hub.Progress
		rate     float64
	}{
		"0 B of 570.9 MiB":                            {hub.Progress{Total: 598_635_032}, 0},
		"100.0 MiB of 570.9 MiB, 10.0 MiB/s, 47s":     {hub.Progress{Done: 100 << 20, Total: 598_635_032}, 10 << 20},
		"100.0 MiB of 570.9 MiB, 1023.0 KiB/s, 7m51s": {hub.Progress{Done: 100 << 20, Total: 598_635_032}, 1023 << 10},
		"another pull is at it":                       {hub.Progress{Total: 1, Waiting: "another pull is at it"}, 1},
		"waiting 16s: huggingface.co answers 503 Se…": {hub.Progress{Waiting: "waiting 16s: huggingface.co answers 503 Service Unavailable"}, 0},
	} {
		if got := transferText(c.progress, c.rate); got != want || len([]rune("100% "+strings.Repeat("#", 30)+" "+got)) > 79 {
			t.Errorf("%q, expected %q", got, want)
		}
	}
}

// A pause is shown at once, whatever was drawn just before.
func TestTransferWaits(t *testing.T) {
	var w strings.Builder
	shown := transfer{bar: &progress{w: &w}}
	for _, p := range []hub.Progress{{Done: 1, Total: 2}, {Done: 2, Total: 2}, {Done: 1, Total: 2, Waiting: "waiting 1s"}} {
		shown.show(p)
	}
	half := "\r\x1b[K 50% " + strings.Repeat("#", 15) + strings.Repeat(".", 15)
	if got, want := w.String(), half+" 1 B of 2 B"+half+" waiting 1s"; got != want {
		t.Errorf("%q, expected %q", got, want)
	}
	(&transfer{}).show(hub.Progress{Done: 1, Total: 2}) // where there is no terminal
}

// The pace is that of the last ten seconds.
func TestPace(t *testing.T) {
	var p pace
	now := time.Unix(0, 0)
	for i, c := range []struct {
		seconds float64
		done    int64
		want    float64
	}{
		{0, 500, 0},       // of an earlier pull
		{0.1, 5000, 0},    // too soon
		{1, 1500, 1000},   // after the first
		{11, 21500, 2000}, // after that at 1 s
		{12, 100, 0},      // it begins anew
		{14, 300, 100},
	} {
		p.add(now.Add(time.Duration(c.seconds*float64(time.Second))), c.done)
		if got := p.rate(); got != c.want {
			t.Errorf("mark %d: %v, expected %v", i, got, c.want)
		}
	}
}

func TestPullBuiltin(t *testing.T) {
	if got := call(t.Context(), "", "pull", "builtin"); got.status != statusUsage || !strings.Contains(got.err, "use --model builtin") {
		t.Errorf("%+v", got)
	}
}

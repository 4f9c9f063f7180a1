package checkpoint

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// clearHub makes the cache one that is not there.
func clearHub(t *testing.T) (home string) {
	home = t.TempDir()
	for _, name := range []string{"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	return home
}

func TestHubCache(t *testing.T) {
	home := clearHub(t)
	for _, c := range []struct{ name, value, want string }{
		{"", "", filepath.Join(home, ".cache", "huggingface", "hub")},
		{"XDG_CACHE_HOME", "/xdg", filepath.FromSlash("/xdg/huggingface/hub")},
		{"HF_HOME", "/hf", filepath.FromSlash("/hf/hub")},
		{"HF_HOME", "~/hf", filepath.Join(home, "hf", "hub")},
		{"HUGGINGFACE_HUB_CACHE", "/older", "/older"},
		{"HF_HUB_CACHE", "/newer", "/newer"},
		{"HF_HUB_CACHE", "$HF_HOME/other", "~/hf/other"},
	} { // each wins over all before
		if c.name != "" {
			t.Setenv(c.name, c.value)
		}
		if got, err := HubCache(); err != nil || got != c.want {
			t.Errorf("%s=%s: %s, %v: expected %s", c.name, c.value, got, err, c.want)
		}
	}
}

// The cache as huggingface_hub lays it out: files are links to blobs.
func TestOpenModelFromHub(t *testing.T) {
	const commit, other = "0123456789abcdef0123456789abcdef01234567", "89abcdef0123456789abcdef0123456789abcdef"
	cache := filepath.Join(clearHub(t), "hub")
	t.Setenv("HF_HUB_CACHE", cache)
	repository := filepath.Join(cache, "models--org--tiny.model")
	for seed, name := range []string{commit, other} {
		source := random(t, `"num_labels":`+string(rune('3'+seed)), RandomOptions{Seed: uint64(seed), Shards: 2})
		snapshot := filepath.Join(repository, "snapshots", name)
		blobs := filepath.Join(repository, "blobs")
		for _, directory := range []string{snapshot, blobs} {
			if err := os.MkdirAll(directory, 0o777); err != nil {
				t.Fatal(err)
			}
		}
		files, err := os.ReadDir(source)
		if err != nil || len(files) != 4 {
			t.Fatal(files, err)
		}
		for _, file := range files {
			blob := name[:4] + file.Name()
			if err := os.Rename(filepath.Join(source, file.Name()), filepath.Join(blobs, blob)); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(filepath.Join("..", "..", "blobs", blob), filepath.Join(snapshot, file.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
	for reference, text := range map[string]string{"main": commit + "\n", "refs/pr/1": other, "bad": "../../../etc"} {
		path := filepath.Join(repository, "refs", filepath.FromSlash(reference))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for name, labels := range map[string]int{
		"org/tiny.model": 3, "org/tiny.model@main": 3, "org/tiny.model@" + commit: 3, "org/tiny.model@" + other: 4, "org/tiny.model@refs/pr/1": 4,
	} {
		m := openModel(t, name)
		if len(m.Config.Labels) != labels || !strings.HasPrefix(m.Directory, filepath.Join(repository, "snapshots")) {
			t.Errorf("%s: %d labels in %s, expected %d", name, len(m.Config.Labels), m.Directory, labels)
		}
	}
	for name, want := range map[string]string{
		"org/tiny.model@v2": `the cache has no revision "v2" of it: expected the directory ` + filepath.Join(repository, "snapshots", "v2") +
			"; to download it: gaze pull org/tiny.model@v2",
		"org/tiny.model@bad":  `the cache has no revision "bad" of it in ` + repository + "; to download it: gaze pull org/tiny.model@bad",
		"org/tiny.model@refs": `the cache has no revision "refs" of it`,
		"org/none":            "the Hugging Face cache has no " + filepath.Join(cache, "models--org--none") + "; to download it: gaze pull org/none",
		"none":                "the Hugging Face cache has no " + filepath.Join(cache, "models--none"),
		"":                    "it is no name of a model",
		"../up":               "it is no name of a model",
		"./here":              "it is no name of a model",
		"a/b/c":               "it is no name of a model",
		"org/a..b":            "it is no name of a model",
		"org--tiny":           "it is no name of a model",
		"org/tiny@../main":    "it is no name of a model",
		"org/tiny@a/../../b":  "it is no name of a model",
		"org/tiny@":           "it is no name of a model",
	} {
		if m, err := OpenModel(name); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, %v: expected an error with %q", name, m, err, want)
		}
	}
	// A directory counts before a name.
	t.Chdir(t.TempDir())
	if err := WriteRandom(filepath.FromSlash("org/tiny.model"), small(`"num_labels":9`), RandomOptions{}); err != nil {
		t.Fatal(err)
	}
	if m := openModel(t, "org/tiny.model"); len(m.Config.Labels) != 9 {
		t.Errorf("%s was opened, not the directory", m.Directory)
	}
	if _, err := OpenModel("org/tiny.model/config.json"); err == nil || !strings.Contains(err.Error(), "it is a file; expected the directory") {
		t.Errorf("a file: %v", err)
	}
}

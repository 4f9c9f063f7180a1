package hub

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFullDisk(t *testing.T) {
	h := newHub(t)
	need := int64(len(h.files["config.json"]) + len(h.files["model.safetensors"]) + len(h.files["tokenizer.json"]))
	asked := ""
	space := func(free int64) func(*puller) {
		return func(p *puller) {
			p.freeSpace = func(path string) (int64, error) {
				asked = path
				return free, nil
			}
		}
	}
	_, _, err := h.pull(t.Context(), model, space(need-1))
	if want := "it needs 0.6 MiB more in " + os.Getenv("HF_HOME") + ", which has 0.6 MiB free: make room"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("the error is %v, expected %s", err, want)
	}
	if left, _ := os.ReadDir(os.Getenv("HF_HOME")); len(left) > 0 || asked != os.Getenv("HF_HOME") {
		t.Errorf("asked for %s, it leaves %v", asked, left)
	}
	// What is there already needs no room.
	partial := h.blob("model.safetensors") + ".incomplete"
	if err := os.MkdirAll(filepath.Dir(partial), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(partial, []byte(h.files["model.safetensors"][:1000]), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, _, err = h.pull(t.Context(), model, space(need-1001)); err == nil || asked != filepath.Dir(filepath.Dir(partial)) {
		t.Errorf("asked for %s: %v", asked, err)
	}
	if _, _, err = h.pull(t.Context(), model, space(need-1000)); err != nil {
		t.Error(err)
	}
	if _, _, err = h.pull(t.Context(), model, space(0)); err != nil {
		t.Errorf("there is nothing to download: %v", err)
	}
}

// The real thing knows about this disk.
func TestFreeSpace(t *testing.T) {
	free, err := freeSpace(t.TempDir())
	if err != nil || free == 0 {
		t.Errorf("%d bytes, %v", free, err)
	}
	if _, err := freeSpace(filepath.Join(t.TempDir(), "none")); err == nil && free > 0 {
		t.Error("there is space in a directory that is not there")
	}
}

package hub

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gofrs/flock"
)

// While somebody else writes a blob, it waits and says so.
func TestPullLocked(t *testing.T) {
	h := newHub(t)
	locks := filepath.Join(os.Getenv("HF_HUB_CACHE"), ".locks", "models--org--tiny.model")
	if err := os.MkdirAll(locks, 0o777); err != nil {
		t.Fatal(err)
	}
	other := flock.New(filepath.Join(locks, h.hashOf("model.safetensors")+".lock"))
	if err := other.Lock(); err != nil {
		t.Fatal(err)
	}
	waited := 0
	s, _, err := h.pull(t.Context(), model, func(p *puller) {
		p.progress = func(p Progress) {
			if p.Waiting != "" {
				waited++
				// Meanwhile the other is done.
				if err := os.WriteFile(h.blob("model.safetensors"), []byte(h.files["model.safetensors"]), 0o666); err != nil {
					t.Error(err)
				}
				other.Unlock()
			}
		}
	})
	if err != nil || waited != 1 {
		t.Fatalf("it waited %d times, %v", waited, err)
	}
	h.expectContents(s, three...)
	if seen := h.seen(); !slices.Equal(seen, []string{"hub", "hub config.json", "hub tokenizer.json"}) || s.Files[1].Downloaded {
		t.Errorf("requests are %q, files %v", seen, s.Files)
	}

	h = newHub(t)
	ctx, cancel := context.WithCancel(t.Context())
	locks = filepath.Join(os.Getenv("HF_HUB_CACHE"), ".locks", "models--org--tiny.model")
	if err := os.MkdirAll(locks, 0o777); err != nil {
		t.Fatal(err)
	}
	other = flock.New(filepath.Join(locks, h.hashOf("config.json")+".lock"))
	if err := other.Lock(); err != nil {
		t.Fatal(err)
	}
	defer other.Unlock()
	_, _, err = h.pull(ctx, model, func(p *puller) { p.progress = func(Progress) { cancel() } })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("stopped while it waits: %v", err)
	}
}

// Where there are no symbolic links there are other ways.
func TestPullWithoutLinks(t *testing.T) {
	for ways := range 3 {
		h := newHub(t)
		s, _, err := h.pull(t.Context(), model, func(p *puller) {
			for i := range ways {
				p.links[i] = func(string, string) error { return os.ErrPermission }
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		h.expectContents(s, three...)
		path := filepath.Join(s.Directory, "config.json")
		entry, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		blob, err := os.Stat(h.blob("config.json"))
		if err != nil {
			t.Fatal(err)
		}
		if link, same := entry.Mode()&os.ModeSymlink != 0, os.SameFile(entry, blob); link != (ways == 0) || same != (ways == 1) {
			t.Errorf("without the first %d ways: a symbolic link: %v, the blob itself: %v", ways, link, same)
		}
	}
	h := newHub(t)
	_, _, err := h.pull(t.Context(), model, func(p *puller) {
		p.links = []func(string, string) error{func(string, string) error { return os.ErrPermission }}
	})
	if err == nil || !strings.Contains(err.Error(), "config.json: permission denied") {
		t.Errorf("without any way: %v", err)
	}
	if files := h.cached(); len(files) != len(three) {
		t.Errorf("without any way it leaves %q", files)
	}
}

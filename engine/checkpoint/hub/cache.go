package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine/checkpoint"
)

// A repository is the folder that a cache has for one model.
type repository struct {
	folder string
	locks  string
	links  []func(blob, path string) error // ways to make path show a blob, the best first
}

func openRepository(cache, model string) repository {
	name := checkpoint.HubFolder(model)
	return repository{
		folder: filepath.Join(cache, name),
		locks:  filepath.Join(cache, ".locks", name),
		links:  []func(blob, path string) error{symbolicLink, os.Link, copyFile},
	}
}

func (r *repository) blob(f File) string { return filepath.Join(r.folder, "blobs", f.Hash) }

func (r *repository) snapshot(commit string) string {
	return filepath.Join(r.folder, "snapshots", commit)
}

// entry returns the path of a file in a snapshot.
func (r *repository) entry(commit string, f File) string {
	return filepath.Join(r.snapshot(commit), filepath.FromSlash(f.Path))
}

// find returns a path with the contents of a file, "" where there is none. What
// has its place in a cache was checked before it came there; only the size is
// looked at again.
func (r *repository) find(commit string, f File) string {
	for _, path := range []string{r.entry(commit, f), r.blob(f)} {
		if present(path, f.Size) {
			return path
		}
	}
	return ""
}

func present(path string, size int64) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Size() == size
}

// lock waits until nobody else writes a blob. Python's huggingface_hub takes the
// same lock. Where a file system has none, what two write of one blob is the same
// bytes at the same places, and its hash is checked in any case.
func (r *repository) lock(ctx context.Context, f File, waiting func()) (unlock func(), err error) {
	if err := os.MkdirAll(r.locks, 0o777); err != nil {
		return nil, err
	}
	l := flock.New(filepath.Join(r.locks, f.Hash+".lock"), flock.SetPermissions(0o664))
	locked, err := l.TryLock()
	if err == nil && !locked {
		waiting()
		_, err = l.TryLockContext(ctx, 100*time.Millisecond)
	}
	if errors.Is(err, errors.ErrUnsupported) {
		return func() { l.Close() }, nil
	}
	if err != nil {
		return nil, err
	}
	return func() { l.Close() }, nil
}

// link makes a snapshot show a blob.
func (r *repository) link(commit string, f File) error {
	path := r.entry(commit, f)
	if present(path, f.Size) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	// Renamed when it is there, so that nobody finds the half of a copy.
	name := temporaryName(path)
	defer os.Remove(name)
	var err error
	for _, way := range r.links {
		if err = way(r.blob(f), name); err == nil {
			break
		}
		os.Remove(name)
	}
	if err == nil {
		err = os.Rename(name, path)
	}
	return err
}

func temporaryName(path string) string { return fmt.Sprintf("%s.%016x.tmp", path, rand.Uint64()) }

// symbolicLink makes a link that stays true when the cache is moved.
func symbolicLink(blob, path string) error {
	target, err := filepath.Rel(filepath.Dir(path), blob)
	if err != nil {
		return err
	}
	return os.Symlink(target, path)
}

func copyFile(blob, path string) error {
	from, err := os.Open(blob)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Close())
}

// refer records which commit a branch or tag is. Python reads the file to its
// last byte, so there is no line feed.
func (r *repository) refer(revision, commit string) error {
	path := filepath.Join(r.folder, "refs", filepath.FromSlash(revision))
	if text, err := os.ReadFile(path); revision == commit || err == nil && string(text) == commit {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return gaze.WriteFile(path, func(w io.Writer) error {
		_, err := io.Copy(w, strings.NewReader(commit))
		return err
	})
}

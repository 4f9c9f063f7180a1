package gaze_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/gazevk/gaze"
)

func TestWriteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	for _, contents := range []string{"first", "", strings.Repeat("longer than any buffer ", 1<<17)} {
		if err := gaze.WriteFile(path, write(contents)); err != nil {
			t.Fatal(err)
		}
		expectFiles(t, path, contents)
	}
}

func TestWriteFileKeepsTheOldOnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	fails := errors.New("the source dried up")
	fill := func(w io.Writer) error {
		if err := write(strings.Repeat("half of it ", 1<<18))(w); err != nil {
			return err
		}
		return fails
	}
	if err := gaze.WriteFile(path, fill); !errors.Is(err, fails) || !strings.Contains(err.Error(), path) {
		t.Errorf("the error is %v: expected it to name %s and wrap %q", err, path, fails)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 0 {
		t.Errorf("the directory holds %v, error %v: expected nothing", left, err)
	}
	if err := gaze.WriteFile(path, write("old")); err != nil {
		t.Fatal(err)
	}
	if err := gaze.WriteFile(path, fill); !errors.Is(err, fails) {
		t.Errorf("the error is %v: expected it to wrap %q", err, fails)
	}
	expectFiles(t, path, "old")
}

func TestWriteFileWhereNothingCanBe(t *testing.T) {
	directory := t.TempDir()
	file := filepath.Join(directory, "file")
	if err := gaze.WriteFile(file, write("old")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		filepath.Join(directory, "none", "out"), // no such directory
		filepath.Join(file, "out"),              // its directory is a file
	} {
		filled := false
		err := gaze.WriteFile(path, func(io.Writer) error {
			filled = true
			return nil
		})
		if err == nil || !strings.HasPrefix(err.Error(), "cannot write "+path+": ") || strings.Contains(err.Error(), ".tmp") || filled {
			t.Errorf("%s: %v: expected an error that names it alone, before anything is computed", path, err)
		}
	}
	expectFiles(t, file, "old")
}

// An error names the file once, as the caller does, and never the temporary one.
func TestWriteFileNamesItsPath(t *testing.T) {
	directory := t.TempDir()
	taken, full := filepath.Join(directory, "taken"), filepath.Join(directory, "full")
	err := gaze.WriteFile(taken, func(io.Writer) error { return os.Mkdir(taken, 0o777) })
	if err == nil || err.Error() != "cannot write "+taken+": file exists" {
		t.Errorf("where a directory comes in between: %v", err)
	}
	other := filepath.Join(directory, "none")
	err = gaze.WriteFile(filepath.Join(directory, "out"), func(io.Writer) error { _, err := os.Open(other); return err })
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "open "+other) {
		t.Errorf("of another file that is missing: %v", err)
	}
	if runtime.GOOS != "linux" {
		return
	}
	if err := os.Symlink("/dev/full", full); err != nil {
		t.Fatal(err)
	}
	for _, contents := range []string{"x", strings.Repeat("longer than the buffer ", 1<<17)} {
		if err := gaze.WriteFile(full, write(contents)); err == nil || err.Error() != "cannot write "+full+": no space left on device" {
			t.Errorf("on a full device: %v", err)
		}
	}
}

// What is a directory stays one, and the temporary file goes.
func TestWriteFileOverDirectory(t *testing.T) {
	directory := t.TempDir()
	path := filepath.Join(directory, "out")
	if err := os.Mkdir(path, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := gaze.WriteFile(path, write("x")); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("writing over a directory: %v", err)
	}
	left, err := os.ReadDir(directory)
	if err != nil || len(left) != 1 || !left[0].IsDir() {
		t.Errorf("the directory holds %v, error %v", left, err)
	}
}

// A file is as open to others as the umask lets any new file be.
func TestWriteFileMode(t *testing.T) {
	directory := t.TempDir()
	plain, path := filepath.Join(directory, "plain"), filepath.Join(directory, "out")
	if err := os.WriteFile(plain, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := gaze.WriteFile(path, write("")); err != nil {
		t.Fatal(err)
	}
	want, err1 := os.Stat(plain)
	got, err2 := os.Stat(path)
	if err := errors.Join(err1, err2); err != nil || got.Mode() != want.Mode() {
		t.Errorf("mode %v, expected %v, error %v", got.Mode(), want.Mode(), err)
	}
}

// Writers of one path do not mix: one of them wins.
func TestWriteFileAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	var group sync.WaitGroup
	ready := make(chan struct{})
	for i := range 8 {
		group.Add(1)
		go func() {
			defer group.Done()
			<-ready
			if err := gaze.WriteFile(path, write(strings.Repeat(fmt.Sprint(i), 100000*(i+1)))); err != nil {
				t.Error(err)
			}
		}()
	}
	close(ready)
	group.Wait()
	got, err := os.ReadFile(path)
	if err != nil || len(got) == 0 {
		t.Fatalf("%d bytes, error %v", len(got), err)
	}
	winner := int(got[0] - '0')
	expectFiles(t, path, strings.Repeat(fmt.Sprint(winner), 100000*(winner+1)))
}

func write(contents string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, contents)
		return err
	}
}

// expectFiles fails unless path holds contents and is alone in its directory.
func expectFiles(t *testing.T, path, contents string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != contents {
		t.Errorf("%s holds %d bytes, expected %d, error %v", path, len(got), len(contents), err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("%s is not alone: %v, error %v", path, left, err)
	}
}

// TestWriteFileThrough holds that devices and links are written through, not
// replaced by a regular file.
func TestWriteFileThrough(t *testing.T) {
	hello := func(w io.Writer) error { _, err := io.WriteString(w, "hello"); return err }
	directory := t.TempDir()
	target, link := filepath.Join(directory, "target"), filepath.Join(directory, "link")
	if err := os.WriteFile(target, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if err := gaze.WriteFile(link, hello); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link became %v (%v)", info, err)
	}
	if text, err := os.ReadFile(target); err != nil || string(text) != "hello" {
		t.Errorf("its target holds %q (%v)", text, err)
	}
	// Of links that lead nowhere the last one's target is made.
	if err := errors.Join(os.Remove(target), os.Symlink("link", filepath.Join(directory, "far"))); err != nil {
		t.Fatal(err)
	}
	if err := gaze.WriteFile(filepath.Join(directory, "far"), hello); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(target); err != nil || string(text) != "hello" {
		t.Errorf("a link without a target: it holds %q (%v)", text, err)
	}
	// In a directory that is itself a link, ".." is that of the directory it leads to.
	inner := filepath.Join(directory, "a", "b")
	if err := errors.Join(os.MkdirAll(inner, 0o777), os.Symlink(inner, filepath.Join(directory, "short")), os.Symlink("../up", filepath.Join(inner, "up"))); err != nil {
		t.Fatal(err)
	}
	for range 2 { // as there is none, and as there is one
		if err := gaze.WriteFile(filepath.Join(directory, "short", "up"), hello); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Lstat(filepath.Join(directory, "a", "up")); err != nil || !info.Mode().IsRegular() {
			t.Errorf("through a linked directory: %v (%v)", info, err)
		}
	}
	ring := filepath.Join(directory, "ring")
	if err := os.Symlink("ring", ring); err != nil {
		t.Fatal(err)
	}
	if err := gaze.WriteFile(ring, hello); err == nil {
		t.Error("a link to itself is written to")
	}
	if err := gaze.WriteFile(directory, hello); err == nil {
		t.Error("a directory is written to")
	}
	if runtime.GOOS != "linux" {
		return
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	if err := gaze.WriteFile(fmt.Sprintf("/proc/self/fd/%d", write.Fd()), hello); err != nil {
		t.Fatal(err)
	}
	write.Close()
	if text, err := io.ReadAll(read); err != nil || string(text) != "hello" {
		t.Errorf("the pipe brought %q (%v)", text, err)
	}
}

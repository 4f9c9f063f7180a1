//go:build unix

package vk

import (
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A disk that is full after the first bytes, stood in for by a limit on file
// sizes: the old file stays, and no half of the new one. No device is open
// meanwhile, for drivers keep memory in files.
func TestCacheOnFullDisk(t *testing.T) {
	if os.Getenv("GAZE_TEST_LIMITED") == "" {
		// In a process of its own: go test keeps a log of this one in a file, which
		// must not meet the limit.
		program, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		c := exec.Command(program, "-test.v", "-test.run", "^TestCacheOnFullDisk$")
		c.Env = append(os.Environ(), "GAZE_TEST_LIMITED=1")
		if out, err := c.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestCacheOnFullDisk") {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	dir := t.TempDir()
	c := &pipelineCache{path: filepath.Join(dir, "x.cache")}
	write(t, c.path, []byte("old"))

	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	small := limit
	small.Cur = 16
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small); err != nil {
		t.Fatal(err)
	}
	err := c.write(make([]byte, 17))
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	wantError(t, err, syscall.EFBIG, "file too large")
	if _, now := onlyFile(t, dir); string(now) != "old" {
		t.Errorf("the file is now %q", now)
	}
}

// A pipe in the file's place must not make Open wait for a writer.
func TestCacheIsPipe(t *testing.T) {
	dir := t.TempDir()
	compileWithCache(t, dir)
	path, good := onlyFile(t, dir)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if compileWithCache(t, filepath.Dir(path)) != nothing {
		t.Error("a pipe was read")
	}
	if _, now := onlyFile(t, dir); len(now) < len(good) {
		t.Error("the pipe was not replaced")
	}
}

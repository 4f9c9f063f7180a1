package main

import (
	"bytes"
	"context"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gazevk/gaze/engine/checkpoint"
)

var update = flag.Bool("update", false, "rewrite the golden texts")

// Tests compile kernels as users do, but leave the user's own cache alone. With a
// command in the place of flags the program of the tests is gaze itself: gaze
// bench starts its own program.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		os.Exit(execute(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	flag.Parse()
	cache, err := os.MkdirTemp("", "gaze-test-*")
	if err != nil {
		panic(err)
	}
	os.Setenv("XDG_CACHE_HOME", cache)
	os.Setenv("GAZE_FONTS", "") // pictures are of the fonts that gaze carries
	status := m.Run()
	os.RemoveAll(cache)
	os.Exit(status)
}

// A called is what a command line did.
type called struct {
	status   int
	out, err string
}

func call(ctx context.Context, stdin string, args ...string) called {
	var out, err bytes.Buffer
	status := execute(ctx, args, strings.NewReader(stdin), &out, &err)
	return called{status, out.String(), err.String()}
}

// mustCall calls gaze and returns its output. It must succeed without complaint.
func mustCall(t *testing.T, args ...string) string {
	t.Helper()
	c := call(context.Background(), "", args...)
	if c.status != statusOK || c.err != "" {
		t.Fatalf("gaze %s: status %d\n%s", strings.Join(args, " "), c.status, c.err)
	}
	return c.out
}

// golden compares text with testdata/name.
func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("%s (go test -update rewrites it):\n%s\nexpected:\n%s", path, text, want)
	}
}

// write writes a file into a directory and returns its path.
func write(t *testing.T, directory, name, text string) string {
	t.Helper()
	path := filepath.Join(directory, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// listing returns the paths of everything in a directory.
func listing(t *testing.T, directory string) string {
	t.Helper()
	var text strings.Builder
	err := filepath.WalkDir(directory, func(path string, _ fs.DirEntry, err error) error {
		text.WriteString(path + "\n")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// readFloats returns a tensor of a safetensors file.
func readFloats(t *testing.T, path, name string) []float32 {
	t.Helper()
	f, err := checkpoint.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tensor, ok := f.Tensor(name)
	if !ok {
		t.Fatalf("%s has no %s", path, name)
	}
	data, err := tensor.Float32()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

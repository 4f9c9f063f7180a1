package visualize

import (
	"errors"
	"image"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A limit on the size of files fails a write half-way, as a full disk does.
func TestWritePNGToAFullPlaceLeavesTheOldFile(t *testing.T) {
	if os.Getenv("GAZE_TEST_LIMITED") == "" {
		// In a process of its own: go test keeps a log of this one in a file, which
		// must not meet the limit.
		program, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		c := exec.Command(program, "-test.v", "-test.run", "^TestWritePNGToAFullPlaceLeavesTheOldFile$")
		c.Env = append(os.Environ(), "GAZE_TEST_LIMITED=1")
		if out, err := c.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestWritePNGToAFullPlaceLeavesTheOldFile") {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	signal.Ignore(syscall.SIGXFSZ) // so that the write fails instead
	defer signal.Reset(syscall.SIGXFSZ)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	path := filepath.Join(directory, "map.png")
	if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	img := image.NewRGBA(image.Rect(0, 0, 300, 300))
	for i := range img.Pix {
		img.Pix[i] = byte(i * i >> 5) // does not compress into a page
	}
	limit := before
	limit.Cur = 4096
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	err := WritePNG(path, img)
	if restored := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); restored != nil {
		t.Fatal(restored)
	}
	if !errors.Is(err, syscall.EFBIG) {
		t.Errorf("writing failed with %v, want %v", err, syscall.EFBIG)
	}
	if data, _ := os.ReadFile(path); string(data) != "old" {
		t.Errorf("the old file is now %d bytes", len(data))
	}
	if names := entries(t, directory); len(names) != 1 {
		t.Errorf("the directory holds %v", names)
	}
}

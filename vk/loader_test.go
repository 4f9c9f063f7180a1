package vk

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// A recordedLog keeps what several threads may log.
type recordedLog struct {
	lock sync.Mutex
	text bytes.Buffer
}

func (l *recordedLog) Write(p []byte) (int, error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.text.Write(p)
}

func (l *recordedLog) String() string {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.text.String()
}

func (l *recordedLog) contains(text string) bool { return strings.Contains(l.String(), text) }

func TestNoLoader(t *testing.T) {
	t.Setenv("VK_DRIVER_FILES", "")
	t.Setenv("VK_ICD_FILENAMES", "")
	for _, names := range [][]string{
		{"libno-such-vulkan.so.1"},
		{"/dev/null", "/etc/passwd"},
		{"libm.so.6"}, // a library, but no loader
	} {
		get, err := findLoader(names)
		if get != nil {
			t.Errorf("%v: a loader", names)
		}
		wantError(t, err, ErrNoDevice, "there is no Vulkan loader ("+strings.Join(names, ", ")+"); install")
	}
	if get, err := findLoader(append([]string{"libno-such-vulkan.so.1"}, loaderNames()...)); get == nil {
		t.Errorf("the second name was not tried: %v", err)
	}
}

// A process that finds no loader gets the error and can go on.
func TestNoLoaderInProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("only Linux lets a test hide the loader; findLoader is tested above")
		return
	}
	const child = "GAZE_TEST_WITHOUT_LOADER"
	if os.Getenv(child) != "" {
		for range 2 {
			_, err := Open("auto")
			wantError(t, err, ErrNoDevice, "there is no Vulkan loader (libvulkan.so.1, libvulkan.so); ")
			_, err = Adapters()
			wantError(t, err, ErrNoDevice, "")
		}
		return
	}
	hidden := t.TempDir()
	for _, name := range loaderNames() { // these are found first, and are no libraries
		if err := os.WriteFile(filepath.Join(hidden, name), []byte("not a library"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	again := exec.Command(os.Args[0], "-test.run=^TestNoLoaderInProcess$", "-test.v")
	again.Env = append(os.Environ(), child+"=1", "LD_LIBRARY_PATH="+hidden)
	out, err := again.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestNoLoaderInProcess") {
		t.Errorf("%v\n%s", err, out)
	}
}

// Drivers that are missing or damaged are no device, and the error says which
// variable named them.
func TestDamagedDrivers(t *testing.T) {
	if _, err := Adapters(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	text := file("text.so", "not a library")
	manifest := func(library string) string {
		return `{"file_format_version": "1.0.0", "ICD": {"library_path": "` + library + `", "api_version": "1.3.0"}}`
	}
	for _, path := range []string{
		"/nonexistent.json", dir,
		file("empty.json", ""), file("garbage.json", "\x00\xff{]"), file("other.json", `{"a": [1, 2]}`), file("cut.json", manifest("x")[:30]),
		file("missing.json", manifest("/nonexistent/libdriver.so")), file("damaged.json", manifest(text)), file("foreign.json", manifest("libm.so.6")),
	} {
		t.Setenv("VK_DRIVER_FILES", path)
		t.Setenv("VK_ICD_FILENAMES", path) // the older name of the same
		_, err := Open("auto")
		wantError(t, err, ErrNoDevice, "VK_DRIVER_FILES="+path+" hides all other drivers")
		_, err = Adapters()
		wantError(t, err, ErrNoDevice, "VK_DRIVER_FILES="+path)
	}
}

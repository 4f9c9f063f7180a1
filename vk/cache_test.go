package vk

import (
	"bytes"
	"crypto/sha256"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// compileWithCache opens a device with a cache in dir, compiles a kernel on it
// and closes it. It returns the checksum of what the driver was given.
func compileWithCache(t *testing.T, dir string, opts ...Option) (loaded [sha256.Size]byte) {
	t.Helper()
	t.Run("", func(t *testing.T) {
		d := openDevice(t, append([]Option{WithPipelineCache(dir)}, opts...)...)
		loaded = d.cache.loaded
		from, to := newBuffer(t, d, "from", 64), newBuffer(t, d, "to", 64)
		upload(t, d, from.Whole(), 5)
		r := newRecorder(t, d)
		step(r, newStep(t, d, 3), from.Whole(), to.Whole(), 1, 1)
		run(t, finish(t, r))
		if got := download(t, d, to.Whole())[0]; got != 16 {
			t.Errorf("got %d, want 16", got)
		}
	})
	return loaded
}

// onlyFile returns the path and content of the one file in dir.
func onlyFile(t *testing.T, dir string) (string, []byte) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil || len(list) != 1 {
		t.Fatalf("%v: %v, want one file", list, err)
	}
	path := filepath.Join(dir, list[0].Name())
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, content
}

var nothing [sha256.Size]byte

func TestWarmStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "at need")
	if compileWithCache(t, dir) != nothing {
		t.Error("the first start was given data")
	}
	path, kept := onlyFile(t, dir)
	size := len((&pipelineCache{}).header(new(Adapter), nil))
	t.Logf("%s holds %d bytes of the driver's", filepath.Base(path), len(kept)-size)
	if compileWithCache(t, dir) != sha256.Sum256(kept[size:]) {
		t.Error("the second start was not given what the first left")
	}
	if _, again := onlyFile(t, dir); len(again) < len(kept) {
		t.Errorf("%d bytes became %d", len(kept), len(again))
	}
}

// Whatever happened to the file, the device opens, computes, and replaces it.
func TestDamagedCache(t *testing.T) {
	dir := t.TempDir()
	compileWithCache(t, dir)
	path, good := onlyFile(t, dir)
	a := openDevice(t).Adapter()
	c := &pipelineCache{path: path}
	size := len(c.header(&a, nil))
	if !bytes.Equal(c.read(&a), good[size:]) {
		t.Fatal("the undamaged file is not read")
	}
	cases := map[string][]byte{
		"empty": {}, "one byte": good[:1], "header cut": good[:size-1], "header only": good[:size], "half": good[:len(good)/2],
		"cut": good[:len(good)-1], "longer": append(bytes.Clone(good), 0), "zeros": make([]byte, len(good)), "text": []byte("hello\n"),
	}
	other := a
	other.Device++
	cases["another device's"] = append(c.header(&other, good[size:]), good[size:]...)
	other = a
	other.DriverVersion++
	cases["another driver's"] = append(c.header(&other, good[size:]), good[size:]...)
	random := rand.New(rand.NewPCG(8, 9))
	for i := range good {
		flipped := bytes.Clone(good)
		flipped[i] ^= 1 << random.IntN(8)
		if i < size || i%(1+len(good)/200) == 0 {
			write(t, path, flipped)
			if c.read(&a) != nil {
				t.Fatalf("bit of byte %d flipped: the driver would be given it", i)
			}
		}
		cases["a flipped bit"] = flipped
	}
	for name, content := range cases {
		write(t, path, content)
		if compileWithCache(t, dir) != nothing {
			t.Errorf("%s: the driver was given it", name)
		}
		if _, now := onlyFile(t, dir); !bytes.Equal(now[:size-sha256.Size], good[:size-sha256.Size]) || c.read(&a) == nil {
			t.Errorf("%s: it was not replaced", name)
		}
	}
	// Longer than memory: only its size is looked at.
	if err := os.Truncate(path, 1<<40); err != nil {
		t.Fatal(err)
	}
	if compileWithCache(t, dir) != nothing || c.read(&a) == nil {
		t.Error("a terabyte was not replaced")
	}
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// Where nothing can be kept, everything works and a warning says so.
func TestCacheThatCannotBeKept(t *testing.T) {
	dir := t.TempDir()
	compileWithCache(t, dir)
	path, _ := onlyFile(t, dir)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(path, "full"), 0o755); err != nil { // a folder in the file's place
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, nil)
	for _, dir := range []string{dir, file, filepath.Join(file, "below"), "\x00"} {
		log := new(recordedLog)
		if compileWithCache(t, dir, WithLogger(slog.New(slog.NewTextHandler(log, nil)))) != nothing {
			t.Errorf("%q: the driver was given something", dir)
		}
		if !log.contains("level=WARN") || !log.contains("the pipeline cache could not be kept") {
			t.Errorf("%q: the log is %q", dir, log)
		}
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
		t.Errorf("left behind: %v, %v", list, err)
	}
}

// Programs that start at once share one cache: each reads a whole file.
func TestConcurrentCaches(t *testing.T) {
	dir := t.TempDir()
	c := &pipelineCache{path: filepath.Join(dir, "x.cache")}
	var a Adapter
	content := func(n int) []byte { return bytes.Repeat([]byte{byte(n)}, 1000*n) }
	if err := c.write(append(c.header(&a, content(1)), content(1)...)); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for n := range 8 {
		group.Add(1)
		go func() {
			defer group.Done()
			for range 50 {
				data := content(n + 1)
				if err := c.write(append(c.header(&a, data), data...)); err != nil {
					t.Error(err)
				}
				if got := c.read(&a); len(got) == 0 || !bytes.Equal(got, content(int(got[0]))) {
					t.Errorf("read %d bytes that nobody wrote", len(got))
				}
			}
		}()
	}
	group.Wait()
	onlyFile(t, dir)

	shared := t.TempDir()
	for n := range 4 {
		group.Add(1)
		go func() {
			defer group.Done()
			d, err := Open("auto", WithPipelineCache(shared))
			if err != nil {
				t.Error(err)
				return
			}
			p, err := d.NewPipeline(stepSpec(uint32(n)))
			if err != nil {
				t.Error(err)
			}
			p.Close()
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		}()
	}
	group.Wait()
	onlyFile(t, shared)
}

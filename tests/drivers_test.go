package tests

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A driver is one line of drivers.env, which tests/setup/drivers writes.
type driver struct {
	name, manifest string
	loader         string // ld.so of a private root, "" where the system's serves
	libraries      string
	layers         string // where its validation layer is
	families       []string
}

// required are the drivers that the tests cannot do without. The newer lavapipe
// and RADV's null hardware come from other Debian suites: where they cannot be
// had, tests/setup says so and "make test" repeats it at its end.
var required = map[string]bool{"lavapipe": true, "swiftshader": true, "lavapipe-coopmat": false, "radv-null": false}

// findDriver returns the driver of that name. It fails the test where a required
// one is missing and skips it where an optional one is.
func findDriver(t *testing.T, name string) driver {
	t.Helper()
	directory := os.Getenv("GAZE_TOOLS")
	if directory == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			t.Fatal(err)
		}
		directory = filepath.Join(home, ".cache", "gaze-tools")
	}
	file := filepath.Join(directory, "drivers.env")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: tests/setup/test-needs installs the drivers and writes it", err)
	}
	for line := range strings.Lines(string(text)) {
		column := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		for i := range column {
			column[i] = strings.TrimPrefix(column[i], "-")
		}
		if len(column) == 6 && column[0] == name {
			d := driver{name: name, manifest: column[1], loader: column[2], libraries: column[3], layers: column[4]}
			if column[5] != "" {
				d.families = strings.Split(column[5], ",")
			}
			return d
		}
	}
	if required[name] {
		t.Fatalf("driver %s is not in %s: tests/setup/test-needs installs it", name, file)
	}
	t.Skipf("driver %s cannot be had here (see the warnings of tests/setup/test-needs)", name)
	return driver{}
}

// command returns a command that runs a program with d as the only driver.
func (d driver) command(program string, arguments ...string) *exec.Cmd {
	if d.loader != "" {
		arguments = append([]string{"--library-path", d.libraries, program}, arguments...)
		program = d.loader
	}
	c := exec.Command(program, arguments...)
	c.Env = append(os.Environ(), "VK_DRIVER_FILES="+d.manifest, "VK_ICD_FILENAMES="+d.manifest, "NODEVICE_SELECT=1")
	if d.layers != "" {
		c.Env = append(c.Env, "VK_LAYER_PATH="+d.layers)
	}
	return c
}

var program struct {
	sync.Once
	path string
	err  error
}

// gaze builds the command once and returns its path.
func gaze(t *testing.T) string {
	t.Helper()
	program.Do(func() {
		directory, err := os.MkdirTemp("", "gaze-tests")
		if err != nil {
			program.err = err
			return
		}
		program.path = filepath.Join(directory, "gaze")
		out, err := exec.Command("go", "build", "-o", program.path, "../cmd/gaze").CombinedOutput()
		if err != nil {
			t.Log(string(out))
		}
		program.err = err
	})
	if program.err != nil {
		t.Fatal(program.err)
	}
	return program.path
}

func TestMain(m *testing.M) {
	status := m.Run()
	if program.path != "" {
		os.RemoveAll(filepath.Dir(program.path))
	}
	os.Exit(status)
}

// TestVerify proves every kernel on every driver, with the validation layer and
// synchronization validation on and silent.
func TestVerify(t *testing.T) {
	for _, name := range []string{"lavapipe", "swiftshader", "lavapipe-coopmat"} {
		t.Run(name, func(t *testing.T) {
			d, gaze := findDriver(t, name), gaze(t)
			t.Parallel() // most of it is compiling, which each driver does by one thread
			file := filepath.Join(t.TempDir(), "report.json")
			c := d.command(gaze, "verify", "--validate", "--no-cache", "--cases", "2600", "--json", file)
			out, err := c.CombinedOutput()
			t.Logf("%s", out)
			if err != nil {
				t.Fatalf("gaze verify: %v", err)
			}
			var report struct {
				Cases   int `json:"cases"`
				Kernels []struct {
					Kernel string `json:"kernel"`
					Cases  int    `json:"cases"`
				} `json:"kernels"`
			}
			readJSON(t, file, &report)
			if report.Cases < 2600 {
				t.Errorf("%d cases, at least 2600 are wanted", report.Cases)
			}
			met := map[string]int{}
			for _, k := range report.Kernels {
				met[k.Kernel] = k.Cases
			}
			for _, kernel := range kernelNames(t) {
				if strings.HasPrefix(kernel, "limit_") { // gaze bench checks them
					continue
				}
				if strings.Contains(kernel, "_matrix") && name != "lavapipe-coopmat" { // the one with matrix units
					continue
				}
				if strings.Contains(kernel, "_texels_") && name == "swiftshader" { // its texel buffers have 65,536 texels
					continue
				}
				if met[kernel] < 12 {
					t.Errorf("kernel %s was checked in %d cases, at least 12 are wanted", kernel, met[kernel])
				}
			}
		})
	}
}

// TestBench measures every driver's limits, all that it offers, with the
// validation layer silent. The results of the kernels are checked as they run.
func TestBench(t *testing.T) {
	for name, matrix := range map[string]bool{"lavapipe": false, "swiftshader": false, "lavapipe-coopmat": true} {
		t.Run(name, func(t *testing.T) {
			d := findDriver(t, name)
			file := filepath.Join(t.TempDir(), "bench.json")
			c := d.command(gaze(t), "bench", "--validate", "--no-cache", "--quick", "--runs", "1", "--suite", "startup,viewer", "--n", "64", "--json", file)
			out, err := c.CombinedOutput()
			t.Logf("%s", out)
			if err != nil {
				t.Fatalf("gaze bench: %v", err)
			}
			type peak struct{ GFLOPS float64 }
			var report struct {
				Limits struct {
					Multiply peak `json:"multiply_add_f32"`
					Matrix   peak `json:"matrix_units"`
				}
				Cases []struct{ Host struct{ Median float64 } }
			}
			readJSON(t, file, &report)
			if l := report.Limits; !(l.Multiply.GFLOPS > 0) || l.Matrix.GFLOPS > 0 != matrix {
				t.Errorf("limits %+v, and matrix units: %v", l, matrix)
			}
			if len(report.Cases) != 4 {
				t.Errorf("%d cases, expected 4", len(report.Cases))
			}
			for i, c := range report.Cases {
				if !(c.Host.Median > 0) {
					t.Errorf("case %d has no time", i)
				}
			}
		})
	}
}

// kernelNames lists every committed kernel.
func kernelNames(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../shaders/spirv/*.spv")
	if err != nil || len(files) == 0 {
		t.Fatalf("no kernels in ../shaders/spirv: %v", err)
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(filepath.Base(f), ".spv")
	}
	return slices.DeleteFunc(files, func(name string) bool { return strings.Contains(name, ".") }) // stages that draw frames
}

func readJSON(t *testing.T, file string, to any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.NewDecoder(bytes.NewReader(data)).Decode(to)
	}
	if err != nil {
		t.Fatal(err)
	}
}

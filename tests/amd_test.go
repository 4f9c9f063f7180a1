package tests

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var forCPUs = regexp.MustCompile("^(attention|statistics)_(lanes|texels)_")

// TestAMD compiles every kernel with AMD's real compiler for cards that are not
// there (RADV's null hardware), and demands that nothing spills and that the
// kernels a GPU gets leave room for more than one wave.
func TestAMD(t *testing.T) {
	d := findDriver(t, "radv-null")
	if len(d.families) < 3 {
		t.Fatalf("RADV offers %v; vega10, navi21 and navi31 are wanted", d.families)
	}
	for _, family := range d.families {
		t.Run(family, func(t *testing.T) {
			gaze := gaze(t)
			t.Parallel() // the compiler has one thread
			file := filepath.Join(t.TempDir(), "compiled.json")
			c := d.command(gaze, "verify", "--compile", "--no-cache", "--json", file)
			c.Env = append(c.Env, "RADV_FORCE_FAMILY="+family)
			if out, err := c.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			var compiled []struct {
				Kernel     string
				Constants  map[string]uint32
				Statistics map[string]float64
			}
			readJSON(t, file, &compiled)
			met := map[string]bool{}
			for _, c := range compiled {
				met[c.Kernel] = true
				if len(c.Statistics) == 0 {
					t.Fatalf("%s %v: the driver reports nothing", c.Kernel, c.Constants)
				}
				for _, name := range []string{"Spilled VGPRs", "Spilled SGPRs", "Scratch size"} {
					if value, ok := c.Statistics[name]; !ok || value != 0 {
						t.Errorf("%s %v: %s is %v (known: %v)", c.Kernel, c.Constants, name, value, ok)
					}
				}
				// What every Vulkan device has, but for what is offered only to those with more.
				large := strings.HasPrefix(c.Kernel, "matmul_tiled") && c.Constants["ROWS"] == 128 && c.Constants["COLUMNS"] == 128 && c.Constants["STEP"] == 4
				most := 16.0 * 1024
				if strings.Contains(c.Kernel, "_matrix_") {
					most = 32 << 10 // engine.matrixUnits asks for as much
				}
				if shared := c.Statistics["LDS size"]; shared > most && !large {
					t.Errorf("%s %v: %v bytes of shared memory", c.Kernel, c.Constants, shared)
				}
				// Tiers lanes and texels are for CPUs; on a GPU they need only be right. Attention
				// with 8 queries an invocation is what tuning may choose where registers are many.
				wide := strings.HasPrefix(c.Kernel, "attention_tiled") && c.Constants["INVOCATIONS"] == 64
				if waves := c.Statistics["Subgroups per SIMD"]; waves < 2 && !wide && !forCPUs.MatchString(c.Kernel) {
					t.Errorf("%s %v: %v waves", c.Kernel, c.Constants, waves)
				}
			}
			for _, kernel := range kernelNames(t) {
				if strings.Contains(kernel, "_matrix") && family != "navi31" || strings.Contains(kernel, "_matrix2_") { // the one with matrix units, without reductions
					continue
				}
				if !met[kernel] {
					t.Errorf("kernel %s was not compiled", kernel)
				}
			}
		})
	}
}

package tests

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"testing"
)

// TestSecondStart demands that a program which does what another did before finds all
// kernels compiled: the driver's cache does not grow. lavapipe compiles a kernel
// anew for whatever it calls another state of what is bound.
func TestSecondStart(t *testing.T) {
	for _, name := range []string{"lavapipe", "lavapipe-coopmat"} {
		t.Run(name, func(t *testing.T) {
			d, gaze := findDriver(t, name), gaze(t)
			t.Parallel()
			directory := t.TempDir()
			kept := func() (list string) {
				c := d.command(gaze, "fill-mask", "--model", "builtin", "--text", "Rome is the [MASK] of Italy.")
				c.Env = append(c.Env, "MESA_SHADER_CACHE_DIR="+directory, "XDG_CACHE_HOME="+directory)
				if out, err := c.CombinedOutput(); err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
				err := filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
					if err != nil || entry.IsDir() {
						return err
					}
					about, err := entry.Info()
					list += fmt.Sprintf("%s, %d bytes\n", path, about.Size())
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				return list
			}
			first := kept()
			if first == "" {
				t.Fatal("the driver keeps nothing")
			}
			if second := kept(); second != first {
				t.Errorf("kept after the first start:\n%safter the second:\n%s", first, second)
			}
		})
	}
}

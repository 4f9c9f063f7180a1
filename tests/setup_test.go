package tests

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestViewNeeds runs the set-up of "make view" where GLFW's headers are missing, on
// systems that install nothing by themselves: each says what brings them.
func TestViewNeeds(t *testing.T) {
	directory := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(directory, name)
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cc, err := exec.Command("go", "env", "CC").Output()
	if err != nil {
		t.Fatal(err)
	}
	compiler := write("cc", "#!/bin/sh\ncase \" $* \" in *\" -lX11 \"*) exit 1; esac\nexec "+strings.TrimSpace(string(cc))+" \"$@\"\n")
	for system, want := range map[string]string{
		"fedora": "sudo dnf install gcc vulkan-loader mesa-vulkan-drivers mesa-libGL-devel libX11-devel",
		"arch":   "sudo pacman -S --needed gcc vulkan-icd-loader vulkan-swrast libglvnd libx11",
		"other":  "glfw: the headers of libGL, X11",
	} {
		t.Run(system, func(t *testing.T) {
			c := exec.Command("setup/view-needs")
			c.Env = append(os.Environ(), "CC="+compiler, "GAZE_OS_RELEASE="+write(system, "ID="+system+"\n"))
			out, err := c.CombinedOutput()
			if err == nil || !strings.Contains(string(out), want) || !strings.Contains(string(out), "missing: glfw") || strings.Contains(string(out), "not found") {
				t.Errorf("it ends with %v and says\n%s", err, out)
			}
		})
	}
}

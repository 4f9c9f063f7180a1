package tests

import (
	"encoding/csv"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestView plays a session of the viewer on every driver, with the validation
// layer and synchronization validation on and silent, and compares the weights
// that it shows at its end.
func TestView(t *testing.T) {
	directory := t.TempDir()
	program := filepath.Join(directory, "gaze-view")
	if out, err := exec.Command("go", "build", "-o", program, "../cmd/gaze-view").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	script := filepath.Join(directory, "script")
	const session = `
move 400 300
press e
settle
press enter
settle
wheel 5
press ctrl+d
press pagedown
press shift+d
settle
press shift+d
settle
press shift+d
press n
press n
settle
press n
press h
settle
press h
settle
press h
press /
type cat
press enter
press r
settle
press t
type , and so on
press enter
settle
do overview
`
	if err := os.WriteFile(script, []byte(session), 0o644); err != nil {
		t.Fatal(err)
	}
	var want []float64
	for _, name := range []string{"lavapipe", "swiftshader", "lavapipe-coopmat"} {
		t.Run(name, func(t *testing.T) {
			d := findDriver(t, name)
			args := []string{"--validate", "--no-cache", "--precision", "f32", "--size", "900x700", "--text", "The cat sat on the mat, and the cat slept",
				"--play", script, "--snapshot", filepath.Join(directory, name+".png")}
			if out, err := d.command(program, args...).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			file := filepath.Join(directory, name+".csv")
			args = append(args, "--layer", "6", "--head", "1", "--export", file)
			if out, err := d.command(program, args...).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			got := numbers(t, file)
			if want == nil {
				want = got
			}
			if len(got) < 100 || len(got) != len(want) {
				t.Fatalf("%d weights, lavapipe has %d", len(got), len(want))
			}
			for i := range got {
				if difference := math.Abs(got[i] - want[i]); !(difference <= 1e-4) {
					t.Fatalf("weight %d is %v, on lavapipe %v", i, got[i], want[i])
				}
			}
		})
	}
}

// numbers returns those of a CSV file, in order.
func numbers(t *testing.T, path string) (list []float64) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(data))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if x, err := strconv.ParseFloat(cell, 64); err == nil {
				list = append(list, x)
			}
		}
	}
	return list
}

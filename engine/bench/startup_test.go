package bench

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// stub is a shell script in the place of gaze.
func stub(t *testing.T, script string) *runner {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gaze")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o777); err != nil {
		t.Fatal(err)
	}
	return &runner{Options: Options{Program: []string{"/bin/sh", path}, Device: "the device", Runs: 2, Progress: func(string, float64) {}}, ctx: context.Background(), result: &Result{}}
}

// Each pair of starts has a cache of its own, empty at first.
func TestStartup(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	r := stub(t, `[ "$9" = "the device" ] || exit 1
[ -e "$XDG_CACHE_HOME/kept" ] && echo warm >>`+log+` || echo cold >>`+log+`
touch "$XDG_CACHE_HOME/kept"; echo "Rome is the capital"`)
	if err := r.startup(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != strings.Repeat("cold\nwarm\n", 2) {
		t.Errorf("the starts were %q", text)
	}
	for _, c := range r.result.Cases {
		if len(c.Samples) != 2 || !(c.Host.Least > 0) || c.GPU.Median != 0 {
			t.Errorf("%+v", c)
		}
	}
}

func TestStartupReports(t *testing.T) {
	for script, want := range map[string]string{
		"echo broken >&2; exit 3":                    "broken",
		"echo nothing":                               "gave no answer",
		`echo "Rome is the $$"`:                      "it answered",
		"echo Rome is the capital; echo ' '; exit 1": "exit status 1",
	} {
		if err := stub(t, script).startup(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error is %v, expected %q in it", script, err, want)
		}
	}
}

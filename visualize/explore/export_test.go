package explore

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestExports(t *testing.T) {
	run, _ := fakeRun(30, 1, 2)
	e, host := opened(t, run, 900, 600)
	directory := t.TempDir()
	press(e, "enter", "]")
	for _, bad := range []string{"x.gif", "x.png 0", "x.png 9", ""} {
		if err := e.Export(bad, false); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
	for _, name := range []string{"a.png", "b.svg", "c.html", "d.csv", "e.png"} {
		path := filepath.Join(directory, name)
		if err := e.Export(path+" 2", name == "e.png"); err != nil {
			t.Fatal(err)
		}
		rest(t, e, host)
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v, %q", name, err, e.message)
		}
	}
	want := "gaze map --model fake --layer 0 --head 1 --rect 0:30,0:30 --measure weight --pool max "
	drawn, numbers := want+"--scale log --colors viridis --range ", want+"--out "+filepath.Join(directory, "d.csv")
	if got := host.printed[0]; !strings.HasPrefix(got, drawn) || !strings.HasSuffix(got, " --density 2 --out "+filepath.Join(directory, "a.png")) {
		t.Errorf("printed %q", got)
	}
	if got := host.printed[3]; got != numbers {
		t.Errorf("printed %q, expected %q", got, numbers)
	}
	if err := e.Export(filepath.Join(directory, "no", "such", "x.png"), false); err != nil {
		t.Fatal(err)
	}
	rest(t, e, host)
	if !e.alarm {
		t.Errorf("writing to nowhere says %q", e.message)
	}
	press(e, "pagedown", "ctrl+d", "shift+d", "shift+d")
	if err := e.Export(filepath.Join(directory, "difference.csv"), true); err != nil {
		t.Fatal(err)
	}
	rest(t, e, host)
	if data, err := os.ReadFile(filepath.Join(directory, "difference.csv")); err != nil || !strings.Contains(string(data), "w3,0,") {
		t.Errorf("%v: %.200s", err, data)
	}
}

func TestQuote(t *testing.T) {
	for arg, want := range map[string]string{"plain-1.5": "plain-1.5", "": "''", "two words": "'two words'", "it's": `'it'\''s'`, "$x": "'$x'"} {
		if got := quote(arg); got != want {
			t.Errorf("quote(%q) = %s, want %s", arg, got, want)
		}
	}
}

package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/gazevk/gaze/configs"
)

func TestHelp(t *testing.T) {
	golden(t, "help.txt", mustCall(t, "help"))
	for _, c := range commands {
		text := mustCall(t, "help", c.name)
		golden(t, "help-"+c.name+".txt", text)
		for _, flag := range []string{"--help", "-h"} {
			if mustCall(t, c.name, flag) != text {
				t.Errorf("gaze %s %s and gaze help %s differ", c.name, flag, c.name)
			}
		}
		if !strings.Contains(c.example, "gaze "+c.name+" ") {
			t.Errorf("the example of gaze %s is %q", c.name, c.example)
		}
	}
	if version := mustCall(t, "--version"); !strings.HasPrefix(version, "gaze ") || !strings.Contains(version, "go1.") {
		t.Errorf("version is %q", version)
	}
}

func TestWrongCommandLines(t *testing.T) {
	for _, c := range []struct{ args, err string }{
		{"", "gaze: a command is missing; \"gaze help\" lists them\n"},
		{"rum x.toml", "gaze: there is no command \"rum\"; did you mean run?\n"},
		{"explian", "gaze: there is no command \"explian\"; did you mean explain?\n"},
		{"benchmark", "gaze: there is no command \"benchmark\"; \"gaze help\" lists them\n"},
		{"help rum", "gaze help: there is no command \"rum\"; did you mean run?\n"},
		{"help run demo", "gaze help: unexpected operand \"demo\": help takes one command\n"},
		{"run", "gaze run: FILE.toml is missing; see \"gaze help run\"\n"},
		{"run a.toml b.toml", "gaze run: unexpected operand \"b.toml\"; see \"gaze help run\"\n"},
		{"run a.toml --nope", "gaze run: there is no flag --nope; see \"gaze help run\"\n"},
		{"run a.toml --device", "gaze run: --device needs a value; see \"gaze help run\"\n"},
		{"devices 0", "gaze devices: unexpected operand \"0\"; see \"gaze help devices\"\n"},
	} {
		got := call(context.Background(), "", strings.Fields(c.args)...)
		if got != (called{statusUsage, "", c.err}) {
			t.Errorf("gaze %s: %+v\nexpected %q", c.args, got, c.err)
		}
	}
}

// A full disk under standard output is a failure.
func TestUnwritableOutput(t *testing.T) {
	var stderr strings.Builder
	status := execute(context.Background(), []string{"help"}, nil, full{}, &stderr)
	if status != statusFailure || stderr.String() != "gaze help: cannot write to standard output: disk full\n" {
		t.Errorf("status %d, %q", status, stderr.String())
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

var _ io.Writer = full{}

func TestPreset(t *testing.T) {
	list := mustCall(t, "preset")
	for _, p := range configs.Presets() {
		if !strings.Contains(list, p.Name+" ") || !strings.Contains(list, " "+p.Description+"\n") {
			t.Errorf("%s is not in the list:\n%s", p.Name, list)
		}
		text, err := configs.Preset(p.Name)
		if err != nil {
			t.Fatal(err)
		}
		if got := mustCall(t, "preset", p.Name); got != string(text) {
			t.Errorf("gaze preset %s prints\n%s", p.Name, got)
		}
	}
	got := call(context.Background(), "", "preset", "longfomer")
	if want := "gaze preset: there is no preset \"longfomer\"; did you mean longformer?\n"; got != (called{statusFailure, "", want}) {
		t.Errorf("%+v, expected %q", got, want)
	}
}

func TestTable(t *testing.T) {
	table := newTable("lrl")
	table.add("name", "n", "note")
	table.add("±1", "1,000", "")
	table.add("short")
	if got, want := table.String(), "name       n  note\n±1     1,000\nshort\n"; got != want {
		t.Errorf("%q, expected %q", got, want)
	}
	for _, c := range []struct{ got, want string }{
		{count(0), "0"}, {count(999), "999"}, {count(1000), "1,000"}, {count(1234567), "1,234,567"},
		{size(0), "0 B"}, {size(1023), "1023 B"}, {size(1536), "1.5 KiB"}, {size(3 << 40), "3.0 TiB"},
		{significant(0), "0"}, {significant(1.234), "1.23"}, {significant(12.34), "12.3"}, {significant(1234.5), "1,235"},
		{share(1, 8), "12.5%"},
	} {
		if c.got != c.want {
			t.Errorf("%q, expected %q", c.got, c.want)
		}
	}
}

func TestProgress(t *testing.T) {
	var w strings.Builder
	p := &progress{w: &w, name: "run"}
	p.show(0.5)
	p.show(0.6) // too soon to be drawn
	p.clear()
	if got, want := w.String(), "\r\x1b[K 50% "+strings.Repeat("#", 15)+strings.Repeat(".", 15)+" run\r\x1b[K"; got != want {
		t.Errorf("%q, expected %q", got, want)
	}
	none := newProgress(streams{err: &w}, "run")
	none.show(1)
	none.clear()
	if none != nil {
		t.Error("there is a bar where there is no terminal")
	}
}

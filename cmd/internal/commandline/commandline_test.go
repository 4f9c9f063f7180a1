package commandline

import (
	"errors"
	"flag"
	"io"
	"slices"
	"strings"
	"testing"
)

// Flags may stand anywhere before "--", with one dash or two.
func TestParse(t *testing.T) {
	for _, c := range []struct{ args, device, operands string }{
		{"a b", "", "a b"},
		{"--device x a", "x", "a"},
		{"a -device=x b", "x", "a b"},
		{"a --device x -- --device y", "x", "a --device y"},
		{"-- -a", "", "-a"},
		{"a - b", "", "a - b"},
	} {
		flags := flag.NewFlagSet("test", flag.ContinueOnError)
		device := flags.String("device", "", "")
		operands, err := Parse(flags, strings.Fields(c.args))
		if err != nil || *device != c.device || !slices.Equal(operands, strings.Fields(c.operands)) {
			t.Errorf("%s: device %q, operands %q, %v", c.args, *device, operands, err)
		}
	}
}

// What is wrong is told with the flag as the help spells it, and with what is right.
func TestErrors(t *testing.T) {
	for args, want := range map[string]string{
		"--nope":          "there is no flag --nope",
		"a -nope=3":       "there is no flag --nope",
		"a --layer":       "--layer needs a value",
		"--layer x":       `--layer is "x": expected a whole number`,
		"--layer=":        `--layer is "": expected a whole number`,
		"-layer 1e99":     `--layer is "1e99": expected a whole number`,
		"--seed -1":       `--seed is "-1": expected a whole number`,
		"--grid=maybe":    `--grid is "maybe": expected true or false`,
		"--even 3":        `--even is "3": 3 for flag -odd: no`,
		"--layer " + long: `--layer is "` + long + `": value out of range`,
		"-=":              "bad flag syntax: -=",
	} {
		flags := flag.NewFlagSet("test", flag.ContinueOnError)
		flags.SetOutput(io.Discard)
		flags.Int("layer", 0, "")
		flags.Uint64("seed", 0, "")
		flags.Bool("grid", false, "")
		flags.Func("even", "", func(s string) error { return errors.New(s + " for flag -odd: no") })
		if _, err := Parse(flags, strings.Fields(args)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, expected %s", args, err, want)
		}
	}
	if _, err := Parse(flag.NewFlagSet("test", flag.ContinueOnError), []string{"--help"}); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("--help: %v", err)
	}
}

const long = "99999999999999999999"

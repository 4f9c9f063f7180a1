// Package commandline parses what follows a program's or a command's name.
package commandline

import (
	"errors"
	"flag"
	"fmt"
	"regexp"
)

// Parse parses flags before, between and after the operands, which it returns.
// Everything after "--" is an operand. Of --help the error is [flag.ErrHelp].
func Parse(flags *flag.FlagSet, args []string) (operands []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, plain(flags, err)
		}
		rest := flags.Args()
		parsed := args[:len(args)-len(rest)]
		if len(rest) == 0 || len(parsed) > 0 && parsed[len(parsed)-1] == "--" {
			return append(operands, rest...), nil
		}
		operands, args = append(operands, rest[0]), rest[1:]
	}
}

// What package flag says, which has no types for it.
var (
	unknown = regexp.MustCompile(`^flag provided but not defined: -(.*)$`)
	lacking = regexp.MustCompile(`^flag needs an argument: -(.*)$`)
	invalid = regexp.MustCompile(`^invalid (?:boolean )?value (".*") for (?:flag )?-([^ ]*): (.*)$`)
)

// plain says an error of package flag as other errors are said: with the dashes that
// the help has, and with what is expected.
func plain(flags *flag.FlagSet, err error) error {
	text := err.Error()
	if found := unknown.FindStringSubmatch(text); found != nil {
		return fmt.Errorf("there is no flag --%s", found[1])
	}
	if found := lacking.FindStringSubmatch(text); found != nil {
		return fmt.Errorf("--%s needs a value", found[1])
	}
	found := invalid.FindStringSubmatch(text)
	if found == nil {
		return err
	}
	value, name, reason := found[1], found[2], found[3]
	if reason == "parse error" {
		reason = "expected a whole number"
		if b, ok := flags.Lookup(name).Value.(interface{ IsBoolFlag() bool }); ok && b.IsBoolFlag() {
			reason = "expected true or false"
		}
	}
	return errors.New("--" + name + " is " + value + ": " + reason)
}

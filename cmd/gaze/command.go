package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/gazevk/gaze/cmd/internal/commandline"
)

// Exit statuses.
const (
	statusOK          = 0
	statusFailure     = 1
	statusUsage       = 2
	statusInterrupted = 130 // as shells report a program that SIGINT ended
)

// commands lists everything that gaze does. To add a command, add its line.
var commands = []*command{
	devicesCommand,
	runCommand,
	explainCommand,
	presetCommand,
	demoCommand,
	verifyCommand,
	benchCommand,
	tuneCommand,
	pullCommand,
	embedCommand,
	fillMaskCommand,
	classifyCommand,
	tokensCommand,
	rerankCommand,
	answerCommand,
	mapCommand,
}

// A command is one of the things that gaze does.
type command struct {
	name     string
	operands string // as its usage shows them: "FILE.toml"
	required int    // number of operands that it needs
	allowed  int    // number of operands that it takes
	summary  string // half a line
	details  string // what else a user must know
	example  string
	// setup declares the command's flags and returns what it does once they are parsed.
	setup func(flags *flag.FlagSet) action
}

// An action does what a command does. Its error is printed after the command's name.
type action func(ctx context.Context, s streams, operands []string) error

// streams are what a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// print writes text to standard output.
func (s streams) print(text string) error {
	if _, err := io.WriteString(s.out, text); err != nil {
		return fmt.Errorf("cannot write to standard output: %w", err)
	}
	return nil
}

// A usageError is a command line that has no meaning.
type usageError struct{ error }

// execute is the whole program: it runs the command that args name and returns
// the exit status.
func execute(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	s := streams{stdin, stdout, stderr}
	name, err := dispatch(ctx, s, args)
	prefix := strings.TrimSpace("gaze " + name)
	switch {
	case err == nil:
		return statusOK
	case ctx.Err() != nil:
		fmt.Fprintf(stderr, "%s: interrupted\n", prefix)
		return statusInterrupted
	}
	fmt.Fprintf(stderr, "%s: %v\n", prefix, err)
	if errors.As(err, new(usageError)) {
		return statusUsage
	}
	return statusFailure
}

// dispatch runs a command and returns its name, for the error.
func dispatch(ctx context.Context, s streams, args []string) (name string, err error) {
	if len(args) == 0 {
		return "", usageError{errors.New(`a command is missing; "gaze help" lists them`)}
	}
	switch name, rest := args[0], args[1:]; name {
	case "help", "-h", "-help", "--help":
		return "help", printHelp(s, rest)
	case "version", "-version", "--version":
		return "version", s.print(version() + "\n")
	default:
		c, err := find(name)
		if err != nil {
			return "", err
		}
		return name, c.run(ctx, s, rest)
	}
}

func find(name string) (*command, error) {
	var names []string
	for _, c := range commands {
		if c.name == name {
			return c, nil
		}
		names = append(names, c.name)
	}
	if near := nearest(name, append(names, "help", "version")); near != "" {
		return nil, usageError{fmt.Errorf("there is no command %q; did you mean %s?", name, near)}
	}
	return nil, usageError{fmt.Errorf(`there is no command %q; "gaze help" lists them`, name)}
}

// run parses the command line and does what it says.
func (c *command) run(ctx context.Context, s streams, args []string) error {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	do := c.setup(flags)
	operands, err := commandline.Parse(flags, args)
	if errors.Is(err, flag.ErrHelp) {
		return s.print(c.help())
	}
	switch {
	case err != nil:
	case len(operands) < c.required:
		err = fmt.Errorf("%s is missing", c.operands)
	case len(operands) > c.allowed:
		err = fmt.Errorf("unexpected operand %q", operands[c.allowed])
	default:
		return do(ctx, s, operands)
	}
	return usageError{fmt.Errorf(`%w; see "gaze help %s"`, err, c.name)}
}

// given reports whether a flag was given.
func given(flags *flag.FlagSet, name string) (found bool) {
	flags.Visit(func(one *flag.Flag) { found = found || one.Name == name })
	return found
}

// version returns what "gaze --version" prints.
func version() string {
	module := "(unknown)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		module = info.Main.Version
	}
	return fmt.Sprintf("gaze %s %s %s/%s", module, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

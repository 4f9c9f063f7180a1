// Command gaze-view shows in a window where a model looks, while it runs.
// "gaze-view --help" lists what it can do.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/gazevk/gaze/cmd/internal/commandline"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second Ctrl-C ends the program at once.
	context.AfterFunc(ctx, stop)
	os.Exit(execute(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// A usageError is a command line that has no meaning.
type usageError struct{ error }

// execute is the whole program; it returns the exit status.
func execute(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	err := run(ctx, args, stdin, stdout, stderr)
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "gaze-view: interrupted")
		return 130 // as shells report a program that SIGINT ended
	}
	fmt.Fprintf(stderr, "gaze-view: %v\n", err)
	if errors.As(err, new(usageError)) {
		return 2
	}
	return 1
}

// run parses the command line and does what it says.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	var o options
	flags := flag.NewFlagSet("gaze-view", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	o.declare(flags)
	operands, err := commandline.Parse(flags, args)
	if errors.Is(err, flag.ErrHelp) {
		return printHelp(stdout, flags)
	}
	if err == nil {
		err = o.check(flags, operands)
	}
	if err != nil {
		return usageError{fmt.Errorf("%w; see gaze-view --help", err)}
	}
	p := &program{options: &o, stdin: stdin, stdout: stdout, stderr: stderr}
	return p.run(ctx)
}

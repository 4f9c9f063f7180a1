package main

import (
	"flag"
	"fmt"
	"strings"
)

// printHelp prints the help of one command, or of all.
func printHelp(s streams, names []string) error {
	switch len(names) {
	case 0:
		return s.print(overview())
	case 1:
		if names[0] == "help" {
			return s.print(overview())
		}
		c, err := find(names[0])
		if err != nil {
			return err
		}
		return s.print(c.help())
	}
	return usageError{fmt.Errorf("unexpected operand %q: help takes one command", names[1])}
}

func overview() string {
	t := newTable("ll")
	for _, c := range commands {
		t.add("  "+c.name, c.summary)
	}
	t.add("  help", "describe one command")
	t.add("  version", "print the version")
	return "gaze computes, explains and draws attention on any Vulkan device.\n\n" +
		"usage: gaze COMMAND [flags] [operands]\n\n" + t.String() + "\n" +
		"\"gaze help COMMAND\" describes a command and its flags.\n" +
		"Exit status: 0 if all went well, 1 on a failure, 2 on a wrong command line, 130 if interrupted.\n"
}

// help returns everything there is to know of a command.
func (c *command) help() string {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	c.setup(flags)
	var text strings.Builder
	fmt.Fprintf(&text, "gaze %s: %s.\n\nusage: gaze %s", c.name, c.summary, c.name)
	list := newTable("ll")
	flagged := false
	flags.VisitAll(func(f *flag.Flag) {
		value, usage := flag.UnquoteUsage(f)
		list.add("  "+strings.TrimSpace("--"+f.Name+" "+value), usage)
		flagged = true
	})
	if flagged {
		text.WriteString(" [flags]")
	}
	if c.operands != "" {
		text.WriteString(" " + c.operands)
	}
	text.WriteString("\n\n" + c.details + "\n")
	if flagged {
		text.WriteString("\n" + list.String())
	}
	fmt.Fprintf(&text, "\nexample:\n  %s\n", strings.ReplaceAll(c.example, "\n", "\n  "))
	return text.String()
}

package main

import (
	"context"
	"flag"

	"github.com/gazevk/gaze/configs"
)

var presetCommand = &command{
	name:     "preset",
	operands: "[NAME]",
	allowed:  1,
	summary:  "list the built-in run files, or print one",
	details: "Without NAME it lists the presets. With NAME it prints that run file, to be changed\n" +
		"and run. The preset \"example\" documents every key that a run file may have.",
	example: "gaze preset longformer > longformer.toml\ngaze run longformer.toml",
	setup: func(*flag.FlagSet) action {
		return func(_ context.Context, s streams, operands []string) error {
			if len(operands) == 0 {
				return s.print(presetList())
			}
			text, err := configs.Preset(operands[0])
			if err != nil {
				return err
			}
			return s.print(string(text))
		}
	},
}

func presetList() string {
	t := newTable("ll")
	for _, p := range configs.Presets() {
		t.add(p.Name, p.Description)
	}
	return t.String()
}

package main

import (
	"context"
	"flag"
	"fmt"
	"io"

	"github.com/gazevk/gaze/configs"
)

var runCommand = &command{
	name:     "run",
	operands: "FILE.toml",
	required: 1,
	allowed:  1,
	summary:  "compute the attention, or the model, that a run file describes",
	details: "It computes the file's run and each [[variant]] of it, writes the files that [output]\n" +
		"names, and creates their directories. With variants it ends with a table that compares\n" +
		"them. Paths are relative to the run file; \"-\" reads it from standard input.\n" +
		"\"gaze preset example\" prints a run file with every key explained.\n\n" +
		"Milliseconds are by the device's own clock, where it has one, and for what the output\n" +
		"needs; recomputing weights to store or draw them is counted apart. Visible pairs, of a\n" +
		"query and a key, are those of one head. GFLOP/s of kernels count all pairs of the tiles\n" +
		"that they walk; those of runs count the visible pairs alone, 4*head_dim for each.\n\n" +
		"A file with [model] runs a whole checkpoint on texts, with the attention of any of its\n" +
		"layers replaced. Tokens a second are those of the forward pass. Predictions are rows of\n" +
		"logits by their largest; of question answering, first and last tokens of answers.",
	example: "gaze preset compare > compare.toml\ngaze run compare.toml --device llvmpipe\ngaze preset modernbert-windows | gaze run -",
	setup: func(flags *flag.FlagSet) action {
		var device deviceFlags
		device.declare(flags)
		asJSON := flags.Bool("json", false, "print the reports of all runs as JSON, instead of tables")
		return func(ctx context.Context, s streams, operands []string) error {
			file, err := loadFile(s.in, operands[0])
			if err != nil {
				return err
			}
			if isOfModel(file.Runs) {
				outcomes, err := (&modelSuite{streams: s, device: device, memory: weightMemory}).run(ctx, file.Runs)
				if err != nil {
					return err
				}
				if *asJSON {
					return s.printJSON(modelReports(outcomes))
				}
				return s.print(modelSummary(outcomes))
			}
			outcomes, err := (&suite{streams: s, device: device, memory: weightMemory}).run(ctx, file.Runs)
			if err != nil {
				return err
			}
			if *asJSON {
				return s.printJSON(reports(outcomes))
			}
			return s.print(summary(outcomes))
		}
	},
}

// loadFile loads the run file at path, which "-" reads from standard input.
func loadFile(stdin io.Reader, path string) (*configs.File, error) {
	if path != "-" {
		return configs.Load(path)
	}
	const most = 1 << 21 // more than Parse takes
	data, err := io.ReadAll(io.LimitReader(stdin, most))
	if err != nil {
		return nil, fmt.Errorf("cannot read run file from standard input: %w", err)
	}
	return configs.Parse("<stdin>", data)
}

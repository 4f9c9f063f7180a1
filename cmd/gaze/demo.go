package main

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"

	"github.com/gazevk/gaze/configs"
	"github.com/gazevk/gaze/engine/builtin"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/visualize"
)

var demoCommand = &command{
	name:    "demo",
	summary: "show the built-in model at work, and attention patterns side by side",
	details: "The built-in model fills masked words, ranks sentences by their similarity and shows where\n" +
		"one of its heads looks: head.png. Then it computes the preset \"compare\", with a page of the\n" +
		"first heads side by side: patterns.png. All files go into one directory.",
	example: "gaze demo --out demo",
	setup: func(flags *flag.FlagSet) action {
		var device deviceFlags
		device.declare(flags)
		directory := flags.String("out", "demo", "write the files into this `DIRECTORY`")
		return func(ctx context.Context, s streams, _ []string) error {
			var made directories
			defer func() { made.removeEmpty() }()
			if err := made.make(*directory); err != nil {
				return err
			}
			if err := demoModel(ctx, s, device, *directory); err != nil {
				return err
			}
			text, err := configs.Preset("compare")
			if err != nil {
				return err
			}
			file, err := configs.Parse(filepath.Join(*directory, "compare.toml"), text)
			if err != nil {
				return err
			}
			for i := range file.Runs {
				gather(&file.Runs[i].Output, *directory)
			}
			page := visualize.Montage{
				Title:       "What each token attends to, under four patterns",
				CommonRange: true,
				Size:        400,
				Density:     2,
			}
			outcomes, err := (&suite{streams: s, device: device, memory: weightMemory, picture: func(o *outcome, head int, p visualize.Picture) {
				if head == 0 {
					p.Title, p.Subtitle = o.run.Name, fmt.Sprintf("%v, %s visible pairs", o.run.Attention.Visible(), count(o.plan.Map.Pairs))
					page.Pictures = append(page.Pictures, p)
				}
			}}).run(ctx, file.Runs)
			if err != nil {
				return err
			}
			page.Subtitle = fmt.Sprintf("head 0 of %d, %s, computed on %s", file.Runs[0].Attention.Heads,
				tokens(file.Runs[0].Lengths), outcomes[0].engine.Traits().Device)
			path := filepath.Join(*directory, "patterns.png")
			img, err := page.Draw()
			if err != nil {
				return err
			}
			if err := visualize.WritePNG(path, img); err != nil {
				return err
			}
			return s.print("\nAttention patterns over the same queries and keys: " + path + "\n\n" + comparison(outcomes) +
				"\nTo change what is compared: gaze preset compare > compare.toml; gaze run compare.toml\n")
		}
	},
}

// What the demo asks the built-in model.
var (
	demoMasks = []string{
		"An exception is raised if the file does not [MASK].",
		"The king of [MASK] fought against Judah.",
		"She could not [MASK] what he had said.",
	}
	demoQuery     = "a large animal of the cat family"
	demoSentences = []string{
		"The index makes queries on this table faster.",
		"tiger: large feline of forests in most of Asia",
		"He asked her whether she would marry him.",
		"An exception is raised if the file cannot be opened.",
		"lion: large gregarious predatory cat of Africa and India",
	}
	demoText = "Everyone said that Mr. Darcy was proud, but Mr. Bingley said that Mr. Darcy was kind."
)

// A head that finds the other places of a token.
const demoLayer, demoHead = 6, 0

// demoModel asks the built-in model and prints what it says.
func demoModel(ctx context.Context, s streams, device deviceFlags, directory string) error {
	flags := modelFlags{model: builtin.Name, device: device, precision: "auto", batchTokens: defaultBatch}
	flags.texts.texts = demoMasks
	return flags.run(s, "demo", needs(checkpoint.MaskedLM), func(r *modelRun) error {
		masks, err := r.fillMasks(ctx, 3)
		if err != nil {
			return err
		}
		if err := s.print("Masked words, as the built-in model fills them:\n\n" + maskTable(r.texts, masks)); err != nil {
			return err
		}
		r.texts = demoInput(demoSentences...)
		ranking, err := r.rankBySimilarity(ctx, demoQuery)
		if err != nil {
			return err
		}
		if err := s.print(fmt.Sprintf("\nSentences by their similarity to %q:\n\n%s\nWhere a head of it looks:\n\n", demoQuery, rankTable(ranking))); err != nil {
			return err
		}
		r.texts = demoInput(demoText)
		picture := mapFlags{modelFlags: flags, layer: demoLayer, head: headChoice{index: demoHead}, scale: visualize.Gamma, colors: "viridis", out: filepath.Join(directory, "head.png")}
		return picture.write(ctx, r)
	})
}

func demoInput(texts ...string) []text {
	var input []text
	for _, t := range texts {
		input = append(input, text{"the demo", t})
	}
	return input
}

// gather moves all outputs into one directory.
func gather(o *configs.Output, directory string) {
	for _, path := range []*string{&o.Tensors, &o.Heatmap, &o.Report} {
		if *path != "" {
			*path = filepath.Join(directory, filepath.Base(*path))
		}
	}
}

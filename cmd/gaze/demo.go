package main

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"

	"github.com/gazevk/gaze/configs"
	"github.com/gazevk/gaze/visualize"
)

var demoCommand = &command{
	name:    "demo",
	summary: "compare the attention patterns, and draw them on one page",
	details: "It computes the preset \"compare\" and puts its files into one directory, with a page of\n" +
		"the first heads side by side: attention.png.",
	example: "gaze demo --out demo",
	setup: func(flags *flag.FlagSet) action {
		var device deviceFlags
		device.declare(flags)
		directory := flags.String("out", "demo", "write the files into this `DIRECTORY`")
		return func(ctx context.Context, s streams, _ []string) error {
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
			path := filepath.Join(*directory, "attention.png")
			img, err := page.Draw()
			if err != nil {
				return err
			}
			if err := visualize.WritePNG(path, img); err != nil {
				return err
			}
			return s.print(comparison(outcomes) + "\nThe picture is " + path +
				"\nTo change what is compared: gaze preset compare > compare.toml; gaze run compare.toml\n")
		}
	},
}

// gather moves all outputs into one directory.
func gather(o *configs.Output, directory string) {
	for _, path := range []*string{&o.Tensors, &o.Heatmap, &o.Report} {
		if *path != "" {
			*path = filepath.Join(directory, filepath.Base(*path))
		}
	}
}

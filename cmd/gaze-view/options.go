package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/cmd/internal/load"
	"github.com/gazevk/gaze/visualize"
	"github.com/gazevk/gaze/visualize/explore"
)

// options are the flags. What has a default here is only set where it was given.
type options struct {
	runFile string
	given   map[string]bool

	model, text, file string
	follow            bool
	device, present   string
	paint             string
	precision         string
	validate, noCache bool

	layer, head     string
	rectangle       string
	scale           visualize.Scale
	measure         visualize.Measure
	pooling         visualize.Pooling
	colors, order   string
	overlay         bool
	find, pin, pick string
	do              list
	export          string

	size         string
	density      int
	play, record string
	snapshot     string
	film         string
	forget       bool

	width, height int
}

// A list is a flag that may be given several times.
type list []string

func (l *list) String() string { return strings.Join(*l, " ") }

func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}

func (o *options) declare(flags *flag.FlagSet) {
	flags.StringVar(&o.model, "model", "builtin", "the checkpoint: a `DIRECTORY`, the name of a model in the Hugging Face cache, or builtin")
	flags.StringVar(&o.text, "text", "", "the `TEXT` to look at first")
	flags.StringVar(&o.file, "file", "", "read the text from `FILE`; - is standard input")
	flags.BoolVar(&o.follow, "follow", false, "show each line of standard input as it comes, of many at once the last; space pauses")
	flags.StringVar(&o.device, "device", "auto", "compute on the device of this `NAME` (or index)")
	flags.StringVar(&o.present, "present", "auto", "show the window by the device of this `NAME` (or index)")
	flags.StringVar(&o.paint, "paint", "auto", "colour maps `WHERE`: on the device that shows the window, their cells staying where they were computed (device), or on the CPU (cpu); auto is the first on a GPU that does both")
	flags.StringVar(&o.precision, "precision", "auto", "store tensors as `TYPE`: auto, f32 or f16")
	flags.BoolVar(&o.validate, "validate", false, "turn on Vulkan's validation layers, and fail if they find fault")
	flags.BoolVar(&o.noCache, "no-cache", false, "do not keep compiled kernels for the next time")

	flags.StringVar(&o.layer, "layer", "", "open the layer of this `NUMBER`, from 0, or the mean of all")
	flags.StringVar(&o.head, "head", "", "open the head of this `NUMBER`, from 0, or the mean of the layer's")
	flags.StringVar(&o.rectangle, "rect", "", "bring this part into sight: `Q0:Q1,K0:K1`, a range of queries and one of keys")
	flags.TextVar(&o.scale, "scale", visualize.Log, "spread values over the colours on this `SCALE`: log, linear or gamma")
	flags.TextVar(&o.measure, "measure", visualize.Weight, "show this `MEASURE` of each weight: weight, row_maximum or lift")
	flags.TextVar(&o.pooling, "pool", visualize.MaxPooling, "pool weights into cells by `POOLING`: max or mean")
	flags.StringVar(&o.colors, "colors", "viridis", "colour by this `MAP`: viridis, cividis, magma or grey")
	flags.StringVar(&o.order, "sort", "layer", "order the overview by `ORDER`: "+strings.Join(explore.Orders(), ", "))
	flags.BoolVar(&o.overlay, "overlay", false, "draw the edges of the mask")
	flags.StringVar(&o.find, "find", "", "find tokens with this `TEXT` in them, and pin the first")
	flags.StringVar(&o.pin, "pin", "", "pin this pair: `QUERY,KEY`")
	flags.StringVar(&o.pick, "select", "", "select this part: `Q0:Q1,K0:K1`")
	flags.Var(&o.do, "do", "do what the key of this `ACTION` does, once the text is there; may be given several times (the list is below)")
	flags.StringVar(&o.export, "export", "", "write what is in sight to `FILE`, a .png, .svg, .html or .csv; \"FILE 2\" for twice the pixels")

	flags.StringVar(&o.size, "size", "1280x820", "the window's `SIZE`, in pixels at density 1")
	flags.IntVar(&o.density, "density", 1, "pixels per pixel of the layout, of a snapshot or film; a window has its screen's")
	flags.StringVar(&o.play, "play", "", "play the events in `FILE`, a line each: see --record")
	flags.StringVar(&o.record, "record", "", "write the window's events to `FILE`, for --play")
	flags.StringVar(&o.snapshot, "snapshot", "", "write the window as it would look to `FILE`, a .png, and open none")
	flags.StringVar(&o.film, "film", "", "play --play without a window, and write what it would show to `FILE`, an animated .png")
	flags.BoolVar(&o.forget, "forget", false, "neither take up the last view nor remember this one")
}

// check checks the command line and reads what of it needs reading.
func (o *options) check(flags *flag.FlagSet, operands []string) error {
	o.given = map[string]bool{}
	empty := ""
	flags.Visit(func(f *flag.Flag) {
		o.given[f.Name] = true
		if empty == "" && f.Name != "text" && f.Value.String() == "" {
			empty = f.Name
		}
	})
	switch {
	case len(operands) > 1:
		return fmt.Errorf("unexpected operand %q", operands[1])
	case len(operands) == 1:
		o.runFile = operands[0]
	}
	count := 0
	for _, name := range []string{"text", "file", "follow"} {
		if o.given[name] {
			count++
		}
	}
	switch {
	case empty != "":
		return fmt.Errorf("--%s is empty", empty)
	case count > 1:
		return errors.New("the text comes from --text, --file or --follow: give one of them")
	case o.runFile != "" && o.given["model"]:
		return fmt.Errorf("%s says which model: --model has no meaning beside it", o.runFile)
	case o.density < 1 || o.density > 4:
		return fmt.Errorf("--density is %d: expected 1 to 4", o.density)
	case o.snapshot != "" && filepath.Ext(o.snapshot) != ".png":
		return fmt.Errorf("--snapshot is %s: expected a name that ends in .png", o.snapshot)
	case o.film != "" && filepath.Ext(o.film) != ".png":
		return fmt.Errorf("--film is %s: expected a name that ends in .png", o.film)
	case o.film != "" && o.play == "":
		return errors.New("--film is of the events of --play, which is missing")
	case o.film != "" && o.snapshot != "":
		return errors.New("--film and --snapshot: give one of them; a script's snap writes single frames")
	case o.record != "" && !o.windowed():
		return fmt.Errorf("--record is of a window, and %s opens none", o.windowless())
	case o.follow && !o.windowed():
		return fmt.Errorf("--follow is of a window, and %s opens none", o.windowless())
	case o.given["present"] && !o.windowed():
		return fmt.Errorf("--present is of a window, and %s opens none", o.windowless())
	case o.given["paint"] && !o.windowed():
		return fmt.Errorf("--paint is of a window, and %s opens none", o.windowless())
	case !slices.Contains([]string{"auto", "device", "cpu"}, o.paint):
		return fmt.Errorf("--paint is %q: expected auto, device or cpu", o.paint)
	case o.given["density"] && o.windowed():
		return errors.New("--density is of --snapshot or --film: a window has its screen's")
	case o.layer == "mean" && o.given["head"] && o.head != "mean":
		return fmt.Errorf("--layer mean is of all heads of all layers: --head %s has no meaning beside it", o.head)
	case o.measure == visualize.Difference:
		return errors.New("--measure is difference: expected weight, row_maximum or lift")
	case !slices.Contains(explore.Orders(), o.order):
		return fmt.Errorf("--sort is %q: expected one of %s", o.order, strings.Join(explore.Orders(), ", "))
	}
	if c, err := visualize.ColorMapByName(o.colors); err != nil || c.Name == "blue_red" {
		return fmt.Errorf("--colors is %q: expected viridis, cividis, magma or grey", o.colors)
	}
	for _, name := range o.do {
		if !slices.ContainsFunc(explore.Actions(), func(a struct{ Name, Keys, Help string }) bool { return a.Name == name }) {
			return fmt.Errorf("--do is %q, which is no action", name)
		}
	}
	width, height, found := strings.Cut(o.size, "x")
	var err1, err2 error
	o.width, err1 = strconv.Atoi(width)
	o.height, err2 = strconv.Atoi(height)
	if !found || err1 != nil || err2 != nil || min(o.width, o.height) < 200 || max(o.width, o.height) > 8192 {
		return fmt.Errorf("--size is %q: expected such as 1280x820, each from 200 to 8192", o.size)
	}
	for _, name := range []string{"layer", "head"} {
		value := map[string]string{"layer": o.layer, "head": o.head}[name]
		if n, err := strconv.Atoi(value); o.given[name] && value != "mean" && (err != nil || n < 0) {
			return fmt.Errorf("--%s is %q: expected a number from 0, or mean", name, value)
		}
	}
	for _, name := range []string{"rect", "select"} {
		value := map[string]string{"rect": o.rectangle, "select": o.pick}[name]
		if _, err := load.Rectangle(value, gaze.MaxTokens); value != "" && err != nil {
			return fmt.Errorf("--%s is %q: %w", name, value, err)
		}
	}
	return nil
}

// windowed reports whether a window is opened.
func (o *options) windowed() bool { return o.snapshot == "" && o.film == "" }

// windowless names the flag that opens none.
func (o *options) windowless() string {
	if o.film != "" {
		return "--film"
	}
	return "--snapshot"
}

// number returns the layer or head that a flag names; -1 is the mean.
func number(value string) int {
	n, err := strconv.Atoi(value)
	if err != nil {
		return -1
	}
	return n
}

// maxText is the most MiB of a text: many more than a model takes.
const maxText = 16

// readText returns all of a file.
func readText(stdin io.Reader, name string) (string, error) {
	text, err := load.Text(stdin, name, maxText)
	if err == nil && !utf8.ValidString(text) {
		err = fmt.Errorf("cannot read the text from %s: it is not UTF-8", name)
	}
	return text, err
}

// printHelp prints what the program does and all its flags and actions.
func printHelp(w io.Writer, flags *flag.FlagSet) error {
	var b strings.Builder
	b.WriteString(`Usage: gaze-view [flags] [FILE.toml]

Shows in a window where each head of a model looks, for a text that may be typed
while one looks: an overview of all layers and heads, and any map at any zoom.
Without flags it opens the model that gaze carries. A run file, as "gaze run"
takes it, gives the model and its variants, which V goes through; one without
[model] gives attention of its own, of numbers and not of a text. What is pinned is
printed as a line of CSV: layer, head, query, key, both tokens, weight. Letters that
the Go fonts lack come from the system's fonts, or from those in GAZE_FONTS, a list
of directories and files.

Flags:
`)
	flags.VisitAll(func(f *flag.Flag) {
		name, usage := flag.UnquoteUsage(f)
		head := "--" + f.Name
		if name != "" {
			head += " " + name
		}
		if f.DefValue != "" && f.DefValue != "false" {
			usage += fmt.Sprintf(" (default %s)", f.DefValue)
		}
		fmt.Fprintf(&b, "  %-22s %s\n", head, usage)
	})
	b.WriteString("\nActions, for --do, and their keys (? shows them in the window):\n")
	for _, a := range explore.Actions() {
		help := a.Help
		if help == "" {
			help = "the same"
		}
		fmt.Fprintf(&b, "  %-16s %-20s %s\n", a.Name, a.Keys, help)
	}
	b.WriteString(`
Examples:
  gaze-view
  gaze-view --text "She sat on the bank of the river." --layer 3 --head 1
  gaze-view --model ./ModernBERT-base --file long.txt --sort previous
  tail -f log.txt | gaze-view --follow
  gaze-view --text "A picture without a window." --do open --snapshot view.png
  gaze-view --record session.txt; gaze-view --play session.txt --film session.png
`)
	_, err := io.WriteString(w, b.String())
	return err
}

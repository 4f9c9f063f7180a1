package main

import (
	"context"
	"encoding"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/cmd/internal/load"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/modernbert"
	"github.com/gazevk/gaze/engine/tokenizer"
	"github.com/gazevk/gaze/visualize"
)

// mapFlags are the flags of gaze map.
type mapFlags struct {
	modelFlags
	flags      *flag.FlagSet // that were given
	text, file string
	layer      int
	head       headChoice
	rollout    rolloutChoice
	grid       bool
	order      string
	rectangle  string
	scale      visualize.Scale
	measure    visualize.Measure
	pooling    visualize.Pooling
	values     valueRange
	colors     string
	size       int
	density    int
	out        string
}

var mapCommand = &command{
	name:    "map",
	summary: "draw where a model's attention looks",
	details: "It runs the model over one text and recomputes the attention weights of a head where\n" +
		"they are looked at: the whole map, or a part that --rect names, counted in tokens. More\n" +
		"pairs than fit become cells, each the greatest weight of its pairs or their mean. What\n" +
		"the layer hides is hatched. No n x n matrix is ever held, so 8192 tokens are no trouble.\n\n" +
		"The name of --out says what is written: .png or .svg a picture, .html a page to send to\n" +
		"others, which names what is under the mouse, .csv and .npy the numbers of its cells, empty\n" +
		"and NaN where all is hidden. --head mean shows the mean of the layer's heads.\n\n" +
		"Letters that the Go fonts lack come from the system's fonts, or from those in GAZE_FONTS,\n" +
		"a list of directories and files.\n\n" +
		"--grid draws every head of every layer, each with the mean entropy of its rows, in bits,\n" +
		"how many tokens away it looks, and where at least 30 % of its attention goes one way:\n" +
		"to the token itself, the one before or after, the first ([CLS]), the last ([SEP]), or to\n" +
		"other tokens of the same id (copy).\n\n" +
		"--rollout QUERY is attention rollout (https://arxiv.org/abs/2005.00928): the share of what\n" +
		"--layer gives for that token that comes from each token. As .png or .svg it is the text,\n" +
		"shaded by those shares; as .csv or .npy they are numbers, by layer, of the tokens as they\n" +
		"enter it.",
	example: "gaze map --model builtin --text \"The quick brown fox jumps over the lazy dog.\" --layer 3 --head 1\n" +
		"gaze map --model answerdotai/ModernBERT-base --file book.txt --layer 21 --head 4 --rect 4000:4600,0:600 --out part.png\n" +
		"gaze map --model builtin --text \"The quick brown fox jumps over the lazy dog.\" --layer 6 --rollout 4 --out rollout.png",
	setup: func(flags *flag.FlagSet) action {
		f := mapFlags{flags: flags}
		f.declareModel(flags)
		flags.StringVar(&f.text, "text", "", "the `TEXT`")
		flags.StringVar(&f.file, "file", "", "the text is all of `FILE`; - is standard input")
		flags.IntVar(&f.layer, "layer", 0, "the layer, counted from 0")
		choice(flags, &f.head, "head", "the `HEAD`, counted from 0, or mean: of the pooled cells of all heads")
		choice(flags, &f.rollout, "rollout", "draw the text by the attention rollout of token `QUERY`, counted from 0, from --layer down; or write it, as .csv or .npy")
		flags.BoolVar(&f.grid, "grid", false, "draw all heads of all layers on one page")
		flags.StringVar(&f.order, "sort", "layer", "`ORDER` of the heads of a grid: layer, entropy, distance, or the share that goes to previous, next, self, first, last or copy")
		flags.StringVar(&f.rectangle, "rect", "", "draw the part `Q0:Q1,K0:K1`: queries Q0 to Q1-1 and keys K0 to K1-1")
		choice(flags, &f.scale, "scale", "`SCALE` of the colours: log, linear or gamma")
		choice(flags, &f.measure, "measure", "what of each `weight` is shown: weight, row_maximum (of the greatest of its row) or lift (over an even spread)")
		choice(flags, &f.pooling, "pool", "what a cell is of its pairs, `max` or mean")
		choice(flags, &f.values, "range", "spread the colours over the values from `LOW:HIGH`; what is not given suits the map")
		flags.StringVar(&f.colors, "colors", "viridis", "the colour `MAP`: viridis, cividis, magma or grey")
		flags.IntVar(&f.size, "size", visualize.DefaultSize, "about the side of the map, in `PIXELS`")
		flags.IntVar(&f.density, "density", 1, "draw `N` pixels for one, for print and dense screens")
		flags.StringVar(&f.out, "out", "map.png", "write to `FILE`, .png, .svg, .html, .csv or .npy")
		return func(ctx context.Context, s streams, _ []string) error { return f.do(ctx, s) }
	},
}

// choice declares a flag for a value that has names.
func choice(flags *flag.FlagSet, value interface {
	encoding.TextMarshaler
	encoding.TextUnmarshaler
}, name, usage string) {
	flags.TextVar(value, name, value, usage)
}

func (f *mapFlags) do(ctx context.Context, s streams) error {
	if (f.text == "") == (f.file == "") {
		return usageError{errors.New("give the text, by --text or by --file")}
	}
	kind := filepath.Ext(f.out)
	if !slices.Contains([]string{".png", ".svg", ".html", ".csv", ".npy"}, kind) {
		return usageError{fmt.Errorf("--out is %s: expected a name that ends in .png, .svg, .html, .csv or .npy", f.out)}
	}
	if err := f.checkTogether(kind); err != nil {
		return usageError{err}
	}
	if _, ok := load.Measures[f.measure]; !ok {
		return usageError{fmt.Errorf("--measure is %v: expected weight, row_maximum or lift", f.measure)}
	}
	if _, err := engine.ParseRole(f.order); err != nil && !slices.Contains([]string{"layer", "entropy", "distance"}, f.order) {
		return usageError{fmt.Errorf("--sort is %q: expected layer, entropy, distance, previous, next, self, first, last or copy", f.order)}
	}
	if _, err := visualize.ColorMapByName(f.colors); err != nil {
		return usageError{err}
	}
	if err := visualize.CheckSize(f.size, f.density); err != nil {
		return usageError{err}
	}
	if f.values != (valueRange{}) {
		if err := f.values.Validate(f.scale); err != nil {
			return usageError{fmt.Errorf("--range: %w", err)}
		}
	}
	if kind != ".csv" && kind != ".npy" {
		if err := visualize.CheckFonts(); err != nil {
			return err
		}
	}
	content := f.text
	if f.file != "" {
		var err error
		if content, err = load.Text(s.in, f.file, maxTexts>>20); err != nil {
			return err
		}
	}
	f.texts.texts = textList{content}
	return f.run(s, "map", func(*checkpoint.Model) error { return nil }, func(r *modelRun) error {
		switch f.file {
		case "":
			r.texts[0].source = "--text"
		case "-":
			r.texts[0].source = "standard input"
		default:
			r.texts[0].source = f.file
		}
		return f.write(ctx, r)
	})
}

// write writes the map of the text of r.
func (f *mapFlags) write(ctx context.Context, r *modelRun) (err error) {
	var made directories
	defer func() {
		if err != nil {
			made.removeEmpty()
		}
	}()
	if err := made.prepare([]string{f.out}); err != nil {
		return err
	}
	return f.draw(ctx, r)
}

// draw runs the model and writes what is asked for.
func (f *mapFlags) draw(ctx context.Context, r *modelRun) error {
	c := r.checkpoint.Config
	if !f.grid && (f.layer < 0 || f.layer >= c.Layers) {
		return fmt.Errorf("--layer is %d: %s has layers 0 to %d", f.layer, f.model, c.Layers-1)
	}
	if !f.grid && !f.head.mean && (f.head.index < 0 || f.head.index >= c.Heads) {
		return fmt.Errorf("--head is %d: %s has heads 0 to %d", f.head.index, f.model, c.Heads-1)
	}
	encodings, err := r.encode(ctx, func(t string) (string, tokenizer.Options) { return t, tokenizer.Options{} })
	if err != nil {
		return err
	}
	ids := encodings[0].IDs
	all := gaze.Span{End: len(ids)}
	rectangle := gaze.Rectangle{Queries: all, Keys: all}
	if f.rectangle != "" {
		if rectangle, err = load.Rectangle(f.rectangle, len(ids)); err == nil {
			err = rectangle.Validate(len(ids))
		}
		if err != nil {
			return usageError{fmt.Errorf("--rect is %q: %w", f.rectangle, err)}
		}
	}
	m := attentionMap{run: r, encoding: encodings[0], labels: load.TokenLabels(r.tokenizer, ids), measure: f.measure, pooling: f.pooling}
	want := modernbert.Want{Capture: []int{f.layer}}
	if f.rollout.wanted && f.rollout.query >= len(ids) {
		return fmt.Errorf("--rollout is %d: the text has tokens 0 to %d", f.rollout.query, len(ids)-1)
	}
	if f.grid || f.rollout.wanted {
		want.Capture = nil
		for layer := range c.Layers {
			if f.grid || layer <= f.layer {
				want.Capture = append(want.Capture, layer)
			}
		}
	}
	var capture *modernbert.Capture
	defer func() {
		if capture != nil {
			capture.Close()
		}
	}()
	err = r.forward(ctx, []sequence{{ids: ids}}, 0, func([]int) modernbert.Want { return want }, func(_ []int, out *modernbert.Output) {
		capture = out.Capture
	})
	if err != nil {
		return err
	}
	m.capture = capture
	if f.grid {
		return m.drawGrid(ctx, f)
	}
	if f.rollout.wanted {
		return m.writeRollout(ctx, f)
	}
	view := modernbert.View{Layer: f.layer, Heads: f.head.span(c.Heads), Rectangle: rectangle}
	maps, err := m.recompute(ctx, view, f.head.mean, visualize.DefaultCells)
	if err != nil {
		return err
	}
	shown := f.head.name(c.Heads, maps[0].Cell > 1)
	switch filepath.Ext(f.out) {
	case ".csv":
		err = gaze.WriteFile(f.out, func(w io.Writer) error { return maps[0].WriteCSV(w, m.labels) })
	case ".npy":
		err = gaze.WriteFile(f.out, func(w io.Writer) error { return writeMapNPY(w, maps[0]) })
	default:
		picture := m.picture(f.layer, shown, maps[0])
		picture.Title, picture.Scale, picture.Size, picture.Density = excerpt(r.texts[0].string), f.scale, f.size, f.density
		picture.Range = f.values.Range
		if picture.ColorMap, err = visualize.ColorMapByName(f.colors); err != nil {
			return usageError{err}
		}
		if filepath.Ext(f.out) == ".html" {
			err = gaze.WriteFile(f.out, picture.WriteHTML)
		} else {
			err = writePicture(f.out, picture)
		}
	}
	if err != nil {
		return err
	}
	pooled := ""
	if maps[0].Cell > 1 {
		pooled = fmt.Sprintf(", each cell the %v", maps[0])
	}
	return r.print(fmt.Sprintf("%s: layer %d, %s, %v of %s tokens%s\n", f.out, f.layer, shown, rectangle, count(int64(len(ids))), pooled))
}

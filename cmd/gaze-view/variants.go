package main

import (
	"strings"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/cmd/internal/load"
	"github.com/gazevk/gaze/configs"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/tokenizer"
)

// A variant is a model, and what is changed about its attention; or attention
// alone, of numbers.
type variant struct {
	name      string
	precision engine.Precision
	run       *configs.Run // of attention alone; nil for a model

	path       string
	checkpoint *checkpoint.Model
	tokenizer  *tokenizer.Tokenizer
	attention  []gaze.Attention // by layer
	replaced   bool             // attention is not the checkpoint's own
	text       string           // that a run file gives it
}

// layers and heads are how many there are of each.
func (v *variant) layers() int {
	if v.run != nil {
		return 1
	}
	return v.checkpoint.Config.Layers
}

func (v *variant) heads() int {
	if v.run != nil {
		return v.run.Attention.Heads
	}
	return v.checkpoint.Config.Heads
}

// variants are what can be looked at, at least one, all of one kind.
type variants struct {
	list       []variant
	open       map[string]*checkpoint.Model
	tokenizers map[string]*tokenizer.Tokenizer
}

func (v *variants) close() {
	for _, c := range v.open {
		c.Close()
	}
}

// openVariants opens the model of the flags, or those of the run file.
func openVariants(o *options) (_ *variants, err error) {
	v := &variants{open: map[string]*checkpoint.Model{}, tokenizers: map[string]*tokenizer.Tokenizer{}}
	defer func() {
		if err != nil {
			v.close()
		}
	}()
	precision, err := engine.ParsePrecision(o.precision)
	if err != nil {
		return nil, usageError{err}
	}
	if o.runFile == "" {
		one := variant{name: o.model, path: o.model, precision: precision}
		if err := v.add(one, nil); err != nil {
			return nil, err
		}
		return v, nil
	}
	file, err := configs.Load(o.runFile)
	if err != nil {
		return nil, err
	}
	for _, r := range file.Runs {
		one := variant{name: r.Name, precision: precision}
		if !o.given["precision"] {
			if one.precision, err = engine.ParsePrecision(r.Device.Precision); err != nil {
				return nil, err
			}
		}
		if !o.given["device"] && r.Device.Name != "" {
			o.device = r.Device.Name
		}
		if r.Model == nil {
			if err := o.takesNoText(); err != nil {
				return nil, err
			}
			one.run = &r
			v.list = append(v.list, one)
			continue
		}
		one.path = load.ModelPath(r.Model)
		if one.text, err = runText(r.Model.Input); err != nil {
			return nil, err
		}
		if err := v.add(one, r.Model.Layers); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// runText returns the first text of a run file.
func runText(in configs.ModelInput) (string, error) {
	if len(in.Text) > 0 {
		return in.Text[0], nil
	}
	if in.File == "" {
		return "", nil // ids have no text
	}
	all, err := readText(nil, in.File)
	first, _, _ := strings.Cut(strings.TrimLeft(all, "\r\n"), "\n")
	return first, err
}

// add opens what a variant needs and adds it.
func (v *variants) add(one variant, layers []configs.ModelLayer) (err error) {
	if one.checkpoint = v.open[one.path]; one.checkpoint == nil {
		if one.checkpoint, err = checkpoint.OpenModel(one.path); err != nil {
			return err
		}
		v.open[one.path] = one.checkpoint
		if v.tokenizers[one.path], err = load.Tokenizer(one.path, one.checkpoint); err != nil {
			return err
		}
	}
	one.tokenizer = v.tokenizers[one.path]
	one.attention, err = load.Attention(one.checkpoint.Config, layers)
	one.replaced = len(layers) > 0
	v.list = append(v.list, one)
	return err
}

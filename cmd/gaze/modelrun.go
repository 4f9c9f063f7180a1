package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"unicode/utf8"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/cmd/internal/load"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/modernbert"
	"github.com/gazevk/gaze/engine/tokenizer"
)

// modelFlags are the flags of every command that runs a model over texts.
type modelFlags struct {
	model       string
	texts       textFlags
	device      deviceFlags
	precision   string
	batchTokens int
	asJSON      bool
}

// declare declares the flags. what says what the texts are.
func (f *modelFlags) declare(flags *flag.FlagSet, what string) {
	f.texts.declare(flags, what)
	f.declareModel(flags)
	flags.IntVar(&f.batchTokens, "batch-tokens", defaultBatch, "put at most `N` tokens into a batch, but always a whole text")
	flags.BoolVar(&f.asJSON, "json", false, "print the results as JSON")
}

// defaultBatch is the most tokens of a batch.
const defaultBatch = 8192

// declareModel declares the flags of the model and the device alone.
func (f *modelFlags) declareModel(flags *flag.FlagSet) {
	f.batchTokens = defaultBatch
	f.device.declare(flags)
	flags.Lookup("device").Usage = "compute on the device of this `NAME` (or index)"
	flags.StringVar(&f.model, "model", "", "the checkpoint: a `DIRECTORY`, the name of a model in the Hugging Face cache, or builtin")
	flags.StringVar(&f.precision, "precision", "auto", "store tensors as `TYPE`: auto, f32 or f16")
}

// A modelRun is a model and what it is run on.
type modelRun struct {
	streams
	flags      *modelFlags
	name       string // of the command
	precision  engine.Precision
	texts      []text
	checkpoint *checkpoint.Model
	tokenizer  *tokenizer.Tokenizer

	engines *engines
	model   *modernbert.Model // nil until load
}

// run opens the checkpoint and reads the texts for do. fits returns an error
// where the model is not for this command.
func (f *modelFlags) run(s streams, name string, fits func(*checkpoint.Model) error, do func(*modelRun) error) (err error) {
	r := &modelRun{streams: s, flags: f, name: name}
	if f.model == "" {
		return usageError{fmt.Errorf(`--model is missing; see "gaze help %s"`, name)}
	}
	if f.batchTokens < 1 {
		return usageError{fmt.Errorf("--batch-tokens is %d: expected at least 1", f.batchTokens)}
	}
	if r.precision, err = engine.ParsePrecision(f.precision); err != nil {
		return usageError{err}
	}
	r.engines = newEngines(f.device, s.err)
	defer func() {
		if closing := r.close(); err == nil {
			err = closing
		}
	}()
	r.engines.start("auto")
	// The model first, because there is no use in texts without one.
	if r.checkpoint, err = checkpoint.OpenModel(f.model); err != nil {
		return err
	}
	defer r.checkpoint.Close()
	if err := fits(r.checkpoint); err != nil {
		return fmt.Errorf("%s: %w", f.model, err)
	}
	if r.tokenizer, err = load.Tokenizer(f.model, r.checkpoint); err != nil {
		return err
	}
	if r.texts, err = f.texts.read(s.in); err != nil {
		return err
	}
	return do(r)
}

// load brings the model to the device, the first time it is called, and compiles
// the kernels of its first batch meanwhile.
func (r *modelRun) load(ctx context.Context, e *engine.Engine, first gaze.Lengths, want modernbert.Want) (err error) {
	if r.model != nil {
		return nil
	}
	p, err := modernbert.NewProgram(e.Traits(), r.checkpoint.Config, r.checkpoint.Head, r.precision, first, want)
	if err != nil {
		return err
	}
	compiled := make(chan error, 1)
	go func() { compiled <- e.Compile(ctx, p.Passes) }()
	r.model, err = modernbert.Load(ctx, e, r.checkpoint, r.precision)
	if compiling := <-compiled; err == nil {
		err = compiling
	}
	return err
}

// close gives back what the run took.
func (r *modelRun) close() (err error) {
	if r.model != nil {
		err = r.model.Close()
	}
	return errors.Join(err, r.engines.close(r.streams))
}

// commandFor names the command that suits a head.
var commandFor = map[checkpoint.Head]string{
	checkpoint.NoHead:                 "gaze embed",
	checkpoint.MaskedLM:               "gaze fill-mask",
	checkpoint.SequenceClassification: "gaze classify or gaze rerank",
	checkpoint.TokenClassification:    "gaze tokens",
	checkpoint.QuestionAnswering:      "gaze answer",
	checkpoint.MultipleChoice:         "gaze embed, which leaves the head out,",
}

// needs returns what tells a model without that head.
func needs(head checkpoint.Head) func(*checkpoint.Model) error {
	return func(m *checkpoint.Model) error {
		if m.Head == head {
			return nil
		}
		return fmt.Errorf("it is a %v, and %v is needed here; %s fits it", m.Head, head, commandFor[m.Head])
	}
}

// encode returns the tokens of each text. prepare says what is encoded for it,
// and how. What is too long is cut, with a warning.
func (r *modelRun) encode(ctx context.Context, prepare func(string) (string, tokenizer.Options)) ([]tokenizer.Encoding, error) {
	limit, by := load.Limit(r.checkpoint, r.tokenizer)
	encodings := make([]tokenizer.Encoding, len(r.texts))
	const shown = 5 // warnings
	longTexts, cutTokens := 0, 0
	for i, t := range r.texts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		content, options := prepare(t.string)
		options.MaxLength = limit
		encoding, err := r.tokenizer.Encode(content, options)
		if err != nil {
			return nil, t.unreadable(err)
		}
		if cut := encoding.Truncated; cut > 0 {
			longTexts++
			cutTokens += cut
			if longTexts <= shown {
				fmt.Fprintf(r.err, "gaze: warning: %s: %d of its %d tokens are cut off: %s is %d\n", t.source, cut, cut+len(encoding.IDs), by, limit)
			}
		}
		if len(encoding.IDs) == 0 {
			return nil, fmt.Errorf("%s: it has no tokens, and the tokenizer adds none", t.source)
		}
		encodings[i] = encoding
	}
	if longTexts > shown {
		fmt.Fprintf(r.err, "gaze: warning: %d texts are too long, %d tokens are cut off\n", longTexts, cutTokens)
	}
	return encodings, nil
}

// forward runs the model over all sequences, with at
// most rowLimit wanted rows a batch where that is above 0.
func (r *modelRun) forward(ctx context.Context, sequences []sequence, rowLimit int, want func(batch []int) modernbert.Want, take func(batch []int, out *modernbert.Output)) error {
	e, err := r.engines.get("auto")
	if err != nil {
		return err
	}
	most := modernbert.MaxTokens(e.Traits(), r.checkpoint.Config)
	for _, s := range sequences {
		if len(s.ids) > most {
			return fmt.Errorf("%s: it has %d tokens; %s takes %d of this model at a time", r.texts[s.text].source, len(s.ids), e.Traits().Device, most)
		}
	}
	b := &batcher{sequences: sequences, rowLimit: rowLimit, bar: newProgress(r.streams, r.name)}
	limit := min(r.flags.batchTokens, most)
	if len(sequences) > 0 {
		first := b.first(limit)
		if err := r.load(ctx, e, b.lengths(first), want(first)); err != nil {
			return err
		}
	}
	defer b.bar.clear()
	return b.run(ctx, limit, r.model, want, take)
}

// checkUTF8 is for what is encoded together with every text.
func checkUTF8(flag, value string) error {
	switch {
	case value == "":
		return usageError{fmt.Errorf("%s is missing", flag)}
	case !utf8.ValidString(value):
		return fmt.Errorf("%s is not valid UTF-8", flag)
	}
	return nil
}

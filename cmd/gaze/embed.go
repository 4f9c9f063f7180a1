package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gazevk/gaze/engine/checkpoint"
)

// embeddings are the vectors of texts, in their order.
type embeddings struct {
	vectors [][]float32 // of equal lengths
	tokens  []int       // of each text
}

// embedFlags are the flags of gaze embed.
type embedFlags struct {
	modelFlags
	prompt     string
	dimensions int
	normalize  bool
	out        string
}

var embedCommand = &command{
	name:    "embed",
	summary: "turn texts into vectors",
	details: "How the tokens' hidden states become one vector is what the model's modules.json says:\n" +
		"pooling, dense layers, normalization and prompts, as in sentence-transformers. Without\n" +
		"that file it is their mean. Any ModernBERT will do; its head is left out.",
	example: "gaze embed --model nomic-ai/modernbert-embed-base --prompt query --text \"what is attention?\" --json\n" +
		"gaze embed --model ./model --file lines.txt --out vectors.npy",
	setup: func(flags *flag.FlagSet) action {
		var f embedFlags
		f.declare(flags, "to be embedded")
		flags.StringVar(&f.prompt, "prompt", "", "put the model's prompt of this `NAME` before each text")
		flags.IntVar(&f.dimensions, "dimensions", 0, "keep the first `K` elements of each vector, and normalize again what was normalized")
		flags.BoolVar(&f.normalize, "normalize", false, "make vectors of length 1, even if the model does not")
		flags.StringVar(&f.out, "out", "", "write the vectors to `FILE`, .npy or .safetensors")
		return func(ctx context.Context, s streams, _ []string) error { return f.do(ctx, s) }
	},
}

func (f *embedFlags) do(ctx context.Context, s streams) error {
	if f.dimensions < 0 {
		return usageError{fmt.Errorf("--dimensions is %d: expected at least 1", f.dimensions)}
	}
	if kind := filepath.Ext(f.out); f.out != "" && kind != ".npy" && kind != ".safetensors" {
		return usageError{fmt.Errorf("--out is %s: expected a name that ends in .npy or .safetensors", f.out)}
	}
	anything := func(*checkpoint.Model) error { return nil }
	return f.run(s, "embed", anything, func(r *modelRun) error {
		e, err := f.embedder(r.checkpoint)
		if err != nil {
			return fmt.Errorf("%s: %w", f.model, err)
		}
		if f.out != "" { // nobody should learn after a long run that it cannot be written
			if info, err := os.Stat(f.out); err == nil && info.IsDir() {
				return fmt.Errorf("cannot write %s: it is a directory", f.out)
			}
			var made directories
			defer func() { made.removeEmpty() }()
			if err := made.make(filepath.Dir(f.out)); err != nil {
				return err
			}
		}
		result, err := e.embed(ctx, r)
		if err != nil {
			return err
		}
		if f.out != "" {
			if err := result.write(f.out); err != nil {
				return err
			}
		}
		switch {
		case f.asJSON:
			text, err := result.json()
			if err != nil {
				return err
			}
			return s.print(text)
		case f.out != "":
			return s.print(fmt.Sprintf("%s: %d vectors of %d elements\n", f.out, len(result.vectors), len(result.vectors[0])))
		}
		return s.print(result.table(r.texts))
	})
}

// embedder returns how the model embeds, with the flags' changes.
func (f *embedFlags) embedder(m *checkpoint.Model) (*embedder, error) {
	e := newEmbedder(m)
	if f.prompt != "" {
		prompt, ok := e.Prompts[f.prompt]
		if !ok && len(e.Prompts) == 0 {
			return nil, errors.New("it has no prompts: leave --prompt out")
		} else if !ok {
			return nil, fmt.Errorf("it has no prompt %q; its prompts are %s", f.prompt, strings.Join(slices.Sorted(maps.Keys(e.Prompts)), ", "))
		}
		e.prompt = prompt
	}
	e.Normalize = e.Normalize || f.normalize
	elements := e.Dimensions(e.hidden)
	if f.dimensions > 0 {
		e.TruncateTo = f.dimensions
	}
	if e.TruncateTo > elements {
		return nil, fmt.Errorf("its vectors have %d elements, and %d are to be kept", elements, e.TruncateTo)
	}
	return e, nil
}

// json returns the vectors as JSON, one a line.
func (e embeddings) json() (string, error) {
	lines := make([]string, len(e.vectors))
	for i, v := range e.vectors {
		data, err := json.Marshal(v)
		if err != nil {
			return "", err
		}
		lines[i] = "    " + string(data)
	}
	tokens, err := json.Marshal(e.tokens)
	if err != nil {
		return "", err
	}
	return "{\n  \"embeddings\": [\n" + strings.Join(lines, ",\n") + "\n  ],\n  \"tokens\": " + string(tokens) + "\n}\n", nil
}

// table returns the beginnings of the vectors.
func (e embeddings) table(texts []text) string {
	t := newTable("rrll")
	t.add("tokens", "elements", "first elements", "text")
	for i, v := range e.vectors {
		first := make([]string, min(len(v), 4))
		for j := range first {
			first[j] = fmt.Sprintf("%7.4f", v[j])
		}
		t.add(count(int64(e.tokens[i])), count(int64(len(v))), strings.Join(first, " "), excerpt(texts[i].string))
	}
	return t.String() + "\n--json prints whole vectors, --out writes them to a file.\n"
}

// Package configs turns a TOML file into validated runs: which attention, or
// which model, to compute, on which device, from what input, into which files. The commented
// example.toml, one of the [Presets], documents every key.
//
// Whatever is wrong with a file is one [*Error] that shows the place and says
// what to write there. A run that comes out of this package needs no further
// checks before it is planned.
package configs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/gazevk/gaze"
)

// A File is a parsed run file. Runs[0] is the base; the others are its
// variants, in the order of the file, each already merged over the base.
type File struct {
	Path string
	Runs []Run
}

// A Run is one computation: of attention alone, or of a whole model; all runs of
// a file are of one kind. Paths are resolved against the directory of the file.
// Runs of one file may share slices: they are read only.
type Run struct {
	Name   string // unique within the file; "base" where the file gives the first none
	Device Device
	Output Output
	Model  *Model // nil for attention alone

	// Of attention alone; zero for a model.
	Attention gaze.Attention
	Lengths   gaze.Lengths
	Path      Path
	Input     Input
}

// A Device says where and in what precision to compute.
type Device struct {
	Name      string // "auto", an index, or part of a device's name
	Precision string // "auto", "f32" or "f16": what storage holds; sums are always f32
}

// A Path is one of the two ways through the kernels.
type Path string

// The paths: fused is one pass that never stores the weights, explicit writes
// them out, auto lets the engine choose.
const (
	PathAuto     Path = "auto"
	PathFused    Path = "fused"
	PathExplicit Path = "explicit"
)

// An Input says where q, k and v come from: a file, or random numbers.
type Input struct {
	Tensors string // safetensors file with q, k, v: [heads, n, headDim]; "" means Seed
	Seed    uint64 // of the random numbers, where Tensors is ""
}

// An Output names the files to write; "" means that one is not wanted.
type Output struct {
	Tensors string // safetensors: output, lse and, if Weights, weights; of a model last_hidden_state, logits and so on
	Weights bool   // store weights [heads, n, n] too
	Heatmap string // PNG for each head; see HeatmapFile and LayerHeatmapFile
	Report  string // JSON

	// Of a model.
	HiddenStates bool  // store what each layer gives too
	Attentions   []int // layers whose weights are compared, drawn and stored
}

// maxFileSize in bytes bounds what is parsed.
const maxFileSize = 1 << 20

// Load reads and parses the run file at path.
func Load(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err != nil {
		return nil, unreadable(path, err)
	}
	return Parse(path, data)
}

// unreadable drops the path that an os error repeats.
func unreadable(path string, err error) error {
	if inner := new(os.PathError); errors.As(err, &inner) {
		err = inner.Err
	}
	return fmt.Errorf("cannot read run file %s: %w", path, err)
}

// Parse parses the contents of a run file. The file at path need not exist:
// path names it in errors, and its directory is where relative paths start.
func Parse(path string, data []byte) (*File, error) {
	if len(data) > maxFileSize {
		return nil, fmt.Errorf("%s is larger than %d bytes, the most a run file may have", path, maxFileSize)
	}
	text, root, fault := parse(string(data))
	if fault != nil {
		return nil, newError(path, text, *fault)
	}
	r := reader{directory: filepath.Dir(path)}
	runs := r.runs(root)
	if fault := r.first(); fault != nil {
		return nil, newError(path, text, *fault)
	}
	return &File{path, runs}, nil
}

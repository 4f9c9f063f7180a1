package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/gazevk/gaze/configs"
	"github.com/gazevk/gaze/engine/checkpoint"
)

// directories are those that were made for outputs.
type directories []string

// outputsOf returns the paths of all outputs of a run of attention.
func outputsOf(r configs.Run) []string {
	paths := []string{r.Output.Tensors, r.Output.Report}
	for head := range r.Attention.Heads {
		paths = append(paths, r.Output.HeatmapFile(head))
	}
	return paths
}

// prepare makes the directories of outputs and makes sure that files can be
// written there: nobody should learn otherwise after a long run.
func (d *directories) prepare(paths []string) error {
	known := map[string]bool{}
	for _, path := range paths {
		if path == "" {
			continue
		}
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return fmt.Errorf("cannot write %s: it is a directory", path)
		} else if err == nil && !info.Mode().IsRegular() {
			continue // written to directly, such as /dev/stdout
		}
		if directory := filepath.Dir(path); !known[directory] {
			known[directory] = true
			if err := d.make(directory); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *directories) make(path string) error {
	for p := path; ; p = filepath.Dir(p) {
		if _, err := os.Lstat(p); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		*d = append(*d, p)
	}
	if err := os.MkdirAll(path, 0o777); err != nil {
		return fmt.Errorf("cannot make the directory of an output: %w", err)
	}
	probe, err := os.CreateTemp(path, ".gaze-*")
	if err != nil {
		if inner := new(fs.PathError); errors.As(err, &inner) {
			err = inner.Err // nobody asked for a file of that name
		}
		return fmt.Errorf("cannot write into %s: %w", path, err)
	}
	probe.Close()
	return os.Remove(probe.Name())
}

// removeEmpty removes those that are empty.
func (d directories) removeEmpty() {
	slices.SortFunc(d, func(a, b string) int { return len(b) - len(a) }) // the inner ones first
	for _, path := range d {
		os.Remove(path) // which fails where there is something in it
	}
}

// writeTensors calls compute, which fills o.result, and writes the tensors that
// the run wants. Weights go straight to the file while they are computed,
// because [heads, n, n] may not fit in memory.
func (o *outcome) writeTensors(rows *weightRows, compute func() error) error {
	path := o.run.Output.Tensors
	if path == "" {
		return compute()
	}
	s := o.shape()
	later := func(name string, shape []int, data func() []float32) checkpoint.Entry {
		return checkpoint.Entry{Name: name, DType: checkpoint.F32, Shape: shape, Write: func(w io.Writer) error {
			return checkpoint.Float32Entry(name, shape, data()).Write(w)
		}}
	}
	entries := []checkpoint.Entry{
		later("output", []int{s.heads, s.n, s.headDim}, func() []float32 { return o.result.Output }),
		later("lse", []int{s.heads, s.n}, func() []float32 { return o.result.LSE }),
	}
	var failure error // of compute: it has nothing to do with the file
	if o.run.Output.Weights {
		first := checkpoint.Entry{Name: "weights", DType: checkpoint.F32, Shape: []int{s.heads, s.n, s.n}, Write: func(w io.Writer) error {
			rows.sinks = append(rows.sinks, rowWriter(w, path))
			failure = compute()
			return failure
		}}
		entries = append([]checkpoint.Entry{first}, entries...)
	} else if err := compute(); err != nil {
		return err
	}
	err := checkpoint.WriteSafetensors(path, map[string]string{"run": o.run.Name}, entries)
	if failure != nil {
		return failure
	}
	if err == nil {
		o.files = append(o.files, path)
	}
	return err
}

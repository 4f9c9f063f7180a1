package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"time"
)

// weightRows hands every row of weights to all who want it. The engine computes
// as many rows at a time as its buffer holds, always head by head and query by
// query; files and comparisons rely on that order, so it is checked here.
type weightRows struct {
	heads, n int
	sinks    []func(head, query int, weights []float32) error
	next     int
	took     time.Duration // in the sinks
}

func (r *weightRows) add(head, query int, weights []float32) error {
	if head*r.n+query != r.next || len(weights) != r.n {
		return fmt.Errorf("weights of head %d, query %d came out of order: after %d rows of %d", head, query, r.next, r.n)
	}
	r.next++
	start := time.Now()
	for _, sink := range r.sinks {
		if err := sink(head, query, weights); err != nil {
			return err
		}
	}
	r.took += time.Since(start)
	return nil
}

// complete reports rows that are missing, if there were to be any.
func (r *weightRows) complete(wanted bool) error {
	if wanted && r.next != r.heads*r.n {
		return fmt.Errorf("%d of %d rows of weights came", r.next, r.heads*r.n)
	}
	return nil
}

// appendFloats appends the elements as safetensors store them.
func appendFloats(data []byte, elements []float32) []byte {
	for _, x := range elements {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(x))
	}
	return data
}

// rowWriter returns what writes rows of weights to the tensors at path.
func rowWriter(file io.Writer, path string) func(head, query int, weights []float32) error {
	var data []byte
	return func(_, _ int, weights []float32) error {
		data = appendFloats(data[:0], weights)
		if _, err := file.Write(data); err != nil {
			return fmt.Errorf("cannot write %s: %w", path, err)
		}
		return nil
	}
}

// weightMemory is the bytes of weights that are worth keeping in memory.
const weightMemory = 256 << 20

// A weightStore keeps the weights of one run, [heads, n, n].
type weightStore struct {
	size   int64 // bytes when it is full
	limit  int64 // bytes that may lie in memory
	memory []byte
	file   *os.File // where size is above limit
	out    *bufio.Writer
	row    []byte
}

// A shape is that of q, k and v: [heads, n, headDim].
type shape struct{ heads, n, headDim int }

func newWeightStore(s shape, limit int64) *weightStore {
	return &weightStore{size: 4 * int64(s.heads) * int64(s.n) * int64(s.n), limit: limit}
}

// add adds the next row.
func (w *weightStore) add(_, _ int, weights []float32) (err error) {
	if w.size <= w.limit {
		if w.memory == nil {
			w.memory = make([]byte, 0, w.size)
		}
		w.memory = appendFloats(w.memory, weights)
		return nil
	}
	if w.file == nil {
		if w.file, err = os.CreateTemp("", "gaze-weights-*"); err != nil {
			return fmt.Errorf("cannot keep %s of weights: %w", size(w.size), err)
		}
		w.out = bufio.NewWriterSize(w.file, 1<<20)
	}
	w.row = appendFloats(w.row[:0], weights)
	if _, err := w.out.Write(w.row); err != nil {
		return fmt.Errorf("cannot keep %s of weights: %w", size(w.size), err)
	}
	return nil
}

// reader returns all rows from the first.
func (w *weightStore) reader() (io.Reader, error) {
	if w.file == nil {
		return bytes.NewReader(w.memory), nil
	}
	if err := w.out.Flush(); err != nil {
		return nil, fmt.Errorf("cannot keep %s of weights: %w", size(w.size), err)
	}
	return bufio.NewReaderSize(io.NewSectionReader(w.file, 0, w.size), 1<<20), nil
}

// close forgets the weights.
func (w *weightStore) close() {
	if w.file != nil {
		w.file.Close()
		os.Remove(w.file.Name())
	}
}

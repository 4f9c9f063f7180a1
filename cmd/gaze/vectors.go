package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine/checkpoint"
)

// write writes the vectors to a file: as one array, [texts, elements] in f32, to
// an .npy; to a .safetensors as embeddings, with tokens, [texts] in i32.
func (e embeddings) write(path string) error {
	if filepath.Ext(path) == ".npy" {
		return gaze.WriteFile(path, func(w io.Writer) error { return writeNPY(w, e.vectors) })
	}
	return checkpoint.WriteSafetensors(path, nil, []checkpoint.Entry{
		{Name: "embeddings", DType: checkpoint.F32, Shape: []int{len(e.vectors), len(e.vectors[0])}, Write: func(w io.Writer) error {
			return writeElements(w, e.vectors)
		}},
		{Name: "tokens", DType: checkpoint.I32, Shape: []int{len(e.tokens)}, Write: func(w io.Writer) error {
			var data []byte
			for _, n := range e.tokens {
				data = binary.LittleEndian.AppendUint32(data, uint32(n))
			}
			_, err := w.Write(data)
			return err
		}},
	})
}

func writeElements(w io.Writer, rows [][]float32) error {
	var data []byte
	for _, v := range rows {
		data = appendFloats(data[:0], v)
		if _, err := w.Write(data); err != nil {
			return err
		}
	}
	return nil
}

// writeNPY writes rows of one length as an array in f32, in version 1.0 of
// NumPy's format (numpy/lib/format.py): a magic string, the header's length, the header, filled up with spaces to a multiple
// of 64 bytes, and the elements.
func writeNPY(w io.Writer, rows [][]float32) error {
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", len(rows), len(rows[0]))
	const before = 10 // bytes before the header
	header += strings.Repeat(" ", 63-(before+len(header))%64) + "\n"
	magic := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(header)))
	if _, err := w.Write(append(magic, header...)); err != nil {
		return err
	}
	return writeElements(w, rows)
}

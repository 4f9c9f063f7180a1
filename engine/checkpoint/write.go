package checkpoint

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"unicode/utf8"

	"github.com/gazevk/gaze"
)

// An Entry is one tensor to be written. Write writes its elements, row-major
// and little-endian, in as many pieces as it likes, so that a tensor need never
// lie in memory as a whole.
type Entry struct {
	Name  string
	DType DType
	Shape []int
	Write func(io.Writer) error
}

// Float32Entry returns an entry of F32 elements. data, row-major, is read when
// the entry is written.
func Float32Entry(name string, shape []int, data []float32) Entry {
	write := func(w io.Writer) error {
		const chunk = 4096
		buffer := make([]byte, 0, 4*chunk)
		for rest := data; len(rest) > 0; {
			count := min(chunk, len(rest))
			buffer = buffer[:0]
			for _, value := range rest[:count] {
				buffer = binary.LittleEndian.AppendUint32(buffer, math.Float32bits(value))
			}
			if _, err := w.Write(buffer); err != nil {
				return err
			}
			rest = rest[count:]
		}
		return nil
	}
	return Entry{Name: name, DType: F32, Shape: shape, Write: write}
}

// WriteSafetensors writes entries to a safetensors file at path, their bytes in
// the given order. metadata may be nil. An entry that writes more or fewer
// bytes than its type and shape ask for is an error. On any error nothing is
// left at path that was not there before.
func WriteSafetensors(path string, metadata map[string]string, entries []Entry) error {
	head, sizes, err := encodeHeader(metadata, entries)
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	return gaze.WriteFile(path, func(w io.Writer) error {
		if _, err := w.Write(head); err != nil {
			return err
		}
		return writeData(w, entries, sizes)
	})
}

// writeData writes the bytes of every entry, which must be as many as sizes says.
func writeData(w io.Writer, entries []Entry, sizes []int) error {
	for i, entry := range entries {
		bounded := &boundedWriter{writer: w, left: sizes[i]}
		if err := entry.Write(bounded); err != nil {
			return fmt.Errorf("tensor %q: %w", entry.Name, err)
		}
		if bounded.left != 0 {
			return fmt.Errorf("tensor %q: %s of shape %v takes %d bytes: %d too few were written", entry.Name, entry.DType, entry.Shape, sizes[i], bounded.left)
		}
	}
	return nil
}

// A boundedWriter passes on up to left bytes and refuses to write more.
type boundedWriter struct {
	writer io.Writer
	left   int
}

func (b *boundedWriter) Write(p []byte) (int, error) {
	if len(p) > b.left {
		return 0, fmt.Errorf("more bytes were written than its type and shape ask for, by %d or more", len(p)-b.left)
	}
	n, err := b.writer.Write(p)
	b.left -= n
	return n, err
}

// encodeHeader returns all that precedes the first tensor, and the byte size of
// each entry. The header is padded with spaces so that the tensors begin at a
// multiple of 8 bytes.
func encodeHeader(metadata map[string]string, entries []Entry) (head []byte, sizes []int, err error) {
	head = make([]byte, lengthBytes)
	separator := byte('{')
	// Strings, numbers and slices of them: json.Marshal cannot fail.
	field := func(name string, value any) {
		quoted, _ := json.Marshal(name)
		encoded, _ := json.Marshal(value)
		head = append(append(head, separator), quoted...)
		head = append(append(head, ':'), encoded...)
		separator = ','
	}
	for key, value := range metadata {
		if err := checkName(key); err != nil {
			return nil, nil, fmt.Errorf("metadata: %w", err)
		}
		if !utf8.ValidString(value) {
			return nil, nil, fmt.Errorf("metadata %q: its value is not UTF-8 text", key)
		}
	}
	if len(metadata) > 0 {
		field(metadataName, metadata)
	}
	offset := 0
	seen := map[string]bool{metadataName: true}
	for _, entry := range entries {
		if err := checkName(entry.Name); err != nil {
			return nil, nil, fmt.Errorf("tensor: %w", err)
		}
		if seen[entry.Name] {
			return nil, nil, fmt.Errorf("tensor %q: the name is taken", entry.Name)
		}
		seen[entry.Name] = true
		size, err := byteSize(entry.DType, entry.Shape)
		if err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", entry.Name, err)
		}
		if size > math.MaxInt-offset {
			return nil, nil, fmt.Errorf("tensor %q: the tensors together are too long for a file", entry.Name)
		}
		shape := append([]int{}, entry.Shape...) // [], not null, for a scalar
		description := struct {
			DType   DType  `json:"dtype"`
			Shape   []int  `json:"shape"`
			Offsets [2]int `json:"data_offsets"`
		}{entry.DType, shape, [2]int{offset, offset + size}}
		field(entry.Name, description)
		sizes = append(sizes, size)
		offset += size
	}
	if len(head) == lengthBytes {
		head = append(head, '{')
	}
	head = append(head, '}')
	for len(head)%8 != 0 {
		head = append(head, ' ')
	}
	length := len(head) - lengthBytes
	if length > maxHeaderBytes {
		return nil, nil, fmt.Errorf("the header has %d bytes: at most %d are allowed", length, maxHeaderBytes)
	}
	binary.LittleEndian.PutUint64(head, uint64(length))
	return head, sizes, nil
}

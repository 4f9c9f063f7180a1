package checkpoint

import (
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"path/filepath"
	"slices"
)

// A File is an open safetensors file. Its methods may be called from several
// goroutines, but not while or after Close runs.
type File struct {
	path     string
	metadata map[string]string
	tensors  map[string]Tensor
	unload   func() error // nil once closed
}

// A Tensor is one tensor of a [File], row-major. It is valid until the file is
// closed.
type Tensor struct {
	Name  string
	DType DType
	Shape []int // empty for a scalar
	data  []byte
	path  string
}

// Open maps the file at path into memory, where the system can, and checks its
// whole header. The file must not be shortened while it is open: on most
// systems touching a byte that is gone then ends the process.
func Open(path string) (*File, error) {
	return openFile(directory(filepath.Dir(path)), filepath.Base(path))
}

// openFile opens the file of that name in a folder.
func openFile(in folder, name string) (*File, error) {
	path := in.file(name)
	f, err := in.open(name)
	if err != nil {
		return nil, fmt.Errorf("cannot read tensors: %w", err)
	}
	defer f.Close() // a mapping outlives its descriptor
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("cannot read tensors: %w", err)
	}
	size := info.Size()
	if size > math.MaxInt {
		return nil, fmt.Errorf("%s: it has %d bytes: more than this system can address", path, size)
	}
	contents, unload, err := load(f, int(size))
	if err != nil {
		return nil, fmt.Errorf("cannot read tensors from %s: %w", path, err)
	}
	h, data, err := parseHeader(contents)
	if err != nil {
		unload()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	file := &File{path: path, metadata: h.metadata, tensors: make(map[string]Tensor, len(h.tensors)), unload: unload}
	for _, t := range h.tensors {
		file.tensors[t.name] = Tensor{Name: t.name, DType: t.dtype, Shape: t.shape, data: data[t.begin:t.end:t.end], path: path}
	}
	return file, nil
}

// read reads size bytes of f.
func read(f fs.File, size int) (data []byte, unload func() error, err error) {
	data = make([]byte, size)
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, nil, err
	}
	return data, func() error { return nil }, nil
}

// Names returns the names of all tensors, sorted.
func (f *File) Names() []string { return slices.Sorted(maps.Keys(f.tensors)) }

// Tensor returns the tensor of that name, and whether there is one.
func (f *File) Tensor(name string) (Tensor, bool) {
	t, ok := f.tensors[name]
	return t, ok
}

// Metadata returns the header's free-form strings, nil if it has none.
func (f *File) Metadata() map[string]string { return f.metadata }

// Close gives the file's memory back, so that its tensors' bytes are gone.
// Closing it again does nothing.
func (f *File) Close() error {
	if f.unload == nil {
		return nil
	}
	unload := f.unload
	f.unload, f.tensors, f.metadata = nil, nil, nil
	if err := unload(); err != nil {
		return fmt.Errorf("cannot close %s: %w", f.path, err)
	}
	return nil
}

// Bytes returns the tensor's bytes as they lie in the file, little-endian and
// at any alignment. They may be read-only memory: writing to them is fatal.
func (t Tensor) Bytes() []byte { return t.data }

// Rows returns rows first to end-1, 0 <= first <= end <= Shape[0], of a tensor
// that has a dimension. They share its memory.
func (t Tensor) Rows(first, end int) Tensor {
	size := len(t.data) / max(t.Shape[0], 1)
	t.data = t.data[first*size : end*size : end*size]
	t.Shape = append([]int{end - first}, t.Shape[1:]...)
	return t
}

// Float32 returns the elements of an F32, F16 or BF16 tensor, widened exactly,
// in memory of their own. Any other type is an error.
func (t Tensor) Float32() ([]float32, error) {
	return t.AppendFloat32(nil)
}

// AppendFloat32 appends to values what Float32 returns.
func (t Tensor) AppendFloat32(values []float32) ([]float32, error) {
	first := len(values)
	switch t.DType {
	case F32, F16, BF16:
		count := len(t.data) / t.DType.Size()
		values = slices.Grow(values, count)[:first+count]
	default:
		return nil, fmt.Errorf("%s: tensor %q: its elements are %s: expected F32, F16 or BF16", t.path, t.Name, t.DType)
	}
	data := t.data
	switch to := values[first:]; t.DType { // a loop for each: models have a hundred million elements
	case F32:
		for i := range to {
			to[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
	case F16:
		for i := range to {
			to[i] = Float16ToFloat32(binary.LittleEndian.Uint16(data[2*i:]))
		}
	case BF16:
		for i := range to {
			to[i] = BFloat16ToFloat32(binary.LittleEndian.Uint16(data[2*i:]))
		}
	}
	return values, nil
}

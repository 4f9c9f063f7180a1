package checkpoint

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gazevk/gaze"
)

// RandomOptions say how [WriteRandom] writes. The zero value writes F32 in one
// file, with the names that transformers would give.
type RandomOptions struct {
	Seed        uint64
	DType       DType // F32, F16 or BF16; "" means F32
	Shards      int   // files with tensors; 0 means one, without an index
	OtherPrefix bool  // "model." where transformers has none, and none where it has it
}

// WriteRandom makes directory a checkpoint of random weights: config.json with
// the bytes of config, which [ParseConfig] must accept, and the tensors that
// follow from it and its architectures, which decide the head. Equal options
// and configs give equal files. For tests and measurements: the weights are
// scaled so that activations stay near 1, as in a trained model.
func WriteRandom(directory string, config []byte, options RandomOptions) error {
	c, err := ParseConfig(filepath.Join(directory, "config.json"), config)
	if err != nil {
		return err
	}
	head, err := c.Head(func(string) bool { return false })
	if err != nil {
		return fmt.Errorf("config.json: %w", err)
	}
	if err := os.MkdirAll(directory, 0o777); err != nil {
		return fmt.Errorf("cannot write a checkpoint: %w", err)
	}
	shapes := c.Tensors(head)
	if (head == NoHead) == options.OtherPrefix {
		for i := range len(c.Tensors(NoHead)) { // the encoder's, which come first
			shapes[i].Name = "model." + shapes[i].Name
		}
	}
	if options.Shards == 0 {
		err = WriteRandomTensors(filepath.Join(directory, weightsName), shapes, options)
	} else {
		err = writeShards(directory, shapes, options)
	}
	if err != nil {
		return err
	}
	// Last, so that there is no model until it is complete.
	return writeText(filepath.Join(directory, "config.json"), config)
}

// writeShards deals the tensors out to the files of an index.
func writeShards(directory string, shapes []TensorShape, options RandomOptions) error {
	index := map[string]string{}
	for i := range options.Shards {
		name := fmt.Sprintf("model-%05d-of-%05d.safetensors", i+1, options.Shards)
		var shard []TensorShape
		for j, s := range shapes {
			if j%options.Shards == i {
				shard = append(shard, s)
				index[s.Name] = name
			}
		}
		if err := WriteRandomTensors(filepath.Join(directory, name), shard, options); err != nil {
			return err
		}
	}
	text, err := json.MarshalIndent(map[string]any{"metadata": map[string]any{}, "weight_map": index}, "", "  ")
	if err != nil {
		return err
	}
	return writeText(filepath.Join(directory, indexName), text)
}

func writeText(path string, text []byte) error {
	return gaze.WriteFile(path, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// WriteRandomTensors writes a safetensors file of random tensors, whose values
// depend on the seed and their own names (without the prefix "model.") alone.
func WriteRandomTensors(path string, shapes []TensorShape, options RandomOptions) error {
	dtype := options.DType
	if dtype == "" {
		dtype = F32
	}
	if !slices.Contains([]DType{F32, F16, BF16}, dtype) {
		return fmt.Errorf("cannot write %s: type is %q: expected F32, F16 or BF16", path, dtype)
	}
	entries := make([]Entry, len(shapes))
	for i, s := range shapes {
		entries[i] = Entry{Name: s.Name, DType: dtype, Shape: s.Shape, Write: func(w io.Writer) error {
			return writeRandom(w, s, dtype, options.Seed)
		}}
	}
	return WriteSafetensors(path, map[string]string{"format": "pt"}, entries)
}

// writeRandom writes the elements of one tensor: normally distributed, around 1
// for the weights of a LayerNorm and else around 0.
func writeRandom(w io.Writer, s TensorShape, dtype DType, seed uint64) error {
	name := canonical(s.Name)
	hash := fnv.New64a()
	hash.Write([]byte(name))
	random := rand.New(rand.NewPCG(seed, hash.Sum64()))
	mean, deviation := 0.0, 0.1
	switch {
	case name == embeddingWeight:
		deviation = 1
	case strings.HasSuffix(name, "norm.weight"):
		mean = 1
	case len(s.Shape) == 2:
		deviation = 1 / math.Sqrt(float64(s.Shape[1]))
	}
	const chunk = 4096
	buffer := make([]byte, 0, 4*chunk)
	for left := s.Elements(); left > 0; left -= chunk {
		buffer = buffer[:0]
		for range min(chunk, left) {
			value := float32(mean + deviation*random.NormFloat64())
			switch dtype {
			case F16:
				buffer = binary.LittleEndian.AppendUint16(buffer, Float32ToFloat16(value))
			case BF16:
				buffer = binary.LittleEndian.AppendUint16(buffer, Float32ToBFloat16(value))
			default:
				buffer = binary.LittleEndian.AppendUint32(buffer, math.Float32bits(value))
			}
		}
		if _, err := w.Write(buffer); err != nil {
			return err
		}
	}
	return nil
}

package checkpoint

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

const (
	weightsName = "model.safetensors"
	indexName   = "model.safetensors.index.json"
)

// weights are the tensors of a model's files, by the names that stand there.
type weights struct {
	files   []*File
	tensors map[string]Tensor
}

// openWeights opens the files with a folder's tensors: one, or the shards of
// an index. Where there are both, the one counts, as in transformers.
func openWeights(in folder) (*weights, error) {
	if in.exists(weightsName) {
		w := &weights{tensors: map[string]Tensor{}}
		return w, w.open(in, weightsName)
	}
	if in.exists(indexName) {
		return openShards(in)
	}
	return nil, noWeights(in.path, in.exists)
}

// noWeights is the error about a directory without safetensors.
func noWeights(directory string, has func(name string) bool) error {
	for _, pickle := range []string{"pytorch_model.bin", "pytorch_model.bin.index.json"} {
		if has(pickle) {
			return fmt.Errorf("%s has its weights in %s, which can run code and is not read: "+
				"save the model from transformers 5, which writes %s", directory, pickle, weightsName)
		}
	}
	return fmt.Errorf("%s has no weights: expected %s, or %s and the files that it names", directory, weightsName, indexName)
}

// openShards opens the files that an index names.
func openShards(in folder) (*weights, error) {
	index := in.file(indexName)
	data, err := in.text(indexName)
	if err != nil {
		return nil, fmt.Errorf("cannot read the index of the weights: %w", err)
	}
	shards, err := parseIndex(index, data)
	if err != nil {
		return nil, err
	}
	w := &weights{tensors: map[string]Tensor{}}
	for _, shard := range slices.Sorted(maps.Keys(shards)) {
		err := in.within(shard)
		if err != nil {
			err = fmt.Errorf("%s: weight_map %w", index, err)
		} else if !in.exists(shard) {
			err = fmt.Errorf("%s: weight_map names %q, which is missing: the model was not copied or downloaded as a whole", index, shard)
		} else {
			err = w.open(in, shard)
		}
		for _, name := range shards[shard] {
			if _, ok := w.tensors[name]; !ok && err == nil {
				err = fmt.Errorf("%s: weight_map says that %q is in %q, which has no such tensor", index, name, shard)
			}
		}
		if err != nil {
			return nil, errors.Join(err, w.close())
		}
	}
	return w, nil
}

// parseIndex returns the names of the tensors of each shard, sorted.
func parseIndex(file string, data []byte) (map[string][]string, error) {
	k, err := parseKeys(file, data)
	if err != nil {
		return nil, err
	}
	names := k.object("weight_map")
	if names == nil {
		k.fail("weight_map", "is missing: it must say which file has each tensor")
		return nil, *k.err
	}
	shards := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(names.values)) {
		shard := names.text(name, "")
		shards[shard] = append(shards[shard], name)
	}
	if *k.err == nil && len(shards) == 0 {
		k.fail("weight_map", "is empty: it must say which file has each tensor")
	}
	return shards, *k.err
}

// open adds a file's tensors. No two files may have one of the same name.
func (w *weights) open(in folder, name string) error {
	file, err := openFile(in, name)
	if err != nil {
		return err
	}
	w.files = append(w.files, file)
	for name, tensor := range file.tensors {
		if other, ok := w.tensors[name]; ok {
			return fmt.Errorf("%s: tensor %q is also in %s", file.path, tensor.Name, other.path)
		}
		w.tensors[name] = tensor
	}
	return nil
}

func (w *weights) close() error {
	var errs []error
	for _, file := range w.files {
		errs = append(errs, file.Close())
	}
	w.files, w.tensors = nil, nil
	return errors.Join(errs...)
}

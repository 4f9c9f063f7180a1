package checkpoint

import (
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// folderFiles are the files beside the weights that are looked for in the folder
// of a transformer or of another module.
var folderFiles = []string{
	adapterName, configName, "sentence_bert_config.json",
	"special_tokens_map.json", "tokenizer.json", "tokenizer_config.json",
}

// NeededFiles returns the names, with slashes and sorted, of all that
// [OpenModel] and a tokenizer read of the model called name: of a repository
// that is not, or not wholly, on this machine. has says whether there is a file,
// read returns the contents of one that there is.
func NeededFiles(name string, has func(file string) bool, read func(file string) ([]byte, error)) ([]string, error) {
	n := needed{name: name, has: has, read: read}
	if err := n.collect(); err != nil {
		return nil, err
	}
	slices.Sort(n.files)
	n.files = slices.Compact(n.files)
	for _, file := range n.files {
		// It separates folders on some systems only: nobody means it.
		if strings.ContainsRune(file, '\\') {
			return nil, fmt.Errorf("%s: it names %.80q: expected no backslash", name, file)
		}
	}
	return n.files, nil
}

// needed collects the files of a model.
type needed struct {
	name  string
	has   func(file string) bool
	read  func(file string) ([]byte, error)
	files []string
}

func (n *needed) collect() error {
	root := folder{path: "."} // of names: nothing is opened
	modules := []module{{kind: "Transformer", in: root}}
	if n.add(modulesName) {
		data, err := n.read(modulesName)
		if err != nil {
			return err
		}
		if modules, err = parseModules(root, n.name+": "+modulesName, data); err != nil {
			return err
		}
		n.add("config_sentence_transformers.json")
	}
	for i, m := range modules {
		at := filepath.ToSlash(m.in.path)
		for _, file := range folderFiles {
			n.add(path.Join(at, file))
		}
		if i == 0 && !n.has(path.Join(at, configName)) {
			return fmt.Errorf("%s has no config.json: it is no model for transformers", path.Join(n.name, at))
		}
		if i == 0 || m.kind == "Dense" {
			if err := n.weights(m.in); err != nil {
				return err
			}
		}
	}
	return nil
}

// add adds a file, if there is one.
func (n *needed) add(file string) bool {
	if !n.has(file) {
		return false
	}
	n.files = append(n.files, file)
	return true
}

// weights adds what openWeights opens.
func (n *needed) weights(in folder) error {
	at := filepath.ToSlash(in.path)
	if n.add(path.Join(at, weightsName)) {
		return nil
	}
	index := path.Join(at, indexName)
	if !n.add(index) {
		return noWeights(path.Join(n.name, at), func(file string) bool { return n.has(path.Join(at, file)) })
	}
	data, err := n.read(index)
	if err != nil {
		return err
	}
	shards, err := parseIndex(n.name+": "+index, data)
	if err != nil {
		return err
	}
	for _, shard := range slices.Sorted(maps.Keys(shards)) {
		if err := in.within(shard); err != nil {
			return fmt.Errorf("%s: %s: weight_map %w", n.name, index, err)
		}
		if !n.add(path.Join(at, shard)) {
			return fmt.Errorf("%s: %s: weight_map names %.80q, which is missing", n.name, index, shard)
		}
	}
	return nil
}

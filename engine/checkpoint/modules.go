package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

const modulesName = "modules.json"

// A module is one entry of the modules.json of sentence-transformers.
type module struct {
	kind string // the last part of type, whose other parts moved between versions
	in   folder // where its own files are
}

// readModules returns the modules that modules.json lists, nil without one. The
// first is the transformer.
func readModules(root folder) ([]module, error) {
	data, err := root.text(modulesName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the list of modules: %w", err)
	}
	return parseModules(root, root.file(modulesName), data)
}

// parseModules reads data, the contents of a modules.json of root, which errors call file.
func parseModules(root folder, file string, data []byte) ([]module, error) {
	var entries []json.RawMessage
	if json.Unmarshal(data, &entries) != nil || len(entries) == 0 {
		return nil, fmt.Errorf("%s: it holds %s: expected a list of modules, [{...}, ...]", file, excerpt(data))
	}
	modules := make([]module, len(entries))
	for i, entry := range entries {
		k, err := parseKeys(fmt.Sprintf("%s: module %d", file, i), entry)
		if err != nil {
			return nil, err
		}
		kind := k.text("type", "")
		m := module{kind: kind[strings.LastIndexByte(kind, '.')+1:], in: root}
		if path := k.text("path", ""); path != "" {
			if m.in, err = root.below(path); err != nil {
				k.fail("path", "%v", err)
			}
		}
		if *k.err != nil {
			return nil, *k.err
		}
		modules[i] = m
	}
	if modules[0].kind != "Transformer" {
		return nil, fmt.Errorf("%s: module 0: type is %.40q: expected Transformer", file, modules[0].kind)
	}
	return modules, nil
}

// readSentenceModel reads what sentence-transformers keeps beside the
// transformer: for a CrossEncoder how logits become scores, for a
// SentenceTransformer how hidden states become an embedding.
func (m *Model) readSentenceModel(root folder, modules []module) error {
	settings, err := optionalKeys(root, "config_sentence_transformers.json")
	if err != nil {
		return err
	}
	switch kind := settings.text("model_type", "SentenceTransformer"); kind {
	case "CrossEncoder":
		if len(modules) > 1 {
			return fmt.Errorf("%s: module 1: type is %.40q: a CrossEncoder may only have a Transformer",
				root.file(modulesName), modules[1].kind)
		}
		if settings.has("activation_fn") {
			m.Config.ScoreActivation = settings.score("activation_fn")
		}
		if settings.has("prompts") && string(settings.values["prompts"]) != "{}" {
			settings.fail("prompts", "are not supported for a CrossEncoder")
		}
		settings.take("default_prompt_name")
	case "SentenceTransformer":
		if m.Embedding, err = m.readEmbedding(root, modules); err != nil {
			return err
		}
		m.Embedding.prompts(settings)
	default:
		settings.wrong("model_type", `"SentenceTransformer" or "CrossEncoder"`)
	}
	settings.take("__version__")
	settings.take("requirements")
	return m.finish(root, settings)
}

// readEmbedding reads the modules after the transformer.
func (m *Model) readEmbedding(root folder, modules []module) (*Embedding, error) {
	list := root.file(modulesName)
	e := &Embedding{IncludePrompt: true, Similarity: Cosine}
	if err := m.readTransformer(root, modules[0].in, e); err != nil {
		return nil, err
	}
	for i, part := range modules[1:] {
		place := fmt.Sprintf("%s: module %d: type is %.40q", list, i+1, part.kind)
		pooled := len(e.Pooling) > 0
		var err error
		switch {
		case part.kind == "Dropout": // does nothing outside training
		case part.kind == "Pooling" && !pooled:
			err = m.readPooling(root, part.in, e)
		case part.kind == "Dense" && pooled && !e.Normalize:
			err = m.readDense(root, part.in, e)
		case part.kind == "Normalize" && pooled:
			e.Normalize = true
			err = m.readNormalize(root, part.in)
		default:
			err = fmt.Errorf("%s, which is not supported there: "+
				"expected Transformer, Pooling, any number of Dense, and at most a Normalize, in that order", place)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(e.Pooling) == 0 {
		return nil, fmt.Errorf("%s: it has no Pooling, without which a text has no embedding", list)
	}
	return e, nil
}

// optionalKeys reads an object from a file that need not be there.
func optionalKeys(in folder, name string) (*keys, error) {
	data, err := in.text(name)
	if errors.Is(err, fs.ErrNotExist) {
		data, err = []byte("{}"), nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the configuration: %w", err)
	}
	return parseKeys(in.file(name), data)
}

// finish adds the keys that nobody took to those ignored, by the file's path
// below root, and returns the first error.
func (m *Model) finish(root folder, k *keys) error {
	file, err := filepath.Rel(root.path, k.file)
	if err != nil {
		file = k.file
	}
	for _, key := range k.rest() {
		m.Ignored = append(m.Ignored, filepath.ToSlash(file)+": "+key)
	}
	return *k.err
}

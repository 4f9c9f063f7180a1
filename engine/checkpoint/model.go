package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/gazevk/gaze/engine/builtin"
)

const (
	configName  = "config.json"
	adapterName = "adapter_config.json"
)

// A Model is an open ModernBERT checkpoint in Hugging Face form: a directory
// with config.json and safetensors, the latter mapped into memory. Its methods
// may be called from several goroutines, but not while or after Close runs.
type Model struct {
	// Files are config.json, the tokenizer's files and others beside them, and
	// Directory is what errors call the place. It is the directory that was opened
	// unless modules.json names one within.
	Files     fs.FS
	Directory string
	Config    Config
	Head      Head
	Embedding *Embedding // how sentence-transformers embeds texts; nil without modules.json, and for its CrossEncoder
	Ignored   []string   // "file: key" of what is not known and has no effect here, sorted

	files   []*File
	tensors map[string]Tensor
}

// OpenModel opens the checkpoint at path, a directory, a name that [Locate]
// finds or [builtin.Name], and checks it as a whole: every value of its configuration, and that
// it has exactly the tensors that follow from that, in the right shapes. The
// files must not be shortened while the model is open.
func OpenModel(path string) (*Model, error) {
	if path == builtin.Name {
		return OpenModelFS(path, builtin.Files())
	}
	place, err := Locate(path)
	if err != nil {
		return nil, err
	}
	return openFolder(directory(place))
}

// OpenModelFS opens a checkpoint that a program carries, or has elsewhere. The
// name is what errors call it. Files that are not the system's are read into memory.
func OpenModelFS(name string, files fs.FS) (*Model, error) { return openFolder(folder{files, name}) }

func openFolder(root folder) (*Model, error) {
	m := &Model{}
	if err := m.read(root); err != nil {
		m.Close()
		return nil, err
	}
	slices.Sort(m.Ignored)
	return m, nil
}

func (m *Model) read(root folder) error {
	modules, err := readModules(root)
	if err != nil {
		return err
	}
	in := root
	if modules != nil {
		in = modules[0].in
	}
	m.Files, m.Directory = in.FS, in.path
	if in.exists(adapterName) {
		return fmt.Errorf("%s: adapters are not supported: merge it into the model that it adapts", in.file(adapterName))
	}
	data, err := in.text(configName)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s has no config.json: it is no Hugging Face model, or was not copied or downloaded as a whole", m.Directory)
	} else if err != nil {
		return fmt.Errorf("cannot read the configuration: %w", err)
	}
	if m.Config, err = ParseConfig(in.file(configName), data); err != nil {
		return err
	}
	m.Ignored = append(m.Ignored, m.Config.Ignored...)
	w, err := openWeights(in)
	if err != nil {
		return err
	}
	m.files = w.files
	if err := m.adopt(w.tensors, modules != nil); err != nil {
		return fmt.Errorf("%s: %w", m.Directory, err)
	}
	if modules == nil {
		return nil
	}
	return m.readSentenceModel(root, modules)
}

// adopt takes over the tensors found, if they are those of the head that the
// config names. Where sentence-transformers uses the encoder alone, a head of
// which there is no tensor counts as none.
func (m *Model) adopt(found map[string]Tensor, encoderAlone bool) error {
	tensors, err := canonicalNames(found)
	if err != nil {
		return err
	}
	has := func(name string) bool { _, ok := tensors[name]; return ok }
	if m.Head, err = m.Config.Head(has); err != nil {
		return fmt.Errorf("config.json: %w", err)
	}
	if encoderAlone && !has("head.dense.weight") && !has("head.norm.weight") &&
		!has(decoderWeight) && !has("decoder.bias") && !has("classifier.weight") && !has("classifier.bias") {
		m.Head = NoHead
	}
	tied := m.Config.TieWordEmbeddings
	if m.Config.tie(m.Head, tensors); tied != m.Config.TieWordEmbeddings {
		m.Ignored = append(m.Ignored, "config.json: tie_word_embeddings")
	}
	if err := match(m.Config.Tensors(m.Head), tensors); err != nil {
		return fmt.Errorf("for %v, %w", m.Head, err)
	}
	if m.Head == MaskedLM && m.Config.TieWordEmbeddings {
		tensors[decoderWeight] = tensors[embeddingWeight]
	}
	m.tensors = tensors
	return nil
}

// Tensor returns the tensor of that name and whether there is one. Names are
// those of [Config.Tensors], whatever prefix they have in the files; for a
// masked LM decoder.weight is there also where it is the embedding matrix. All
// are F32, F16 or BF16 and of the shapes that Config.Tensors says.
func (m *Model) Tensor(name string) (Tensor, bool) {
	t, ok := m.tensors[name]
	return t, ok
}

// Names returns the names of all tensors, sorted.
func (m *Model) Names() []string { return slices.Sorted(maps.Keys(m.tensors)) }

// Close gives the files' memory back, so that all tensors' bytes are gone.
// Closing again does nothing.
func (m *Model) Close() error {
	var errs []error
	for _, file := range m.files {
		errs = append(errs, file.Close())
	}
	m.files, m.tensors, m.Embedding = nil, nil, nil
	return errors.Join(errs...)
}

package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"unicode/utf8"
)

// maxFile is the most bytes that are read of a file. The largest vocabularies
// in use take about 40 MB.
const maxFile = 1 << 30

const tokenizerName = "tokenizer.json"

// Load reads a tokenizer.json, or that of a directory. It also reads what
// stands beside it in tokenizer_config.json and special_tokens_map.json.
func Load(path string) (*Tokenizer, error) {
	name := tokenizerName
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		path, name = filepath.Split(path)
	}
	return load(os.DirFS(filepath.Clean(path)), path, name)
}

// LoadFS reads the tokenizer.json of a folder, as Load does. The name of the
// folder is for errors only.
func LoadFS(folder string, files fs.FS) (*Tokenizer, error) {
	return load(files, folder, tokenizerName)
}

func load(files fs.FS, folder, name string) (*Tokenizer, error) {
	data, err := readFile(files, folder, name)
	if err != nil {
		return nil, fmt.Errorf("cannot load a tokenizer: %w", err)
	}
	config := configuration{roles: map[Role]string{}}
	for _, beside := range []string{"special_tokens_map.json", "tokenizer_config.json"} { // the later one wins
		data, err := readFile(files, folder, beside)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = config.read(data)
		}
		if err != nil {
			return nil, fmt.Errorf("cannot load a tokenizer: %s: %w", filepath.Join(folder, beside), err)
		}
	}
	t, err := parse(data, config)
	if err != nil {
		return nil, fmt.Errorf("cannot load a tokenizer: %s: %w", filepath.Join(folder, name), err)
	}
	return t, nil
}

// Parse reads the bytes of a tokenizer.json. The name is for errors only.
func Parse(name string, data []byte) (*Tokenizer, error) {
	t, err := parse(data, configuration{})
	if err != nil {
		return nil, fmt.Errorf("cannot load a tokenizer: %s: %w", name, err)
	}
	return t, nil
}

// readFile returns the contents of a file. Errors give its whole path.
func readFile(files fs.FS, folder, name string) ([]byte, error) {
	path := filepath.Join(folder, name)
	f, err := files.Open(name)
	if err == nil {
		defer f.Close()
		var data []byte
		if data, err = io.ReadAll(io.LimitReader(f, maxFile+1)); err == nil && len(data) > maxFile {
			return nil, fmt.Errorf("%s: over %d bytes, too large for a tokenizer", path, maxFile)
		} else if err == nil {
			return data, nil
		}
	}
	if inner := new(fs.PathError); errors.As(err, &inner) {
		inner.Path = path
	}
	return nil, err
}

func parse(data []byte, config configuration) (*Tokenizer, error) {
	if err := checkJSON(data); err != nil {
		return nil, err
	}
	o := parseObject(topLevel, data)
	version := ""
	o.take("version", &version)
	if version != "" && version != "1.0" {
		o.fail("version is %.40q, expected 1.0", version)
	}
	// Padding is not for the tokenizer of packed sequences, and how far text is
	// truncated is each caller's to say; but not at which end.
	o.raw("padding")
	t := &Tokenizer{characters: unicodeTable(), maxLength: config.maxLength}
	truncation, added := o.raw("truncation"), o.raw("added_tokens")
	normalizer, preTokenizer := o.raw("normalizer"), o.raw("pre_tokenizer")
	postProcessor, decoder, model := o.raw("post_processor"), o.raw("decoder"), o.raw("model")
	if err := o.done(); err != nil {
		return nil, err
	}
	for _, step := range []func() error{
		func() error { return t.parseTruncation(truncation, config) },
		func() error { return t.parseNormalizer("normalizer", normalizer, 0) },
		func() error { return t.parsePreTokenizer("pre_tokenizer", preTokenizer, 0) },
		func() error { return t.parseModel(model) },
		func() error { return t.parseAddedTokens(added, config) },
		func() error { return t.parsePostProcessor("post_processor", postProcessor, 0) },
		func() error { return t.parseDecoder("decoder", decoder, 0) },
		func() error { return t.findRoles(config) },
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	if t.single == nil {
		t.single = template{{sequence: 0}}
		t.pair = template{{sequence: 0}, {sequence: 1}}
	}
	if t.trim != nil {
		t.tokenBlanks = make([]blanks, len(t.forms))
		for id, form := range t.forms {
			t.tokenBlanks[id] = countBlanks(form)
		}
	}
	t.encoders.New = func() any { return &encoder{Tokenizer: t} }
	return t, nil
}

// checkJSON gives the errors of text that is no JSON at all.
func checkJSON(data []byte) error {
	if !utf8.Valid(data) {
		return errors.New("not UTF-8, so no JSON")
	}
	if json.Valid(data) {
		return nil
	}
	var v any
	err := json.Unmarshal(data, &v)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("no JSON, at byte %d of %d: %w", syntax.Offset, len(data), err)
	}
	return fmt.Errorf("no JSON: %w", err)
}

func (t *Tokenizer) parseTruncation(data json.RawMessage, config configuration) error {
	if isNull(data) {
		t.truncateLeft = config.truncationSide == "left"
		return nil
	}
	o := parseObject("truncation", data)
	direction := "Right"
	o.take("direction", &direction)
	o.raw("max_length")
	o.raw("strategy")
	o.raw("stride")
	if direction != "Left" && direction != "Right" {
		o.fail("truncation.direction is %.40q, expected Left or Right", direction)
	}
	t.truncateLeft = direction == "Left"
	if config.truncationSide != "" {
		t.truncateLeft = config.truncationSide == "left"
	}
	return o.done()
}

package checkpoint

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"
)

// lengthBytes hold the header's length, a little-endian uint64.
const lengthBytes = 8

// maxHeaderBytes bounds the header, as the format's own reader does.
const maxHeaderBytes = 100_000_000

// maxNameBytes bounds a name, so that errors can quote it.
const maxNameBytes = 1024

const metadataName = "__metadata__"

// A header is what stands before the tensors' bytes. In a header that
// parseHeader returned, the tensors lie in the order of their bytes.
type header struct {
	metadata map[string]string
	tensors  []tensorInfo
}

// A tensorInfo is one tensor as the header describes it: its bytes are
// data[begin:end], counted from the header's end.
type tensorInfo struct {
	name       string
	dtype      DType
	shape      []int
	begin, end int
}

// parseHeader reads the header of contents, a whole file, and returns it with
// the bytes that follow it. The tensors are sound: of known type, of the size
// that their shape asks for, and side by side from the first byte to the last.
func parseHeader(contents []byte) (h header, data []byte, err error) {
	if len(contents) < lengthBytes {
		return h, nil, fmt.Errorf("it has %d bytes: a safetensors file begins with %d that give its header's length", len(contents), lengthBytes)
	}
	length := binary.LittleEndian.Uint64(contents)
	rest := contents[lengthBytes:]
	if length > maxHeaderBytes {
		return h, nil, fmt.Errorf("its first %d bytes give a header of %d bytes: at most %d are allowed, so it is no safetensors file", lengthBytes, length, maxHeaderBytes)
	}
	if length > uint64(len(rest)) {
		return h, nil, fmt.Errorf("the header should have %d bytes and the file ends after %d of them: it is cut off", length, len(rest))
	}
	text, data := rest[:length], rest[length:]
	if !utf8.Valid(text) {
		return h, nil, fmt.Errorf("the header is not UTF-8 text")
	}
	if !bytes.HasPrefix(text, []byte("{")) {
		return h, nil, fmt.Errorf("the header begins with %.20q: expected a JSON object, '{'", text)
	}
	var whole json.RawMessage // the walk below may then rely on the syntax
	if err := json.Unmarshal(text, &whole); err != nil {
		return h, nil, fmt.Errorf("the header is not JSON: %w", err)
	}
	if err := h.read(whole); err != nil {
		return h, nil, err
	}
	slices.SortFunc(h.tensors, func(a, b tensorInfo) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end), cmp.Compare(a.name, b.name))
	})
	return h, data, h.validate(len(data))
}

// read takes the header apart. It walks tokens, because decoding into a map or
// a struct would let the last of two equal names win.
func (h *header) read(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return readObject(decoder, "the header", func(name string) error {
		if name == metadataName {
			h.metadata = map[string]string{}
			return readObject(decoder, metadataName, func(key string) (err error) {
				h.metadata[key], err = readString(decoder, fmt.Sprintf("%s: %q", metadataName, key))
				return err
			})
		}
		t, err := readTensorInfo(decoder, name)
		h.tensors = append(h.tensors, t)
		return err
	})
}

func readTensorInfo(decoder *json.Decoder, name string) (tensorInfo, error) {
	t := tensorInfo{name: name, begin: -1}
	owner := fmt.Sprintf("tensor %q", name)
	err := readObject(decoder, owner, func(key string) error {
		place := owner + ": " + key
		switch key {
		case "dtype":
			dtype, err := readString(decoder, place)
			t.dtype = DType(dtype)
			return err
		case "shape":
			var err error
			t.shape, err = readInts(decoder, place)
			return err
		case "data_offsets":
			offsets, err := readInts(decoder, place)
			if err == nil && len(offsets) != 2 {
				return fmt.Errorf("%s: expected 2 numbers, begin and end, found %d", place, len(offsets))
			}
			if err == nil {
				t.begin, t.end = offsets[0], offsets[1]
			}
			return err
		}
		return fmt.Errorf("%s: the key %q is not known: expected dtype, shape and data_offsets", owner, key)
	})
	if err != nil {
		return t, err
	}
	switch {
	case t.dtype == "":
		return t, fmt.Errorf("%s: dtype is missing", owner)
	case t.shape == nil:
		return t, fmt.Errorf("%s: shape is missing", owner)
	case t.begin < 0:
		return t, fmt.Errorf("%s: data_offsets are missing", owner)
	}
	return t, nil
}

// validate checks tensors, in the order of their bytes, against the number of
// bytes that hold them.
func (h *header) validate(dataBytes int) error {
	end := 0
	for i, t := range h.tensors {
		if t.end < t.begin {
			return fmt.Errorf("tensor %q: data_offsets are [%d, %d]: the end may not come before the begin", t.name, t.begin, t.end)
		}
		if t.end > dataBytes {
			return fmt.Errorf("tensor %q: its bytes end at %d and the file's data at %d: the file is cut off, or the header wrong", t.name, t.end, dataBytes)
		}
		size, err := byteSize(t.dtype, t.shape)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", t.name, err)
		}
		if size != t.end-t.begin {
			return fmt.Errorf("tensor %q: %s of shape %v takes %d bytes: data_offsets [%d, %d] give it %d", t.name, t.dtype, t.shape, size, t.begin, t.end, t.end-t.begin)
		}
		if t.begin < end {
			return fmt.Errorf("tensor %q: its bytes begin at %d, within those of tensor %q, which end at %d", t.name, t.begin, h.tensors[i-1].name, end)
		}
		if t.begin > end {
			return fmt.Errorf("tensor %q: its bytes begin at %d: expected %d, because no byte may belong to no tensor", t.name, t.begin, end)
		}
		end = t.end
	}
	if end != dataBytes {
		return fmt.Errorf("the tensors end at byte %d of the data and the file at %d: no byte may belong to no tensor", end, dataBytes)
	}
	return nil
}

// readObject reads one JSON object, calling value to read the value of each
// name, and refuses a name that comes twice. place says what is being read.
func readObject(decoder *json.Decoder, place string, value func(name string) error) error {
	if err := readDelimiter(decoder, place, '{', "an object"); err != nil {
		return err
	}
	seen := map[string]bool{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return fmt.Errorf("%s: %w", place, err)
		}
		name := token.(string) // the syntax allows nothing else here
		if err := checkName(name); err != nil {
			return fmt.Errorf("%s: %w", place, err)
		}
		if seen[name] {
			return fmt.Errorf("%s: %q is given twice", place, name)
		}
		seen[name] = true
		if err := value(name); err != nil {
			return err
		}
	}
	return readDelimiter(decoder, place, '}', "the object's end")
}

// checkName accepts what may name a tensor or a string of metadata.
func checkName(name string) error {
	if !utf8.ValidString(name) {
		return fmt.Errorf("the name %.40q is not UTF-8 text", name)
	}
	if len(name) > maxNameBytes {
		return fmt.Errorf("the name %.40q... has %d bytes: at most %d are allowed", name, len(name), maxNameBytes)
	}
	return nil
}

func readString(decoder *json.Decoder, place string) (string, error) {
	token, err := decoder.Token()
	if err != nil {
		return "", fmt.Errorf("%s: %w", place, err)
	}
	s, ok := token.(string)
	if !ok {
		return "", fmt.Errorf("%s: expected a string, found %.40v", place, token)
	}
	return s, nil
}

// readInts reads an array of whole numbers of at least 0. The result is not nil.
func readInts(decoder *json.Decoder, place string) ([]int, error) {
	if err := readDelimiter(decoder, place, '[', "an array"); err != nil {
		return nil, err
	}
	numbers := []int{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", place, err)
		}
		literal, ok := token.(json.Number)
		number, err := strconv.Atoi(literal.String())
		if !ok || err != nil || number < 0 {
			return nil, fmt.Errorf("%s: expected whole numbers of at least 0, found %.40v", place, token)
		}
		numbers = append(numbers, number)
	}
	return numbers, readDelimiter(decoder, place, ']', "the array's end")
}

func readDelimiter(decoder *json.Decoder, place string, want json.Delim, noun string) error {
	token, err := decoder.Token()
	if err != nil {
		return fmt.Errorf("%s: %w", place, err)
	}
	if token != want {
		return fmt.Errorf("%s: expected %s, found %.40v", place, noun, token)
	}
	return nil
}

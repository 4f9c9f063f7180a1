package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// An object is a JSON object whose keys are taken one by one, so that those
// that nobody took can be refused. path says where it stands: "added_tokens[3]".
// The first error stays, and makes what follows do nothing.
type object struct {
	path   string
	fields map[string]json.RawMessage
	err    error
}

// parseObject reads a JSON object. Unlike encoding/json it takes no key twice.
func parseObject(path string, data json.RawMessage) *object {
	o := &object{path: path, fields: map[string]json.RawMessage{}}
	d := json.NewDecoder(bytes.NewReader(data))
	start, err := d.Token()
	if err != nil || start != json.Delim('{') {
		o.err = fmt.Errorf("%s is %s, expected an object", path, kindOf(data))
		return o
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			o.err = fmt.Errorf("%s: %w", path, err)
			return o
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			o.err = fmt.Errorf("%s: %w", path, err)
			return o
		}
		name := key.(string)
		if _, ok := o.fields[name]; ok {
			o.err = fmt.Errorf("%s has the key %.60q twice", path, name)
			return o
		}
		o.fields[name] = value
	}
	return o
}

// kindOf names a JSON value in an error.
func kindOf(data json.RawMessage) string {
	data = bytes.TrimSpace(data)
	if len(data) == 0 {
		return "missing"
	}
	switch data[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	}
	return fmt.Sprintf("%.60s", data)
}

func isNull(data json.RawMessage) bool {
	return len(data) == 0 || bytes.Equal(bytes.TrimSpace(data), []byte("null"))
}

func (o *object) fail(format string, values ...any) {
	if o.err == nil {
		o.err = fmt.Errorf(format, values...)
	}
}

// at returns the path of a key.
func (o *object) at(key string) string {
	if o.path == topLevel {
		return key
	}
	return o.path + "." + key
}

const topLevel = "the file"

// raw takes a key; it is empty where there is none.
func (o *object) raw(key string) json.RawMessage {
	value := o.fields[key]
	delete(o.fields, key)
	return value
}

// take reads the value of a key into target, which stays as it is where the key
// is missing or null.
func (o *object) take(key string, target any) {
	value := o.raw(key)
	if o.err != nil || isNull(value) {
		return
	}
	if err := json.Unmarshal(value, target); err != nil {
		o.fail("%s is %s, expected %s", o.at(key), kindOf(value), expected(target))
	}
}

// need is take for a key that must be there.
func (o *object) need(key string, target any) {
	if o.err == nil && isNull(o.fields[key]) {
		o.fail("%s has no %q", o.path, key)
		return
	}
	o.take(key, target)
}

func expected(target any) string {
	switch target.(type) {
	case *bool:
		return "true or false"
	case *string, **string:
		return "a string"
	case *uint32, *int:
		return "a whole number from 0 to 4294967295"
	case *[]json.RawMessage:
		return "an array"
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", target), "*")
}

// done returns the first error, or one that names the keys nobody took.
func (o *object) done() error {
	if o.err == nil && len(o.fields) > 0 {
		var names []string
		for name := range o.fields {
			names = append(names, o.at(name))
		}
		slices.Sort(names)
		o.fail("%.200s is not supported", strings.Join(names, ", "))
	}
	return o.err
}

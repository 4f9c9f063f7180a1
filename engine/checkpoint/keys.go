package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
)

// keys is one JSON object of a configuration file while its values are taken
// out. The first value that is not as it should be is kept as err, with the
// file and the key; what is asked for after that is not checked any more.
type keys struct {
	file   string // what errors begin with
	prefix string // of every key, such as "rope_scaling."
	values map[string]json.RawMessage
	taken  map[string]bool
	err    *error // shared with the objects within
}

// parseKeys reads an object. Of two equal keys the last counts, as in Python.
func parseKeys(file string, data []byte) (*keys, error) {
	k := &keys{file: file, taken: map[string]bool{}, err: new(error)}
	if err := json.Unmarshal(data, &k.values); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return nil, fmt.Errorf("%s: it holds a JSON %s: expected an object, {...}", file, wrong.Value)
		}
		return nil, fmt.Errorf("%s: it is not JSON: %w", file, err)
	}
	if k.values == nil {
		return nil, fmt.Errorf("%s: it holds null: expected an object, {...}", file)
	}
	return k, nil
}

// fail records an error about key, unless there is one already.
func (k *keys) fail(key, format string, arguments ...any) {
	if *k.err == nil {
		*k.err = fmt.Errorf("%s: %s%s %s", k.file, k.prefix, key, fmt.Sprintf(format, arguments...))
	}
}

// wrong records that the value of key is not what was expected.
func (k *keys) wrong(key, expected string) {
	k.fail(key, "is %s: expected %s", excerpt(k.values[key]), expected)
}

// excerpt returns the beginning of a JSON value, for errors.
func excerpt(value json.RawMessage) string {
	const longest = 40
	if runes := []rune(string(value)); len(runes) > longest {
		return string(runes[:longest]) + "..."
	}
	return string(value)
}

// take returns the value of key, which then counts as known.
func (k *keys) take(key string) (value json.RawMessage, ok bool) {
	k.taken[key] = true
	value, ok = k.values[key]
	return value, ok
}

// has reports whether key is there and not null. Either way it counts as known.
func (k *keys) has(key string) bool {
	value, ok := k.take(key)
	return ok && string(value) != "null"
}

// rest returns the keys that nobody took, sorted.
func (k *keys) rest() []string {
	var rest []string
	for _, key := range slices.Sorted(maps.Keys(k.values)) {
		if !k.taken[key] {
			rest = append(rest, k.prefix+key)
		}
	}
	return rest
}

// integer returns the whole number at key, fallback if there is none.
func (k *keys) integer(key string, fallback, least, most int) int {
	value, ok := k.take(key)
	if !ok {
		return fallback
	}
	number, err := strconv.Atoi(string(value))
	if err != nil || number < least || number > most {
		k.wrong(key, fmt.Sprintf("a whole number from %d to %d", least, most))
		return fallback
	}
	return number
}

// number returns the number at key, fallback if there is none.
func (k *keys) number(key string, fallback float64) float64 {
	value, ok := k.take(key)
	if !ok {
		return fallback
	}
	var number float64
	if string(value) == "null" || json.Unmarshal(value, &number) != nil || math.IsInf(number, 0) {
		k.wrong(key, "a number")
		return fallback
	}
	return number
}

// boolean returns the truth value at key, fallback if there is none.
func (k *keys) boolean(key string, fallback bool) bool {
	value, ok := k.take(key)
	if !ok {
		return fallback
	}
	switch string(value) {
	case "true":
		return true
	case "false":
		return false
	}
	k.wrong(key, "true or false")
	return fallback
}

// text returns the string at key, fallback if there is none.
func (k *keys) text(key, fallback string) string {
	value, ok := k.take(key)
	if !ok {
		return fallback
	}
	var text *string
	if json.Unmarshal(value, &text) != nil || text == nil {
		k.wrong(key, "a string")
		return fallback
	}
	return *text
}

// texts returns the strings at key, nil if there is none.
func (k *keys) texts(key string) []string {
	value, ok := k.take(key)
	if !ok {
		return nil
	}
	var pointers []*string
	if json.Unmarshal(value, &pointers) != nil || pointers == nil || slices.Contains(pointers, nil) {
		k.wrong(key, "a list of strings")
		return nil
	}
	texts := make([]string, len(pointers))
	for i, p := range pointers {
		texts[i] = *p
	}
	return texts
}

// object returns the object at key, nil if there is none.
func (k *keys) object(key string) *keys {
	value, ok := k.take(key)
	if !ok {
		return nil
	}
	inner := &keys{file: k.file, prefix: k.prefix + key + ".", taken: map[string]bool{}, err: k.err}
	if json.Unmarshal(value, &inner.values) != nil || inner.values == nil {
		k.wrong(key, "an object, {...}")
		return nil
	}
	return inner
}

// choose returns the value of names that belongs to the string at key.
func choose[T any](k *keys, key, fallback string, names map[string]T) T {
	name := k.text(key, fallback)
	value, ok := names[name]
	if !ok {
		k.wrong(key, fmt.Sprintf("one of %q", slices.Sorted(maps.Keys(names))))
	}
	return value
}

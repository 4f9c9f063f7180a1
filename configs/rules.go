package configs

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// text reads a string of 1 to most printable characters.
func (t *table) text(name string, to *string, most int) {
	n := t.find(name)
	if n == nil {
		return
	}
	s, ok := n.value.(string)
	if !ok {
		t.wrong(n, name, "a string")
		return
	}
	if fault := unprintable(s, most); fault != "" {
		t.fault(n.span, "%s %s", name, fault)
		return
	}
	*to = s
}

// unprintable says what is wrong with a text, "" if nothing is.
func unprintable(s string, most int) string {
	switch {
	case strings.TrimSpace(s) == "":
		return "is empty"
	case utf8.RuneCountInString(s) > most:
		return fmt.Sprintf("is longer than %d characters", most)
	case strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) }):
		return "holds a control character"
	}
	return ""
}

// choice reads one of a few strings.
func (t *table) choice(name string, to *string, choices ...string) {
	n := t.find(name)
	if n == nil {
		return
	}
	quoted := make([]string, len(choices))
	for i, c := range choices {
		quoted[i] = strconv.Quote(c)
	}
	s, ok := n.value.(string)
	if !ok {
		t.wrong(n, name, list(quoted, "or"))
		return
	}
	if !slices.Contains(choices, s) {
		t.fault(n.span, "%s is %s: it must be %s%s", name, quote(s), list(quoted, "or"), suggestion(s, choices))
		return
	}
	*to = s
}

func (t *table) boolean(name string, to *bool) {
	n := t.find(name)
	if n == nil {
		return
	}
	b, ok := n.value.(bool)
	if !ok {
		t.wrong(n, name, "true or false")
		return
	}
	*to = b
}

// integer reads an integer from low to high.
func (t *table) integer(name string, to *int, low, high int) {
	if n := t.find(name); n != nil {
		if v, ok := t.inRange(n, name, int64(low), int64(high)); ok {
			*to = int(v)
		}
	}
}

// seed reads any integer from 0 up.
func (t *table) seed(name string, to *uint64) {
	if n := t.find(name); n != nil {
		if v, ok := t.inRange(n, name, 0, math.MaxInt64); ok {
			*to = uint64(v)
		}
	}
}

func (t *table) inRange(n *node, name string, low, high int64) (v int64, ok bool) {
	must := fmt.Sprintf("an integer from %d to %d", low, high)
	v, ok = n.value.(int64)
	if !ok {
		t.wrong(n, name, must)
		return 0, false
	}
	if v < low || v > high {
		t.fault(n.span, "%s is %d: it must be %s", name, v, must)
		return 0, false
	}
	return v, true
}

// oneOf reads one of a few integers.
func (t *table) oneOf(name string, to *int, choices []int) {
	n := t.find(name)
	if n == nil {
		return
	}
	numbers := make([]string, len(choices))
	for i, c := range choices {
		numbers[i] = strconv.Itoa(c)
	}
	v, ok := n.value.(int64)
	if !ok {
		t.wrong(n, name, list(numbers, "or"))
		return
	}
	for _, c := range choices {
		if int64(c) == v {
			*to = c
			return
		}
	}
	t.fault(n.span, "%s is %d: it must be %s", name, v, list(numbers, "or"))
}

// number reads an integer or a float that is 0 or from low to high; zero is
// what 0 stands for.
func (t *table) number(name string, to *float64, low, high float64, zero string) {
	n := t.find(name)
	if n == nil {
		return
	}
	must := fmt.Sprintf("a number from %s to %s, or 0 for %s", short(low), short(high), zero)
	var v float64
	switch value := n.value.(type) {
	case float64:
		v = value
	case int64:
		v = float64(value)
	default:
		t.wrong(n, name, must)
		return
	}
	// Written so that nan fails.
	if !(v == 0 || v >= low && v <= high) {
		t.fault(n.span, "%s is %s: it must be %s", name, short(v), must)
		return
	}
	*to = math.Abs(v) // of -0.0
}

// short writes 1e-6 for Go's 1e-06, and nan and inf as TOML does.
func short(v float64) string {
	s := strings.ToLower(strconv.FormatFloat(v, 'g', -1, 64))
	return strings.NewReplacer("e-0", "e-", "e+0", "e", "e+", "e", "+inf", "inf").Replace(s)
}

// integers reads an array of 1 to most integers from low to high.
func (t *table) integers(name string, to *[]int, most, low, high int) {
	n := t.find(name)
	if n == nil {
		return
	}
	if values, ok := t.integerItems(n, name, most, low, high); ok {
		*to = values
	}
}

// integerItems returns 1 to most integers from low to high, the items of n.
func (t *table) integerItems(n *node, name string, most, low, high int) (values []int, ok bool) {
	if !n.isArray() {
		t.wrong(n, name, fmt.Sprintf("an array [...] of integers from %d to %d", low, high))
		return nil, false
	}
	if len(n.items) == 0 {
		t.fault(n.span, "%s is empty: at least one integer is needed", name)
		return nil, false
	}
	if len(n.items) > most {
		t.fault(n.items[most].span, "%s has %d integers: at most %d are allowed", name, len(n.items), most)
		return nil, false
	}
	values = make([]int, len(n.items))
	for i, item := range n.items {
		v, ok := t.inRange(item, fmt.Sprintf("%s[%d]", name, i), int64(low), int64(high))
		if !ok {
			return nil, false
		}
		values[i] = int(v)
	}
	return values, true
}

// device reads the name of a device, or its index.
func (t *table) device(name string, to *string) {
	if t.node != nil && t.node.table[name] != nil {
		if _, ok := t.node.table[name].value.(int64); ok {
			var index int
			t.integer(name, &index, 0, math.MaxInt32)
			*to = strconv.Itoa(index)
			return
		}
	}
	t.text(name, to, 256)
}

// maxPath in characters bounds a path as written.
const maxPath = 1024

// input reads the path of a file to read.
func (t *table) input(name string, to *string) {
	var path string
	t.text(name, &path, maxPath)
	if path != "" {
		*to = t.resolve(path)
	}
}

// output reads the path of a file to write, which must end in extension. The
// empty string means none. Of text in braces only the placeholders are allowed.
func (t *table) output(name string, to *string, extension string, placeholders ...string) {
	n := t.find(name)
	if n == nil {
		return
	}
	path, ok := n.value.(string)
	if !ok {
		t.wrong(n, name, "a string that ends in "+extension)
		return
	}
	if path == "" {
		*to = ""
		return
	}
	if fault := unprintable(path, maxPath); fault != "" {
		t.fault(n.span, "%s %s", name, fault)
		return
	}
	if !strings.HasSuffix(path, extension) || strings.TrimSuffix(filepath.Base(filepath.FromSlash(path)), extension) == "" {
		t.fault(n.span, "%s is %s: it must be a file name that ends in %s", name, quote(path), extension)
		return
	}
	rest := path
	for _, placeholder := range placeholders {
		rest = strings.ReplaceAll(rest, placeholder, "")
	}
	if strings.ContainsAny(rest, "{}") {
		allowed := "it may not hold { or }"
		switch len(placeholders) {
		case 0:
		case 1:
			allowed = "of text in braces only " + placeholders[0] + " is allowed"
		default:
			allowed = "of text in braces only " + list(placeholders, "and") + " are allowed"
		}
		t.fault(n.span, "%s is %s: %s", name, quote(path), allowed)
		return
	}
	*to = t.resolve(path)
}

// resolve turns a path relative to the run file into one for the process.
func (r *reader) resolve(path string) string {
	path = filepath.FromSlash(path)
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(r.directory, path)
}

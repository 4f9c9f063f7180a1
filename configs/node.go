package configs

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
)

// A node is a value of a TOML document and its place: a table has a table and
// the order of its keys, an array has items, anything else has neither.
type node struct {
	key   span // the key as last written; empty in the elements of an array
	span  span // the value; of a table that has a header, the header
	value any  // as the TOML parser returns it
	table map[string]*node
	order []string
	items []*node
}

// put sets a key of table n.
func (n *node) put(name string, value *node) {
	if n.table == nil {
		n.table = map[string]*node{}
	}
	if _, ok := n.table[name]; !ok {
		n.order = append(n.order, name)
	}
	n.table[name] = value
}

// child returns a key of table n, which it makes where there is none.
func (n *node) child(p part) *node {
	if _, ok := n.table[p.name]; !ok {
		n.put(p.name, &node{key: p.span, span: p.span})
	}
	return n.table[p.name]
}

// latest returns the table that a header means when it names n: of an array of
// tables, the last.
func (n *node) latest() *node {
	if len(n.items) > 0 {
		return n.items[len(n.items)-1]
	}
	return n
}

// descend returns the table at the end of parts.
func (n *node) descend(parts []part) *node {
	for _, p := range parts {
		n = n.child(p).latest()
	}
	return n
}

// fill gives n and everything in it the values that the parser found. It returns
// a node where both do not see the same keys, nil if they agree. They agree on
// sound TOML; but the parser takes some files that reopen a table in a way TOML
// forbids, and loses keys of them.
func (n *node) fill(value any) (lost *node) {
	n.value = value
	switch value := value.(type) {
	case map[string]any:
		if n.items != nil || len(n.order) != len(value) {
			return n
		}
		for _, name := range n.order {
			child := n.table[name]
			inner, ok := value[name]
			if !ok {
				return child
			}
			if lost := child.fill(inner); lost != nil {
				return lost
			}
		}
	case []any:
		return fillItems(n, value)
	case []map[string]any:
		return fillItems(n, value)
	default:
		if n.table != nil || n.items != nil {
			return n
		}
	}
	return nil
}

func fillItems[T any](n *node, values []T) (lost *node) {
	if n.table != nil || len(n.items) != len(values) {
		return n
	}
	for i, value := range values {
		if lost := n.items[i].fill(value); lost != nil {
			return lost
		}
	}
	return nil
}

func (n *node) isTable() bool {
	_, ok := n.value.(map[string]any)
	return ok
}

func (n *node) isArray() bool {
	switch n.value.(type) {
	case []any, []map[string]any:
		return true
	}
	return false
}

// describe says what kind of value n is, with its article.
func (n *node) describe() string {
	switch value := n.value.(type) {
	case string:
		return "a string"
	case int64:
		return "an integer"
	case float64:
		return "a float"
	case bool:
		return "a boolean"
	case time.Time:
		return "a date or time"
	case map[string]any:
		return "a table"
	case []any, []map[string]any:
		return "an array"
	default:
		return fmt.Sprintf("a %T", value)
	}
}

// parse returns the tree of a TOML document, and the text that its places
// count from: data without a byte order mark.
func parse(data string) (text string, root *node, f *fault) {
	text = strings.TrimPrefix(data, "\ufeff")
	if f = illegible(text); f != nil {
		return text, nil, f
	}
	root, f = scan(text)
	if f != nil {
		return text, nil, f
	}
	values, f := decode(text)
	if f != nil {
		return text, nil, f
	}
	if lost := root.fill(values); lost != nil {
		return text, nil, &fault{lost.span, "this is given in two places, in a way that TOML does not allow"}
	}
	return text, root, nil
}

// illegible notes the first byte that no TOML file may hold. The TOML parser
// finds it too, but not where it is.
func illegible(text string) *fault {
	for i, c := range text {
		where := span{i, i + 1}
		switch {
		case c == utf8.RuneError && !strings.HasPrefix(text[i:], string(c)):
			return &fault{where, fmt.Sprintf("byte 0x%02x is not UTF-8: save the file as UTF-8", text[i])}
		case c == 0:
			return &fault{where, "the file holds a NUL: is it in UTF-16? Save it as UTF-8"}
		case c < ' ' && c != '\t' && c != '\n' && !strings.HasPrefix(text[i:], "\r\n") || c == 0x7f:
			return &fault{where, fmt.Sprintf(`control character 0x%02x: in a string, write \u%04x`, c, c)}
		}
	}
	return nil
}

// decode is the TOML parser, with its errors as faults. It panics on its own
// bugs; a file that finds one is the file's fault as far as a user is concerned.
func decode(text string) (values map[string]any, f *fault) {
	defer func() {
		if r := recover(); r != nil {
			f = &fault{span{}, fmt.Sprintf("the TOML parser gives up on this file: %v", r)}
		}
	}()
	_, err := toml.Decode(text, &values)
	if err == nil {
		return values, nil
	}
	var syntax toml.ParseError
	if !errors.As(err, &syntax) {
		return nil, &fault{span{}, err.Error()}
	}
	first := min(max(syntax.Position.Start, 0), len(text))
	end := first + max(syntax.Position.Len, 1)
	// At the end of a file the parser points at the last byte of a character.
	for first > 0 && first < len(text) && !utf8.RuneStart(text[first]) {
		first--
	}
	return nil, &fault{span{first, end}, explain(syntax.Message)}
}

var unquoted = regexp.MustCompile(`^expected value but found "\pL`)

// explain puts the TOML parser's message in our style, and adds what the user
// probably meant to write.
func explain(message string) string {
	if first, rest, ok := strings.Cut(message, " "); ok && (first == "Key" || first == "Invalid") {
		message = strings.ToLower(first) + " " + rest
	}
	message = strings.ReplaceAll(strings.TrimSuffix(message, "."), `'\n'`, "the end of the line")
	message = strings.Map(printable, strings.ReplaceAll(message, "\n", ""))
	switch {
	case unquoted.MatchString(message):
		message += `; text needs quotes: "like this"`
	case strings.Contains(message, `escape in string`), strings.Contains(message, `digits after '\`):
		message += `; write \\ for a backslash, or put the text in 'single quotes'`
	case strings.HasPrefix(message, "strings cannot contain newlines"):
		message += "; is the closing quote missing?"
	}
	return message
}

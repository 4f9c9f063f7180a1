package configs

import (
	"fmt"
	"slices"
	"strings"
)

// A reader turns the tree of a run file into runs, and notes what is wrong.
type reader struct {
	directory string // where relative paths start
	faults    []fault
	known     []string // dotted names of all keys that were looked for
	patterns  int      // patterns in the list being read
}

func (r *reader) fault(where span, format string, values ...any) {
	r.faults = append(r.faults, fault{where, fmt.Sprintf(format, values...)})
}

// first returns the first fault by position, nil where there is none.
func (r *reader) first() *fault {
	if len(r.faults) == 0 {
		return nil
	}
	f := slices.MinFunc(r.faults, func(a, b fault) int { return a.first - b.first })
	return &f
}

// A table reads the keys of one TOML table. Each method that reads takes a key
// and where its value goes, and leaves that alone where the file does not set
// the key, so the value that was there is the default.
type table struct {
	*reader
	node     *node           // nil where the file does not have this table
	path     string          // its dotted name, "" at the top
	title    string          // what messages call it
	places   map[string]span // gets the place of each value that was read, by dotted name
	names    []string        // keys that were looked for
	required []string
}

// find returns the value of a key, nil where it is not set, and makes the key a
// known one.
func (t *table) find(name string) *node {
	dotted := strings.TrimPrefix(t.path+"."+name, ".")
	t.names = append(t.names, name)
	t.known = append(t.known, dotted)
	if t.node == nil {
		return nil
	}
	n := t.node.table[name]
	if n != nil {
		t.places[dotted] = n.span
	}
	return n
}

// require makes name a key that the table cannot do without.
func (t *table) require(name string) string {
	t.required = append(t.required, name)
	return name
}

// wrong notes that the value of a key is not what it must be.
func (t *table) wrong(n *node, name, must string) {
	t.fault(n.span, "%s must be %s, not %s", name, must, n.describe())
}

// done notes the first key that nothing looked for, or else the missing ones: a
// misspelled key explains why one is missing.
func (t *table) done() {
	if t.node == nil {
		return
	}
	for _, name := range t.node.order {
		if !slices.Contains(t.names, name) {
			t.fault(t.node.table[name].key, "unknown key %s in %s%s", quote(name), t.title, t.advice(name))
			return
		}
	}
	for _, name := range t.required {
		if t.node.table[name] == nil {
			t.fault(t.node.span, "%s needs the key %s", t.title, name)
		}
	}
}

// advice says what an unknown key should have been.
func (t *table) advice(name string) string {
	if near := suggestion(name, t.names); near != "" {
		return near
	}
	keys := knownKeys()
	section, _, _ := strings.Cut(t.path, ".")
	slices.SortStableFunc(keys, func(a, b string) int { // those of the same section first
		within := func(key string) int {
			if strings.HasPrefix(key, section+".") {
				return 0
			}
			return 1
		}
		return within(a) - within(b)
	})
	for _, dotted := range keys {
		// A key of another kind of pattern has no place to go.
		if strings.HasSuffix(dotted, "."+name) && dotted != t.path+"."+name {
			return fmt.Sprintf("; did you mean %s? A key belongs to the header above it", dotted)
		}
	}
	if len(t.names) == 1 {
		return "; its only key is " + t.names[0]
	}
	return "; its keys are " + list(t.names, "and")
}

// section reads a table within t; read is called even where the file lacks it.
func (t *table) section(name string, read func(*table)) {
	n := t.find(name)
	if n != nil && !n.isTable() {
		t.fault(n.key, "%s must be a table, written [%s], not %s", name, name, n.describe())
		return
	}
	section := &table{reader: t.reader, node: n, path: name, title: "[" + name + "]", places: t.places}
	read(section)
	section.done()
}

// tables returns the elements of an array of at most most tables; ok is whether
// the key is there and sound. written is how a user writes one.
func (t *table) tables(name, written string, most int) (items []*node, ok bool) {
	n := t.find(name)
	if n == nil {
		return nil, false
	}
	if !n.isArray() {
		t.fault(n.key, "%s must be an array of tables, written %s, not %s", name, written, n.describe())
		return nil, false
	}
	for i, item := range n.items {
		if !item.isTable() {
			t.wrong(item, fmt.Sprintf("%s[%d]", name, i), "a table")
			return nil, false
		}
	}
	if len(n.items) > most {
		t.fault(n.items[most].span, "%s has %d tables: at most %d are allowed", name, len(n.items), most)
		return nil, false
	}
	return n.items, true
}

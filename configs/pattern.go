package configs

import (
	"math"

	"github.com/gazevk/gaze"
)

// Bounds on patterns. Windows wider than any sequence are fine; the others keep
// the work per query within reason.
const (
	maxWidth        = math.MaxInt32
	maxGlobalTokens = 4096
	maxPatterns     = 256 // in one list, nested ones included
	maxPatternDepth = 16  // of any and all in one another
)

// A patternKind reads the keys of one kind of pattern.
type patternKind struct {
	name string
	read func(t *table, depth int) gaze.Pattern
}

// patternKinds are all kinds of pattern. To add one, add its row here and its
// lines in example.toml.
func patternKinds() []patternKind {
	return []patternKind{
		{"full", func(*table, int) gaze.Pattern { return gaze.Full{} }},
		{"sliding_window", func(t *table, _ int) gaze.Pattern {
			var w gaze.SlidingWindow
			t.integer(t.require("left"), &w.Left, 0, maxWidth)
			t.integer(t.require("right"), &w.Right, 0, maxWidth)
			return w
		}},
		{"dilated_window", func(t *table, _ int) gaze.Pattern {
			var w gaze.DilatedWindow
			t.integer(t.require("reach"), &w.Reach, 0, maxWidth)
			t.integer(t.require("dilation"), &w.Dilation, 1, maxWidth)
			return w
		}},
		{"global_tokens", func(t *table, _ int) gaze.Pattern {
			var g gaze.GlobalTokens
			t.integers(t.require("tokens"), &g.Tokens, maxGlobalTokens, 0, gaze.MaxTokens-1)
			return g
		}},
		{"causal", func(*table, int) gaze.Pattern { return gaze.Causal{} }},
		{"any", func(t *table, depth int) gaze.Pattern {
			var patterns gaze.Any
			t.patternList(t.require("patterns"), (*[]gaze.Pattern)(&patterns), depth+1)
			return patterns
		}},
		{"all", func(t *table, depth int) gaze.Pattern {
			var patterns gaze.All
			t.patternList(t.require("patterns"), (*[]gaze.Pattern)(&patterns), depth+1)
			return patterns
		}},
	}
}

// patternList reads an array of patterns that lies within depth any and all.
func (t *table) patternList(name string, to *[]gaze.Pattern, depth int) {
	if depth == 0 {
		t.patterns = 0
	}
	items, ok := t.tables(name, name+` = [{kind = "causal"}]`, maxPatterns)
	if !ok {
		return
	}
	patterns := make([]gaze.Pattern, 0, len(items))
	for _, item := range items {
		t.patterns++
		switch {
		case depth > maxPatternDepth:
			t.fault(item.span, "patterns lie more than %d deep in one another", maxPatternDepth)
			return
		case t.patterns > maxPatterns:
			t.fault(item.span, "there are more than %d patterns, counting those in any and all", maxPatterns)
			return
		}
		path := t.path // of any and all, that of the list they are in
		if depth == 0 {
			path += "." + name
		}
		patterns = append(patterns, t.pattern(item, path, depth))
	}
	*to = patterns
}

// pattern reads one pattern of the list at path; what it returns means nothing
// after a fault.
func (r *reader) pattern(n *node, path string, depth int) gaze.Pattern {
	before := len(r.faults)
	t := &table{reader: r, node: n, path: path, title: "a pattern", places: map[string]span{}}
	kinds := patternKinds()
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	var name string
	t.choice("kind", &name, names...)
	if n.table["kind"] == nil {
		r.noKind(n, names)
	}
	var p gaze.Pattern
	for _, k := range kinds {
		if k.name == name {
			t.title = "a pattern of kind " + name
			p = k.read(t, depth)
			t.done()
		}
	}
	if len(r.faults) == before {
		if err := p.Validate(); err != nil {
			r.fault(n.span, "%v", err)
		}
	}
	return p
}

// noKind notes that pattern n lacks its kind, or the key that was meant for it.
func (r *reader) noKind(n *node, kinds []string) {
	for _, key := range n.order {
		if nearest(key, []string{"kind"}) != "" {
			r.fault(n.table[key].key, "unknown key %s in a pattern; did you mean kind?", quote(key))
			return
		}
	}
	r.fault(n.span, "a pattern needs the key kind: %s", list(kinds, "or"))
}

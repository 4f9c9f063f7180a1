package configs

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gazevk/gaze"
)

// Builtin is the Path of the model that comes with gaze.
const Builtin = "builtin"

// A Model is the checkpoint that a run is of, with what is changed about it.
type Model struct {
	// Path is as written: a directory, the name of a model in the Hugging Face
	// cache, or [Builtin].
	Path      string
	Directory string // Path as a directory, resolved as all paths of the file are
	// Layers replace attention, in the order of the file: of two that mean the
	// same layer the later one counts.
	Layers []ModelLayer
	Input  ModelInput
}

// A ModelLayer is what some layers of a model compute in place of their own.
type ModelLayer struct {
	Kind      string       // "global", "local" or "all"; "" means Numbers
	Numbers   []int        // from 0; the model may have fewer layers
	Pattern   gaze.Pattern // nil leaves the layer its own
	RopeTheta *float64     // 0 for no rotation; nil leaves the layer its own
}

// A ModelInput says what a model is run on; one of its fields is set.
type ModelInput struct {
	Text []string
	IDs  [][]uint32 // of tokens, a list a sequence
	File string     // of texts, one a line
}

// Bounds on what a run of a model may ask for; no published model comes close.
const (
	maxLayers = 1000
	maxToken  = 1<<24 - 1
	maxTexts  = 4096
)

// readModel reads [model], which makes the file's runs those of a checkpoint.
func (d *draft) readModel(t *table) {
	if d.base == nil {
		t.require("path")
	}
	t.text("path", &d.model.Path, maxPath)
	if d.model.Path != "" {
		d.model.Directory = t.resolve(d.model.Path)
	}
	items, ok := t.tables("layer", "[[model.layer]]", maxLayers)
	if !ok {
		return
	}
	d.model.Layers = make([]ModelLayer, len(items))
	for i, item := range items {
		d.model.Layers[i] = t.modelLayer(item)
	}
}

// modelLayer reads one [[model.layer]].
func (r *reader) modelLayer(n *node) ModelLayer {
	t := &table{reader: r, node: n, path: "model.layer", title: "[[model.layer]]", places: map[string]span{}}
	before := len(r.faults)
	var l ModelLayer
	var patterns []gaze.Pattern
	var theta float64
	combine := "any"
	t.layers(t.require("layers"), &l)
	t.patternList("pattern", &patterns, 0)
	t.choice("combine", &combine, "any", "all")
	t.number("rope_theta", &theta, minTheta, maxTheta, "no rotation")
	t.done()
	if _, ok := t.places["model.layer.pattern"]; ok {
		l.Pattern = combined(patterns, combine)
	}
	if _, ok := t.places["model.layer.rope_theta"]; ok {
		l.RopeTheta = &theta
	}
	if n != nil && l.Pattern == nil && l.RopeTheta == nil && len(r.faults) == before {
		r.fault(n.span, "[[model.layer]] changes nothing: set pattern, rope_theta or both")
	}
	return l
}

// layers reads a kind of layers or their numbers.
func (t *table) layers(name string, l *ModelLayer) {
	kinds, expected := []string{"global", "local", "all"}, `"global", "local", "all" or an array [...] of layer numbers`
	if t.node == nil || t.node.table[name] == nil {
		t.find(name)
		return
	}
	switch n := t.node.table[name]; {
	case n.isArray():
		t.layerNumbers(name, &l.Numbers)
	case n.describe() == "a string":
		if s := n.value.(string); !slices.Contains(kinds, s) {
			t.find(name)
			t.fault(n.span, "%s is %s: it must be %s%s", name, quote(s), expected, suggestion(s, kinds))
			return
		}
		t.choice(name, &l.Kind, kinds...)
	default:
		t.find(name)
		t.wrong(n, name, expected)
	}
}

// layerNumbers reads layer numbers, each once.
func (t *table) layerNumbers(name string, to *[]int) {
	var numbers []int
	t.integers(name, &numbers, maxLayers, 0, maxLayers-1)
	for i, number := range numbers {
		if slices.Contains(numbers[:i], number) {
			t.fault(t.node.table[name].items[i].span, "%s has layer %d twice", name, number)
			return
		}
	}
	if numbers != nil {
		*to = numbers
	}
}

// attentions reads the layers whose weights are wanted, which may be none.
func (t *table) attentions(name string, to *[]int) {
	if t.node != nil && t.node.table[name] != nil {
		if n := t.node.table[name]; n.isArray() && len(n.items) == 0 {
			t.find(name)
			*to = nil
			return
		}
	}
	t.layerNumbers(name, to)
}

// readModelInput reads text, ids and file, of which there may be one. In a
// variant it replaces what the base has.
func (d *draft) readModelInput(t *table) {
	var in ModelInput
	t.texts("text", &in.Text)
	t.tokens("ids", &in.IDs)
	t.input("file", &in.File)
	var found []string
	for _, name := range []string{"text", "ids", "file"} {
		if _, ok := t.places["input."+name]; ok {
			found = append(found, name)
		}
	}
	switch len(found) {
	case 0:
	case 1:
		d.model.Input = in
	default:
		later := slices.MaxFunc(found[:2], func(a, b string) int { return t.places["input."+a].first - t.places["input."+b].first })
		t.fault(t.places["input."+later], "[input] has both %s: keep the one to use", strings.Join(found[:2], " and "))
	}
}

// texts reads an array of strings. Empty ones are texts too.
func (t *table) texts(name string, to *[]string) {
	n := t.find(name)
	if n == nil {
		return
	}
	if !n.isArray() {
		t.wrong(n, name, "an array [...] of strings")
		return
	}
	if len(n.items) == 0 {
		t.fault(n.span, "%s is empty: at least one string is needed", name)
		return
	}
	if len(n.items) > maxTexts {
		t.fault(n.items[maxTexts].span, "%s has %d strings: at most %d are allowed; more go into a file", name, len(n.items), maxTexts)
		return
	}
	texts := make([]string, len(n.items))
	for i, item := range n.items {
		text, ok := item.value.(string)
		if !ok {
			t.wrong(item, fmt.Sprintf("%s[%d]", name, i), "a string")
			return
		}
		texts[i] = text
	}
	*to = texts
}

// tokens reads an array of arrays of token ids.
func (t *table) tokens(name string, to *[][]uint32) {
	n := t.find(name)
	if n == nil {
		return
	}
	if !n.isArray() {
		t.wrong(n, name, "an array [...] of arrays of token ids")
		return
	}
	if len(n.items) == 0 {
		t.fault(n.span, "%s is empty: at least one array is needed", name)
		return
	}
	if len(n.items) > maxTexts {
		t.fault(n.items[maxTexts].span, "%s has %d arrays: at most %d are allowed", name, len(n.items), maxTexts)
		return
	}
	sequences := make([][]uint32, len(n.items))
	for i, item := range n.items {
		values, ok := t.integerItems(item, fmt.Sprintf("%s[%d]", name, i), gaze.MaxTokens, 0, maxToken)
		if !ok {
			return
		}
		for _, v := range values {
			sequences[i] = append(sequences[i], uint32(v))
		}
	}
	*to = sequences
}

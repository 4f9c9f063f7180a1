package configs

import (
	"slices"

	"github.com/gazevk/gaze"
)

// Bounds on what a run may ask for. The numbers that reach a shader are f32.
const (
	maxHeads    = 1024
	minScale    = 1e-6
	maxScale    = 1e6
	minTheta    = 1
	maxTheta    = 1e15
	maxVariants = 64
	maxName     = 64 // characters
)

// A draft is a run while it is read: its keys as written, and where.
type draft struct {
	Run
	patterns []gaze.Pattern
	combine  string
	model    Model
	ofModel  bool            // whether the file is one of a model
	places   map[string]span // of the values this table of the file sets itself, by dotted name
	place    span            // of the run as a whole
	base     *draft          // what a variant overrides; nil in the base
}

// defaults is a run of an empty file.
func defaults() draft {
	return draft{
		Run: Run{
			Name:      "base",
			Device:    Device{Name: "auto", Precision: "auto"},
			Attention: gaze.Attention{Heads: 12, HeadDim: 64},
			Lengths:   gaze.Lengths{512},
			Path:      PathAuto,
			Input:     Input{Seed: 1},
		},
		combine: "any",
		places:  map[string]span{},
	}
}

// sections reads everything that a variant may override. To add a key, add its
// field, its line here and its line in example.toml.
func (d *draft) sections(t *table) {
	t.section("device", func(t *table) {
		t.device("name", &d.Device.Name)
		t.choice("precision", &d.Device.Precision, "auto", "f32", "f16")
	})
	t.section("attention", func(t *table) {
		t.integer("heads", &d.Attention.Heads, 1, maxHeads)
		t.oneOf("head_dim", &d.Attention.HeadDim, gaze.HeadDims)
		t.number("scale", &d.Attention.Scale, minScale, maxScale, "1/sqrt(head_dim)")
		t.number("rope_theta", &d.Attention.RoPE.Theta, minTheta, maxTheta, "no rotation")
		t.integers("sequences", (*[]int)(&d.Lengths), gaze.MaxTokens, 1, gaze.MaxTokens)
		t.choice("path", (*string)(&d.Path), string(PathAuto), string(PathFused), string(PathExplicit))
		t.choice("combine", &d.combine, "any", "all")
		t.patternList("pattern", &d.patterns, 0)
	})
	t.section("model", d.readModel)
	t.section("input", func(t *table) {
		d.input(t)
		d.readModelInput(t)
	})
	t.section("output", func(t *table) {
		t.output("tensors", &d.Output.Tensors, ".safetensors")
		t.boolean("weights", &d.Output.Weights)
		t.boolean("hidden_states", &d.Output.HiddenStates)
		t.attentions("attentions", &d.Output.Attentions)
		t.output("heatmap", &d.Output.Heatmap, ".png", d.placeholders()...)
		t.output("report", &d.Output.Report, ".json")
	})
}

// input reads tensors or seed. In a variant, either replaces what the base has.
func (d *draft) input(t *table) {
	var tensors string
	t.input("tensors", &tensors)
	t.seed("seed", &d.Input.Seed)
	file, isFile := t.places["input.tensors"]
	seed, isSeed := t.places["input.seed"]
	switch {
	case isFile && isSeed:
		later := file
		if seed.first > file.first {
			later = seed
		}
		t.fault(later, "[input] has both tensors and seed: keep the one to use")
	case isFile:
		d.Input = Input{Tensors: tensors}
	case isSeed:
		d.Input.Tensors = ""
	}
}

// runs reads the whole file.
func (r *reader) runs(root *node) []Run {
	base := defaults()
	base.ofModel = root.table["model"] != nil
	top := &table{reader: r, node: root, title: "the file", places: base.places}
	top.text("name", &base.Name, maxName)
	base.sections(top)
	variants, _ := top.tables("variant", "[[variant]]", maxVariants)
	top.done()
	drafts := []*draft{&base}
	for _, n := range variants {
		drafts = append(drafts, r.variant(n, &base))
	}
	r.uniqueNames(drafts)
	for _, d := range drafts {
		r.ofOneKind(d)
	}
	// What follows compares keys with one another: each must be sound by itself.
	if len(r.faults) == 0 {
		r.finish(drafts)
	}
	if len(r.faults) == 0 {
		r.separateOutputs(drafts)
	}
	runs := make([]Run, len(drafts))
	for i, d := range drafts {
		runs[i] = d.Run
	}
	return runs
}

// variant reads one [[variant]].
func (r *reader) variant(n *node, base *draft) *draft {
	d := *base
	d.base, d.place, d.places = base, n.span, map[string]span{}
	t := &table{reader: r, node: n, title: "[[variant]]", places: d.places}
	t.text(t.require("name"), &d.Name, maxName)
	d.sections(t)
	t.done()
	return &d
}

// uniqueNames notes names that are used twice, or give no part of a file name.
func (r *reader) uniqueNames(drafts []*draft) {
	var names []string
	for _, d := range drafts {
		where, isNamed := d.places["name"]
		if !isNamed && d.base != nil {
			continue
		}
		switch {
		case slices.Contains(names, d.Name):
			r.fault(where, "name %s is taken by an earlier run", quote(d.Name))
		case slug(d.Name) == "":
			r.fault(where, "name %s needs a letter or a digit", quote(d.Name))
		}
		names = append(names, d.Name)
	}
}

// finish makes whole runs of drafts, and checks them as wholes.
func (r *reader) finish(drafts []*draft) {
	for _, d := range drafts {
		if d.base != nil {
			d.suffixOutputs()
		}
		if d.ofModel {
			r.finishModel(d)
			continue
		}
		d.Attention.Pattern = combined(d.patterns, d.combine)
		if err := d.Attention.Validate(); err != nil {
			r.fault(d.where("attention"), "[attention] %v", err)
		}
		if err := d.Lengths.Validate(); err != nil {
			r.fault(d.where("attention.sequences"), "%v", err)
		}
		if d.Output.Weights && d.Output.Tensors == "" {
			r.fault(d.where("output.weights", "output.tensors"),
				"weights = true needs a file to store them in: set tensors in [output]")
		}
	}
}

// combined is the pattern that a list of patterns stands for.
func combined(patterns []gaze.Pattern, combine string) gaze.Pattern {
	switch {
	case len(patterns) == 0:
		return gaze.Full{}
	case len(patterns) == 1:
		return patterns[0]
	case combine == "all":
		return gaze.All(patterns)
	default:
		return gaze.Any(patterns)
	}
}

// where returns the place of the first of keys that d sets itself, else that
// its base sets, else that of d.
func (d *draft) where(keys ...string) span {
	for _, source := range []*draft{d, d.base} {
		if source == nil {
			break
		}
		for _, key := range keys {
			if place, ok := source.places[key]; ok {
				return place
			}
		}
	}
	return d.place
}

// knownKeys returns the dotted names of all keys in alphabetical order. It asks
// the schema itself, by reading an empty file.
func knownKeys() []string {
	r := reader{known: []string{"attention.pattern.kind"}}
	r.runs(&node{})
	for _, k := range patternKinds() {
		k.read(&table{reader: &r, path: "attention.pattern"}, 0)
	}
	r.modelLayer(nil)
	slices.Sort(r.known)
	return slices.Compact(r.known)
}

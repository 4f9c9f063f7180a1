package configs

import (
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
)

// Placeholders in the path of a heatmap, and the numbers that they stand for.
const (
	headPlaceholder  = "{head}"
	layerPlaceholder = "{layer}" // in runs of a model
)

// placeholders returns those that the heatmap of d may have.
func (d *draft) placeholders() []string {
	if d.ofModel {
		return []string{layerPlaceholder, headPlaceholder}
	}
	return []string{headPlaceholder}
}

// HeatmapFile returns the path of one head's picture, "" where none is wanted.
func (o Output) HeatmapFile(head int) string {
	return strings.ReplaceAll(o.Heatmap, headPlaceholder, strconv.Itoa(head))
}

// LayerHeatmapFile returns the path of the picture of one head of a model's
// layer, "" where none is wanted.
func (o Output) LayerHeatmapFile(layer, head int) string {
	return strings.ReplaceAll(o.HeatmapFile(head), layerPlaceholder, strconv.Itoa(layer))
}

// suffixOutputs gives a variant its own files where it inherits a path.
func (d *draft) suffixOutputs() {
	for _, o := range d.outputs() {
		if _, own := d.places[o.key]; !own && *o.path != "" {
			extension := filepath.Ext(*o.path)
			*o.path = strings.TrimSuffix(*o.path, extension) + "-" + slug(d.Name) + extension
		}
	}
}

// An outputPath is one of the paths a draft writes to.
type outputPath struct {
	key  string
	path *string
}

func (d *draft) outputs() []outputPath {
	return []outputPath{
		{"output.tensors", &d.Output.Tensors},
		{"output.heatmap", &d.Output.Heatmap},
		{"output.report", &d.Output.Report},
	}
}

// slug returns name in lower case, with a single - for each run of characters
// that are neither letters nor digits.
func slug(name string) string {
	words := strings.FieldsFunc(name, func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsDigit(c)
	})
	return strings.ToLower(strings.Join(words, "-"))
}

// A drawnFile is a file of an output; of a heat map, also what it shows.
type drawnFile struct {
	path        string
	layer, head int
}

// foreseenHeads is how many heads a model is taken to have before it is opened.
const foreseenHeads = 12

// files returns what d writes at o.
func (d *draft) files(o outputPath) []drawnFile {
	switch {
	case *o.path == "":
		return nil
	case o.key != "output.heatmap":
		return []drawnFile{{path: *o.path}}
	}
	layers, heads := []int{0}, d.Attention.Heads
	if d.ofModel {
		layers, heads = d.Output.Attentions, foreseenHeads
	}
	var files []drawnFile
	for _, layer := range layers {
		for head := range heads {
			files = append(files, drawnFile{d.Output.LayerHeatmapFile(layer, head), layer, head})
		}
	}
	return files
}

// separateOutputs notes the first file that more than one head, layer or run
// would write, that is also an input, or that lies among a model's own.
func (r *reader) separateOutputs(drafts []*draft) {
	inputs, models := map[string]bool{}, map[string]bool{}
	for _, d := range drafts {
		if d.Input.Tensors != "" {
			inputs[absolute(d.Input.Tensors)] = true
		}
		if d.ofModel && d.model.Input.File != "" {
			inputs[absolute(d.model.Input.File)] = true
		}
		if d.ofModel && d.model.Path != Builtin {
			models[absolute(d.model.Directory)] = true
		}
	}
	type written struct {
		by   *draft
		file drawnFile
	}
	writers := map[string]written{}
	for _, d := range drafts {
		for _, o := range d.outputs() {
			for _, file := range d.files(o) {
				place := absolute(file.path)
				writer := writers[place]
				writers[place] = written{d, file}
				switch {
				case inputs[place]:
					r.fault(d.where(o.key), "%s would overwrite the input %s", o.key, quote(file.path))
				case models[filepath.Dir(place)]:
					r.fault(d.where(o.key), "%s would put %s among the model's own files: choose another directory", o.key, quote(file.path))
				case writer.by == d:
					r.sharedHeatmap(d, writer.file, file)
				case writer.by != nil:
					r.fault(d.where(o.key, "name"), "%s of run %s would overwrite that of run %s, %s",
						o.key, quote(d.Name), quote(writer.by.Name), quote(file.path))
				default:
					continue
				}
				return
			}
		}
	}
}

// sharedHeatmap notes that two heat maps of a run would be one file.
func (r *reader) sharedHeatmap(d *draft, a, b drawnFile) {
	place := d.where("output.heatmap", "output.attentions", "attention.heads")
	switch {
	case !d.ofModel:
		r.fault(place, "%d heads would all be drawn into %s: put %s into its name", d.Attention.Heads, quote(b.path), headPlaceholder)
	case a.layer == b.layer:
		r.fault(place, "all heads of layer %d would be drawn into %s: put %s into its name", b.layer, quote(b.path), headPlaceholder)
	case a.head == b.head:
		r.fault(place, "layers %d and %d would both be drawn into %s: put %s into its name", a.layer, b.layer, quote(b.path), layerPlaceholder)
	default:
		r.fault(place, "layer %d, head %d and layer %d, head %d would both be drawn into %s: put something between %s and %s",
			a.layer, a.head, b.layer, b.head, quote(b.path), layerPlaceholder, headPlaceholder)
	}
}

// absolute returns one name for a file that may be named in two ways. Without a
// working directory there is nothing to be relative to, and path will do.
func absolute(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}

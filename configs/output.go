package configs

import (
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
)

// headPlaceholder stands for the number of a head in the path of a heatmap.
const headPlaceholder = "{head}"

// HeatmapFile returns the path of one head's picture, "" where none is wanted.
func (o Output) HeatmapFile(head int) string {
	return strings.ReplaceAll(o.Heatmap, headPlaceholder, strconv.Itoa(head))
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

// files returns what is written at o by so many heads.
func (o outputPath) files(heads int) []string {
	switch {
	case *o.path == "":
		return nil
	case o.key != "output.heatmap":
		return []string{*o.path}
	}
	files := make([]string, heads)
	for head := range files {
		files[head] = Output{Heatmap: *o.path}.HeatmapFile(head)
	}
	return files
}

// separateOutputs notes the first file that more than one head or run would
// write, or that is also an input.
func (r *reader) separateOutputs(drafts []*draft) {
	inputs := map[string]bool{}
	for _, d := range drafts {
		if d.Input.Tensors != "" {
			inputs[absolute(d.Input.Tensors)] = true
		}
	}
	writers := map[string]*draft{}
	for _, d := range drafts {
		for _, o := range d.outputs() {
			for _, file := range o.files(d.Attention.Heads) {
				place := absolute(file)
				writer := writers[place]
				writers[place] = d
				switch {
				case inputs[place]:
					r.fault(d.where(o.key), "%s would overwrite the input %s", o.key, quote(file))
				case writer == d:
					r.fault(d.where(o.key, "attention.heads"), "%d heads would all be drawn into %s: put %s into its name",
						d.Attention.Heads, quote(file), headPlaceholder)
				case writer != nil:
					r.fault(d.where(o.key, "name"), "%s of run %s would overwrite that of run %s, %s",
						o.key, quote(d.Name), quote(writer.Name), quote(file))
				default:
					continue
				}
				return
			}
		}
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

package configs

// A file's runs are all of one kind: of [attention] alone, on given tensors, or
// of a [model], which the file names at its top.

// A misplacedKey is a key that runs of one kind do not have, and what to do.
type misplacedKey struct{ key, advice string }

var notOfModels = []misplacedKey{
	{"attention", "[attention] does not go with [model]: what a model's layers compute is set in [[model.layer]]"},
	{"input.tensors", "a run of a [model] has no tensors: set text, ids or file in [input]"},
	{"input.seed", "a run of a [model] has no seed: set text, ids or file in [input]"},
	{"output.weights", "a run of a [model] stores the weights of layers: write attentions = [0, 1], with their numbers"},
}

var notOfAttention = []misplacedKey{
	{"model", "[model] stands in a variant only: put it at the top of the file, where every variant inherits it"},
	{"input.text", "text needs a [model] to read it; a run of [attention] takes tensors or seed"},
	{"input.ids", "ids needs a [model] to read them; a run of [attention] takes tensors or seed"},
	{"input.file", "file needs a [model] to read it; a run of [attention] takes tensors or seed"},
	{"output.hidden_states", "hidden_states needs a [model]; a run of [attention] has none"},
	{"output.attentions", "attentions needs a [model]; a run of [attention] stores its weights with weights = true"},
}

// ofOneKind notes what a draft's kind of run does not have.
func (r *reader) ofOneKind(d *draft) {
	keys := notOfAttention
	if d.ofModel {
		keys = notOfModels
	}
	for _, k := range keys {
		if place, ok := d.places[k.key]; ok {
			r.fault(place, "%s", k.advice)
		}
	}
}

// finishModel makes a whole run of a model's draft and checks it.
func (r *reader) finishModel(d *draft) {
	model := d.model
	d.Run = Run{Name: d.Name, Device: d.Device, Output: d.Output, Model: &model}
	if in := model.Input; in.Text == nil && in.IDs == nil && in.File == "" {
		r.fault(d.where("input", "model"), "a run of a [model] needs something to read: set text, ids or file in [input]")
	}
	if d.Output.HiddenStates && d.Output.Tensors == "" {
		r.fault(d.where("output.hidden_states", "output.tensors"),
			"hidden_states = true needs a file to store them in: set tensors in [output]")
	}
	if d.Output.Heatmap != "" && len(d.Output.Attentions) == 0 {
		r.fault(d.where("output.heatmap", "output.attentions"), "heatmap has no layer to draw: set attentions = [0, 1], with their numbers, in [output]")
	}
}

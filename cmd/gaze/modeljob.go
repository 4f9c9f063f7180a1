package main

import (
	"context"
	"fmt"
	"reflect"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/cmd/internal/load"
	"github.com/gazevk/gaze/configs"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/modernbert"
	"github.com/gazevk/gaze/engine/tokenizer"
)

// A modelJob is a run of a model that has read all that it needs. There is no
// device yet.
type modelJob struct {
	run        configs.Run
	checkpoint *checkpoint.Model
	modelInput
	lengths   gaze.Lengths
	precision engine.Precision
	want      modernbert.Want
}

// models holds the checkpoints and sequences of a file's runs, which mostly
// share them.
type models struct {
	streams
	open   map[string]*checkpoint.Model // by path
	latest struct {
		path string
		from configs.ModelInput
		modelInput
	}
}

// A modelInput is what a model is run on.
type modelInput struct {
	batch  [][]uint32 // the sequences
	labels []string   // of all their tokens, for pictures; nil where they were given as numbers
}

func newModels(s streams) *models { return &models{streams: s, open: map[string]*checkpoint.Model{}} }

func (m *models) close() {
	for _, c := range m.open {
		c.Close()
	}
}

// jobs reads what all runs need.
func (m *models) jobs(ctx context.Context, runs []configs.Run) ([]*modelJob, error) {
	var jobs []*modelJob
	for _, r := range runs {
		j, err := m.job(ctx, r)
		if err != nil {
			return nil, of(r, runs, err)
		}
		jobs = append(jobs, j)
	}
	return jobs, nil
}

func (m *models) job(ctx context.Context, r configs.Run) (*modelJob, error) {
	j := &modelJob{run: r}
	var err error
	if j.precision, err = engine.ParsePrecision(r.Device.Precision); err != nil {
		return nil, err
	}
	path := load.ModelPath(r.Model)
	if j.checkpoint = m.open[path]; j.checkpoint == nil {
		if j.checkpoint, err = checkpoint.OpenModel(path); err != nil {
			return nil, err
		}
		m.open[path] = j.checkpoint
	}
	c := j.checkpoint.Config
	if j.modelInput, err = m.sequences(ctx, path, j.checkpoint, r.Model.Input); err != nil {
		return nil, err
	}
	for i, sequence := range j.batch {
		j.lengths = append(j.lengths, len(sequence))
		for at, id := range sequence {
			if int(id) >= c.VocabSize {
				return nil, fmt.Errorf("ids[%d][%d] is %d: the vocabulary of %s has %d tokens", i, at, id, r.Model.Path, c.VocabSize)
			}
		}
	}
	j.want = modernbert.Want{Hidden: true, HiddenStates: r.Output.HiddenStates, Logits: j.checkpoint.Head != checkpoint.NoHead, Capture: r.Output.Attentions}
	if j.want.Attention, err = load.Attention(c, r.Model.Layers); err != nil {
		return nil, err
	}
	for _, layer := range r.Output.Attentions {
		if layer >= c.Layers {
			return nil, fmt.Errorf("attentions has layer %d: %s has layers 0 to %d", layer, r.Model.Path, c.Layers-1)
		}
	}
	return j, nil
}

// sequences returns the tokens that a model is run on.
func (m *models) sequences(ctx context.Context, path string, c *checkpoint.Model, in configs.ModelInput) (modelInput, error) {
	if in.IDs != nil {
		return modelInput{batch: in.IDs}, nil
	}
	if m.latest.batch != nil && m.latest.path == path && reflect.DeepEqual(m.latest.from, in) {
		return m.latest.modelInput, nil // and its warnings have been given
	}
	r := &modelRun{streams: m.streams, checkpoint: c}
	for i, t := range in.Text {
		r.texts = append(r.texts, text{fmt.Sprintf("text[%d]", i), t})
	}
	var err error
	if in.File != "" {
		if r.texts, err = (&textFlags{file: in.File}).read(nil); err != nil {
			return modelInput{}, err
		}
	}
	if r.tokenizer, err = load.Tokenizer(path, c); err != nil {
		return modelInput{}, err
	}
	encodings, err := r.encode(ctx, func(t string) (string, tokenizer.Options) { return t, tokenizer.Options{} })
	if err != nil {
		return modelInput{}, err
	}
	var out modelInput
	for _, e := range encodings {
		out.batch = append(out.batch, e.IDs)
		out.labels = append(out.labels, load.TokenLabels(r.tokenizer, e.IDs)...)
	}
	m.latest.path, m.latest.from, m.latest.modelInput = path, in, out
	return out, nil
}

// outputs returns the paths of all outputs, which must be different files: how
// many heads there are is not known before the model is.
func (j *modelJob) outputs() ([]string, error) {
	o := j.run.Output
	paths := []string{o.Tensors, o.Report}
	drawn := map[string]bool{}
	for _, layer := range o.Attentions {
		for head := range j.checkpoint.Config.Heads {
			path := o.LayerHeatmapFile(layer, head)
			if path != "" && drawn[path] {
				return nil, fmt.Errorf("layer %d, head %d is not the only one to be drawn into %s: put something between {layer} and {head}", layer, head, path)
			}
			drawn[path] = true
			paths = append(paths, path)
		}
	}
	return paths, nil
}

// like reports whether the outputs of j and another can be compared.
func (j *modelJob) like(other *modelJob) bool {
	a, b := j.checkpoint.Config, other.checkpoint.Config
	return a.HiddenSize == b.HiddenSize && reflect.DeepEqual(j.lengths, other.lengths)
}

// weightsLike returns the layers whose weights can be compared with another's.
func (j *modelJob) weightsLike(other *modelJob) []int {
	if !j.like(other) || j.checkpoint.Config.Heads != other.checkpoint.Config.Heads {
		return nil
	}
	var layers []int
	for _, layer := range j.run.Output.Attentions {
		for _, its := range other.run.Output.Attentions {
			if layer == its {
				layers = append(layers, layer)
			}
		}
	}
	return layers
}

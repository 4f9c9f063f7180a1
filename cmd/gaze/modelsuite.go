package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/gazevk/gaze/configs"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/modernbert"
)

// A modelSuite computes the runs of a file of a model: the base, then its variants.
type modelSuite struct {
	streams
	device deviceFlags
	memory int64 // bytes of the base's weights to keep in memory; more go to a file

	loaded struct { // the latest model on a device
		model      *modernbert.Model
		checkpoint *checkpoint.Model
		engine     *engine.Engine
	}
	base *modelOutcome
	kept map[int]*weightStore // the base's weights by layer, where a variant's are compared with them
}

// run computes all runs. On an error no file is left half written, and no
// directory empty that was not there before.
func (s *modelSuite) run(ctx context.Context, runs []configs.Run) (_ []*modelOutcome, err error) {
	models := newModels(s.streams)
	defer models.close()
	jobs, err := models.jobs(ctx, runs)
	if err != nil {
		return nil, err
	}
	var made directories
	defer func() {
		if err != nil {
			made.removeEmpty()
		}
	}()
	if err := prepareOutputs(&made, jobs, runs); err != nil {
		return nil, err
	}
	engines := newEngines(s.device, s.err)
	defer func() {
		if closing := engines.close(s.streams); err == nil {
			err = closing
		}
	}()
	defer s.unload()
	var outcomes []*modelOutcome
	for _, j := range jobs { // all of them, so that what cannot be computed is known before anything is
		o, err := planModel(engines, j)
		if err != nil {
			return nil, of(j.run, runs, err)
		}
		outcomes = append(outcomes, o)
	}
	s.keep(jobs)
	defer func() {
		for _, store := range s.kept {
			store.close()
		}
	}()
	for _, o := range outcomes {
		if err := s.compute(ctx, o); err != nil {
			return nil, of(o.run, runs, err)
		}
		if s.base == nil {
			s.base = o
		} else {
			o.hidden = nil // written, and compared
		}
	}
	return outcomes, nil
}

// prepareOutputs makes the directories of all outputs. No two may be one file.
func prepareOutputs(made *directories, jobs []*modelJob, runs []configs.Run) error {
	writer := map[string]string{}
	for _, j := range jobs {
		paths, err := j.outputs()
		for _, path := range paths {
			if other, taken := writer[path]; taken && path != "" && err == nil {
				err = fmt.Errorf("it would overwrite an output of run %q, %s", other, path)
			}
			writer[path] = j.run.Name
		}
		if err == nil {
			err = made.prepare(paths)
		}
		if err != nil {
			return of(j.run, runs, err)
		}
	}
	return nil
}

func planModel(engines *engines, j *modelJob) (*modelOutcome, error) {
	e, err := engines.get(j.run.Device.Name)
	if err != nil {
		return nil, err
	}
	program, err := j.program(e.Traits())
	if err != nil {
		return nil, err
	}
	return &modelOutcome{modelJob: j, engine: e, plan: program}, nil
}

// program plans the forward pass for a device with traits t.
func (j *modelJob) program(t engine.Traits) (*modernbert.Program, error) {
	return modernbert.NewProgram(t, j.checkpoint.Config, j.checkpoint.Head, j.precision, j.lengths, j.want)
}

// keep makes a store for each layer of the base that a variant's is compared with.
func (s *modelSuite) keep(jobs []*modelJob) {
	var layers []int
	for _, j := range jobs[1:] {
		layers = append(layers, j.weightsLike(jobs[0])...)
	}
	slices.Sort(layers)
	layers = slices.Compact(layers)
	s.kept = map[int]*weightStore{}
	for _, layer := range layers {
		s.kept[layer] = newWeightStore(jobs[0].shape(), s.memory/int64(len(layers)))
	}
}

// load returns the model of o on its device, where it mostly lies already.
func (s *modelSuite) load(ctx context.Context, o *modelOutcome) (*modernbert.Model, error) {
	l := &s.loaded
	if l.model != nil && l.checkpoint == o.checkpoint && l.engine == o.engine && l.model.Precision == o.precision {
		return l.model, nil
	}
	s.unload()
	model, err := modernbert.Load(ctx, o.engine, o.checkpoint, o.precision)
	if err != nil {
		return nil, err
	}
	l.model, l.checkpoint, l.engine = model, o.checkpoint, o.engine
	return model, nil
}

func (s *modelSuite) unload() {
	if s.loaded.model != nil {
		s.loaded.model.Close()
	}
	s.loaded.model = nil
}

// compute computes one run and writes its files.
func (s *modelSuite) compute(ctx context.Context, o *modelOutcome) error {
	model, err := s.load(ctx, o)
	if err != nil {
		return err
	}
	bar := newProgress(s.streams, o.run.Name)
	defer bar.clear()
	out, err := model.Forward(ctx, o.batch, o.want, modernbert.Watch{Progress: bar.show})
	if err != nil {
		return err
	}
	if out.Capture != nil {
		defer out.Capture.Close()
	}
	if err := ctx.Err(); err != nil {
		return err // too late for the engine, but not for the files
	}
	o.take(out, model.WeightBytes())
	if s.base != nil && o.like(s.base.modelJob) {
		o.distance = &modelDistance{Output: outputDistanceOf(s.base.hidden, o.hidden), Predictions: predictionDistanceOf(s.base, o)}
	}
	w := &modelWeights{o: o, capture: out.Capture, bar: newProgress(s.streams, o.run.Name+", weights"), kept: s.kept, storing: s.base == nil}
	defer w.bar.clear()
	if s.base != nil {
		w.compared = o.weightsLike(s.base.modelJob)
	}
	if err := w.write(ctx, out); err != nil {
		return err
	}
	if o.distance != nil {
		o.distance.Weights = w.distance()
	}
	for _, p := range w.painters {
		files, err := p.write()
		o.files = append(o.files, files...)
		if err != nil {
			return err
		}
	}
	return o.writeReport()
}

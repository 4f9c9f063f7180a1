package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gazevk/gaze/cmd/internal/load"
	"github.com/gazevk/gaze/configs"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/visualize"
)

// A suite computes the runs of a file: the base, then its variants.
type suite struct {
	streams
	device deviceFlags
	memory int64 // bytes of the base's weights to keep in memory; more go to a file
	// picture, if not nil, also receives every heat map that is drawn.
	picture func(o *outcome, head int, p visualize.Picture)

	inputs load.Inputs
	base   *outcome
	kept   *weightStore // the base's weights, where a variant's are compared with them
}

// A job is a run that is ready to be computed.
type job struct {
	run    configs.Run
	engine *engine.Engine
	plan   *engine.Plan
}

// An outcome is a job that was computed.
type outcome struct {
	*job
	result   *engine.Result
	host     time.Duration // of the result, without what was done with its weights
	distance *distance     // from the base; nil for the base itself and other shapes
	files    []string      // that were written
}

// run computes all runs. On an error no file is left half written, and no
// directory empty that was not there before.
func (s *suite) run(ctx context.Context, runs []configs.Run) (_ []*outcome, err error) {
	var made directories
	defer func() {
		if err != nil {
			made.removeEmpty()
		}
	}()
	for _, r := range runs {
		if err := made.prepare(outputsOf(r)); err != nil {
			return nil, err
		}
	}
	engines := newEngines(s.device, s.err)
	defer func() {
		if closing := engines.close(s.streams); err == nil {
			err = closing
		}
	}()
	jobs, err := prepare(engines, runs)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(jobs[1:], func(j *job) bool { return j.weightsLike(jobs[0]) }) {
		s.kept = newWeightStore(jobs[0].shape(), s.memory)
		defer s.kept.close()
	}
	var outcomes []*outcome
	for _, j := range jobs {
		o, err := s.compute(ctx, j)
		if err != nil {
			return nil, of(j.run, runs, err)
		}
		if s.base == nil {
			s.base = o
		} else {
			o.result.Output, o.result.LSE = nil, nil // written, and compared
		}
		outcomes = append(outcomes, o)
	}
	return outcomes, nil
}

// prepare opens devices and plans all runs, so that what cannot be computed is
// known before anything is.
func prepare(engines *engines, runs []configs.Run) ([]*job, error) {
	var jobs []*job
	for _, r := range runs {
		request, err := requestOf(r)
		if err != nil {
			return nil, of(r, runs, err)
		}
		e, err := engines.get(r.Device.Name)
		if err != nil {
			return nil, of(r, runs, err)
		}
		plan, err := engine.NewPlan(e.Traits(), request)
		if err != nil {
			return nil, of(r, runs, err)
		}
		jobs = append(jobs, &job{r, e, plan})
	}
	return jobs, nil
}

// of names the run of an error, where there are several.
func of(r configs.Run, runs []configs.Run, err error) error {
	if len(runs) == 1 {
		return err
	}
	return fmt.Errorf("run %q: %w", r.Name, err)
}

// requestOf returns what the engine is asked for. Weights are, where an output needs them.
func requestOf(r configs.Run) (engine.Request, error) {
	request, err := load.Request(r)
	request.Weights = r.Output.Weights || r.Output.Heatmap != ""
	return request, err
}

func (j *job) shape() shape {
	return shape{j.run.Attention.Heads, j.run.Lengths.Tokens(), j.run.Attention.HeadDim}
}

// like reports whether the outputs of j and another can be compared, and
// weightsLike whether their weights can.
func (j *job) like(other *job) bool {
	return j.shape() == other.shape() && slices.Equal(j.run.Lengths, other.run.Lengths)
}

func (j *job) weightsLike(other *job) bool {
	return j.plan.Weights && other.plan.Weights && j.like(other)
}

// compute computes one run and writes its files.
func (s *suite) compute(ctx context.Context, j *job) (*outcome, error) {
	in, err := s.inputs.Load(ctx, j.run)
	if err != nil {
		return nil, err
	}
	o := &outcome{job: j}
	rows, compared, painter := s.sinks(o)
	bar := newProgress(s.streams, j.run.Name)
	compute := func() error {
		defer bar.clear()
		watch := engine.Watch{Progress: bar.show}
		if j.plan.Weights {
			watch.Weights = rows.add
		}
		result, err := j.engine.Run(ctx, j.plan, in, watch)
		if err != nil {
			return err
		}
		o.result, o.host = result, result.Host-rows.took
		if err := ctx.Err(); err != nil {
			return err // too late for the engine, but not for the files
		}
		return rows.complete(j.plan.Weights)
	}
	if err := o.writeTensors(rows, compute); err != nil {
		return nil, err
	}
	if s.base != nil && j.like(s.base.job) {
		o.distance = &distance{Output: outputDistanceOf(s.base.result.Output, o.result.Output)}
		if compared != nil {
			o.distance.Weights = compared.distance()
		}
	}
	if painter != nil {
		files, err := painter.write()
		if err != nil {
			return nil, err
		}
		o.files = append(o.files, files...)
	}
	return o, o.writeReport()
}

// sinks returns what takes a run's weights, row by row: the store or the
// comparison with what it holds, and the painter. Those that are not needed are nil.
func (s *suite) sinks(o *outcome) (rows *weightRows, compared *weightComparison, painter *painter) {
	rows = &weightRows{heads: o.shape().heads, n: o.shape().n}
	if s.kept != nil && s.base == nil {
		rows.sinks = append(rows.sinks, s.kept.add)
	} else if s.kept != nil && o.weightsLike(s.base.job) {
		compared = newWeightComparison(s.kept)
		rows.sinks = append(rows.sinks, compared.add)
	}
	if o.run.Output.Heatmap != "" {
		painter = o.painter(s.picture)
		rows.sinks = append(rows.sinks, painter.add)
	}
	return rows, compared, painter
}

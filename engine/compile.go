package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"

	"github.com/gazevk/gaze/shaders"
	"github.com/gazevk/gaze/vk"
)

// A pipeline is a compiled kernel with the interface to call it by name.
type pipeline struct {
	*vk.Pipeline
	kernel *shaders.Kernel
	spec   vk.PipelineSpec
	warm   bool // it has run once, so the driver has compiled it for good

	compiling sync.Mutex // until Pipeline is there
}

// Compile compiles the kernels of passes, so that their first run need not: for
// when there is something else to do meanwhile, such as to bring weights to the
// device. It takes no turn. What a driver leaves to the first dispatch is left.
func (e *Engine) Compile(ctx context.Context, passes []Pass) error {
	if err := e.take(ctx); err != nil {
		return err
	}
	e.landing.Add(1)
	e.release()
	defer e.landing.Done()
	_, err := e.compile(ctx, passes)
	return err
}

// compile returns the pipeline of each pass, nil for those without a kernel. It
// compiles what is missing, several kernels at a time.
func (e *Engine) compile(ctx context.Context, passes []Pass) ([]*pipeline, error) {
	pipelines := make([]*pipeline, len(passes))
	var missing []*pipeline
	for i, pass := range passes {
		if pass.Kernel == "" {
			continue
		}
		p, compiled, err := e.pipeline(pass)
		if err != nil {
			return nil, err
		}
		if pipelines[i] = p; !compiled && !slices.Contains(missing, p) {
			missing = append(missing, p)
		}
	}
	errs := make([]error, len(missing))
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	var all sync.WaitGroup
	for i, p := range missing {
		free <- struct{}{}
		all.Add(1)
		go func() {
			defer func() { <-free; all.Done() }()
			if errs[i] = ctx.Err(); errs[i] == nil {
				errs[i] = e.build(p)
			}
		}()
	}
	all.Wait()
	// Of several the first alone: they are likely to say the same.
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return nil, errs[i]
	}
	return pipelines, nil
}

// pipeline returns what stands for the kernel of a pass, and whether it is compiled.
func (e *Engine) pipeline(pass Pass) (_ *pipeline, compiled bool, err error) {
	kernel, err := e.shaders.Kernel(pass.Kernel)
	if err != nil {
		return nil, false, err
	}
	names := slices.Sorted(maps.Keys(pass.Constants))
	key := pass.Kernel
	for _, c := range names {
		key += fmt.Sprintf(" %s=%d", c, pass.Constants[c])
	}
	e.compiling.Lock()
	defer e.compiling.Unlock()
	if p := e.pipelines[key]; p != nil {
		return p, p.Pipeline != nil, nil
	}
	spec := vk.PipelineSpec{Label: key, SPIRV: kernel.SPIRV, Push: kernel.PushSize}
	if kernel.Matrices {
		spec.SubgroupSize, spec.FullSubgroups = e.traits.Units.Subgroup, true
	}
	for _, b := range kernel.Bindings {
		access := vk.Access(0)
		if b.Read {
			access |= vk.Read
		}
		if b.Write {
			access |= vk.Write
		}
		switch b.Texel {
		case 16:
			access |= vk.Float4
		case 8:
			access |= vk.UInt2
		}
		spec.Bindings = append(spec.Bindings, access)
	}
	for _, c := range names {
		id, ok := kernel.Constants[c]
		if !ok {
			return nil, false, fmt.Errorf("engine: kernel %s has no specialization constant %s", pass.Kernel, c)
		}
		spec.Constants = append(spec.Constants, vk.Constant{ID: id, Value: pass.Constants[c]})
	}
	p := &pipeline{kernel: kernel, spec: spec}
	e.pipelines[key] = p
	return p, false, nil
}

// build compiles p, unless another does.
func (e *Engine) build(p *pipeline) error {
	p.compiling.Lock()
	defer p.compiling.Unlock()
	if p.Pipeline != nil {
		return nil
	}
	compiled, err := e.device.NewPipeline(p.spec)
	if err != nil {
		return err
	}
	e.compiling.Lock()
	p.Pipeline = compiled
	e.compiling.Unlock()
	return nil
}

// resolve compiles the kernels of r. The caller has the engine's turn.
func (e *Engine) resolve(ctx context.Context, r *recording) error {
	if r.resolved {
		return nil
	}
	for _, s := range r.steps {
		pipelines, err := e.compile(ctx, s.Passes)
		if err != nil {
			return err
		}
		for i, p := range pipelines {
			if p == nil {
				continue
			}
			call := s.Passes[i].call
			if call.push, err = p.kernel.Encode(s.Passes[i].Push); err != nil {
				return err
			}
			call.pipeline = p
		}
	}
	r.resolved = true
	return nil
}

// Statistics compiles the kernel of a pass and returns what the driver's
// compiler reports of it (see [vk.Pipeline.Statistics]).
func (e *Engine) Statistics(pass Pass) (map[string]float64, error) {
	if pass.Kernel == "" {
		return nil, errors.New("engine: a pass without a kernel has no statistics")
	}
	e.take(context.Background())
	defer e.release()
	pipelines, err := e.compile(context.Background(), []Pass{pass})
	if err != nil {
		return nil, err
	}
	return pipelines[0].Statistics(), nil
}

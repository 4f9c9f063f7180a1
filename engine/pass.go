package engine

import (
	"context"
	"fmt"

	"github.com/gazevk/gaze/vk"
)

// RunPass runs one pass by itself: buffers holds the whole content of every
// buffer that the pass binds, and gets back what the kernel made of those it
// writes. Tests of single kernels are made of it.
func (e *Engine) RunPass(ctx context.Context, pass Pass, buffers map[string][]byte) error {
	if err := e.take(ctx); err != nil {
		return err
	}
	defer e.release()
	r := &runner{Engine: e, buffers: map[string]*vk.Buffer{}, result: &Result{}}
	defer r.close()
	for _, ref := range pass.Bind {
		data := buffers[ref.Buffer]
		if int64(len(data)) < ref.Offset+ref.Size {
			return fmt.Errorf("engine: pass %s binds %d bytes of %s, %d are given", pass.Kernel, ref.Offset+ref.Size, ref.Buffer, len(data))
		}
		if r.buffers[ref.Buffer] != nil {
			continue
		}
		b, err := e.device.NewBuffer(ref.Buffer, int64(len(data)), vk.DeviceMemory)
		if err != nil {
			return err
		}
		r.buffers[ref.Buffer] = b
		if err := e.device.Upload(ctx, b.Whole(), data); err != nil {
			return err
		}
	}
	rec, err := newRecording([]Step{{Passes: []Pass{pass}}}, r.buffers)
	if err == nil {
		err = e.resolve(ctx, rec)
	}
	if err != nil {
		return err
	}
	if err := r.alone(ctx, rec.steps[0].Passes[0]); err != nil {
		return err
	}
	kernel, err := e.shaders.Kernel(pass.Kernel)
	if err != nil {
		return err
	}
	for i, binding := range kernel.Bindings {
		if binding.Write {
			name := pass.Bind[i].Buffer
			if err := e.device.Download(ctx, buffers[name], r.buffers[name].Whole()); err != nil {
				return err
			}
		}
	}
	return nil
}

package engine

import (
	"fmt"
	"math"
	"strings"
)

// largestHalf is the largest finite f16.
const largestHalf = 65504

// A tensor is one of an input's, under the name of its buffer.
type tensor struct {
	name string
	data []float32
}

func (in Input) tensors() []tensor {
	return []tensor{{bufQuery, in.Query}, {bufKey, in.Key}, {bufValue, in.Value}}
}

// check reports the first tensor that is not what p computes with.
func (p *Plan) check(in Input) error {
	a, n := p.Attention, p.Lengths.Tokens()
	for _, t := range in.tensors() {
		if want := a.Heads * n * a.HeadDim; len(t.data) != want {
			return fmt.Errorf("%s has %d elements; %s needs %d", t.name, len(t.data), shape(a.Heads, n, a.HeadDim), want)
		}
		for i, x := range t.data {
			if !finite(x) {
				return fmt.Errorf("%s%s is %v: attention needs finite numbers", t.name, p.index(i), x)
			}
			if p.Precision == F16 && math.Abs(float64(x)) > largestHalf {
				return fmt.Errorf("%s%s is %v: f16 holds at most %d; use precision f32", t.name, p.index(i), x, largestHalf)
			}
		}
	}
	return nil
}

// checkResult reports an element that cannot be.
func (r *runner) checkResult() error {
	for i, x := range r.result.Output {
		if !finite(x) {
			return fmt.Errorf("output%s is %v on %s: %s", r.plan.index(i), x, r.traits.Device, r.suspects())
		}
	}
	n := r.plan.Lengths.Tokens()
	for i, x := range r.result.LSE {
		if !finite(x) && !math.IsInf(float64(x), -1) {
			return fmt.Errorf("lse%s is %v on %s: %s", shape(i/n, i%n), x, r.traits.Device, r.suspects())
		}
	}
	return nil
}

// suspects says what can make a result that is no number from finite inputs.
func (r *runner) suspects() string {
	return fmt.Sprintf("either inputs are so large that their products overflow f32, so scale them down, or the driver miscompiles a kernel: gaze verify --device %d tells",
		r.device.Adapter().Index)
}

func finite(x float32) bool { return !math.IsNaN(float64(x)) && !math.IsInf(float64(x), 0) }

// index writes the place of element i of a tensor [heads, n, headDim].
func (p *Plan) index(i int) string {
	n, d := p.Lengths.Tokens(), p.Attention.HeadDim
	return shape(i/(n*d), i/d%n, i%d)
}

// shape writes sizes, or indices, as "[2, 300, 64]".
func shape(sizes ...int) string {
	return strings.ReplaceAll(fmt.Sprint(sizes), " ", ", ")
}

// mebibytes writes a number of bytes for errors.
func mebibytes(bytes int64) string { return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20)) }

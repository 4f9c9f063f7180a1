package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/vk"
)

// Compiled is what a driver's compiler reports of one specialized kernel, under
// the driver's own names.
type Compiled struct {
	Kernel     string
	Constants  map[string]uint32
	Statistics map[string]float64
}

// Compile compiles every kernel in every specialization that a plan for this
// device can ask for, without running any: it works on RADV's null hardware too.
// The device must have been opened with vk.WithStatistics for the reports.
func Compile(e *engine.Engine) ([]Compiled, error) {
	var passes []engine.Pass
	device := e.Traits()
	device.Texels = device.Subgroup >= 4 // a tier that is offered to CPUs alone must compile anywhere
	for _, tier := range device.Tiers() {
		for _, headDim := range gaze.HeadDims {
			for _, precision := range []engine.Precision{engine.F32, engine.F16} {
				for _, path := range []engine.Path{engine.Fused, engine.Explicit} {
					traits := device.Untuned().OfTier(tier)
					for _, shape := range splitShapes(traits, headDim) {
						traits.Tuning.Attention = []engine.AttentionChoice{{Shape: shape}}
						plan, err := engine.NewPlan(traits, engine.Request{
							Attention: gaze.Attention{Heads: 1, HeadDim: headDim, RoPE: gaze.RoPE{Theta: 10000}},
							Lengths:   gaze.Lengths{64}, Precision: precision, Path: path, Weights: true})
						if err != nil {
							return nil, err
						}
						for _, pass := range plan.Steps[0].Passes {
							passes = append(passes, pass)
							if narrow, ok := narrowOutput(pass); ok {
								passes = append(passes, narrow)
							}
						}
					}
				}
			}
		}
	}
	passes = append(passes, layerPasses(device)...)
	pictures, err := picturePasses(device)
	if err != nil {
		return nil, err
	}
	passes = append(passes, pictures...)
	passes = append(passes, peakPasses(e.Adapter())...)
	seen := map[string]bool{}
	var all []Compiled
	for _, pass := range passes {
		key := pass.Kernel + fmt.Sprint(pass.Constants)
		if pass.Kernel == "" || seen[key] {
			continue
		}
		seen[key] = true
		statistics, err := e.Statistics(pass)
		if err != nil {
			return nil, err
		}
		all = append(all, Compiled{pass.Kernel, pass.Constants, statistics})
	}
	slices.SortStableFunc(all, func(a, b Compiled) int { return strings.Compare(a.Kernel, b.Kernel) })
	return all, nil
}

// splitShapes returns all shapes of attention, each without and with split keys.
func splitShapes(traits engine.Traits, headDim int) []engine.AttentionShape {
	var shapes []engine.AttentionShape
	for _, shape := range traits.AttentionShapes(headDim) {
		for _, shape.Splits = range []int{1, 8} {
			shapes = append(shapes, shape)
		}
	}
	return shapes
}

// narrowOutput returns an attention pass on f16 tensors with its output in f16,
// as encoders have it, instead of f32. Shares of split keys are f32 in any case.
func narrowOutput(pass engine.Pass) (engine.Pass, bool) {
	name, ok := strings.CutSuffix(pass.Kernel, "_f16_f32")
	pass.Kernel = name + "_f16"
	return pass, ok && strings.HasPrefix(name, "attention_") && splitsOf(pass) == 1
}

// layerPasses returns a pass of every specialization of the encoder's other kernels.
func layerPasses(traits engine.Traits) []engine.Pass {
	var passes []engine.Pass
	for _, precision := range []engine.Precision{engine.F32, engine.F16} {
		passes = append(passes, engine.Gather{Precision: precision}.Pass())
		for _, n := range []int{2, 16} {
			passes = append(passes, engine.Merge{Splits: n, OutPrecision: precision}.Pass())
		}
		for _, bias := range []string{"", "bias"} {
			for _, tier := range []engine.Tier{engine.Tiled, engine.Texels} {
				passes = append(passes, engine.LayerNorm{Bias: engine.Ref{Buffer: bias}, Precision: precision}.Pass(traits.OfTier(tier)))
			}
		}
		for _, out := range []engine.Precision{engine.F32, engine.F16} {
			if precision == engine.F32 && out == engine.F16 {
				continue
			}
			for _, e := range epilogues {
				m := engine.MatMul{Activation: e.activation, Gated: e.gated, Residual: e.residual && out == engine.F32, Precision: precision, OutPrecision: out}
				if e.bias {
					m.Bias.Buffer = "bias"
				}
				m.Rotary.HeadDim = e.headDim
				passes = append(passes, shapedPasses(m, traits)...)
			}
		}
	}
	passes = append(passes, engine.Cells{}.Pass())
	for _, p := range poolings {
		passes = append(passes, engine.Pooling{Mode: p.mode}.Pass())
	}
	return passes
}

// shapedPasses returns a pass of m in every shape of every tier.
func shapedPasses(m engine.MatMul, traits engine.Traits) []engine.Pass {
	var passes []engine.Pass
	for _, tier := range traits.Tiers() {
		of := traits.Untuned().OfTier(tier)
		for _, shape := range of.MatMulShapes() {
			of.Tuning.MatMul = []engine.MatMulChoice{{Shape: shape}}
			passes = append(passes, m.Pass(of))
		}
	}
	return passes
}

// peakPasses returns a pass of every kernel that measures what a device can do
// at most, of those that it offers.
func peakPasses(a vk.Adapter) []engine.Pass {
	passes := []engine.Pass{engine.EmptyDispatch(engine.Ref{}), engine.PeakCopy{Lanes: 64, Each: 4}.Pass()}
	for _, p := range []engine.Precision{engine.F32, engine.F16} {
		for _, sums := range engine.PeakSums(p) {
			if p == engine.F32 || a.Features.Float16 {
				passes = append(passes, engine.PeakMultiply{Precision: p, Sums: sums, Lanes: 64}.Pass())
			}
		}
	}
	for _, s := range a.Features.Matrices {
		if engine.PeakShape(s) {
			passes = append(passes, engine.PeakMatrix{M: s.M, N: s.N, K: s.K, Subgroup: a.Limits.SubgroupSize}.Pass())
		}
	}
	return passes
}

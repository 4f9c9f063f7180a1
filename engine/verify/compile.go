package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
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
	seen := map[string]bool{}
	var all []Compiled
	for _, tier := range engine.Tiers {
		for _, headDim := range gaze.HeadDims {
			for _, precision := range []engine.Precision{engine.F32, engine.F16} {
				for _, path := range []engine.Path{engine.Fused, engine.Explicit} {
					traits := e.Traits()
					traits.Tier = tier
					plan, err := engine.NewPlan(traits, engine.Request{
						Attention: gaze.Attention{Heads: 1, HeadDim: headDim, RoPE: gaze.RoPE{Theta: 10000}},
						Lengths:   gaze.Lengths{64}, Precision: precision, Path: path, Weights: true})
					if err != nil {
						return nil, err
					}
					for _, pass := range plan.Steps[0].Passes {
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
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Compiled) int { return strings.Compare(a.Kernel, b.Kernel) })
	return all, nil
}

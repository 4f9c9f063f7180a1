package bench

import (
	"fmt"

	"github.com/gazevk/gaze/engine"
)

// products are squares, and the products of a layer of ModernBERT-base.
var products = []Product{
	{"768 x 768 x 768", 768, 768, 768, false},
	{"1024 x 1024 x 1024", 1024, 1024, 1024, false},
	{"4096 x 4096 x 4096", 4096, 4096, 4096, false},
	{"QKV 512 x 2304 x 768", 512, 2304, 768, false},
	{"Wo 512 x 768 x 768", 512, 768, 768, false},
	{"MLP in, gated 512 x 2 x 1152 x 768", 512, 1152, 768, true},
	{"MLP out 512 x 768 x 1152", 512, 768, 1152, false},
	{"QKV 32 x 2304 x 768", 32, 2304, 768, false},
}

// matmulShare is what matrix products may count on of the device's limit.
const matmulShare = 0.2

func (r *runner) matmul() error {
	for i, p := range products {
		if r.Effort == Quick && i != 0 && i != 3 {
			continue
		}
		for _, precision := range r.precisions(engine.F32, engine.F16) {
			tiers, err := r.tiersOf(precision)
			if err != nil {
				return err
			}
			for _, tier := range tiers {
				if err := r.product(p, tier, precision); err != nil {
					return err
				}
			}
		}
		r.tell("matmul", float64(i+1)/float64(len(products)))
	}
	return nil
}

func (r *runner) product(p Product, tier engine.Tier, precision engine.Precision) error {
	e, err := r.Open(tier)
	if err != nil {
		return err
	}
	if !r.affords(p.MultiplyAdds(), matmulShare) {
		r.omit("matmul", fmt.Sprintf("%s %s", p.Name, precision), p.MultiplyAdds(), matmulShare)
		return nil
	}
	w, err := NewProduct(r.ctx, e, p, precision)
	if err != nil {
		return err
	}
	defer w.Close()
	return r.work(&Case{Suite: "matmul", Name: p.Name, Tier: tier, Precision: precision}, w, e)
}

// work measures a case that is one workload, in the shape that the engine's traits give it.
func (r *runner) work(c *Case, w *Workload, e *engine.Engine) error {
	c.MultiplyAdds, c.Bytes = w.MultiplyAdds, w.Bytes
	return r.measure(c, []string{w.Passes(e.Traits())[0].Kernel}, func() (*engine.Timing, error) { return w.Run(r.ctx, e.Traits()) })
}

// kernelName returns how the kernels of a tier and precision are called.
func kernelName(kernel string, tier engine.Tier, p engine.Precision) string {
	return kernel + "_" + string(tier) + "_" + string(p)
}

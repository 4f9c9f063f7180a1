package bench

import (
	"fmt"

	"github.com/gazevk/gaze/engine"
)

// A product is one shape of the suite matmul: [rows, depth] by [columns, depth].
type product struct {
	name                 string
	rows, columns, depth int
	gated                bool // columns are of the result, weights have twice as many
}

// products are squares, and the products of a layer of ModernBERT-base.
var products = []product{
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
		for _, tier := range r.Tiers {
			for _, precision := range r.precisions(engine.F32, engine.F16) {
				if tier == engine.Matrix && precision != engine.F16 {
					continue // another tier's kernels would run
				}
				if err := r.product(p, tier, precision); err != nil {
					return err
				}
			}
		}
		r.tell("matmul", float64(i+1)/float64(len(products)))
	}
	return nil
}

func (r *runner) product(p product, tier engine.Tier, precision engine.Precision) error {
	e, err := r.Open(tier)
	if err != nil {
		return err
	}
	weights := p.columns
	if p.gated {
		weights *= 2
	}
	t := newTensors()
	m := engine.MatMul{Rows: p.rows, Columns: p.columns, Depth: p.depth, Gated: p.gated, Precision: precision, OutPrecision: precision}
	if p.gated {
		m.Activation = engine.GELU
	}
	multiplyAdds := int64(p.rows) * int64(weights) * int64(p.depth)
	if !r.affords(multiplyAdds, matmulShare) {
		if tier == r.Tiers[0] {
			r.omit("matmul", fmt.Sprintf("%s %s", p.name, precision), multiplyAdds, matmulShare)
		}
		return nil
	}
	m.A = t.uniform("a", p.rows*p.depth, precision)
	m.W = t.uniform("w", weights*p.depth, precision)
	m.Out = t.empty("out", int64(p.rows)*int64(p.columns)*elementBytes(precision))
	if err := t.fits(e); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	buffers, err := r.upload(e, t)
	if err != nil {
		return err
	}
	defer buffers.Close()
	pass := m.Pass(e.Traits())
	c := &Case{Suite: "matmul", Name: p.name, Tier: tier, Precision: precision, MultiplyAdds: multiplyAdds, Bytes: m.A.Size + m.W.Size + m.Out.Size}
	return r.measure(c, []string{kernelName("matmul", tier, precision)}, r.execute(e, []engine.Pass{pass}, buffers))
}

// kernelName returns how the kernels of a tier and precision are called.
func kernelName(kernel string, tier engine.Tier, p engine.Precision) string {
	return kernel + "_" + string(tier) + "_" + string(p)
}

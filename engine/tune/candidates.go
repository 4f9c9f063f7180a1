package tune

import (
	"fmt"
	"slices"

	"github.com/gazevk/gaze/engine"
)

// A Shape is one of a matrix product or of attention; the other is nil.
type Shape struct {
	MatMul    *engine.MatMulShape    `json:"matmul,omitempty"`
	Attention *engine.AttentionShape `json:"attention,omitempty"`
}

// Tier returns the tier whose kernel has the shape.
func (s Shape) Tier() engine.Tier {
	if s.MatMul != nil {
		return s.MatMul.Tier
	}
	return s.Attention.Tier
}

// String names the shape, its tier left out.
func (s Shape) String() string {
	if s.MatMul == nil {
		text := fmt.Sprintf("%d queries", s.Attention.Rows)
		if s.Attention.Own > 0 {
			owner := "a subgroup"
			if s.Attention.Tier == engine.Tiled {
				owner = "an invocation"
			}
			text += fmt.Sprintf(", %d %s", s.Attention.Own, owner)
		}
		if s.Attention.Reductions {
			text += ", reductions"
		}
		return text
	}
	m := s.MatMul
	text := fmt.Sprintf("%d x %d of %d", m.Rows, m.Columns, m.Invocations)
	if m.Step > 0 {
		text += fmt.Sprintf(", step %d", m.Step)
	}
	if m.Down > 0 {
		text += fmt.Sprintf(", %d down", m.Down)
	}
	if m.Unroll > 1 {
		text += fmt.Sprintf(", unroll %d", m.Unroll)
	}
	if m.Uniform {
		text += ", uniform"
	}
	return text
}

// traits returns t as it is where this shape is chosen for everything.
func (s Shape) traits(t engine.Traits) engine.Traits {
	t = t.Untuned()
	if s.MatMul != nil {
		t.Tuning.MatMul = []engine.MatMulChoice{{Shape: *s.MatMul}}
	} else {
		t.Tuning.Attention = []engine.AttentionChoice{{Shape: *s.Attention}}
	}
	return t
}

// products returns the shapes worth trying for products of so many rows on a
// device with traits t, that of the rules first, then those of its own tier.
func products(t engine.Traits, rows int, precision engine.Precision) []Shape {
	t = t.Untuned()
	first := t.MatMulShape(engine.MatMul{Rows: rows, Precision: precision})
	shapes := []Shape{{MatMul: &first}}
	for _, tier := range ownFirst(t, precision) {
		for _, s := range t.OfTier(tier).MatMulShapes() {
			// Drivers that run on a CPU compile at the first dispatch, and long.
			if s != first && !(t.CPU && s.Unroll > 1) {
				shapes = append(shapes, Shape{MatMul: &s})
			}
		}
	}
	return shapes
}

// attentions returns the shapes worth trying for attention over heads of headDim,
// in the same order.
func attentions(t engine.Traits, headDim int, precision engine.Precision) []Shape {
	t = t.Untuned()
	first := t.AttentionShape(engine.FusedAttention{HeadDim: headDim, Precision: precision})
	shapes := []Shape{{Attention: &first}}
	for _, tier := range ownFirst(t, precision) {
		for _, s := range t.OfTier(tier).AttentionShapes(headDim) {
			if s != first {
				shapes = append(shapes, Shape{Attention: &s})
			}
		}
	}
	return shapes
}

// ownFirst returns the tiers of a device that have kernels for a precision, that
// which suits it first.
func ownFirst(t engine.Traits, precision engine.Precision) []engine.Tier {
	tiers := []engine.Tier{t.Tier}
	for _, tier := range t.Tiers() {
		if tier != t.Tier {
			tiers = append(tiers, tier)
		}
	}
	return slices.DeleteFunc(tiers, func(tier engine.Tier) bool { return tier == engine.Matrix && precision != engine.F16 })
}

package tune

import (
	"fmt"

	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/bench"
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
		return fmt.Sprintf("%d queries", s.Attention.Rows)
	}
	m := s.MatMul
	text := fmt.Sprintf("%d x %d of %d", m.Rows, m.Columns, m.Invocations)
	if m.Step > 0 {
		text += fmt.Sprintf(", step %d", m.Step)
	}
	if m.Unroll > 1 {
		text += fmt.Sprintf(", unroll %d", m.Unroll)
	}
	if m.Down > 0 {
		text += fmt.Sprintf(", %d subgroups down", m.Down)
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

// products returns the shapes worth trying for products such as m on a device with
// traits t: that of the rules first, then those of its own tier, then the others.
func products(t engine.Traits, m engine.MatMul) []Shape {
	t = t.Untuned()
	first := t.MatMulShape(m)
	shapes := []Shape{{MatMul: &first}}
	for _, tier := range ownFirst(t) {
		for _, s := range t.OfTier(tier).MatMulShapes() {
			// Drivers that run on a CPU compile at the first dispatch, and long.
			if s == first || t.CPU && s.Unroll > 1 {
				continue
			}
			if shape := (Shape{MatMul: &s}); shape.traits(t).MatMulShape(m) == s { // its kernel takes m
				shapes = append(shapes, shape)
			}
		}
	}
	return shapes
}

// attentions returns the shapes worth trying for attention of precision p over
// heads of headDim, in the same order.
func attentions(t engine.Traits, p engine.Precision, headDim int) []Shape {
	t = t.Untuned()
	first := t.AttentionShape(p, headDim, bench.Scale)
	shapes := []Shape{{Attention: &first}}
	for _, tier := range ownFirst(t) {
		for _, s := range t.OfTier(tier).AttentionShapes(headDim) {
			if shape := (Shape{Attention: &s}); s != first && shape.traits(t).AttentionShape(p, headDim, bench.Scale) == s {
				shapes = append(shapes, shape)
			}
		}
	}
	return shapes
}

// ownFirst returns the tiers of a device, that which suits it first.
func ownFirst(t engine.Traits) []engine.Tier {
	tiers := []engine.Tier{t.Tier}
	for _, tier := range t.Tiers() {
		if tier != t.Tier {
			tiers = append(tiers, tier)
		}
	}
	return tiers
}

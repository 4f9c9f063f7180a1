package engine

import (
	"fmt"

	"github.com/gazevk/gaze"
)

// A Tuning says which shapes of kernels are quickest on a device, by size of the
// problem: what package tune finds out. The first choice that fits a problem
// decides; where none does, the rules of the device's tier do. So the zero Tuning
// is the rules.
type Tuning struct {
	MatMul    []MatMulChoice    `json:"matmul"`
	Attention []AttentionChoice `json:"attention"`
}

// A MatMulChoice is the shape of products [Rows, k] by [Columns, k].
type MatMulChoice struct {
	Precision Precision   `json:"precision,omitempty"` // of both factors; "": any
	Rows      int         `json:"rows,omitempty"`      // at most; 0: any number
	Columns   int         `json:"columns,omitempty"`   // of the weights, those of gates among them, at most; 0: any number
	Shape     MatMulShape `json:"shape"`
}

// An AttentionChoice is the shape of fused attention.
type AttentionChoice struct {
	Precision Precision      `json:"precision,omitempty"` // of queries, keys and values; "": any
	HeadDim   int            `json:"head_dim,omitempty"`  // exactly; 0: any
	Shape     AttentionShape `json:"shape"`
}

func (c MatMulChoice) fits(m MatMul) bool {
	return (c.Precision == "" || c.Precision == m.Precision) && (c.Rows == 0 || m.Rows <= c.Rows) && (c.Columns == 0 || m.weights() <= c.Columns)
}

func (c AttentionChoice) fits(f FusedAttention) bool {
	return (c.Precision == "" || c.Precision == f.Precision) && (c.HeadDim == 0 || f.HeadDim == c.HeadDim)
}

// Empty reports whether t leaves everything to the rules.
func (t Tuning) Empty() bool { return len(t.MatMul) == 0 && len(t.Attention) == 0 }

// MatMulShape returns the shape that computes m on a device with traits t.
func (t Traits) MatMulShape(m MatMul) MatMulShape {
	for _, c := range t.Tuning.MatMul {
		if c.fits(m) && t.multiplies(c.Shape.Tier, m) {
			return c.Shape
		}
	}
	tier := t.Tier
	if !t.multiplies(tier, m) {
		tier = t.plain()
	}
	return shapesOf[tier].matMulRule(t, m)
}

// AttentionShape returns the shape that computes f on a device with traits t. It
// follows from f's precision, head dimension and scale alone.
func (t Traits) AttentionShape(f FusedAttention) AttentionShape {
	for _, c := range t.Tuning.Attention {
		if c.fits(f) && t.attends(c.Shape.Tier, f) && (t.Units.Reductions || !c.Shape.Reductions) {
			return c.Shape
		}
	}
	tier := t.Tier
	if !t.attends(tier, f) {
		tier = t.plain()
	}
	return shapesOf[tier].attentionRule(t, f.HeadDim)
}

// QueryTile returns the queries of a tile of the block map of attention over heads
// of headDim elements in precision p, with scores scaled by scale.
func (t Traits) QueryTile(p Precision, headDim int, scale float64) int {
	return t.AttentionShape(FusedAttention{Precision: p, HeadDim: headDim, Scale: scale}).Tier.QueryTile()
}

// Untuned returns t as the rules have it.
func (t Traits) Untuned() Traits {
	t.Tuning = Tuning{}
	return t
}

// OfTier returns t for the kernels of one tier alone, where the rules decide
// unless the tuning has shapes of that tier.
func (t Traits) OfTier(tier Tier) Traits {
	all := t.Tuning
	t.Tier, t.Pictures, t.Tuning = tier, "", Tuning{}
	for _, c := range all.MatMul {
		if c.Shape.Tier == tier {
			t.Tuning.MatMul = append(t.Tuning.MatMul, c)
		}
	}
	for _, c := range all.Attention {
		if c.Shape.Tier == tier {
			t.Tuning.Attention = append(t.Tuning.Attention, c)
		}
	}
	return t
}

// validate reports the first choice that a device with traits t cannot run or
// that means nothing.
func (t Tuning) validate(traits Traits) error {
	precision := func(p Precision) error {
		if p != "" && p != F32 && p != F16 {
			return fmt.Errorf("precision is %q: it must be f32, f16 or absent", p)
		}
		return nil
	}
	for i, c := range t.MatMul {
		err := precision(c.Precision)
		switch {
		case err != nil:
		case c.Rows < 0 || c.Columns < 0:
			err = fmt.Errorf("rows %d, columns %d: they must be at least 0", c.Rows, c.Columns)
		case !traits.hasMatMul(c.Shape):
			err = fmt.Errorf("%s has no shape %+v", traits.Device, c.Shape)
		}
		if err != nil {
			return fmt.Errorf("matmul[%d]: %w", i, err)
		}
	}
	for i, c := range t.Attention {
		err := precision(c.Precision)
		dims := gaze.HeadDims
		if c.HeadDim != 0 {
			dims = []int{c.HeadDim}
		}
		for _, dim := range dims {
			if err == nil && !traits.hasAttention(c.Shape, dim) {
				err = fmt.Errorf("%s has no shape %+v for head_dim %d", traits.Device, c.Shape, dim)
			}
		}
		if err != nil {
			return fmt.Errorf("attention[%d]: %w", i, err)
		}
	}
	return nil
}

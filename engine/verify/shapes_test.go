package verify

import (
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
)

// The fewest problems of a verification meet every shape that tuning may choose: of
// attention for each head dimension and precision, of products for each precision. Tier
// matrix, whose shapes depend on a device, has them by the same turns.
func TestEveryShape(t *testing.T) {
	traits := engine.AnyDevice
	traits.CPU, traits.Invocations, traits.SharedMemory = true, 1024, 64<<10
	for _, tier := range []engine.Tier{engine.Lanes, engine.Texels, engine.Tiled} {
		traits.Tier = tier
		type attention struct {
			headDim   int
			precision engine.Precision
			shape     engine.AttentionShape
		}
		type product struct {
			turn  int // of the three that precisions take
			shape engine.MatMulShape
		}
		attentions, products := map[attention]bool{}, map[product]bool{}
		for index := 1; index <= fewest; index++ {
			p := newProblem(1, index)
			for _, shape := range oneOfEachKernel(traits.AttentionShapes(p.Attention.HeadDim), index/cycle) {
				attentions[attention{p.Attention.HeadDim, p.Precision, shape}] = true
			}
			for i := range productsOfAProblem {
				products[product{index % 3, shapeOf(traits.MatMulShapes(), index, i)}] = true
			}
		}
		for _, headDim := range gaze.HeadDims {
			for _, precision := range []engine.Precision{engine.F32, engine.F16} {
				for _, shape := range traits.AttentionShapes(headDim) {
					if !attentions[attention{headDim, precision, shape}] {
						t.Errorf("%v: attention over heads of %d in %v never has the shape %+v", tier, headDim, precision, shape)
					}
				}
			}
		}
		for turn := range 3 {
			for _, shape := range traits.MatMulShapes() {
				if !products[product{turn, shape}] {
					t.Errorf("%v: products of problems 3n + %d never have the shape %+v", tier, turn, shape)
				}
			}
		}
	}
}

package explore

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gazevk/gaze/visualize"
)

// What is looked up is what the scale says, for values of all magnitudes and those
// around each colour's least.
func TestLevels(t *testing.T) {
	for _, c := range []coloring{
		{visualize.Log, visualize.Range{Low: 1e-4, High: 1}},
		{visualize.Log, visualize.Range{Low: 0.25, High: 0.26}},
		{visualize.Linear, visualize.Range{High: 1}},
		{visualize.Linear, visualize.Range{Low: 0.99, High: 1}},
		{visualize.Linear, visualize.Range{Low: -3e-7, High: 3e-7}},
		{visualize.Gamma, visualize.Range{Low: -0.5, High: 0.5}},
		{visualize.Gamma, visualize.Range{High: 700}},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			values := []float32{hiddenValue, 0, float32(math.Copysign(0, -1)), math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32,
				float32(math.Inf(1)), float32(math.Inf(-1)), 1, -1}
			for position := range 257 {
				at := float32(c.scale.Value(float64(position)/256, c.r))
				values = append(values, at, math.Nextafter32(at, 2e38), math.Nextafter32(at, -2e38))
			}
			random := rand.New(rand.NewPCG(1, 2))
			for range 1 << 16 {
				values = append(values, math.Float32frombits(random.Uint32()), float32(c.r.Low+(c.r.High-c.r.Low)*random.Float64()))
			}
			got := make([]uint8, len(values))
			newLevels(c).look(got, values)
			axis := axisOf(c.scale)
			low, high := axis(c.r.Low), axis(c.r.High)
			for i, value := range values {
				want := 0
				if value == value {
					want = int(min(max((axis(float64(value))-low)*(256/(high-low)), 1), 255))
				}
				if int(got[i]) != want {
					t.Errorf("%v has colour %d, want %d", value, got[i], want)
				}
			}
		})
	}
}

// BenchmarkRange gives two million cells, those of a window of 1920 x 1080, other
// colours: what each frame does while the range is dragged.
func BenchmarkRange(b *testing.B) {
	values := make([]float32, 1920*1080)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range values {
		values[i] = float32(math.Exp(-9 * random.Float64()))
	}
	indices := make([]uint8, len(values))
	for i := range b.N {
		newLevels(coloring{visualize.Log, visualize.Range{Low: 1e-4, High: 1 - float64(i%100)/1000}}).look(indices, values)
	}
}

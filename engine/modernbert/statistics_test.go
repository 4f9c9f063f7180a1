package modernbert

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/modernbert/testdata/golden"
	"github.com/gazevk/gaze/reference"
)

// Statistics are those of the weights themselves, and say that these add up.
func TestStatistics(t *testing.T) {
	c := caseNamed(t, "v4 flat").Open(t)
	lengths := gaze.Lengths{100, 1, 130}
	for _, precision := range []engine.Precision{engine.F32, engine.F16} {
		m := mustLoad(t, open(t, ""), c, precision)
		batch := golden.Batch(lengths, 101)
		for _, sequence := range batch { // tokens that return
			for i := range sequence {
				sequence[i] %= 7
			}
		}
		ids := slices.Concat(batch...)
		out := mustForward(t, m, batch, Want{Capture: []int{0, 1}})
		mustForward(t, m, tokens(lengths...), Want{}) // other tokens, in the same buffers
		for layer := range 2 {
			all := weights(t, out.Capture, layer)
			want := reference.RowStatistics(reference.Widen(all), ids, m.Config.Attention(layer).Visible(), lengths, m.Config.Heads)
			statistics, err := out.Capture.Statistics(context.Background(), layer)
			if err != nil {
				t.Fatal(err)
			}
			var got []float32
			for _, s := range statistics {
				got = append(got, s.Sum, s.Entropy, s.Distance, s.Greatest)
				got = append(got, s.Roles[:]...)
				if math.Abs(float64(s.Sum)-1) > 1e-5 {
					t.Fatalf("weights of a row add up to %v", s.Sum)
				}
			}
			near(t, string(precision), got, want, 1e-4)
		}
		if _, err := out.Capture.Statistics(context.Background(), 2); err == nil || !strings.Contains(err.Error(), "layer 2 was not captured") {
			t.Errorf("the error is %v", err)
		}
		out.Capture.Close()
	}
}

package modernbert

import (
	"context"
	"fmt"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/builtin"
	"github.com/gazevk/gaze/engine/checkpoint"
)

// BenchmarkForward times forward passes of the built-in model over one text, and
// what of each the device's clock does not account for.
func BenchmarkForward(b *testing.B) {
	c, err := checkpoint.OpenModel(builtin.Name)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	m := mustLoad(b, open(b, ""), c, engine.F32)
	want := Want{Pool: []engine.PoolMode{engine.PoolMean}}
	for _, n := range []int{1, 16, 128} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for range 3 { // the engine learns how quick the device is
				mustForward(b, m, tokens(n), want)
			}
			batch, device := tokens(n), int64(0)
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				out, err := m.Forward(context.Background(), batch, want, Watch{})
				if err != nil {
					b.Fatal(err)
				}
				device += int64(out.Timing.GPU())
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds()-device)/float64(b.N), "host-ns/op")
		})
	}
}

// BenchmarkNewProgram times the planning of a size that was not seen before.
func BenchmarkNewProgram(b *testing.B) {
	c, err := checkpoint.OpenModel(builtin.Name)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	for _, n := range []int{16, 512, 8192} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				if _, err := NewProgram(engine.AnyDevice, c.Config, c.Head, engine.F32, gaze.Lengths{n}, Want{Pool: []engine.PoolMode{engine.PoolMean}}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

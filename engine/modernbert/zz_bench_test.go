package modernbert

import (
	"context"
	"fmt"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/checkpoint"
)

func benchModel(b *testing.B) *Model {
	c, err := checkpoint.OpenModel("builtin")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	return mustLoad(b, open(b, ""), c, engine.F32)
}

func BenchmarkForward(b *testing.B) {
	m := benchModel(b)
	for _, n := range []int{1, 16, 128} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			batch := tokens(n)
			want := Want{Pool: []engine.PoolMode{engine.PoolMean}}
			mustForward(b, m, batch, want)
			mustForward(b, m, batch, want)
			b.ReportAllocs()
			b.ResetTimer()
			var gpu, host float64
			for range b.N {
				out, err := m.Forward(context.Background(), batch, want, Watch{})
				if err != nil {
					b.Fatal(err)
				}
				gpu += float64(out.Timing.GPU())
				host += float64(out.Timing.Host)
			}
			b.ReportMetric(gpu/float64(b.N), "gpu-ns/op")
			b.ReportMetric(host/float64(b.N), "exec-ns/op")
		})
	}
}

func BenchmarkNewProgram(b *testing.B) {
	m := benchModel(b)
	for _, l := range []gaze.Lengths{{16}, {512}, {8192}} {
		b.Run(fmt.Sprint(l), func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				if _, err := NewProgram(m.traits, m.Config, m.Head, m.Precision, l, Want{Pool: []engine.PoolMode{engine.PoolMean}}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

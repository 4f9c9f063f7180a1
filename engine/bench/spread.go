package bench

import (
	"math"
	"slices"
	"time"

	"github.com/gazevk/gaze/engine"
)

// A Sample is the time of one run in seconds: of the device's kernels by its own
// clock, 0 where it has none, and of everything by the host's.
type Sample struct {
	GPU  float64 `json:"gpu"`
	Host float64 `json:"host"`
}

func sampleOf(timing *engine.Timing, host time.Duration) Sample {
	return Sample{timing.GPU().Seconds(), host.Seconds()}
}

// A Spread sums up samples, in their unit.
type Spread struct {
	Least    float64 `json:"least"`
	Quarter  float64 `json:"first_quartile"`
	Median   float64 `json:"median"`
	Quarter3 float64 `json:"third_quartile"`
	Most     float64 `json:"most"`
}

// SpreadOf sums up x; the zero Spread where there is nothing. Quartiles lie
// between two samples where they must, as numpy.quantile has it.
func SpreadOf(x []float64) Spread {
	if len(x) == 0 {
		return Spread{}
	}
	x = slices.Clone(x)
	slices.Sort(x)
	at := func(share float64) float64 {
		place := share * float64(len(x)-1)
		below := math.Floor(place)
		low, high := x[int(below)], x[int(math.Ceil(place))]
		return low + (high-low)*(place-below)
	}
	return Spread{x[0], at(0.25), at(0.5), at(0.75), x[len(x)-1]}
}

// GPU sums up the device's clock.
func GPU(samples []Sample) Spread { return spread(samples, func(s Sample) float64 { return s.GPU }) }

// Host sums up the host's clock.
func Host(samples []Sample) Spread { return spread(samples, func(s Sample) float64 { return s.Host }) }

func spread(samples []Sample, of func(Sample) float64) Spread {
	x := make([]float64, len(samples))
	for i, s := range samples {
		x[i] = of(s)
	}
	return SpreadOf(x)
}

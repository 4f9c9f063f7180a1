package engine

import (
	"slices"
	"time"
)

// A Timing is how long the passes of a run took.
type Timing struct {
	Passes []PassTime // in the order of each kernel's first pass
	// Compile is the time that preparing kernels for their first use took.
	Compile time.Duration
	// Host is the time from the first submit to the last result, compiling and
	// uploading left out, and so are the turns of others.
	Host    time.Duration
	Submits int
}

// A PassTime is the time of all dispatches of one kernel.
type PassTime struct {
	Kernel       string
	Dispatches   int
	GPU          time.Duration // 0 where the device has no timestamps
	MultiplyAdds int64
	Bytes        int64
}

// GPU returns the sum over all passes.
func (t *Timing) GPU() time.Duration {
	var sum time.Duration
	for _, p := range t.Passes {
		sum += p.GPU
	}
	return sum
}

// Add adds what other took.
func (t *Timing) Add(other *Timing) {
	t.Compile += other.Compile
	t.Host += other.Host
	t.Submits += other.Submits
	for _, p := range other.Passes {
		i := slices.IndexFunc(t.Passes, func(known PassTime) bool { return known.Kernel == p.Kernel })
		if i < 0 {
			t.Passes = append(t.Passes, p)
			continue
		}
		known := &t.Passes[i]
		known.Dispatches += p.Dispatches
		known.GPU += p.GPU
		known.MultiplyAdds += p.MultiplyAdds
		known.Bytes += p.Bytes
	}
}

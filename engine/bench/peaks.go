package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/vk"
)

const (
	// peakSeconds is how long one run of a limit's kernel shall take: much longer
	// than its start, much shorter than a submit may be.
	peakSeconds = 0.01
	peakTries   = 4  // of each variant
	finalTries  = 12 // more of the best variants: others may use the machine, too
)

// tries returns how often to try what usual tries would be right for.
func (m *meter) tries(usual int) int {
	if m.quick {
		return (usual + 2) / 3
	}
	return usual
}

// A meter measures the limits of one device.
type meter struct {
	ctx    context.Context
	engine *engine.Engine
	quick  bool // fewer tries and sizes
}

// run runs passes and returns the seconds they took, by the device's clock if it has one.
func (m *meter) run(buffers *engine.Buffers, passes ...engine.Pass) (float64, error) {
	timing, err := m.engine.Execute(m.ctx, passes, nil, buffers)
	if err != nil {
		return 0, err
	}
	if gpu := timing.GPU(); gpu > 0 {
		return gpu.Seconds(), nil
	}
	return max(timing.Host, time.Nanosecond).Seconds(), nil
}

// A busy kernel does nothing but multiply and add. Its size can be chosen.
type busy struct {
	name  string
	sized func(size float64) (pass engine.Pass, elements int, sum func(i int) float32) // of what size 1 is, about
}

const (
	bufFactors = "factors"
	bufTotal   = "total"
)

// multiply measures multiply-adds whose arithmetic is of a precision.
func (m *meter) multiply(p engine.Precision) (Peak, error) {
	adapter := m.engine.Adapter()
	if p == engine.F16 && !adapter.Features.Float16 {
		return Peak{Missing: "not offered"}, nil
	}
	var kernels []busy
	for _, lanes := range []int{32, 64, 256} {
		if lanes > adapter.Limits.Invocations {
			continue
		}
		for _, sums := range engine.PeakSums(p) {
			kernels = append(kernels, busy{fmt.Sprintf("%d sums of %d invocations", 4*sums, lanes), func(size float64) (engine.Pass, int, func(int) float32) {
				k := engine.PeakMultiply{Precision: p, Sums: sums, Lanes: lanes, Rounds: 64, Factors: factors}
				k.Groups = clamp(size*1024/float64(lanes), 4, 8192)
				k.Repeats = clamp(size*1024/float64(lanes)/float64(k.Groups), 1, 256)
				k.Total = engine.Ref{Buffer: bufTotal, Size: 4 * int64(k.Groups*lanes)}
				return k.Pass(), k.Groups * lanes, k.Sum
			}})
		}
	}
	return m.peak(kernels)
}

// matrix measures products of f16 matrices on matrix units, in all their shapes.
func (m *meter) matrix() (Peak, error) {
	adapter := m.engine.Adapter()
	var kernels []busy
	for _, s := range adapter.Features.Matrices {
		if !engine.PeakShape(s) || 4*adapter.Limits.SubgroupSize > adapter.Limits.Invocations {
			continue
		}
		kernels = append(kernels, busy{fmt.Sprintf("%dx%dx%d", s.M, s.N, s.K), func(size float64) (engine.Pass, int, func(int) float32) {
			k := engine.PeakMatrix{M: s.M, N: s.N, K: s.K, Subgroup: adapter.Limits.SubgroupSize, Factors: factors}
			k.Groups = clamp(size*16, 4, 2048)
			k.Rounds = clamp(64*size*16/float64(k.Groups), 64, float64(1<<20/s.K))
			k.Total = engine.Ref{Buffer: bufTotal, Size: 4 * int64(k.Elements())}
			return k.Pass(), k.Elements(), k.Sum
		}})
	}
	if len(kernels) == 0 || !adapter.Features.Float16 {
		return Peak{Missing: "not offered"}, nil
	}
	peak, err := m.peak(kernels)
	if errors.Is(err, vk.ErrNotSupported) {
		return Peak{Missing: err.Error()}, nil
	}
	return peak, err
}

var factors = engine.Ref{Buffer: bufFactors, Size: 4 * engine.PeakFactors}

// clamp returns x as an integer from low to high.
func clamp(x float64, low int, high float64) int { return int(min(max(x, float64(low)), high)) }

// peak returns the best of kernels: each a few times, then the best of them more often.
func (m *meter) peak(kernels []busy) (Peak, error) {
	var peak Peak
	better := func(a, b Variant) int { return -compare(a.Best, b.Best) }
	sizes := map[string]float64{}
	for _, k := range kernels {
		size, err := m.calibrate(k)
		if err != nil {
			return Peak{}, err
		}
		sizes[k.name] = size
		best, err := m.try(k, size, m.tries(peakTries))
		if err != nil {
			return Peak{}, err
		}
		peak.Tried = append(peak.Tried, Variant{k.name, best})
	}
	slices.SortStableFunc(peak.Tried, better)
	for i := range peak.Tried[:min(2, len(peak.Tried))] {
		tried := &peak.Tried[i]
		k := kernels[slices.IndexFunc(kernels, func(k busy) bool { return k.name == tried.Name })]
		best, err := m.try(k, sizes[k.name], m.tries(finalTries))
		if err != nil {
			return Peak{}, err
		}
		tried.Best = max(tried.Best, best)
	}
	slices.SortStableFunc(peak.Tried, better)
	peak.GFLOPS, peak.Variant = peak.Tried[0].Best, peak.Tried[0].Name
	return peak, nil
}

// calibrate returns the size at which k takes about peakSeconds.
func (m *meter) calibrate(k busy) (float64, error) {
	size := 1.0 / 16
	for range 8 {
		pass, _, _ := k.sized(size)
		buffers, err := m.busyBuffers(pass)
		if err != nil {
			return 0, err
		}
		seconds, err := m.run(buffers, pass)
		buffers.Close()
		if err != nil {
			return 0, err
		}
		if seconds > peakSeconds/2 {
			return size * min(peakSeconds/seconds, 2), nil
		}
		size *= min(max(peakSeconds/seconds, 2), 16)
	}
	return size, nil
}

func (m *meter) busyBuffers(pass engine.Pass) (*engine.Buffers, error) {
	buffers, err := m.engine.NewBuffers([]engine.BufferSpec{{Name: bufFactors, Bytes: factors.Size}, {Name: bufTotal, Bytes: pass.Bind[1].Size}})
	if err != nil {
		return nil, err
	}
	ones := slices.Repeat([]float32{1}, engine.PeakFactors)
	if err := buffers.Upload(m.ctx, bufFactors, 0, engine.Bytes(ones)); err != nil {
		buffers.Close()
		return nil, err
	}
	return buffers, nil
}

// try runs k so often, makes sure that all was computed, and returns the most
// GFLOP/s.
func (m *meter) try(k busy, size float64, tries int) (float64, error) {
	pass, elements, sum := k.sized(size)
	buffers, err := m.busyBuffers(pass)
	if err != nil {
		return 0, err
	}
	defer buffers.Close()
	best := 0.0
	for range tries {
		seconds, err := m.run(buffers, pass)
		if err != nil {
			return 0, err
		}
		best = max(best, 2*float64(pass.MultiplyAdds)/seconds/1e9)
	}
	got := make([]float32, elements)
	if err := buffers.Download(m.ctx, engine.Bytes(got), bufTotal, 0); err != nil {
		return 0, err
	}
	for i, x := range got {
		if want := sum(i); x != want {
			return 0, fmt.Errorf("%s gave %v at %d and must give %v: the driver computes wrongly (gaze verify tells more)", pass.Kernel, x, i, want)
		}
	}
	return best, nil
}

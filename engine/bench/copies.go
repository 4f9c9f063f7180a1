package bench

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/vk"
)

// copySizes are the bytes of both buffers of a copy together: from what a
// processor's own cache holds to more than any.
var copySizes = []int64{256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20, 256 << 20}

const copySeconds, copyTries = 0.02, 5

func compare(a, b float64) int { return cmp.Compare(a, b) }

// copies measures copies of all sizes, by the driver's own copy and by kernels.
func (m *meter) copies() ([]Copy, error) {
	var all []Copy
	for i, size := range copySizes {
		if m.quick && i%2 == 0 {
			continue
		}
		c, err := m.copy(size)
		if errors.Is(err, vk.ErrOutOfMemory) && len(all) > 0 {
			break
		}
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

const bufFrom, bufTo = "from", "to"

func (m *meter) copy(size int64) (Copy, error) {
	half := size / 2
	buffers, err := m.engine.NewBuffers([]engine.BufferSpec{{Name: bufFrom, Bytes: half}, {Name: bufTo, Bytes: half}})
	if err != nil {
		return Copy{}, err
	}
	defer buffers.Close()
	content := make([]byte, half)
	for i := range content {
		content[i] = byte(i ^ i>>8 ^ i>>16)
	}
	if err := buffers.Upload(m.ctx, bufFrom, 0, content); err != nil {
		return Copy{}, err
	}
	from, to := engine.Ref{Buffer: bufFrom, Size: half}, engine.Ref{Buffer: bufTo, Size: half}
	ways := []way{{"vkCmdCopyBuffer", func(times int) []engine.Pass { return slices.Repeat([]engine.Pass{engine.CopyPass(from, to)}, times) }}}
	if half <= m.engine.Traits().StorageRange {
		for _, c := range []engine.PeakCopy{{Lanes: 64, Each: 4}, {Lanes: 256, Each: 1}, {Lanes: 64, Each: 16, Alone: true}} {
			if c.Vectors, c.X, c.Y = int(half/16), from, to; c.Lanes > m.engine.Adapter().Limits.Invocations {
				continue
			}
			order := "in turns"
			if c.Alone {
				order = "each its own"
			}
			ways = append(ways, way{fmt.Sprintf("kernel, %d of %d invocations %s", c.Each, c.Lanes, order), func(times int) []engine.Pass {
				c.Repeats = times
				return []engine.Pass{c.Pass()}
			}})
		}
	}
	result := Copy{Bytes: size}
	got := make([]byte, half)
	for _, w := range ways {
		best, err := m.rate(buffers, w, size, result.Rate)
		if err != nil {
			return Copy{}, err
		}
		if err := buffers.Download(m.ctx, got, bufTo, 0); err != nil {
			return Copy{}, err
		}
		if !bytes.Equal(got, content) {
			return Copy{}, fmt.Errorf("%s of %d bytes is wrong (gaze verify tells more)", w.name, half)
		}
		result.Tried = append(result.Tried, Variant{w.name, best})
		if best > result.Rate {
			result.Rate, result.Variant = best, w.name
		}
	}
	return result, nil
}

// A way copies a buffer so many times in one submit.
type way struct {
	name   string
	passes func(times int) []engine.Pass
}

// rate returns the most 1e9 bytes a second of a way to copy, repeated until that
// takes about copySeconds. It starts from a buffer of zeros, and gives up where
// another way has reached much more than the first copy does.
func (m *meter) rate(buffers *engine.Buffers, w way, size int64, reached float64) (float64, error) {
	clear := engine.Pass{Bind: []engine.Ref{{Buffer: bufTo, Size: size / 2}}, Bytes: size / 2}
	if _, err := m.run(buffers, clear); err != nil {
		return 0, err
	}
	times, best := 1, 0.0
	for range 1 + m.tries(copyTries) {
		seconds, err := m.run(buffers, w.passes(times)...)
		if err != nil {
			return 0, err
		}
		best = max(best, float64(size)*float64(times)/seconds/1e9)
		if seconds > copySeconds && best < reached/4 {
			break
		}
		// What is short takes its start for the greater part: the more there are, the less.
		times = clamp(float64(times)*min(copySeconds/seconds, 100), 1, 2000)
	}
	return best, nil
}

// dispatches measures what starting takes: of one dispatch in a submit, and of
// another in the same.
func (m *meter) dispatches() (one Spread, next float64, err error) {
	const samples, many = 100, 500
	const bufCount = "count"
	buffers, err := m.engine.NewBuffers([]engine.BufferSpec{{Name: bufCount, Bytes: 4}})
	if err != nil {
		return Spread{}, 0, err
	}
	defer buffers.Close()
	if err := buffers.Upload(m.ctx, bufCount, 0, make([]byte, 4)); err != nil {
		return Spread{}, 0, err
	}
	pass := engine.EmptyDispatch(engine.Ref{Buffer: bufCount, Size: 4})
	counted := func() (uint32, error) {
		count := make([]uint32, 1)
		err := buffers.Download(m.ctx, engine.Bytes(count), bufCount, 0)
		return count[0], err
	}
	// The first use of a kernel runs it once more, to be compiled.
	if _, err := m.run(buffers, pass); err != nil {
		return Spread{}, 0, err
	}
	want, err := counted()
	if err != nil {
		return Spread{}, 0, err
	}
	host := func(passes []engine.Pass) (float64, error) {
		timing, err := m.engine.Execute(m.ctx, passes, nil, buffers)
		if err != nil {
			return 0, err
		}
		want += uint32(len(passes))
		return timing.Host.Seconds(), nil
	}
	var times []float64
	for range samples {
		t, err := host([]engine.Pass{pass})
		if err != nil {
			return Spread{}, 0, err
		}
		times = append(times, t)
	}
	one = SpreadOf(times)
	passes := make([]engine.Pass, many)
	for i := range passes {
		passes[i] = pass
	}
	times = nil
	for range 10 {
		t, err := host(passes)
		if err != nil {
			return Spread{}, 0, err
		}
		times = append(times, t)
	}
	next = max(SpreadOf(times).Median-one.Median, 0) / (many - 1)
	count, err := counted()
	if err != nil {
		return Spread{}, 0, err
	}
	if count != want {
		return Spread{}, 0, fmt.Errorf("%s counted %d dispatches of %d (gaze verify tells more)", pass.Kernel, count, want)
	}
	return one, next, nil
}

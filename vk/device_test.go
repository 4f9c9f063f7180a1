package vk

import (
	"context"
	_ "embed"
	"encoding/binary"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
)

// The tests run on the device that "auto" picks; VK_DRIVER_FILES chooses the
// driver. Validation and synchronization validation watch every one of them.

//go:generate glslang -V --quiet --target-env vulkan1.1 -o testdata/step.spv testdata/step.comp
//go:embed testdata/step.spv
var stepCode []byte

// openDevice opens a device that the test's end closes, demanding that nothing
// was left open and that the validation layer never spoke.
func openDevice(t testing.TB, opts ...Option) *Device {
	t.Helper()
	messages := new(atomic.Int64)
	d, err := Open("auto", append([]Option{WithValidation(messages), WithLogger(testLogger(t))}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if n := messages.Load(); n > 0 {
			t.Errorf("%d validation messages", n)
		}
	})
	return d
}

func testLogger(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(testWriter{t}, nil))
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}

const stepGroup = 32 // invocations of one workgroup of step

func stepSpec(factor uint32) PipelineSpec {
	return PipelineSpec{Label: "step", SPIRV: stepCode, Bindings: []Access{Read, Write}, Push: 12,
		Constants: []Constant{{0, stepGroup}, {1, factor}}}
}

// newStep compiles testdata/step.comp: to[i] = from[i] with x -> factor x + add applied repeat times.
func newStep(t testing.TB, d *Device, factor uint32) *Pipeline {
	t.Helper()
	p, err := d.NewPipeline(stepSpec(factor))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func stepPush(count, add, repeat uint32) []byte { return words(count, add, repeat) }

func words(list ...uint32) []byte {
	var data []byte
	for _, w := range list {
		data = binary.NativeEndian.AppendUint32(data, w)
	}
	return data
}

// step records the kernel over all words of from.
func step(r *Recorder, p *Pipeline, from, to Slice, add, repeat uint32) {
	count := uint32(from.Size / 4)
	r.Dispatch(p, []Slice{from, to}, stepPush(count, add, repeat), [3]uint32{}, [3]uint32{(count + stepGroup - 1) / stepGroup, 1, 1})
}

func newBuffer(t testing.TB, d *Device, label string, size int64) *Buffer {
	t.Helper()
	b, err := d.NewBuffer(label, size, DeviceMemory)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func upload(t testing.TB, d *Device, to Slice, list ...uint32) {
	t.Helper()
	if err := d.Upload(context.Background(), to, words(list...)); err != nil {
		t.Fatal(err)
	}
}

func download(t testing.TB, d *Device, from Slice) []uint32 {
	t.Helper()
	data := make([]byte, from.Size)
	if err := d.Download(context.Background(), data, from); err != nil {
		t.Fatal(err)
	}
	list := make([]uint32, from.Size/4)
	for i := range list {
		list[i] = binary.NativeEndian.Uint32(data[4*i:])
	}
	return list
}

func newRecorder(t testing.TB, d *Device) *Recorder {
	t.Helper()
	r, err := d.NewRecorder()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func finish(t testing.TB, r *Recorder) *Commands {
	t.Helper()
	c, err := r.Finish()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func run(t testing.TB, c *Commands) {
	t.Helper()
	if err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func wantError(t testing.TB, err, reason error, text string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error; want one with %q", text)
	} else if reason != nil && !errors.Is(err, reason) {
		t.Errorf("%v: it does not wrap %q", err, reason)
	} else if !strings.Contains(err.Error(), text) {
		t.Errorf("%v: it does not say %q", err, text)
	}
}

func TestAdapterIsDescribed(t *testing.T) {
	list, err := Adapters()
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range list {
		t.Logf("%+v", a)
		l := a.Limits
		if a.Index != i || a.Name == "" || a.API == "" {
			t.Errorf("adapter %d is %d, %q, Vulkan %q", i, a.Index, a.Name, a.API)
		}
		// The least that Vulkan 1.1 promises.
		if l.StorageRange < 1<<27 || l.PushConstants < 128 || l.SharedMemory < 16<<10 || l.Invocations < 128 || l.StorageBuffers < 4 ||
			l.GroupCount[0] < 65535 || l.GroupSize[0] < 128 || l.SubgroupSize < 1 || l.SubgroupSizeRange[0] > l.SubgroupSize || l.SubgroupSizeRange[1] < l.SubgroupSize {
			t.Errorf("%s: less than any device has: %+v", a.Name, l)
		}
		if a.Features.CooperativeMatrix != (len(a.Features.Matrices) > 0) {
			t.Errorf("%s: cooperative matrices %v, shapes %v", a.Name, a.Features.CooperativeMatrix, a.Features.Matrices)
		}
		if a.Features.MatrixReductions && !a.Features.CooperativeMatrix {
			t.Errorf("%s: reductions of matrices that it has not", a.Name)
		}
	}
}

func TestCloseNamesWhatWasLeft(t *testing.T) {
	messages := new(atomic.Int64)
	d, err := Open("auto", WithValidation(messages), WithLogger(testLogger(t)))
	if err != nil {
		t.Fatal(err)
	}
	b := must(d.NewBuffer("weights", 100, DeviceMemory))
	p := must(d.NewPipeline(stepSpec(3)))
	r := must(d.NewRecorder())
	step(r, p, b.Whole(), must(d.NewBuffer("staging up", 100, DeviceMemory)).Whole(), 1, 1)
	c := must(r.Finish())
	if err := c.Submit(); err != nil {
		t.Fatal(err)
	}
	wantError(t, d.Close(), nil, "4 things were not closed before their device: buffer staging up, buffer weights, commands, pipeline step")
	for _, x := range []closer{d, b, p, r, c} {
		if err := x.Close(); err != nil {
			t.Errorf("closing again: %v", err)
		}
	}
	if n := messages.Load(); n > 0 {
		t.Errorf("%d validation messages", n)
	}
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

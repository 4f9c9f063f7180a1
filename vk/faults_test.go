package vk

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// apart shows a device's memory as one that the CPU sees through caches of its
// own and kernels' memory as out of its reach, so that a session makes every
// Vulkan call there is. It is small, and so are the blocks taken of it.
func apart(o *options) {
	o.memoryTypes = func(types []memoryType) []memoryType {
		truth := types[slices.IndexFunc(types, func(t memoryType) bool { return t.has(visible | coherent) })]
		return []memoryType{{truth.index, local, 512 << 20}, {truth.index, visible | cached, 512 << 20}}
	}
}

// session uses everything once and closes it. It returns the first error, and
// the device, by then closed.
func session(cacheDir string, opts ...Option) (d *Device, err error) {
	ctx := context.Background()
	d, err = Open("auto", append(opts, apart, WithPipelineCache(cacheDir))...)
	if err != nil {
		return nil, err
	}
	defer func() {
		if closing := d.Close(); closing != nil {
			err = errors.Join(err, fmt.Errorf("closing: %v", closing)) // not %w: it is never expected
		}
	}()
	p, err := d.NewPipeline(stepSpec(3))
	if err != nil {
		return d, err
	}
	defer p.Close()
	texels, err := d.NewPipeline(texelsSpec())
	if err != nil {
		return d, err
	}
	defer texels.Close()
	from, err := d.NewBuffer("from", 400, DeviceMemory)
	if err != nil {
		return d, err
	}
	defer from.Close()
	to, err := d.NewBuffer("to", 400, DeviceMemory)
	if err != nil {
		return d, err
	}
	defer to.Close()
	if d.adapter.Features.SharedMemory {
		s, err := d.NewShared("shared", 400)
		if err != nil {
			return d, err
		}
		defer s.Close()
	}
	if err := d.Upload(ctx, from.Whole(), words(count(100)...)); err != nil {
		return d, err
	}
	r, err := d.NewRecorder()
	if err != nil {
		return d, err
	}
	defer r.Close()
	r.Timestamp()
	r.Dispatch(texels, []Slice{from.Whole(), {from, 0, 200}, to.Whole()}, words(25), [3]uint32{}, [3]uint32{1, 1, 1})
	step(r, p, from.Whole(), to.Whole(), 1, 1)
	r.Timestamp()
	c, err := r.Finish()
	if err != nil {
		return d, err
	}
	defer c.Close()
	if err := c.Run(ctx); err != nil {
		return d, err
	}
	if _, err := c.Timestamps(); err != nil {
		return d, err
	}
	got := make([]byte, 400)
	if err := d.Download(ctx, got, to.Whole()); err != nil {
		return d, err
	}
	want := make([]uint32, 100)
	for i := range want {
		want[i] = apply(uint32(i), 3, 1, 1)
	}
	if string(got) != string(words(want...)) {
		return d, fmt.Errorf("wrong results")
	}
	return d, nil
}

var presenterFiles = []string{"presenter.go", "swapchain.go", "painter.go"}

// namedCalls finds the calls that the sources of this package name: those of a
// presenter, or all others.
func namedCalls(t *testing.T, ofPresenter bool) []string {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || slices.Contains(presenterFiles, file) != ofPresenter {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`"(vk[A-Z]\w+)[" ]`).FindAllSubmatch(source, -1) {
			all[string(match[1])] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// Each Vulkan call fails in turn, once or from then on, out of memory or with a
// lost device: the error wraps the reason, nothing crashes, the device closes,
// and the validation layer finds nothing left behind.
func TestEveryCallFails(t *testing.T) {
	calls := map[string]int{}
	if _, err := session(t.TempDir(), WithFaults(func(call string) error { calls[call]++; return nil })); err != nil {
		t.Fatal(err)
	}
	want := namedCalls(t, false)
	if list := must(Adapters()); !list[must(choose(list, "auto"))].Features.SharedMemory {
		want = slices.DeleteFunc(want, func(call string) bool { return call == "vkGetMemoryFdKHR" })
	}
	if got := slices.Sorted(maps.Keys(calls)); !slices.Equal(got, want) {
		t.Errorf("the session makes the calls\n%v, the package has\n%v", got, want)
	}
	// A failure that costs speed or memory only, not the result: a smaller
	// allocation serves where a block did not fit, the next memory type where one
	// is full or cannot be mapped, and a cache that is not kept is made anew.
	survives := map[string]bool{"vkAllocateMemory": true, "vkMapMemory": true, "vkGetPipelineCacheData": true}
	for call, times := range calls {
		for first := 1; first <= min(times, 3); first++ {
			t.Run(fmt.Sprintf("%s %d of %d", call, first, times), func(t *testing.T) {
				oneFault(t, call, first, first, ErrDeviceLost, call == "vkGetPipelineCacheData")
				oneFault(t, call, first, first, ErrOutOfMemory, survives[call])
				if first == 1 {
					oneFault(t, call, first, times+100, ErrOutOfMemory, call == "vkGetPipelineCacheData")
				}
			})
		}
	}
}

// oneFault runs a session in which the first to last call of that name fail.
func oneFault(t *testing.T, call string, first, last int, reason error, survives bool) {
	made := 0
	fail := func(name string) error {
		if name == call {
			if made++; made >= first && made <= last {
				return reason
			}
		}
		return nil
	}
	messages := new(atomic.Int64)
	d, err := session(t.TempDir(), WithFaults(fail), WithValidation(messages), WithLogger(testLogger(t)))
	if survives {
		if err != nil {
			t.Errorf("%v, calls %d to %d: %v", reason, first, last, err)
		}
	} else {
		wantError(t, err, reason, call)
	}
	if err != nil && strings.Contains(err.Error(), "closing") {
		t.Error(err)
	}
	if n := messages.Load(); n > 0 {
		t.Errorf("%v, calls %d to %d: %d validation messages", reason, first, last, n)
	}
	if d != nil && (len(d.open) > 0 || d.heap.used > 0) {
		t.Errorf("%v, calls %d to %d: left %v, %d bytes", reason, first, last, d.open, d.heap.used)
	}
}

// After a device was lost nothing reaches the driver any more, though what was
// submitted before is still waited for before it is freed.
func TestLostDevice(t *testing.T) {
	losing, reached := false, 0
	d := openDevice(t, apart, WithFaults(func(call string) error {
		if reached++; losing {
			return fmt.Errorf("the test pulls the plug: %w", ErrDeviceLost)
		}
		return nil
	}))
	c, _, b := longWork(t, d)
	mapped, err := d.NewBuffer("mapped", 64, UploadMemory)
	if err != nil {
		t.Fatal(err)
	}
	defer mapped.Close()
	recorder := newRecorder(t, d)
	if err := c.Submit(); err != nil {
		t.Fatal(err)
	}
	losing = true
	wantError(t, c.Wait(context.Background()), ErrDeviceLost, "vkWaitForFences: device lost: the driver reset or removed it; open it again")
	losing, reached = false, 0 // it stays lost
	_, err = d.NewBuffer("x", 4, DeviceMemory)
	wantError(t, err, ErrDeviceLost, "buffer x")
	_, err = d.NewPipeline(stepSpec(1))
	wantError(t, err, ErrDeviceLost, "kernel step")
	_, err = d.NewRecorder()
	wantError(t, err, ErrDeviceLost, "")
	_, err = recorder.Finish()
	wantError(t, err, ErrDeviceLost, "")
	_, err = c.Timestamps()
	wantError(t, err, ErrDeviceLost, "")
	for _, slice := range []Slice{b.Whole(), mapped.Whole()} {
		wantError(t, d.Upload(context.Background(), slice, make([]byte, 8)), ErrDeviceLost, "buffer "+slice.Buffer.label)
		wantError(t, d.Download(context.Background(), make([]byte, 8), slice), ErrDeviceLost, "buffer "+slice.Buffer.label)
	}
	wantError(t, c.Run(context.Background()), ErrDeviceLost, "")
	if reached > 0 {
		t.Errorf("%d calls reached the driver", reached)
	}
}

// An error that is neither sentinel comes back as it is.
func TestOtherFault(t *testing.T) {
	reason := errors.New("a fault of the test")
	for _, call := range []string{"vkCreateInstance", "vkEnumeratePhysicalDevices", "vkCreateDevice", "vkQueueSubmit"} {
		_, err := session(t.TempDir(), WithFaults(func(name string) error {
			if name == call {
				return reason
			}
			return nil
		}))
		wantError(t, err, reason, call)
	}
}

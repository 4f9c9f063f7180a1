package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/visualize/explore"
	"github.com/gazevk/gaze/vk"
)

// A viewing is a program without a window, whose device can be made to fail.
type viewing struct {
	t *testing.T
	*program
	fault  atomic.Pointer[error] // that calls of the device end with
	call   string                // only those of this function
	left   atomic.Int64          // how many more times
	opened atomic.Int64          // devices
}

func look(t *testing.T) *viewing {
	t.Helper()
	return lookAt(t, &options{given: map[string]bool{}, model: "builtin", precision: "auto"}, nil)
}

// everywhere runs a test on cells that come to the CPU, and on cells that stay on the
// device.
func everywhere(t *testing.T, test func(t *testing.T, v *viewing)) {
	t.Run("cpu", func(t *testing.T) { test(t, look(t)) })
	t.Run("device", func(t *testing.T) {
		test(t, lookAt(t, &options{given: map[string]bool{}, model: "builtin", precision: "auto"}, smallPool))
	})
}

// lookAt is look at what the options say, with cells in a pool that newPool makes.
func lookAt(t *testing.T, o *options, newPool func(context.Context, *engine.Engine) (*engine.Pool, error)) *viewing {
	t.Helper()
	before := runtime.NumGoroutine()
	v := &viewing{t: t, program: &program{options: o, opened: make(chan struct{})}, call: "vkQueueSubmit"}
	list, err := openVariants(o)
	if err != nil {
		t.Fatal(err)
	}
	v.variants = list
	device := v.engineOptions()
	device.Vulkan = append(device.Vulkan, vk.WithValidation(&v.messages), vk.WithFaults(v.fail))
	v.live = newLive(list.list, "auto", device)
	v.live.newPool = newPool
	v.explorer = explore.New(v, explore.DefaultSettings())
	v.live.start(v.explorer)
	v.explorer.Handle(explore.Resize{Width: 640, Height: 480, Density: 1})
	t.Cleanup(func() {
		v.live.stop()
		v.explorer.Close()
		if err := v.live.close(); err != nil { // it names what was not closed
			t.Error(err)
		}
		list.close()
		if n := v.messages.Load(); n > 0 {
			t.Errorf("%d validation messages", n)
		}
		await(t, "the end of all goroutines", func() bool { return runtime.NumGoroutine() <= before })
	})
	return v
}

func (v *viewing) fail(call string) error {
	if call == "vkCreateDevice" {
		v.opened.Add(1)
	}
	if fault := v.fault.Load(); fault != nil && call == v.call && v.left.Add(-1) >= 0 {
		return *fault
	}
	return nil
}

// arm makes so many calls fail.
func (v *viewing) arm(fault error, times int64) {
	v.left.Store(times)
	v.fault.Store(&fault)
}

// rest draws frames until nothing more comes, and returns the last.
func (v *viewing) rest() *image.RGBA {
	v.t.Helper()
	var frame *explore.Frame
	await(v.t, "a frame at rest", func() bool {
		var changed bool
		if frame, changed = v.explorer.Frame(time.Now()); changed {
			v.explorer.Presented()
		}
		return !v.explorer.Busy() && (v.explorer.Ready() || v.explorer.Failure() != nil)
	})
	flat, err := frame.Flatten(v.t.Context())
	if err != nil && v.explorer.Failure() == nil && v.explorer.Trouble() == nil { // else the cells may be gone with a device
		v.t.Fatal(err)
	}
	return flat
}

// well is rest where nothing may have gone wrong.
func (v *viewing) well() *image.RGBA {
	v.t.Helper()
	frame := v.rest()
	if err := errors.Join(v.explorer.Failure(), v.explorer.Trouble()); err != nil {
		v.t.Fatal(err)
	}
	return frame
}

// plain is the frame of a text, by a program that did nothing before.
func plain(t *testing.T, text string, args ...string) *image.RGBA {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.png")
	mustCall(t, append(args, "--text", text, "--size", "640x480", "--snapshot", path)...)
	return picture(t, path)
}

// Of texts that come faster than the model runs, the last stays, and what was
// begun for the others is given back.
func TestTyping(t *testing.T) { everywhere(t, testTyping) }

func testTyping(t *testing.T, v *viewing) {
	for i := range 200 {
		v.explorer.SetText(fmt.Sprintf("The cat sat %d times.", i))
		if i%3 == 0 {
			v.explorer.Frame(time.Now())
		}
		if err := v.explorer.Trouble(); err != nil {
			t.Fatal(err) // what is given up is no trouble
		}
		if i%10 == 0 {
			v.explorer.Handle(explore.Move{X: float64(100 + i), Y: 200})
			time.Sleep(time.Duration(i) * time.Millisecond / 8) // for some to come far
		}
		if i == 100 {
			if err := v.explorer.Do("open"); err != nil {
				t.Fatal(err)
			}
		}
	}
	v.explorer.Handle(explore.Move{X: -1, Y: -1})
	v.well()
	if err := errors.Join(v.explorer.Do("overview"), v.explorer.Do("pause")); err != nil {
		t.Fatal(err)
	}
	want := plain(t, "The cat sat 199 times.", "--do", "pause")
	if !alike(v.well(), want, 2) {
		t.Error("the last text is not shown")
	}
	if n := v.opened.Load(); n != 1 {
		t.Errorf("%d devices were opened", n)
	}
}

// Lines that come faster than the model runs are shown, though not all of them, and
// the last is.
func TestFollowingMany(t *testing.T) {
	v := look(t)
	in, out := io.Pipe()
	v.stdin = in
	v.followInput()
	var stop atomic.Bool
	flooded := make(chan bool)
	lines := 0
	go func() {
		defer close(flooded)
		for ; !stop.Load(); lines++ {
			fmt.Fprintf(out, "The cat sat %d times.\n", lines)
		}
		fmt.Fprintf(out, "The cat sat at last.\n")
		out.Close()
	}()
	last := ""
	shown := map[string]bool{}
	frame := func() {
		v.Frame(time.Now())
		if v.seen.Load() {
			last = v.explorer.Text()
			shown[last] = true
			if len(shown) == 5 {
				stop.Store(true)
			}
		}
	}
	await(t, "five lines in sight", func() bool { frame(); return stop.Load() })
	<-flooded
	await(t, "the last line", func() bool { frame(); return last == "The cat sat at last." })
	if len(shown) >= lines {
		t.Errorf("%d of %d lines were shown: none came too early", len(shown), lines)
	}
}

// A device that is lost is opened again, and the text comes after all; one that is
// lost twice in a row is an error, after which another text may be typed.
func TestDeviceLost(t *testing.T) { everywhere(t, testDeviceLost) }

func testDeviceLost(t *testing.T, v *viewing) {
	devices := func(want int64) {
		t.Helper()
		if got := v.opened.Load(); got != want {
			t.Fatalf("%d devices were opened, want %d", got, want)
		}
	}
	v.explorer.SetText("The first text.")
	v.well()
	devices(1)

	v.arm(vk.ErrDeviceLost, 1) // in a forward pass
	v.explorer.SetText("The second text.")
	if !alike(v.well(), plain(t, "The second text."), 2) {
		t.Error("the text that met the loss is not shown")
	}
	devices(2)

	v.explorer.SetText("The third text.")
	v.well()
	if err := v.explorer.Do("keep"); err != nil {
		t.Fatal(err)
	}
	v.arm(vk.ErrDeviceLost, 1) // in what a map needs
	if err := v.explorer.Do("open"); err != nil {
		t.Fatal(err)
	}
	if !alike(v.well(), plain(t, "The third text.", "--do", "keep", "--do", "open"), 2) {
		t.Error("the map that met the loss is not shown")
	}
	devices(3)

	// What was kept went with the device: nothing of it is waited for.
	if err := errors.Join(v.explorer.Do("compare"), v.explorer.Do("next_head")); err != nil {
		t.Fatal(err)
	}
	v.well()
	v.explorer.Do("clear")
	devices(3)

	v.arm(vk.ErrDeviceLost, 1<<40)
	if err := v.explorer.Do("next_layer"); err != nil {
		t.Fatal(err)
	}
	await(t, "an error", func() bool {
		v.rest()
		return errors.Is(errors.Join(v.explorer.Failure(), v.explorer.Trouble()), vk.ErrDeviceLost)
	})
	devices(3) // it was lost in a row with the one before

	v.explorer.SetText("The fourth text.")
	v.rest()
	if err := v.explorer.Failure(); !errors.Is(err, vk.ErrDeviceLost) {
		t.Errorf("a device that is always lost: %v", err)
	}
	devices(4)

	v.left.Store(0)
	v.explorer.SetText("The fifth text.")
	v.well()
	devices(5)
}

// What does not fit into memory is an error, and the next text that does is shown.
func TestOutOfMemory(t *testing.T) {
	v := look(t)
	v.explorer.SetText("A text.")
	v.well()
	v.call = "vkCreateBuffer"
	v.arm(vk.ErrOutOfMemory, 1<<40)
	v.explorer.SetText("A text that is too long for what is left of the memory.")
	v.rest()
	if err := v.explorer.Failure(); !errors.Is(err, vk.ErrOutOfMemory) {
		t.Errorf("the error is %v", err)
	}
	v.left.Store(0)
	v.explorer.SetText("A text that fits.")
	if !same(v.well(), plain(t, "A text that fits.")) {
		t.Error("the text that fits is not shown")
	}
	if n := v.opened.Load(); n != 1 {
		t.Errorf("%d devices were opened", n)
	}
}

// A text that the model cuts says so.
func TestCutText(t *testing.T) {
	v := look(t)
	v.live.variants[0].checkpoint.Config.MaxPositions = 16
	v.explorer.SetText(strings.Repeat("word ", 30))
	v.well()
	if got, want := v.explorer.Message(), "max_position_embeddings is 16"; !strings.HasSuffix(got, want) || !strings.Contains(got, " tokens are cut off: ") {
		t.Errorf("the message is %q", got)
	}
}

// A head of a long text that is opened at once, and so is sampled first, is in the
// end what is seen of it after the overview.
func TestLongText(t *testing.T) {
	text := strings.Repeat("The keeper of the lighthouse wrote a letter to her brother. ", 110)
	directory := t.TempDir()
	direct, after := filepath.Join(directory, "a.png"), filepath.Join(directory, "b.png")
	mustCall(t, "--validate", "--text", text, "--size", "640x480", "--layer", "3", "--head", "1", "--snapshot", direct)
	mustCall(t, "--text", text, "--size", "640x480", "--play", write(t, directory, "script", "settle\npress pagedown\npress pagedown\npress pagedown\npress ]\npress enter\nsettle\n"), "--snapshot", after)
	if !same(picture(t, direct), picture(t, after)) {
		t.Error("a head that is opened at once looks otherwise")
	}
}

// Where another device shows the window than could read the cells, they come to the CPU.
func TestSpill(t *testing.T) {
	v := lookAt(t, &options{given: map[string]bool{}, model: "builtin", precision: "auto"}, smallPool)
	if err := v.explorer.Do("open"); err != nil {
		t.Fatal(err)
	}
	maps := func() int {
		frame, _ := v.explorer.Frame(time.Now())
		return len(frame.Maps)
	}
	v.explorer.SetText("The first text.")
	want := v.well()
	shared := *v.live.shared.Load()
	v.Presents(shared)
	if maps() == 0 {
		t.Fatal("no cells stay on the device")
	}
	v.Presents(shared)
	if v.live.spilled.Load() || maps() == 0 {
		t.Error("the same device cannot read the cells any more")
	}
	v.Presents(vk.Adapter{Name: "another"})
	if got := v.well(); !alike(got, want, 2) || maps() > 0 {
		t.Errorf("another device shows %d maps, of which it cannot read the cells", maps())
	}
	v.explorer.SetText("The second text.")
	if v.well(); maps() > 0 {
		t.Errorf("another device shows %d maps of the next text", maps())
	}
}

// So they do where the device fails to show them, unless it was asked to.
func TestUnreadable(t *testing.T) {
	v := lookAt(t, &options{given: map[string]bool{}, model: "builtin", precision: "auto", paint: "auto"}, smallPool)
	maps := func() int {
		frame, _ := v.explorer.Frame(time.Now())
		return len(frame.Maps)
	}
	v.explorer.SetText("A text.")
	v.well()
	if maps() == 0 || !v.Unreadable(vk.ErrClosed) || maps() > 0 {
		t.Errorf("%d maps after cells were closed", maps())
	}
	if v.well(); maps() == 0 {
		t.Error("nothing is computed anew on the device")
	}
	v.options.paint = "device"
	if v.Unreadable(vk.ErrOutOfMemory) {
		t.Error("--paint device goes on without")
	}
	v.options.paint = "auto"
	if !v.Unreadable(vk.ErrOutOfMemory) || maps() > 0 || !strings.Contains(v.explorer.Message(), "the CPU colours the maps: ") {
		t.Errorf("%d maps, the message %q", maps(), v.explorer.Message())
	}
	if v.well(); maps() > 0 {
		t.Errorf("%d maps again", maps())
	}
}

// smallPool is a window's pool without a window.
func smallPool(_ context.Context, e *engine.Engine) (*engine.Pool, error) { return e.NewPool(1 << 20) }

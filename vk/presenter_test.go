package vk

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/gazevk/gaze/shaders"
	"github.com/gazevk/gaze/tests/display"
	"github.com/go-gl/glfw/v3.3/glfw"
)

// openWindow opens a window at the top left of the test's own screen.
func openWindow(t testing.TB, width, height int) *glfw.Window {
	t.Helper()
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	if err := glfw.Init(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(glfw.Terminate)
	glfw.WindowHint(glfw.ClientAPI, glfw.NoAPI)
	w, err := glfw.CreateWindow(width, height, "test", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	settle(w, width, height)
	return w
}

// settle waits until the window has that size.
func settle(w *glfw.Window, width, height int) {
	for {
		if x, y := w.GetFramebufferSize(); x == width && y == height {
			return
		}
		glfw.WaitEventsTimeout(0.01)
	}
}

// surfaceOf makes a surface of w and counts it.
func surfaceOf(w *glfw.Window, count *int) func(any) (uintptr, error) {
	return func(instance any) (uintptr, error) {
		*count++
		defer debug.SetGCPercent(debug.SetGCPercent(-1)) // nothing keeps the surface's variable alive
		address, err := w.CreateWindowSurface(instance, nil)
		if err != nil {
			return 0, err
		}
		return **(**uintptr)(unsafe.Pointer(&address)), nil
	}
}

// openPresenter opens a presenter that the test's end closes, demanding that
// validation was silent.
func openPresenter(t testing.TB, w *glfw.Window, opts ...Option) *Presenter {
	t.Helper()
	messages := new(atomic.Int64)
	p, err := OpenPresenter("auto", program(), w.GetRequiredInstanceExtensions(), surfaceOf(w, new(int)),
		append([]Option{WithValidation(messages), WithLogger(testLogger(t))}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 2 {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
		if n := messages.Load(); n > 0 {
			t.Errorf("%d validation messages", n)
		}
		wantError(t, p.Present(context.Background(), plain(noise(1, 1))), ErrClosed, "the presenter")
	})
	return p
}

// noise returns a frame in which no two pixels need be equal.
func noise(width, height int) *image.RGBA {
	frame := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range frame.Pix {
		frame.Pix[i] = byte(rand.Uint32())
		if i%4 == 3 {
			frame.Pix[i] = 0xff
		}
	}
	return frame
}

// plain is a frame of nothing but an overlay.
func plain(overlay *image.RGBA) *Frame {
	return &Frame{Overlay: &image.NRGBA{Pix: overlay.Pix, Stride: overlay.Stride, Rect: overlay.Rect}}
}

// program is what draws.
func program() Program {
	vertex, fragment := shaders.Frame()
	return Program{vertex, fragment}
}

func present(t testing.TB, p *Presenter, frame *image.RGBA) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := p.Present(ctx, plain(frame)); err != nil {
		t.Fatal(err)
	}
}

// The screen shows exactly the pixels of each frame; of frames that are larger,
// smaller or a part of another, what lies in the window, and black around it.
func TestPresent(t *testing.T) {
	screen := display.Start(t, 640, 480)
	const width, height = 301, 203
	p := openPresenter(t, openWindow(t, width, height))
	if p.Adapter().Name == "" {
		t.Error("the presenter's device has no name")
	}
	for range 10 {
		frame := noise(width, height)
		present(t, p, frame)
		screen.Await(t, frame)
	}
	large := noise(500, 400)
	present(t, p, large)
	screen.Await(t, large.SubImage(image.Rect(0, 0, width, height)).(*image.RGBA))
	for _, part := range []*image.RGBA{
		large.SubImage(image.Rect(17, 31, 117, 400)).(*image.RGBA),
		large.SubImage(image.Rect(17, 31, 500, 50)).(*image.RGBA),
		large.SubImage(image.Rect(400, 300, 500, 400)).(*image.RGBA),
		{},
	} {
		present(t, p, part)
		want := image.NewRGBA(image.Rect(0, 0, width, height))
		for y := range min(height, part.Rect.Dy()) {
			for x := range min(width, part.Rect.Dx()) {
				want.SetRGBA(x, y, part.RGBAAt(part.Rect.Min.X+x, part.Rect.Min.Y+y))
			}
		}
		screen.Await(t, want)
	}
}

func TestPresentAfterResize(t *testing.T) {
	screen := display.Start(t, 640, 480)
	w := openWindow(t, 300, 200)
	p := openPresenter(t, w)
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		width, height := 1+random.IntN(600), 1+random.IntN(400)
		w.SetSize(width, height)
		settle(w, width, height)
		frame := noise(width, height)
		present(t, p, frame)
		screen.Await(t, frame)
	}
	if used := p.d.heap.used; used > 2*blockSize {
		t.Errorf("%d bytes of memory are left of old sizes", used)
	}
}

// A window that changes under the presenter's hands, between any two of its
// calls, still gets the frame.
func TestPresentWhileResizing(t *testing.T) {
	screen := display.Start(t, 640, 480)
	w := openWindow(t, 300, 200)
	for _, call := range []string{"vkGetPhysicalDeviceSurfaceCapabilitiesKHR", "vkAcquireNextImageKHR", "vkQueueSubmit", "vkQueuePresentKHR"} {
		armed := false
		p := openPresenter(t, w, WithFaults(func(name string) error {
			if armed && name == call {
				armed = false
				w.SetSize(400, 250)
				settle(w, 400, 250)
			}
			return nil
		}))
		for range 3 {
			w.SetSize(300, 200)
			settle(w, 300, 200)
			frame := noise(400, 250)
			present(t, p, frame)
			screen.Await(t, frame.SubImage(image.Rect(0, 0, 300, 200)).(*image.RGBA))
			armed = true
			frame = noise(400, 250)
			present(t, p, frame)
			present(t, p, frame)
			screen.Await(t, frame)
			if armed {
				t.Errorf("%s was not called", call)
			}
		}
		p.Close()
	}
}

// Each call fails in turn, once or for good: the error wraps the reason,
// nothing crashes, and validation finds nothing left behind.
func TestEveryPresenterCallFails(t *testing.T) {
	display.Start(t, 640, 480)
	w := openWindow(t, 100, 80)
	calls := map[string]int{}
	c := newCells(t, 5000, 2000)
	if _, err := presentSome(w, c, WithFaults(func(call string) error { calls[call]++; return nil })); err != nil {
		t.Fatal(err)
	}
	// The memory of this session wants to be flushed.
	for _, name := range append(namedCalls(t, true), "vkFlushMappedMemoryRanges") {
		if calls[name] == 0 {
			t.Errorf("no frame takes %s", name)
		}
	}
	// Smaller allocations serve where a block does not fit, and other memory where one cannot be mapped.
	list, err := Adapters()
	if err != nil {
		t.Fatal(err)
	}
	others := len(list) > 1 // present where one device fails
	survives := map[string]bool{"vkAllocateMemory": true, "vkMapMemory": true,
		"vkGetPhysicalDeviceSurfaceSupportKHR": others, "vkGetPhysicalDeviceSurfaceCapabilitiesKHR": others}
	for call, times := range calls {
		for first := 1; first <= min(times, 3); first++ {
			for _, reason := range []error{ErrDeviceLost, ErrOutOfMemory} {
				made := 0
				messages := new(atomic.Int64)
				files := descriptors()
				p, err := presentSome(w, c, WithValidation(messages), WithLogger(testLogger(t)), WithFaults(func(name string) error {
					if name == call {
						if made++; made == first {
							return reason
						}
					}
					return nil
				}))
				title := fmt.Sprintf("%v at %s, %d of %d", reason, call, first, times)
				if err == nil && !(reason == ErrOutOfMemory && survives[call]) || err != nil && !errors.Is(err, reason) {
					t.Errorf("%s: %v", title, err)
				}
				if n := messages.Load(); n > 0 {
					t.Errorf("%s: %d validation messages", title, n)
				}
				if p != nil && (len(p.d.open) > 0 || p.d.heap.used > 0) {
					t.Errorf("%s: left %v, %d bytes", title, p.d.open, p.d.heap.used)
				}
				if now := descriptors(); now > files {
					t.Errorf("%s: %d open files became %d", title, files, now)
				}
			}
		}
	}
}

// presentSome opens a presenter, shows frames without grids and with some, and closes it.
func presentSome(w *glfw.Window, c *cells, opts ...Option) (*Presenter, error) {
	p, err := OpenPresenter("auto", program(), w.GetRequiredInstanceExtensions(), surfaceOf(w, new(int)), append(opts, apart)...)
	if err != nil {
		return nil, err
	}
	for _, grids := range []int{0, 0, 8, 8} {
		if err == nil {
			err = p.Present(context.Background(), &c.frame(100, 80, grids).Frame)
		}
	}
	return p, errors.Join(err, p.Close())
}

// What the window system takes away comes back: the swapchain where the window
// has changed, the surface through its maker, a lost device by opening another
// presenter. What never comes back is an error, and not an endless loop.
func TestPresenterRecovers(t *testing.T) {
	screen := display.Start(t, 640, 480)
	w := openWindow(t, 100, 80)
	for _, c := range []struct {
		reason   error
		call     string
		surfaces int // made anew
	}{
		{errOutOfDate, "vkAcquireNextImageKHR", 0},
		{errOutOfDate, "vkQueuePresentKHR", 0},
		{errOutOfDate, "vkCreateSwapchainKHR", 0},
		{errSurfaceLost, "vkAcquireNextImageKHR", 1},
		{errSurfaceLost, "vkQueuePresentKHR", 1},
		{errSurfaceLost, "vkCreateSwapchainKHR", 1},
		{errSurfaceLost, "vkGetPhysicalDeviceSurfaceCapabilitiesKHR", 1},
	} {
		left, surfaces := 0, 0
		messages := new(atomic.Int64)
		faults := WithFaults(func(call string) error {
			if left > 0 && call == c.call {
				left--
				return c.reason
			}
			return nil
		})
		p, err := OpenPresenter("auto", program(), w.GetRequiredInstanceExtensions(), surfaceOf(w, &surfaces), faults, WithValidation(messages), WithLogger(testLogger(t)))
		if err != nil {
			t.Fatal(err)
		}
		title := fmt.Sprintf("%v at %s", c.reason, c.call)
		for range 3 {
			if c.call != "vkCreateSwapchainKHR" { // so that the fault meets a swapchain that was in use
				present(t, p, noise(100, 80))
			} else {
				p.closeChain()
			}
			left, surfaces = 1, 0
			frame := noise(100, 80)
			present(t, p, frame)
			screen.Await(t, frame)
			if left > 0 || surfaces != c.surfaces {
				t.Errorf("%s: %d faults left, %d surfaces made, want %d", title, left, surfaces, c.surfaces)
			}
		}
		p.closeChain()
		left = 1000
		wantError(t, p.Present(context.Background(), plain(noise(100, 80))), c.reason, "vk: ")
		left = 0
		present(t, p, noise(100, 80))
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if n := messages.Load(); n > 0 {
			t.Errorf("%s: %d validation messages", title, n)
		}
	}

	losing := false
	p := openPresenter(t, w, WithFaults(func(call string) error {
		if losing {
			return ErrDeviceLost
		}
		return nil
	}))
	present(t, p, noise(100, 80))
	losing = true
	for range 2 {
		wantError(t, p.Present(context.Background(), plain(noise(100, 80))), ErrDeviceLost, "open it again")
		losing = false // it stays lost
	}
	p.Close()
	again := openPresenter(t, w)
	frame := noise(100, 80)
	present(t, again, frame)
	screen.Await(t, frame)
}

func TestPresentCancelled(t *testing.T) {
	screen := display.Start(t, 640, 480)
	p := openPresenter(t, openWindow(t, 100, 80))
	shown := noise(100, 80)
	present(t, p, shown)
	screen.Await(t, shown)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := p.Present(ctx, plain(noise(100, 80))); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	screen.Await(t, shown)
}

func TestOpenPresenterErrors(t *testing.T) {
	display.Start(t, 640, 480)
	w := openWindow(t, 100, 80)
	extensions := w.GetRequiredInstanceExtensions()
	_, err := OpenPresenter("no such card", program(), extensions, surfaceOf(w, new(int)))
	wantError(t, err, ErrNoDevice, `matches "no such card"`)
	_, err = OpenPresenter("auto", program(), append(extensions, "VK_NO_such"), surfaceOf(w, new(int)))
	wantError(t, err, ErrNotSupported, "vkCreateInstance")
	_, err = OpenPresenter("auto", program(), make([]string, 100), surfaceOf(w, new(int)))
	wantError(t, err, ErrNotSupported, "vkCreateInstance")
	_, err = OpenPresenter("auto", program(), nil, surfaceOf(w, new(int)))
	wantError(t, err, ErrNotSupported, "vk: the window system knows no Vulkan surfaces")
	reason := errors.New("a fault of the test")
	_, err = OpenPresenter("auto", program(), extensions, func(any) (uintptr, error) { return 0, reason })
	wantError(t, err, reason, "vk: no surface could be made of the window: a fault of the test")
}

// A screen of 256 colors is none that a device presents frames to.
func TestNoDevicePresents(t *testing.T) {
	display.StartDepth(t, 640, 480, 8)
	w := openWindow(t, 100, 80)
	_, err := OpenPresenter("auto", program(), w.GetRequiredInstanceExtensions(), surfaceOf(w, new(int)))
	wantError(t, err, ErrNoDevice, "vk: no Vulkan device has a queue that both draws and presents to this window, in 8 bits a colour; there is 0: ")
}

// A frame that failed leaves the presenter fit for the next one.
func TestPresentAfterFailure(t *testing.T) {
	screen := display.Start(t, 640, 480)
	w := openWindow(t, 100, 80)
	failing := ""
	p := openPresenter(t, w, WithFaults(func(call string) error {
		if call == failing {
			failing = ""
			return ErrOutOfMemory
		}
		return nil
	}))
	c := newCells(t, 5000)
	const always, chain, painter = 0, 1, 2 // made with each frame, with a swapchain, with the first of its kind
	for call, when := range map[string]int{
		"vkGetPhysicalDeviceSurfaceCapabilitiesKHR": always, "vkAcquireNextImageKHR": always, "vkQueueSubmit": always, "vkQueuePresentKHR": always,
		"vkEndCommandBuffer": always, "vkCreateCommandPool": always,
		"vkCreateSwapchainKHR": chain, "vkGetSwapchainImagesKHR": chain, "vkCreateSemaphore": chain, "vkCreateImageView": chain, "vkCreateFramebuffer": chain,
		"vkCreateDescriptorSetLayout": painter, "vkCreatePipelineLayout": painter, "vkCreateRenderPass": painter, "vkCreateShaderModule": painter,
		"vkCreateGraphicsPipelines": painter, "vkCreateBuffer": painter, "vkBindBufferMemory": painter, "vkCreateDescriptorPool": painter, "vkAllocateDescriptorSets": painter,
	} {
		for range 5 { // more often than a swapchain has images
			present(t, p, noise(100, 80))
			if when != always {
				p.closeChain()
			}
			if when == painter {
				p.painter.close()
				p.painter = newPainter(p.d, program())
			}
			failing = call
			wantError(t, p.Present(context.Background(), &c.frame(100, 80, 3).Frame), ErrOutOfMemory, call)
			f := c.frame(100, 80, 3)
			if err := p.Present(context.Background(), &f.Frame); err != nil {
				t.Fatalf("after %s: %v", call, err)
			}
			screen.Await(t, f.flat(100, 80))
		}
	}
}

// The staging buffer holds one frame: the next is laid into it only once the
// device has read the last.
func TestPresentWaitsForLastCopy(t *testing.T) {
	display.Start(t, 640, 480)
	var calls []string
	p := openPresenter(t, openWindow(t, 100, 80), WithFaults(func(call string) error {
		calls = append(calls, call)
		return nil
	}))
	present(t, p, noise(100, 80))
	calls = nil
	present(t, p, noise(100, 80))
	wait, acquire := slices.Index(calls, "vkWaitForFences"), slices.Index(calls, "vkAcquireNextImageKHR")
	if wait < 0 || wait > acquire {
		t.Errorf("the second frame makes the calls %v", calls)
	}
}

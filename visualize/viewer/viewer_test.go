package viewer

import (
	"context"
	"errors"
	"fmt"
	"image"
	"log"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gazevk/gaze/tests/display"
	"github.com/gazevk/gaze/visualize/explore"
	"github.com/gazevk/gaze/vk"
)

// A session is an app in a window on a screen of the test's own.
type session struct {
	t       *testing.T
	screen  *display.Display
	window  *Window
	ended   chan error
	handled chan explore.Event
	frames  atomic.Int64 // calls of Frame

	lock    sync.Mutex // guards the rest
	frame   *image.RGBA
	changed bool
	jobs    []func() // for the window's thread
	maps    []explore.Map

	unreadable []error // of calls of Unreadable
	stubborn   bool    // shows them nevertheless
}

func (s *session) Handle(e explore.Event) {
	if r, ok := e.(explore.Resize); ok {
		s.show(noise(r.Width, r.Height))
	}
	s.handled <- e
}

func (s *session) Frame(time.Time) (*explore.Frame, bool) {
	s.lock.Lock()
	frame, changed, jobs, maps := s.frame, s.changed, s.jobs, s.maps
	s.changed, s.jobs = false, nil
	s.lock.Unlock()
	s.frames.Add(1)
	for _, do := range jobs {
		do()
	}
	return &explore.Frame{Over: &image.NRGBA{Pix: frame.Pix, Stride: frame.Stride, Rect: frame.Rect},
		Maps: maps, Levels: make([]explore.Levels, 1), Palettes: make([]explore.Palette, 1)}, changed
}

func (s *session) Presents(vk.Adapter) {}
func (s *session) Presented()          {}

// Unreadable leaves out the maps.
func (s *session) Unreadable(reason error) bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.maps, s.unreadable = nil, append(s.unreadable, reason)
	return !s.stubborn
}

// show makes frame the app's, which a Wake must follow.
func (s *session) show(frame *image.RGBA) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.frame, s.changed = frame, true
}

func (s *session) shown() *image.RGBA {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.frame
}

// onThread runs do on the window's thread.
func (s *session) onThread(do func()) {
	s.t.Helper()
	done := make(chan bool)
	s.lock.Lock()
	s.jobs = append(s.jobs, func() { do(); close(done) })
	s.lock.Unlock()
	s.window.Wake()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		s.t.Fatal("Wake did not wake the window")
	}
}

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

// start opens a window of 300 x 200 at the top left of a screen. The test's end
// closes it, demanding no error and that validation was silent.
func start(t *testing.T, screen *display.Display, opts ...vk.Option) *session {
	t.Helper()
	return startOfSize(t, screen, explore.Resize{Width: 300, Height: 200, Density: 1}, opts...)
}

func startOfSize(t *testing.T, screen *display.Display, size explore.Resize, opts ...vk.Option) *session {
	t.Helper()
	s := &session{t: t, screen: screen, ended: make(chan error, 1), handled: make(chan explore.Event, 10000)}
	messages := new(atomic.Int64)
	opened := make(chan *Window, 1)
	logger := slog.New(slog.NewTextHandler(testWriter{t}, nil))
	go func() {
		s.ended <- Run(context.Background(), Options{Title: "gaze window", Width: 300, Height: 200, Device: "auto",
			Vulkan: append(opts, vk.WithValidation(messages), vk.WithLogger(logger))},
			func(w *Window) App { s.window = w; opened <- w; return s })
	}()
	select {
	case <-opened:
	case err := <-s.ended:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.window.Close()
		if err := <-s.ended; err != nil {
			t.Error(err)
		}
		if n := messages.Load(); n > 0 {
			t.Errorf("%d validation messages", n)
		}
		// A window that is gone does nothing.
		s.window.Wake()
		s.window.SetTitle("gone")
		s.window.SetClipboard("gone")
		if label := s.window.KeyLabel("a"); label != "a" {
			t.Errorf("a window that is gone calls A %q", label)
		}
	})
	s.expect(size)
	return s
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}

// expect waits for these events, in this order and none between, except that
// moves and resizes may come between where none is wanted.
func (s *session) expect(want ...explore.Event) {
	s.t.Helper()
	same := func(a, b explore.Event) bool { return fmt.Sprintf("%T", a) == fmt.Sprintf("%T", b) }
	var got []explore.Event
	for len(got) < len(want) {
		select {
		case e := <-s.handled:
			passing := same(e, explore.Move{}) || same(e, explore.Resize{})
			if passing && !slices.ContainsFunc(want, func(w explore.Event) bool { return same(e, w) }) {
				continue
			}
			got = append(got, e)
		case <-time.After(10 * time.Second):
			s.t.Fatalf("got the events %#v, want %#v", got, want)
		}
	}
	if g, w := fmt.Sprintf("%#v", got), fmt.Sprintf("%#v", want); g != w {
		s.t.Errorf("got the events %s, want %s", g, w)
	}
}

// settle drops the events that have come. A click that is awaited tells that
// none is under way any more.
func (s *session) settle() {
	s.t.Helper()
	s.screen.Xdotool(s.t, "click", "3")
	for {
		select {
		case e := <-s.handled:
			if e == (explore.Click{Button: explore.Right}) {
				return
			}
		case <-time.After(10 * time.Second):
			s.t.Fatal("a click did not come")
		}
	}
}

func TestFrames(t *testing.T) {
	screen := display.Start(t, 640, 480)
	s := start(t, screen)
	screen.Await(t, s.shown())
	for range 10 {
		s.show(noise(300, 200))
		s.window.Wake()
		screen.Await(t, s.shown())
	}
	// What was not announced as changed is not shown.
	before := s.shown()
	s.lock.Lock()
	s.frame = noise(300, 200)
	s.lock.Unlock()
	s.onThread(func() {})
	s.onThread(func() {})
	screen.Await(t, before)
}

// A window in which nothing happens does nothing.
func TestIdle(t *testing.T) {
	screen := display.Start(t, 640, 480)
	s := start(t, screen)
	screen.Await(t, s.shown())
	screen.Xdotool(t, "mousemove", "50", "50")
	s.settle()
	time.Sleep(200 * time.Millisecond) // what the mouse still does to the window
	before := s.frames.Load()
	time.Sleep(500 * time.Millisecond)
	if after := s.frames.Load(); after != before {
		t.Errorf("%d frames were asked for in half a second without events", after-before)
	}
}

func TestResize(t *testing.T) {
	screen := display.Start(t, 640, 480)
	s := start(t, screen)
	window := strings.TrimSpace(screen.Xdotool(t, "search", "--name", "^gaze window$"))
	random := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		width, height := 1+random.IntN(600), 1+random.IntN(400)
		screen.Xdotool(t, "windowsize", window, fmt.Sprint(width), fmt.Sprint(height))
		s.expect(explore.Resize{Width: width, Height: height, Density: 1})
		screen.Await(t, s.shown())
	}
	// Faster than anybody draws: the last size stays.
	for i := range 50 {
		screen.Xdotool(t, "windowsize", window, fmt.Sprint(100+10*i), fmt.Sprint(300-5*i))
	}
	for e := range s.handled {
		if e == (explore.Resize{Width: 590, Height: 55, Density: 1}) {
			break
		}
	}
	screen.Await(t, s.shown())
	for range 5 { // hidden and shown again, as minimizing does
		screen.Xdotool(t, "windowunmap", "--sync", window)
		s.show(noise(590, 55))
		s.window.Wake()
		s.onThread(func() {})
		screen.Await(t, image.NewRGBA(image.Rect(0, 0, 590, 55)))
		screen.Xdotool(t, "windowmap", "--sync", window)
		screen.Await(t, s.shown())
	}
}

// On a dense screen the window has more pixels, and so has the frame.
func TestDensity(t *testing.T) {
	for _, c := range []struct {
		dots int
		want explore.Resize
	}{
		{96, explore.Resize{Width: 300, Height: 200, Density: 1}},
		{120, explore.Resize{Width: 375, Height: 250, Density: 1}},
		{144, explore.Resize{Width: 450, Height: 300, Density: 2}},
		{192, explore.Resize{Width: 600, Height: 400, Density: 2}},
		{48, explore.Resize{Width: 150, Height: 100, Density: 1}},
		{24, explore.Resize{Width: 75, Height: 50, Density: 1}},
	} {
		t.Run(fmt.Sprint(c.dots), func(t *testing.T) {
			screen := display.Start(t, 640, 480)
			screen.Density(t, c.dots)
			s := startOfSize(t, screen, c.want)
			screen.Await(t, s.shown())
			screen.Xdotool(t, "mousemove", "10", "10")
			s.settle()
			screen.Xdotool(t, "mousemove", "40", "30")
			s.expect(explore.Move{X: 40, Y: 30})
		})
	}
}

// No tool here drags files; GLFW's callback gets them.
func TestDrop(t *testing.T) {
	s := start(t, display.Start(t, 640, 480))
	s.onThread(func() {
		s.window.window.SetDropCallback(nil)(s.window.window, []string{"/a text.txt", "/b"})
	})
	if drop, ok := (<-s.handled).(explore.Drop); !ok || !slices.Equal(drop.Paths, []string{"/a text.txt", "/b"}) {
		t.Errorf("%#v", drop)
	}
}

func TestTitle(t *testing.T) {
	screen := display.Start(t, 640, 480)
	s := start(t, screen)
	s.onThread(func() { s.window.SetTitle("layer 3, head 5 — ∑") })
	window := strings.TrimSpace(screen.Xdotool(t, "search", "--name", "layer 3"))
	if name := strings.TrimSpace(screen.Xdotool(t, "getwindowname", window)); name != "layer 3, head 5 — ∑" {
		t.Errorf("the window is called %q", name)
	}
}

// A device that is lost is opened again, and the window goes on; one that no
// frame survives ends it.
func TestDeviceLost(t *testing.T) {
	screen := display.Start(t, 640, 480)
	var left, opened atomic.Int64
	s := start(t, screen, vk.WithFaults(func(call string) error {
		switch {
		case call == "vkCreateDevice":
			opened.Add(1)
		case call == "vkQueueSubmit" && left.Load() > 0:
			left.Add(-1)
			return vk.ErrDeviceLost
		}
		return nil
	}))
	screen.Await(t, s.shown())
	for n := range 3 {
		left.Store(1)
		s.show(noise(300, 200))
		s.window.Wake()
		screen.Await(t, s.shown())
		if got := opened.Load(); got != int64(n+2) {
			t.Errorf("%d devices were opened, want %d", got, n+2)
		}
	}
	left.Store(1000)
	s.show(noise(300, 200))
	s.window.Wake()
	err := <-s.ended
	if !errors.Is(err, vk.ErrDeviceLost) {
		t.Errorf("%v", err)
	}
	s.ended <- nil
}

func TestEnds(t *testing.T) {
	logs := log.Writer()
	screen := display.Start(t, 640, 480)
	s := start(t, screen)
	s.onThread(func() { s.window.window.SetShouldClose(true) }) // what the cross in the title bar does
	if err := <-s.ended; err != nil {
		t.Errorf("closed by hand: %v", err)
	}
	s.ended <- nil

	ctx, cancel := context.WithCancel(context.Background())
	err := Run(ctx, Options{Title: "x", Width: 10, Height: 10}, func(w *Window) App {
		time.AfterFunc(100*time.Millisecond, cancel)
		return &session{handled: make(chan explore.Event, 100)}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if log.Writer() != logs {
		t.Error("what others log goes astray")
	}
}

// Each thing that keeps a window from opening is one sentence, with nothing
// printed beside it.
func TestNoWindow(t *testing.T) {
	const child = "GAZE_TEST_NO_WINDOW"
	if os.Getenv(child) != "" {
		err := Run(context.Background(), Options{Title: "x", Width: 10, Height: 10}, nil)
		fmt.Printf("<%v>\n", err)
		os.Exit(0)
	}
	palette := display.StartDepth(t, 640, 480, 8).Name
	screen := display.Start(t, 640, 480).Name
	hidden := t.TempDir()
	for _, name := range []string{"libvulkan.so.1", "libvulkan.so"} {
		if err := os.WriteFile(hidden+"/"+name, []byte("not a library"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		set  string
		want string
	}{
		{"DISPLAY=", "there is no screen, because DISPLAY is not set"},
		{"DISPLAY=:54321", "X11: Failed to open display :54321"},
		{"DISPLAY=" + palette, "vk: no Vulkan device has a queue that both draws and presents to this window, in 8 bits a colour; there is "},
		{"DISPLAY=" + screen + " LD_LIBRARY_PATH=" + hidden, "the window system finds no Vulkan loader"},
		{"DISPLAY=" + screen + " VK_DRIVER_FILES=/none.json VK_ICD_FILENAMES=/none.json", "VK_DRIVER_FILES=/none.json hides all other drivers"},
	} {
		again := exec.Command(os.Args[0], "-test.run=^TestNoWindow$")
		again.Env = append(append(os.Environ(), child+"=1"), strings.Fields(c.set)...)
		out, err := again.CombinedOutput()
		text := string(out)
		if err != nil || !strings.HasPrefix(text, "<viewer: no window can be shown: ") || !strings.Contains(text, c.want) ||
			!strings.HasSuffix(text, "; \"gaze map\" draws the same maps to files and needs none, and \"gaze-view --snapshot FILE\" what the window would show>\n") || strings.Count(text, "\n") != 1 {
			t.Errorf("%s: %v\n%s", c.set, err, out)
		}
	}
}

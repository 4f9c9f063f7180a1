// Package viewer is a window: it shows the frames of an [App] and tells it what
// a person does, and knows nothing of what the frames show. GLFW opens the
// window and package vk presents to it. On Linux it is a window of X11, which
// Wayland desktops show too.
//
// Importing it keeps the main goroutine on the main thread, which macOS demands.
package viewer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/go-gl/glfw/v3.3/glfw"

	"github.com/gazevk/gaze/shaders"
	"github.com/gazevk/gaze/visualize/explore"
	"github.com/gazevk/gaze/vk"
)

func init() { runtime.LockOSThread() }

// An App draws frames and hears events, on one thread: that of Run.
type App interface {
	Handle(explore.Event)
	// Frame returns the picture as it is now, of the size of the last Resize, and
	// whether it has changed since the last call. It may be reused once Frame is
	// called again.
	Frame(now time.Time) (frame *explore.Frame, changed bool)
	// Presents tells which device shows the frames, before the first and when
	// another takes its place. Rooms of maps must be of [Memory] that it can read.
	Presents(device vk.Adapter)
	// Presented tells that the last frame is shown, and that what only those before
	// it show is not read any more.
	Presented()
	// Unreadable tells why a frame with maps cannot be shown: the error wraps
	// [vk.ErrClosed] where the device that computed cells was closed, else the
	// presenting device cannot have them. It reports whether the next frame shows
	// none of them; otherwise the window ends with the error.
	Unreadable(reason error) (others bool)
}

// Memory is what a room of a frame's maps must be too: where the presenting device
// finds its cells, from the first on.
type Memory interface {
	Memory() (cells *vk.Shared, first int)
}

// Options are those of Run.
type Options struct {
	Title         string
	Width, Height int         // of the window at first, in pixels of the layout
	Device        string      // that shows the frames, as vk.Open has it; another where it cannot
	Vulkan        []vk.Option // for that device
}

// patience is how long a frame waits for a display that takes none, before
// events are looked at again.
const patience = 100 * time.Millisecond

// Run opens a window, asks open for its app, and shows the app's frames until
// the window is closed, which is no error, or ctx ends. Between events it
// sleeps: what else changes frames must call [Window.Wake]. It must be called
// on the main goroutine.
func Run(ctx context.Context, o Options, open func(*Window) App) (err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	said := overhear()
	defer said.stop()
	defer func() { // the binding panics with what GLFW reports
		if caught := recover(); caught != nil {
			reason, ok := caught.(*glfw.Error)
			if !ok {
				panic(caught)
			}
			err = noWindow(said.or(reason))
		}
	}()
	w := &Window{ctx: ctx, options: o}
	defer func() { err = errors.Join(err, w.shut()) }()
	if err := w.start(said); err != nil {
		return noWindow(err)
	}
	defer context.AfterFunc(ctx, w.Wake)()
	w.app = open(w)
	w.app.Presents(w.presenter.Adapter())
	w.listen()
	w.resized()
	for w.draw(); w.goesOn(); w.draw() {
		if w.stale {
			glfw.WaitEventsTimeout(patience.Seconds())
		} else {
			glfw.WaitEvents()
		}
	}
	return errors.Join(w.err, ctx.Err())
}

func noWindow(reason error) error {
	return fmt.Errorf("viewer: no window can be shown: %w; \"gaze map\" draws the same maps to files and needs none, and \"gaze-view --snapshot FILE\" what the window would show", reason)
}

// start opens the window and what presents to it.
func (w *Window) start(said *sayings) error {
	switch runtime.GOOS {
	case "darwin", "windows":
	default:
		if os.Getenv("DISPLAY") == "" {
			return errors.New("there is no screen, because DISPLAY is not set")
		}
	}
	glfw.InitHint(glfw.CocoaChdirResources, glfw.False) // file names are relative to where the program was started
	if err := glfw.Init(); err != nil {
		return err
	}
	glfw.WindowHint(glfw.ClientAPI, glfw.NoAPI)
	glfw.WindowHint(glfw.ScaleToMonitor, glfw.True)
	glfw.WindowHintString(glfw.X11ClassName, "gaze")
	if !glfw.VulkanSupported() {
		return errors.New("the window system finds no Vulkan loader")
	}
	window, err := glfw.CreateWindow(w.options.Width, w.options.Height, w.options.Title, nil, nil)
	if err != nil {
		return err
	}
	if window == nil {
		return said.or(errors.New("the window system refuses"))
	}
	w.lock.Lock()
	w.window = window
	w.lock.Unlock()
	return w.openPresenter()
}

func (w *Window) openPresenter() (err error) {
	vertex, fragment := shaders.Frame()
	w.presenter, err = vk.OpenPresenter(w.options.Device, vk.Program{Vertex: vertex, Fragment: fragment}, w.window.GetRequiredInstanceExtensions(), w.surface, w.options.Vulkan...)
	return err
}

// shut frees everything, in order.
func (w *Window) shut() error {
	err := w.presenter.Close()
	w.lock.Lock()
	defer w.lock.Unlock()
	w.window = nil
	glfw.Terminate()
	return err
}

// goesOn reports whether the window stays.
func (w *Window) goesOn() bool {
	return w.err == nil && w.ctx.Err() == nil && !w.closing.Load() && !w.window.ShouldClose()
}

// draw shows the app's frame if it has changed or the window lost it.
func (w *Window) draw() {
	if !w.goesOn() {
		return
	}
	frame, changed := w.app.Frame(time.Now())
	w.stale = w.stale || changed
	if !w.stale || frame == nil {
		return
	}
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	err := w.presenter.Present(ctx, w.convert(frame))
	if errors.Is(err, vk.ErrDeviceLost) { // once a frame: a device that no frame survives is of no use
		w.presenter.Close()
		if err = w.openPresenter(); err == nil {
			w.app.Presents(w.presenter.Adapter())
			frame, _ = w.app.Frame(time.Now()) // another device may need another
			err = w.presenter.Present(ctx, w.convert(frame))
		}
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, vk.ErrDeviceLost) && len(frame.Maps) > 0 && w.app.Unreadable(err) {
		frame, _ = w.app.Frame(time.Now())
		err = w.presenter.Present(ctx, w.convert(frame))
	}
	switch {
	case err == nil:
		w.stale = false
		w.app.Presented()
	case !errors.Is(err, ctx.Err()): // a display that takes no frame now may take it later
		w.err = err
	}
}

// convert returns a frame as package vk knows it, which knows nothing of maps. It
// lies in the window, and in the frame.
func (w *Window) convert(f *explore.Frame) *vk.Frame {
	to := &w.drawn
	*to = vk.Frame{Overlay: f.Over, Grids: to.Grids[:0], Levels: to.Levels[:0], Palettes: to.Palettes[:0]}
	for _, m := range f.Maps {
		cells, first := m.Room.(Memory).Memory()
		to.Grids = append(to.Grids, vk.Grid{Box: m.Box, Columns: m.Columns, Rows: m.Rows, Cells: cells, First: first + m.First, Stride: m.Stride,
			Levels: m.Levels, Palette: m.Palette, Hatch: m.Hatch})
	}
	for _, l := range f.Levels {
		to.Levels = append(to.Levels, vk.Levels(l))
	}
	for _, p := range f.Palettes {
		to.Palettes = append(to.Palettes, vk.Palette(p))
	}
	return to
}

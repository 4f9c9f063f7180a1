package viewer

import (
	"context"
	"math"
	"sync"
	"sync/atomic"

	"github.com/go-gl/glfw/v3.3/glfw"

	"github.com/gazevk/gaze/visualize/explore"
	"github.com/gazevk/gaze/vk"
)

// A Window is the one that Run opened. Once that has returned no method does
// anything. All but Wake and Close are for the thread of Run only.
type Window struct {
	ctx       context.Context
	options   Options
	app       App
	presenter *vk.Presenter
	err       error // that ends Run

	lock    sync.Mutex   // guards window against Wake
	window  *glfw.Window // nil once closed
	closing atomic.Bool

	drawn          vk.Frame
	stale          bool // the window does not show the last frame
	size           explore.Resize
	scaleX, scaleY float64 // pixels of the frame per unit of the mouse
	held           int     // mouse buttons
}

// Wake makes Run ask for a frame. Any goroutine may call it.
func (w *Window) Wake() {
	w.lock.Lock()
	defer w.lock.Unlock()
	if w.window != nil {
		post()
	}
}

// Close ends Run. Any goroutine may call it.
func (w *Window) Close() {
	w.closing.Store(true)
	w.Wake()
}

// SetTitle changes the window's title.
func (w *Window) SetTitle(title string) {
	if w.window != nil {
		w.window.SetTitle(title)
	}
}

// SetClipboard puts text where other programs paste it from.
func (w *Window) SetClipboard(text string) {
	if w.window != nil {
		glfw.SetClipboardString(text)
	}
}

// listen passes everything that happens to the window on to the app.
func (w *Window) listen() {
	// These say whether the number pad is one of numbers.
	w.window.SetInputMode(glfw.LockKeyMods, glfw.True)
	w.window.SetFramebufferSizeCallback(func(*glfw.Window, int, int) { w.resized() })
	w.window.SetContentScaleCallback(func(*glfw.Window, float32, float32) { w.resized() })
	// Some systems ask for frames while they keep Run waiting, for as long as an edge is dragged.
	w.window.SetRefreshCallback(func(*glfw.Window) {
		w.stale = true
		w.draw()
	})
	w.window.SetKeyCallback(func(_ *glfw.Window, key glfw.Key, scancode int, action glfw.Action, mods glfw.ModifierKey) {
		if action != glfw.Release {
			w.pressed(key, scancode, mods)
		}
	})
	w.window.SetCharCallback(func(_ *glfw.Window, char rune) { w.app.Handle(explore.Rune{Rune: char}) })
	w.window.SetCursorPosCallback(func(_ *glfw.Window, x, y float64) { w.moved(x, y) })
	w.window.SetCursorEnterCallback(func(_ *glfw.Window, entered bool) {
		if !entered && w.held == 0 { // what is dragged out has not left
			w.app.Handle(explore.Move{X: -1, Y: -1})
		}
	})
	w.window.SetMouseButtonCallback(func(_ *glfw.Window, button glfw.MouseButton, action glfw.Action, mods glfw.ModifierKey) {
		w.clicked(button, action == glfw.Press, mods)
	})
	w.window.SetScrollCallback(func(_ *glfw.Window, x, y float64) {
		w.app.Handle(explore.Wheel{X: x, Y: y, Modifiers: w.heldModifiers()})
	})
	w.window.SetDropCallback(func(_ *glfw.Window, paths []string) { w.app.Handle(explore.Drop{Paths: paths}) })
}

// resized tells the app the frame's size, unless the window has no area.
func (w *Window) resized() {
	width, height := w.window.GetFramebufferSize()
	windowWidth, windowHeight := w.window.GetSize()
	if width < 1 || height < 1 || windowWidth < 1 || windowHeight < 1 {
		return
	}
	w.scaleX, w.scaleY = float64(width)/float64(windowWidth), float64(height)/float64(windowHeight)
	scale, _ := w.window.GetContentScale()
	w.stale = true
	// Of several changes at once each finds the last size here.
	if size := (explore.Resize{Width: width, Height: height, Density: max(1, int(math.Round(float64(scale))))}); size != w.size {
		w.size = size
		w.app.Handle(size)
	}
}

func (w *Window) moved(x, y float64) { w.app.Handle(explore.Move{X: x * w.scaleX, Y: y * w.scaleY}) }

func (w *Window) clicked(button glfw.MouseButton, down bool, mods glfw.ModifierKey) {
	buttons := map[glfw.MouseButton]explore.Button{glfw.MouseButtonLeft: explore.Left, glfw.MouseButtonRight: explore.Right, glfw.MouseButtonMiddle: explore.Middle}
	name, known := buttons[button]
	if !known {
		return
	}
	if down {
		w.held++
	} else {
		w.held = max(0, w.held-1)
	}
	w.app.Handle(explore.Click{Button: name, Down: down, Modifiers: modifiers(mods)})
}

package explore

import (
	"testing"
	"time"
)

// Windows of any size have a frame, of every screen and density, wherever the mouse is.
func TestSmallFrames(t *testing.T) {
	run, source := fakeRun(40, 2, 3)
	e, host := opened(t, run, 640, 480)
	for _, density := range []int{1, 2} {
		for _, size := range [][2]int{{1, 1}, {1, 900}, {900, 1}, {3, 3}, {20, 20}, {60, 300}, {300, 60}, {125, 41}, {200, 200}, {400, 300}} {
			for _, keys := range []string{"backspace", "enter", "ctrl+d", "shift+d", "shift+d", "shift+d", "?", "escape", "/", "escape", "t", "escape", "o", "r", "home"} {
				e.Handle(Resize{size[0], size[1], density})
				press(e, keys)
				for _, at := range [][2]float64{{0, 0}, {float64(size[0]) / 2, float64(size[1]) / 2}, {float64(size[0] - 1), float64(size[1] - 1)}} {
					e.Handle(Move{at[0], at[1]})
					e.Handle(Click{Left, true, 0})
					e.Handle(Wheel{Y: 1})
					e.Frame(time.Now())
					e.Handle(Click{Left, false, 0})
				}
				rest(t, e, host)
				if got := e.canvas.img.Rect.Size(); got.X != size[0] || got.Y != size[1] {
					t.Fatalf("the frame is %v, the window %v", got, size)
				}
			}
		}
	}
	source.check(t)
}

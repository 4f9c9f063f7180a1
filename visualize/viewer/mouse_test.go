package viewer

import (
	"testing"

	"github.com/gazevk/gaze/tests/display"
	"github.com/gazevk/gaze/visualize/explore"
)

func TestMouse(t *testing.T) {
	screen := display.Start(t, 640, 480)
	s := start(t, screen)
	screen.Xdotool(t, "mousemove", "150", "100")
	s.settle()
	for _, c := range []struct {
		does []string
		want []explore.Event
	}{
		{[]string{"mousemove", "17", "31"}, []explore.Event{explore.Move{X: 17, Y: 31}}},
		{[]string{"mousemove", "299", "199"}, []explore.Event{explore.Move{X: 299, Y: 199}}},
		{[]string{"click", "1"}, []explore.Event{explore.Click{Button: explore.Left, Down: true}, explore.Click{Button: explore.Left}}},
		{[]string{"click", "2"}, []explore.Event{explore.Click{Button: explore.Middle, Down: true}, explore.Click{Button: explore.Middle}}},
		{[]string{"click", "3"}, []explore.Event{explore.Click{Button: explore.Right, Down: true}, explore.Click{Button: explore.Right}}},
		{[]string{"click", "8", "click", "1"}, []explore.Event{explore.Click{Button: explore.Left, Down: true}, explore.Click{Button: explore.Left}}},
		{[]string{"keydown", "shift", "click", "1", "keyup", "shift"},
			[]explore.Event{explore.Click{Button: explore.Left, Down: true, Modifiers: explore.Shift}, explore.Click{Button: explore.Left, Modifiers: explore.Shift}}},
		{[]string{"click", "4"}, []explore.Event{explore.Wheel{Y: 1}}},
		{[]string{"click", "5"}, []explore.Event{explore.Wheel{Y: -1}}},
		{[]string{"click", "6"}, []explore.Event{explore.Wheel{X: 1}}},
		{[]string{"click", "7"}, []explore.Event{explore.Wheel{X: -1}}},
		{[]string{"keydown", "ctrl", "click", "4", "keyup", "ctrl"}, []explore.Event{explore.Wheel{Y: 1, Modifiers: explore.Control}}},
		{[]string{"keydown", "alt", "keydown", "shift", "click", "5", "keyup", "shift", "keyup", "alt"},
			[]explore.Event{explore.Wheel{Y: -1, Modifiers: explore.Alt | explore.Shift}}},
	} {
		t.Log(c.does)
		screen.Xdotool(t, c.does...)
		s.expect(c.want...)
	}

	screen.Xdotool(t, "mousemove", "40", "50", "mousedown", "1", "mousemove", "60", "90", "mouseup", "1")
	s.expect(explore.Move{X: 40, Y: 50}, explore.Click{Button: explore.Left, Down: true}, explore.Move{X: 60, Y: 90}, explore.Click{Button: explore.Left})

	screen.Xdotool(t, "mousemove", "400", "300") // out of the window
	s.expect(explore.Move{X: -1, Y: -1})
	// Dragged out of the window, the mouse is still followed.
	screen.Xdotool(t, "mousemove", "40", "50", "mousedown", "1", "mousemove", "400", "300", "mousemove", "410", "310", "mouseup", "1")
	s.expect(explore.Move{X: 40, Y: 50}, explore.Click{Button: explore.Left, Down: true}, explore.Move{X: 400, Y: 300}, explore.Move{X: 410, Y: 310},
		explore.Click{Button: explore.Left})
}

package viewer

import (
	"testing"

	"github.com/gazevk/gaze/tests/display"
	"github.com/gazevk/gaze/visualize/explore"
)

func TestKeys(t *testing.T) {
	screen := display.Start(t, 640, 480)
	s := start(t, screen)
	screen.Xdotool(t, "mousemove", "50", "50")
	for _, c := range []struct {
		keys string
		want []explore.Event
	}{
		{"a", []explore.Event{explore.Press{Key: "a"}, explore.Rune{Rune: 'a'}}},
		{"shift+a", []explore.Event{explore.Press{Key: "a", Modifiers: explore.Shift}, explore.Rune{Rune: 'A'}}},
		{"z", []explore.Event{explore.Press{Key: "z"}, explore.Rune{Rune: 'z'}}},
		{"0", []explore.Event{explore.Press{Key: "0"}, explore.Rune{Rune: '0'}}},
		{"9", []explore.Event{explore.Press{Key: "9"}, explore.Rune{Rune: '9'}}},
		{"ctrl+c", []explore.Event{explore.Press{Key: "c", Modifiers: explore.Control}}},
		{"alt+x", []explore.Event{explore.Press{Key: "x", Modifiers: explore.Alt}}},
		{"ctrl+shift+z", []explore.Event{explore.Press{Key: "z", Modifiers: explore.Control | explore.Shift}}},
		{"question", []explore.Event{explore.Press{Key: "/", Modifiers: explore.Shift}, explore.Rune{Rune: '?'}}},
		{"bracketleft", []explore.Event{explore.Press{Key: "["}, explore.Rune{Rune: '['}}},
		{"bracketright", []explore.Event{explore.Press{Key: "]"}, explore.Rune{Rune: ']'}}},
		{"space", []explore.Event{explore.Press{Key: "space"}, explore.Rune{Rune: ' '}}},
		{"KP_Add", []explore.Event{explore.Press{Key: "+"}, explore.Rune{Rune: '+'}}},
		{"KP_Subtract", []explore.Event{explore.Press{Key: "-"}, explore.Rune{Rune: '-'}}},
		{"KP_Left", []explore.Event{explore.Press{Key: "left"}}},
		{"Num_Lock", nil},
		{"KP_4", []explore.Event{explore.Press{Key: "4"}, explore.Rune{Rune: '4'}}},
		{"Num_Lock", nil},
		{"Escape", []explore.Event{explore.Press{Key: "escape"}}},
		{"Return", []explore.Event{explore.Press{Key: "enter"}}},
		{"KP_Enter", []explore.Event{explore.Press{Key: "enter"}}},
		{"Tab", []explore.Event{explore.Press{Key: "tab"}}},
		{"BackSpace", []explore.Event{explore.Press{Key: "backspace"}}},
		{"Delete", []explore.Event{explore.Press{Key: "delete"}}},
		{"Insert", []explore.Event{explore.Press{Key: "insert"}}},
		{"Left", []explore.Event{explore.Press{Key: "left"}}},
		{"Right", []explore.Event{explore.Press{Key: "right"}}},
		{"Up", []explore.Event{explore.Press{Key: "up"}}},
		{"Down", []explore.Event{explore.Press{Key: "down"}}},
		{"Page_Up", []explore.Event{explore.Press{Key: "pageup"}}},
		{"Page_Down", []explore.Event{explore.Press{Key: "pagedown"}}},
		{"Home", []explore.Event{explore.Press{Key: "home"}}},
		{"End", []explore.Event{explore.Press{Key: "end"}}},
		{"F1", []explore.Event{explore.Press{Key: "f1"}}},
		{"F12", []explore.Event{explore.Press{Key: "f12"}}},
		{"Shift_L", nil}, // no event: the next row's come at once
		{"b", []explore.Event{explore.Press{Key: "b"}, explore.Rune{Rune: 'b'}}},
	} {
		t.Log(c.keys)
		screen.Xdotool(t, "key", c.keys)
		s.expect(c.want...)
	}

	screen.Xdotool(t, "keydown", "Right") // held until it repeats
	s.expect(explore.Press{Key: "right"}, explore.Press{Key: "right"}, explore.Press{Key: "right"})
	screen.Xdotool(t, "keyup", "Right")
}

func TestText(t *testing.T) {
	screen := display.Start(t, 640, 480)
	screen.Layout(t, "de") // which has all of these
	s := start(t, screen)
	screen.Xdotool(t, "mousemove", "50", "50", "type", "Gaße ä€")
	var typed []rune
	for len(typed) < 7 {
		if r, ok := (<-s.handled).(explore.Rune); ok {
			typed = append(typed, r.Rune)
		}
	}
	if string(typed) != "Gaße ä€" {
		t.Errorf("%q was typed", string(typed))
	}
}

// Keys have the names of their places; labels are those of the keyboard.
func TestLayouts(t *testing.T) {
	for _, c := range []struct {
		layout string
		keys   []string // in turn, on this layout
		want   []explore.Event
		labels map[explore.Key]string
	}{
		{"us", []string{"q", "ctrl+v"}, []explore.Event{explore.Press{Key: "q"}, explore.Rune{Rune: 'q'}, explore.Paste{Text: "pasted"}},
			map[explore.Key]string{"q": "q", "/": "/", "escape": "escape", "f1": "f1", "no key": "no key"}},
		{"fr", []string{"a", "ctrl+v"}, []explore.Event{explore.Press{Key: "q"}, explore.Rune{Rune: 'a'}, explore.Paste{Text: "pasted"}},
			map[explore.Key]string{"q": "a", "a": "q", "w": "z", ";": "m", "left": "left"}},
		{"us(dvorak)", []string{"ctrl+k", "ctrl+v"}, []explore.Event{explore.Press{Key: "v", Modifiers: explore.Control}, explore.Paste{Text: "pasted"}},
			map[explore.Key]string{"v": "k", ".": "v"}},
		{"ru", []string{"ctrl+Cyrillic_em"}, []explore.Event{explore.Paste{Text: "pasted"}}, map[explore.Key]string{"v": "м", "q": "й"}},
	} {
		t.Run(c.layout, func(t *testing.T) {
			screen := display.Start(t, 640, 480)
			screen.Layout(t, c.layout)
			s := start(t, screen)
			screen.Xdotool(t, "mousemove", "50", "50")
			s.onThread(func() { s.window.SetClipboard("pasted") })
			for _, keys := range c.keys {
				screen.Xdotool(t, "key", keys)
			}
			s.expect(c.want...)
			s.onThread(func() {
				for key, want := range c.labels {
					if got := s.window.KeyLabel(key); got != want {
						t.Errorf("the key %s is labelled %q, want %q", key, got, want)
					}
				}
			})
		})
	}
}

func TestPaste(t *testing.T) {
	screen := display.Start(t, 640, 480)
	s := start(t, screen)
	screen.Xdotool(t, "mousemove", "50", "50")
	screen.Xdotool(t, "key", "ctrl+v", "shift+Insert", "a") // nothing there: no event
	s.expect(explore.Press{Key: "a"}, explore.Rune{Rune: 'a'})
	const text = "two lines\nof text — ∑"
	s.onThread(func() { s.window.SetClipboard(text) })
	screen.Xdotool(t, "key", "ctrl+v", "shift+Insert", "ctrl+shift+v")
	s.expect(explore.Paste{Text: text}, explore.Paste{Text: text}, explore.Press{Key: "v", Modifiers: explore.Control | explore.Shift})
}

package explore

// An Event is what a person did. Positions are in pixels of the frame, from its
// top left corner.
type Event interface{ event() }

type (
	// A Resize is the new size of the frame, and its pixels per pixel of the
	// layout: 1 on most screens, 2 on a dense one.
	Resize struct{ Width, Height, Density int }
	// A Press is a key going down, or repeating while it is held.
	Press struct {
		Key       Key
		Modifiers Modifiers
	}
	// A Rune is one character of typed text.
	Rune struct{ Rune rune }
	// A Move is the mouse at a place. Outside of the frame it has left.
	Move struct{ X, Y float64 }
	// A Click is a mouse button going down or up where the last Move was.
	Click struct {
		Button    Button
		Down      bool
		Modifiers Modifiers
	}
	// A Wheel is a turn of the wheel by so many notches, up and to the left above 0.
	Wheel struct {
		X, Y      float64
		Modifiers Modifiers
	}
	// A Paste is text from the clipboard.
	Paste struct{ Text string }
	// A Drop is files that were dropped on the window.
	Drop struct{ Paths []string }
)

func (Resize) event() {}
func (Press) event()  {}
func (Rune) event()   {}
func (Move) event()   {}
func (Click) event()  {}
func (Wheel) event()  {}
func (Paste) event()  {}
func (Drop) event()   {}

// A Key names a key by what it bears on a US keyboard, in lower case: "a", "1",
// "[", "/", or a word: "escape", "enter", "tab", "backspace", "delete", "insert",
// "space", "left", "right", "up", "down", "pageup", "pagedown", "home", "end",
// "f1" to "f12". Keys of the number pad have the names of their like.
type Key string

// Modifiers are the keys that are held.
type Modifiers uint8

const (
	Shift   Modifiers = 1 << iota
	Control           // or Command on a Mac
	Alt
)

// A Button is one of the mouse.
type Button int

const (
	Left Button = iota
	Right
	Middle
)

package viewer

import (
	"fmt"
	"runtime"

	"github.com/go-gl/glfw/v3.3/glfw"

	"github.com/gazevk/gaze/visualize/explore"
)

// named are the keys that have no place in a row. GLFW too names keys by where
// they are, as a US keyboard has them.
var named = map[glfw.Key]explore.Key{
	glfw.KeySpace: "space", glfw.KeyEscape: "escape", glfw.KeyEnter: "enter", glfw.KeyTab: "tab", glfw.KeyBackspace: "backspace",
	glfw.KeyInsert: "insert", glfw.KeyDelete: "delete", glfw.KeyHome: "home", glfw.KeyEnd: "end", glfw.KeyPageUp: "pageup", glfw.KeyPageDown: "pagedown",
	glfw.KeyLeft: "left", glfw.KeyRight: "right", glfw.KeyUp: "up", glfw.KeyDown: "down",
	glfw.KeyApostrophe: "'", glfw.KeyComma: ",", glfw.KeyMinus: "-", glfw.KeyPeriod: ".", glfw.KeySlash: "/", glfw.KeySemicolon: ";", glfw.KeyEqual: "=",
	glfw.KeyLeftBracket: "[", glfw.KeyBackslash: "\\", glfw.KeyRightBracket: "]", glfw.KeyGraveAccent: "`",
	glfw.KeyKPDivide: "/", glfw.KeyKPMultiply: "*", glfw.KeyKPSubtract: "-", glfw.KeyKPAdd: "+", glfw.KeyKPEnter: "enter", glfw.KeyKPEqual: "=",
}

// pad is the number pad: with the lock, and without it.
var pad = map[glfw.Key][2]explore.Key{
	glfw.KeyKP0: {"0", "insert"}, glfw.KeyKP1: {"1", "end"}, glfw.KeyKP2: {"2", "down"}, glfw.KeyKP3: {"3", "pagedown"}, glfw.KeyKP4: {"4", "left"},
	glfw.KeyKP5: {"5", ""}, glfw.KeyKP6: {"6", "right"}, glfw.KeyKP7: {"7", "home"}, glfw.KeyKP8: {"8", "up"}, glfw.KeyKP9: {"9", "pageup"},
	glfw.KeyKPDecimal: {".", "delete"},
}

// keyOf returns the name of a key, or "" where it has none: shift and its like among them.
func keyOf(key glfw.Key, numbers bool) explore.Key {
	switch {
	case key >= glfw.KeyA && key <= glfw.KeyZ:
		return explore.Key(rune('a' + key - glfw.KeyA))
	case key >= glfw.Key0 && key <= glfw.Key9:
		return explore.Key(rune('0' + key - glfw.Key0))
	case key >= glfw.KeyF1 && key <= glfw.KeyF12:
		return explore.Key(fmt.Sprintf("f%d", 1+key-glfw.KeyF1))
	}
	if both, ok := pad[key]; ok {
		if numbers {
			return both[0]
		}
		return both[1]
	}
	return named[key]
}

// KeyLabel returns what the key bears on the keyboard at hand, in lower case:
// "a" where a French one has the Q of a US one. Keys that type nothing keep
// their names.
func (w *Window) KeyLabel(key explore.Key) string {
	if w.window == nil {
		return string(key)
	}
	for code := glfw.KeySpace; code <= glfw.KeyLast; code++ {
		if keyOf(code, true) == key {
			if label := glfw.GetKeyName(code, 0); label != "" {
				return label
			}
		}
	}
	return string(key)
}

func modifiers(mods glfw.ModifierKey) explore.Modifiers {
	control := glfw.ModControl
	if runtime.GOOS == "darwin" {
		control = glfw.ModSuper
	}
	var held explore.Modifiers
	for _, m := range []struct {
		bit  glfw.ModifierKey
		name explore.Modifiers
	}{{glfw.ModShift, explore.Shift}, {control, explore.Control}, {glfw.ModAlt, explore.Alt}} {
		if mods&m.bit != 0 {
			held |= m.name
		}
	}
	return held
}

// heldModifiers returns the modifiers of an event that comes without.
func (w *Window) heldModifiers() explore.Modifiers {
	var mods glfw.ModifierKey
	for key, bit := range map[glfw.Key]glfw.ModifierKey{
		glfw.KeyLeftShift: glfw.ModShift, glfw.KeyRightShift: glfw.ModShift, glfw.KeyLeftControl: glfw.ModControl, glfw.KeyRightControl: glfw.ModControl,
		glfw.KeyLeftAlt: glfw.ModAlt, glfw.KeyRightAlt: glfw.ModAlt, glfw.KeyLeftSuper: glfw.ModSuper, glfw.KeyRightSuper: glfw.ModSuper,
	} {
		if w.window.GetKey(key) == glfw.Press {
			mods |= bit
		}
	}
	return modifiers(mods)
}

func (w *Window) pressed(key glfw.Key, scancode int, mods glfw.ModifierKey) {
	name := keyOf(key, mods&glfw.ModNumLock != 0)
	if name == "" {
		return
	}
	held := modifiers(mods)
	if held == explore.Control && bearsV(key, scancode) || held == explore.Shift && name == "insert" {
		if text := glfw.GetClipboardString(); text != "" {
			w.app.Handle(explore.Paste{Text: text})
		}
		return
	}
	w.app.Handle(explore.Press{Key: name, Modifiers: held})
}

// bearsV reports whether a key bears the letter V, or, where keys bear no Latin
// letters, is where a US keyboard has it.
func bearsV(key glfw.Key, scancode int) bool {
	label := glfw.GetKeyName(key, scancode)
	return label == "v" || key == glfw.KeyV && (label == "" || label[0] >= 0x80)
}

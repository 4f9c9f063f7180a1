package explore

import (
	"slices"
	"strings"
)

// A chord is a key with the modifiers that it is pressed with.
type chord struct {
	key       Key
	modifiers Modifiers
}

func keys(list ...Key) []chord {
	chords := make([]chord, len(list))
	for i, key := range list {
		chords[i] = chord{key: key}
	}
	return chords
}

func with(m Modifiers, list ...Key) []chord {
	chords := keys(list...)
	for i := range chords {
		chords[i].modifiers = m
	}
	return chords
}

// String returns "ctrl+shift+e".
func (c chord) String() string { return c.labelled(string(c.key)) }

func (c chord) labelled(label string) string {
	if c == (chord{"/", Shift}) && label == "/" {
		return "?"
	}
	var words []string
	for _, m := range []struct {
		is   Modifiers
		name string
	}{{Control, "ctrl"}, {Alt, "alt"}, {Shift, "shift"}} {
		if c.modifiers&m.is != 0 {
			words = append(words, m.name)
		}
	}
	return strings.Join(append(words, label), "+")
}

// press does what a key does.
func (e *Explorer) press(p Press) {
	c := chord{p.Key, p.Modifiers}
	e.swallow = false
	switch {
	case e.prompt != nil:
		e.pressPrompt(p)
		return
	case e.editing && (p.Modifiers&(Control|Alt) == 0 || e.edit.edits(p)):
		e.pressEdit(p)
		return
	case e.help && p.Key != "escape":
		e.help = false
		if p.Key == "f1" || c == (chord{"/", Shift}) {
			return
		}
	}
	e.message = ""
	if e.arrow(p) {
		return
	}
	for _, a := range actions {
		if slices.Contains(a.keys, c) {
			a.do(e)
			// The letter that this key types comes next.
			e.swallow = p.Modifiers&(Control|Alt) == 0 && (e.editing || e.prompt != nil)
			return
		}
	}
}

// arrow moves the pin, the selection of the overview, or the view.
func (e *Explorer) arrow(p Press) bool {
	by := 1
	if p.Modifiers&Shift != 0 {
		by = 10
	}
	dx, dy := 0, 0
	switch p.Key {
	case "left":
		dx = -by
	case "right":
		dx = by
	case "up":
		dy = -by
	case "down":
		dy = by
	default:
		return false
	}
	switch {
	case e.run == nil:
	case e.screen == overviewScreen:
		e.walk(dx, dy)
	case e.pin:
		last := len(e.run.Tokens) - 1
		e.pinAt(min(max(e.pinned.query+dy, 0), last), min(max(e.pinned.key+dx, 0), last))
		e.view.reveal(e.pinned.query, e.pinned.key)
	default:
		e.slide(float64(-dx), float64(-dy))
	}
	return true
}

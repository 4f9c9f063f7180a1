package explore

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// A Recorder writes events as the lines of a script. Playing it gives the same
// frames, whatever the keyboard's layout is and however long things take.
type Recorder struct {
	To       io.Writer
	Explorer *Explorer // whose events they are
	last     time.Time
	pressed  *chord // the last key, unless it is written
	err      error
}

// Record writes an event that the explorer is about to handle, and how long after
// the one before it came.
func (r *Recorder) Record(event Event) {
	if letter, ok := event.(Rune); ok && r.pressed != nil {
		if types, ok := r.pressed.types(); ok && types == letter.Rune {
			r.line("press %v", *r.pressed)
			r.pressed = nil
			return
		}
	}
	r.finishKey()
	now := time.Now()
	if !r.last.IsZero() && now.Sub(r.last) > 50*time.Millisecond {
		r.line("wait %v", now.Sub(r.last).Round(time.Millisecond))
		if !r.Explorer.Busy() {
			r.line("settle")
		}
	}
	r.last = now
	buttons := map[Button]string{Left: "left", Right: "right", Middle: "middle"}
	switch event := event.(type) {
	case Resize:
		r.line("resize %d %d %d", event.Width, event.Height, event.Density)
	case Press:
		r.pressed = &chord{event.Key, event.Modifiers}
	case Rune:
		r.line("type %c", event.Rune)
	case Move:
		r.line("move %d %d", int(event.X), int(event.Y))
	case Click:
		switch {
		case !event.Down:
			r.line("up %s%s", buttons[event.Button], modifierWords(event.Modifiers))
		case r.Explorer.doubles():
			r.line("down %s%s again", buttons[event.Button], modifierWords(event.Modifiers))
		default:
			r.line("down %s%s", buttons[event.Button], modifierWords(event.Modifiers))
		}
	case Wheel:
		sideways := ""
		if event.X != 0 {
			sideways = fmt.Sprintf(" %g", event.X)
		}
		r.line("wheel %g%s%s", event.Y, sideways, modifierWords(event.Modifiers))
	case Paste:
		r.line("paste %s", strings.Map(spaced, event.Text))
	case Drop:
		for _, path := range event.Paths[:min(len(event.Paths), 1)] { // the explorer takes one
			r.line("drop %s", path)
		}
	}
}

// finishKey writes the key that was pressed last, which typed nothing, or not what
// it does on a US keyboard.
func (r *Recorder) finishKey() {
	if r.pressed == nil {
		return
	}
	name := "press"
	if _, ok := r.pressed.types(); ok {
		name = "key"
	}
	r.line("%s %v", name, *r.pressed)
	r.pressed = nil
}

func modifierWords(m Modifiers) (words string) {
	for _, name := range []string{"ctrl", "shift", "alt"} {
		if m&modifierNames[name] != 0 {
			words += " " + name
		}
	}
	return words
}

func (r *Recorder) line(format string, values ...any) {
	if r.err == nil {
		_, r.err = fmt.Fprintf(r.To, format+"\n", values...)
	}
}

// Close writes what is left and returns the first error of writing.
func (r *Recorder) Close() error {
	r.finishKey()
	return r.err
}

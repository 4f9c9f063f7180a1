package explore

import (
	"bufio"
	"fmt"
	"image"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A Script is events in a text, one a line, to be played to an explorer:
//
//	resize 1280 800 1     the size of the frame, and its density
//	press ctrl+f          a key, with what it types
//	type some words       letters
//	move 300 200          the mouse
//	click left [shift]    a button down and up; double left: twice
//	down right, up right  a button alone
//	wheel 3 [ctrl]        notches
//	paste some words      from the clipboard
//	drop FILE             on the window
//	do NAME               an action by its name
//	settle                wait until all that is in sight is computed
//	wait 250ms
//	snap FILE             settle, then write the frame as PNG
//
// Empty lines and those that begin with # do nothing.
type Script struct {
	name  string
	lines []command
	until time.Time // of wait
	begun bool
	// Snap writes a frame to a file.
	Snap func(path string, frame *image.RGBA) error
}

type command struct {
	number     int
	name, rest string
	do         func(*Explorer) error // nil of those that wait
	wait       time.Duration
}

// ParseScript reads a script. name is for errors.
func ParseScript(name string, r io.Reader) (*Script, error) {
	s := &Script{name: name}
	lines := bufio.NewScanner(r)
	for number := 1; lines.Scan(); number++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		c := command{number: number}
		c.name, c.rest, _ = strings.Cut(text, " ")
		if err := c.parse(); err != nil {
			return nil, fmt.Errorf("%s, line %d: %s: %w", name, number, text, err)
		}
		s.lines = append(s.lines, c)
	}
	return s, lines.Err()
}

func (c *command) parse() (err error) {
	switch c.name {
	case "resize", "move", "wheel":
		return c.parseNumbers()
	case "press":
		var k chord
		if k, err = parseChord(c.rest); err == nil {
			c.do = func(e *Explorer) error {
				e.Handle(Press{k.key, k.modifiers})
				if letter, ok := k.types(); ok {
					e.Handle(Rune{letter})
				}
				return nil
			}
		}
	case "type":
		c.do = func(e *Explorer) error {
			for _, letter := range c.rest {
				e.Handle(Rune{letter})
			}
			return nil
		}
	case "click", "double", "down", "up":
		return c.parseClick()
	case "paste":
		c.do = func(e *Explorer) error { e.Handle(Paste{c.rest}); return nil }
	case "drop":
		c.do = func(e *Explorer) error { e.Handle(Drop{[]string{c.rest}}); return nil }
	case "do":
		c.do = func(e *Explorer) error { return e.Do(c.rest) }
	case "snap":
		if c.rest == "" {
			return fmt.Errorf("a file is missing")
		}
	case "settle":
	case "wait":
		c.wait, err = time.ParseDuration(c.rest)
	default:
		return fmt.Errorf("no command %q", c.name)
	}
	return err
}

// parseNumbers is for commands whose arguments are numbers.
func (c *command) parseNumbers() error {
	least := map[string]int{"resize": 2, "move": 2, "wheel": 1}[c.name]
	var numbers []float64
	modifiers := Modifiers(0)
	for _, word := range strings.Fields(c.rest) {
		if m, ok := modifierNames[word]; ok && c.name == "wheel" {
			modifiers |= m
			continue
		}
		x, err := strconv.ParseFloat(word, 64)
		if err != nil || !(x >= -1e6 && x <= 1e6) {
			return fmt.Errorf("%q is no number", word)
		}
		numbers = append(numbers, x)
	}
	if len(numbers) < least || len(numbers) > 3 {
		return fmt.Errorf("%d numbers: expected %d", len(numbers), least)
	}
	numbers = append(numbers, 1)
	var event Event
	switch c.name {
	case "resize":
		event = Resize{int(numbers[0]), int(numbers[1]), int(numbers[2])}
	case "move":
		event = Move{numbers[0], numbers[1]}
	case "wheel":
		event = Wheel{Y: numbers[0], Modifiers: modifiers}
	}
	c.do = func(e *Explorer) error { e.Handle(event); return nil }
	return nil
}

var modifierNames = map[string]Modifiers{"ctrl": Control, "shift": Shift, "alt": Alt}

func (c *command) parseClick() error {
	words := strings.Fields(c.rest)
	button, ok := Button(0), false
	modifiers := Modifiers(0)
	for i, word := range words {
		if i == 0 {
			button, ok = map[string]Button{"left": Left, "right": Right, "middle": Middle}[word]
			continue
		}
		m, known := modifierNames[word]
		if !known {
			return fmt.Errorf("%q is no modifier: expected ctrl, shift or alt", word)
		}
		modifiers |= m
	}
	if !ok {
		return fmt.Errorf("expected left, right or middle")
	}
	sequence := map[string][]bool{"click": {true, false}, "double": {true, false, true, false}, "down": {true}, "up": {false}}[c.name]
	c.do = func(e *Explorer) error {
		for i, down := range sequence {
			if c.name == "click" && i == 0 {
				e.clicked.when = time.Time{} // however fast a script clicks
			}
			e.Handle(Click{button, down, modifiers})
		}
		return nil
	}
	return nil
}

// parseChord reads "ctrl+shift+e".
func parseChord(text string) (c chord, err error) {
	for {
		before, after, found := strings.Cut(text, "+")
		m, ok := modifierNames[before]
		if !found || !ok {
			break
		}
		c.modifiers |= m
		text = after
	}
	if text == "" {
		return c, fmt.Errorf("a key is missing")
	}
	c.key = Key(text)
	return c, nil
}

// types returns the letter that a key types.
func (c chord) types() (rune, bool) {
	if c.modifiers&(Control|Alt) != 0 {
		return 0, false
	}
	if c.key == "space" {
		return ' ', true
	}
	letter, size := utf8.DecodeRuneInString(string(c.key))
	if size != len(c.key) {
		return 0, false
	}
	if c.modifiers&Shift != 0 {
		if at := strings.IndexRune("1234567890-=[];',./`\\", letter); at >= 0 {
			return rune("!@#$%^&*()_+{}:\"<>?~|"[at]), true
		}
		return []rune(strings.ToUpper(string(letter)))[0], true
	}
	return letter, true
}

// Fresh reports whether nothing was played yet.
func (s *Script) Fresh() bool { return !s.begun }

// Step plays on until something has to be waited for, and reports whether the
// script is at its end. It is to be called before each frame.
func (s *Script) Step(e *Explorer) (ended bool, err error) {
	s.begun = true
	for len(s.lines) > 0 {
		c := &s.lines[0]
		switch {
		case c.wait > 0:
			if s.until.IsZero() {
				s.until = time.Now().Add(c.wait)
			}
			if time.Now().Before(s.until) {
				return false, nil
			}
			s.until = time.Time{}
		case c.do != nil:
			if err := c.do(e); err != nil {
				return false, fmt.Errorf("%s, line %d: %w", s.name, c.number, err)
			}
		default: // settle and snap
			if e.Busy() {
				return false, nil
			}
			if c.name == "snap" {
				if err := s.Snap(c.rest, e.canvas.img); err != nil {
					return false, fmt.Errorf("%s, line %d: %w", s.name, c.number, err)
				}
			}
		}
		s.lines = s.lines[1:]
		if c.do != nil {
			return false, nil // a frame for every event, as a window would have
		}
	}
	return true, nil
}

// A Recorder writes events as the lines of a script.
type Recorder struct {
	To    io.Writer
	last  time.Time
	typed rune // by the last key
	err   error
}

// Record writes an event, and how long after the one before it came.
func (r *Recorder) Record(event Event) {
	if now := time.Now(); !r.last.IsZero() && now.Sub(r.last) > 50*time.Millisecond {
		r.line("wait %v", now.Sub(r.last).Round(time.Millisecond))
	}
	r.last = time.Now()
	buttons := map[Button]string{Left: "left", Right: "right", Middle: "middle"}
	switch event := event.(type) {
	case Resize:
		r.line("resize %d %d %d", event.Width, event.Height, event.Density)
	case Press:
		c := chord{event.Key, event.Modifiers}
		r.line("press %v", c)
		r.typed, _ = c.types()
		return
	case Rune:
		if event.Rune != r.typed {
			r.line("type %c", event.Rune)
		}
	case Move:
		r.line("move %.0f %.0f", event.X, event.Y)
	case Click:
		name := "up"
		if event.Down {
			name = "down"
		}
		r.line("%s %s%s", name, buttons[event.Button], modifierWords(event.Modifiers))
	case Wheel:
		r.line("wheel %g%s", event.Y, modifierWords(event.Modifiers))
	case Paste:
		r.line("paste %s", strings.Map(spaced, event.Text))
	case Drop:
		r.line("drop %s", strings.Join(event.Paths, " "))
	}
	r.typed = 0
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

// Close returns the first error of writing.
func (r *Recorder) Close() error { return r.err }

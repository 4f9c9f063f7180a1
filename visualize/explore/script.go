package explore

import (
	"bufio"
	"context"
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
//	press ctrl+f          a key, with what it types on a US keyboard
//	key q                 a key that types nothing, or what "type" says
//	type some words       letters
//	move 300 200          the mouse
//	click left [shift]    a button down and up; double left: twice
//	down right, up right  a button alone; down left again: of a double click, the second
//	wheel 3 [ctrl]        notches; wheel 0 2: two to the left
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
	// Wait, if not nil, is called in place of waiting.
	Wait func(time.Duration)
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
	lines.Buffer(nil, longestLine)
	number := 1
	for ; lines.Scan(); number++ {
		text := strings.TrimLeft(lines.Text(), " \t")
		if strings.TrimSpace(text) == "" || text[0] == '#' {
			continue
		}
		c := command{number: number}
		c.name, c.rest, _ = strings.Cut(text, " ")
		if c.name != "type" && c.name != "paste" { // whose spaces are text
			c.name, c.rest = strings.TrimSpace(c.name), strings.TrimSpace(c.rest)
		}
		if err := c.parse(); err != nil {
			return nil, fmt.Errorf("%s, line %d: %s: %w", name, number, strings.TrimSpace(text), err)
		}
		s.lines = append(s.lines, c)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s, line %d: %w", name, number, err)
	}
	return s, nil
}

// longestLine is the most bytes of a line: a text that is pasted is one.
const longestLine = 32 << 20

func (c *command) parse() (err error) {
	switch c.name {
	case "resize", "move", "wheel":
		return c.parseNumbers()
	case "press", "key":
		var k chord
		if k, err = parseChord(c.rest); err == nil {
			c.do = func(e *Explorer) error {
				e.Handle(Press{k.key, k.modifiers})
				if letter, ok := k.types(); ok && c.name == "press" {
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
		if c.wait, err = time.ParseDuration(c.rest); err == nil && c.wait <= 0 {
			return fmt.Errorf("expected a time such as 250ms")
		}
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
	most := map[string]int{"resize": 3, "move": 2, "wheel": 2}[c.name]
	if len(numbers) < least || len(numbers) > most {
		return fmt.Errorf("%d numbers: expected %d", len(numbers), least)
	}
	var event Event
	switch c.name {
	case "resize":
		numbers = append(numbers, 1)
		if least, most := min(numbers[0], numbers[1], numbers[2]), max(numbers[0], numbers[1]); least < 1 || most > largestFrame || numbers[2] > largestDensity {
			return fmt.Errorf("expected a width and a height from 1 to %d and a density from 1 to %d", largestFrame, largestDensity)
		}
		event = Resize{int(numbers[0]), int(numbers[1]), int(numbers[2])}
	case "move":
		event = Move{numbers[0], numbers[1]}
	case "wheel":
		numbers = append(numbers, 0)
		event = Wheel{X: numbers[1], Y: numbers[0], Modifiers: modifiers}
	}
	c.do = func(e *Explorer) error { e.Handle(event); return nil }
	return nil
}

// Of the frames that a script may ask for.
const (
	largestFrame   = 32768 // pixels along one side
	largestDensity = 8
)

var modifierNames = map[string]Modifiers{"ctrl": Control, "shift": Shift, "alt": Alt}

func (c *command) parseClick() error {
	words := strings.Fields(c.rest)
	button, ok, again := Button(0), false, false
	modifiers := Modifiers(0)
	for i, word := range words {
		if i > 0 && word == "again" && c.name == "down" {
			again = true
			continue
		}
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
			if down { // however fast or slowly a script is played
				e.clicked = clicked{at: e.mouse}
				if again || i > 0 {
					e.clicked.when = time.Now()
				}
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
	if text == "?" { // as chords write it
		c = chord{"/", c.modifiers | Shift}
	}
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
		case c.wait > 0 && s.Wait != nil:
			s.Wait(c.wait)
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
				frame, err := e.canvas.shown.Flatten(context.Background())
				if err == nil {
					err = s.Snap(c.rest, frame)
				}
				if err != nil {
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

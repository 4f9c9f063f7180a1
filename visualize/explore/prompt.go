package explore

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gazevk/gaze"
)

// A prompt asks for a line of text at the lower edge.
type prompt struct {
	label string
	line  line
	// changed, if not nil, is called after each change, and done at the end.
	changed, done func(text string) error
}

// pressPrompt does what a key does to the prompt.
func (e *Explorer) pressPrompt(p Press) {
	q := e.prompt
	switch {
	case p.Key == "escape":
		e.prompt = nil
		return
	case p.Key == "enter":
		e.prompt = nil
		if err := q.done(q.line.String()); err != nil {
			e.tell(err)
		}
		return
	}
	if q.line.press(p) {
		e.promptChanged()
	}
}

func (e *Explorer) promptChanged() {
	if q := e.prompt; q.changed != nil {
		if err := q.changed(q.line.String()); err != nil {
			e.tell(err)
		}
	}
}

// typed is text from the keyboard.
func (e *Explorer) typed(text string) {
	swallow := e.swallow
	e.swallow = false
	switch {
	case swallow: // the letter of the key that opened it
	case e.prompt != nil:
		e.prompt.line.insert(text)
		e.promptChanged()
	case e.editing:
		e.edit.insert(text)
		e.textChanged()
	}
}

func (e *Explorer) paste(text string) {
	if e.prompt == nil && !e.editing {
		e.beginEdit()
		e.edit = newLine("")
	}
	e.swallow = false
	e.typed(text)
}

// dropped reads the file that was dropped.
func (e *Explorer) dropped(paths []string) {
	if len(paths) == 0 {
		return
	}
	if e.refuses() {
		return
	}
	text, err := e.host.Read(paths[0])
	if err != nil {
		e.tell(err)
		return
	}
	e.SetText(text)
}

// SetText shows another text, as typing it would.
func (e *Explorer) SetText(text string) {
	if e.refuses() {
		return
	}
	e.edit = newLine("")
	e.edit.insert(text)
	e.textChanged()
}

// refuses reports whether no text can be typed, and says why.
func (e *Explorer) refuses() bool {
	if e.noText != "" {
		e.say("%s", e.noText)
	}
	return e.noText != ""
}

// beginEdit puts the caret into the text, where there is one.
func (e *Explorer) beginEdit() {
	if e.refuses() {
		return
	}
	if !e.editing && e.next == nil && e.run != nil && e.failed == nil {
		e.edit = newLine(e.run.Text)
	}
	e.editing = true
}

func (e *Explorer) pressEdit(p Press) {
	if p.Key == "escape" || p.Key == "enter" || p.Key == "tab" {
		e.editing = false
		return
	}
	if e.edit.all && p.Modifiers == Control && (p.Key == "c" || p.Key == "x") {
		e.host.Copy(e.edit.String())
		if p.Key == "c" {
			return
		}
		p = Press{Key: "delete"}
	}
	if e.edit.press(p) {
		e.textChanged()
	}
}

// textChanged runs the model on what is typed.
func (e *Explorer) textChanged() {
	e.message = ""
	e.progress = 0
	e.host.Run(e.edit.String())
}

const findLabel = "find token: "

// promptFind asks for a token.
func (e *Explorer) promptFind() {
	e.prompt = &prompt{label: findLabel}
	e.prompt.changed = func(text string) error {
		e.find = text
		e.search()
		return nil
	}
	e.prompt.done = func(text string) error {
		e.find = text
		e.search()
		if len(e.hits) == 0 {
			if text == "" {
				return nil
			}
			return fmt.Errorf("no token has %q in it", text)
		}
		e.nextFound(0)
		return nil
	}
}

// search lists the tokens that hold what is sought, whatever the case: within
// one token, or in the text over several.
func (e *Explorer) search() {
	e.found, e.hits = e.found[:0], e.hits[:0]
	if e.find == "" || e.run == nil {
		return
	}
	wanted := strings.ToLower(e.find)
	text := strings.ToLower(e.run.Text)
	if len(text) != len(e.run.Text) {
		text = e.run.Text // offsets must be those of the tokens
	}
	next := strings.Index(text, wanted) // the first byte of the next occurrence
	for i, token := range e.run.Tokens {
		for next >= 0 && token.End > token.First && next+len(wanted) <= token.First {
			next = after(text, wanted, next)
		}
		within := strings.Contains(strings.ToLower(token.Label), wanted)
		across := next >= 0 && token.First < next+len(wanted) && token.End > next
		if !within && !across {
			continue
		}
		e.found = append(e.found, i)
		if !across || token.First <= next {
			e.hits = append(e.hits, i)
		}
	}
}

// after returns where wanted occurs next behind an occurrence; -1: nowhere.
func after(text, wanted string, at int) int {
	next := strings.Index(text[at+len(wanted):], wanted)
	if next < 0 {
		return -1
	}
	return at + len(wanted) + next
}

// nextFound pins the query of the next occurrence after the pinned one, or of
// that before it.
func (e *Explorer) nextFound(step int) {
	if len(e.hits) == 0 {
		e.say("nothing was found: press / to look for a token")
		return
	}
	at := 0
	for at < len(e.hits)-1 && e.hits[at] < e.pinned.query {
		at++
	}
	if e.pin && e.hits[at] == e.pinned.query || step < 0 {
		at = (at + step + len(e.hits)) % len(e.hits)
	}
	token := e.hits[at]
	e.pinAt(token, token)
	if e.screen == mapScreen {
		e.view.jump(token, token)
	}
	e.say("%d of %d", at+1, len(e.hits))
}

// promptGoTo asks for a pair.
func (e *Explorer) promptGoTo() {
	if e.run == nil {
		return
	}
	e.prompt = &prompt{label: fmt.Sprintf("go to query,key (0 to %d): ", len(e.run.Tokens)-1), done: e.GoTo}
}

// GoTo pins the pair that text names, as "12,40", and brings it into sight.
func (e *Explorer) GoTo(text string) error {
	if e.run == nil {
		return fmt.Errorf("there is no map yet")
	}
	query, key, found := strings.Cut(text, ",")
	q, err1 := strconv.Atoi(strings.TrimSpace(query))
	k := q
	var err2 error
	if found {
		k, err2 = strconv.Atoi(strings.TrimSpace(key))
	}
	if err1 != nil || err2 != nil {
		return fmt.Errorf("%q is no pair: type a query and a key, such as 12,40", text)
	}
	if n := len(e.run.Tokens); min(q, k) < 0 || max(q, k) >= n {
		return fmt.Errorf("%q is not in the text, which has tokens 0 to %d", text, n-1)
	}
	e.screen, e.dirty = mapScreen, true
	e.arrange()
	e.pinAt(q, k)
	if e.view.scale < 4 {
		e.view.rescale(float64(e.view.box.Min.X), float64(e.view.box.Min.Y), float64(e.canvas.px(8)))
	}
	e.view.jump(q, k)
	return nil
}

// Find looks for tokens, as the prompt does.
func (e *Explorer) Find(text string) error {
	e.promptFind()
	done := e.prompt.done
	e.prompt, e.dirty = nil, true
	return done(text)
}

// Select selects a rectangle of pairs.
func (e *Explorer) Select(r gaze.Rectangle) error {
	if e.run == nil {
		return fmt.Errorf("there is no map yet")
	}
	if err := r.Validate(len(e.run.Tokens)); err != nil {
		return err
	}
	e.selected, e.selection, e.dirty = r, true, true
	return nil
}

// Look brings a rectangle of pairs into sight.
func (e *Explorer) Look(r gaze.Rectangle) error {
	if e.run == nil {
		return fmt.Errorf("there is no map yet")
	}
	if err := r.Validate(len(e.run.Tokens)); err != nil {
		return err
	}
	e.screen = mapScreen
	e.arrange()
	e.view.show(r)
	e.dirty = true
	return nil
}

package explore

import (
	"errors"
	"image"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gazevk/gaze"
)

// What is recorded plays to the same: keys of any layout, clicks however far apart
// they are played, spaces that are text.
func TestRecordings(t *testing.T) {
	for _, c := range []struct {
		name   string
		events []Event
		want   string
	}{
		{"a key that types", []Event{Press{"t", 0}, Rune{'t'}, Press{"a", Shift}, Rune{'A'}}, "press t\npress shift+a\n"},
		{"a key of another layout", []Event{Press{"q", 0}, Rune{'a'}}, "key q\ntype a\n"},
		{"a key that is dead", []Event{Press{"'", 0}, Press{"e", 0}, Rune{'é'}}, "key '\nkey e\ntype é\n"},
		{"a key without a name", []Event{Rune{'∑'}}, "type ∑\n"},
		{"capitals are locked", []Event{Press{"a", 0}, Rune{'A'}}, "key a\ntype A\n"},
		{"keys that type nothing", []Event{Press{"left", 0}, Press{"c", Control}, Press{"/", Shift}, Rune{'?'}}, "press left\npress ctrl+c\npress ?\n"},
		{"the last key", []Event{Press{"a", 0}}, "key a\n"},
		{"a space", []Event{Press{"space", 0}, Rune{' '}, Rune{' '}}, "press space\ntype  \n"},
		{"plus", []Event{Press{"+", 0}, Rune{'+'}, Press{"=", Shift}, Rune{'+'}}, "press +\npress shift+=\n"},
		{"a double click", []Event{Move{10.7, 20.2}, Click{Left, true, 0}, Click{Left, false, 0}, Click{Left, true, Shift}, Click{Left, false, 0}},
			"move 10 20\ndown left\nup left\ndown left shift again\nup left\n"},
		{"three clicks", []Event{Click{Left, true, 0}, Click{Left, true, 0}, Click{Left, true, 0}}, "down left\ndown left again\ndown left\n"},
		{"clicks at two places", []Event{Click{Left, true, 0}, Move{300, 300}, Click{Left, true, 0}}, "down left\nmove 300 300\ndown left\n"},
		{"outside", []Event{Move{-1, -1}}, "move -1 -1\n"},
		{"wheels", []Event{Wheel{Y: -1.5, Modifiers: Control | Alt}, Wheel{X: 2, Modifiers: Shift}}, "wheel -1.5 ctrl alt\nwheel 0 2 shift\n"},
		{"pasted lines", []Event{Paste{"a \nb\t"}}, "paste a  b \n"},
		{"dropped files", []Event{Drop{[]string{"/a b", "/c"}}, Drop{}}, "drop /a b\n"},
	} {
		host := newHost()
		host.files = map[string]string{"/a b": "text"}
		run, _ := fakeRun(9, 1, 1)
		e, _ := opened(t, run, 500, 400)
		e.host = host
		var text strings.Builder
		r := &Recorder{To: &text, Explorer: e}
		for _, event := range c.events {
			r.Record(event)
			e.Handle(event)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if text.String() != c.want {
			t.Errorf("%s: recorded as\n%s\nwant\n%s", c.name, text.String(), c.want)
		}
		again, _ := opened(t, run, 500, 400)
		again.host = host
		script, err := ParseScript("script", strings.NewReader(text.String()))
		if err != nil {
			t.Fatal(err)
		}
		for ended := false; !ended; {
			if ended, err = script.Step(again); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
		}
		if got, want := again.edit.String(), e.edit.String(); got != want || again.editing != e.editing || again.help != e.help || again.mouse != e.mouse ||
			again.screen != e.screen || again.scroll != e.scroll {
			t.Errorf("%s: plays to %q, %v, where %q was typed", c.name, got, again.mouse, want)
		}
	}
}

// A recording has how long each event was waited for, and that all was computed by then.
func TestRecordingsWait(t *testing.T) {
	run, _ := fakeRun(9, 1, 1)
	e, _ := opened(t, run, 500, 400)
	var text strings.Builder
	r := &Recorder{To: &text, Explorer: e}
	r.Record(Move{1, 1})
	r.last = r.last.Add(-time.Second)
	r.Record(Move{2, 2})
	e.Handle(Move{2, 2}) // a frame of which is due
	r.last = r.last.Add(-time.Second)
	r.Record(Move{3, 3})
	lines := strings.Split(text.String(), "\n")
	for i, want := range []string{"move 1 1", "wait 1", "settle", "move 2 2", "wait 1", "move 3 3", ""} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], want) {
			t.Fatalf("recorded as\n%s", text.String())
		}
	}
}

// Double clicks of a script are those that it says are, at any pace.
func TestScriptedClicks(t *testing.T) {
	run, _ := fakeRun(9, 1, 1)
	for script, inMap := range map[string]bool{
		"double left":                            true,
		"click left\nclick left":                 false,
		"down left\nup left\ndown left\nup left": false,
		"down left\nup left\nwait 500ms\ndown left again\nup left": true,
	} {
		e, host := opened(t, run, 500, 400)
		box := e.gallery().box(0)
		e.Handle(Move{float64(box.Min.X + 5), float64(box.Min.Y + 5)})
		s, err := ParseScript("script", strings.NewReader(script))
		if err != nil {
			t.Fatal(err)
		}
		for ended := false; !ended; {
			if ended, err = s.Step(e); err != nil {
				t.Fatal(err)
			}
		}
		rest(t, e, host)
		if e.InMap() != inMap {
			t.Errorf("%q: in the map: %v", script, e.InMap())
		}
	}
}

// A part that cannot be computed, and a picture that cannot be written, are
// trouble, and no more than that.
func TestTrouble(t *testing.T) {
	run, source := fakeRun(9, 1, 1)
	e, host := opened(t, run, 500, 400)
	nowhere := filepath.Join(t.TempDir(), "none", "a.csv")
	for _, keys := range []string{"enter", "home"} {
		press(e, keys)
		rest(t, e, host)
	}
	if err := e.Export(nowhere, false); err != nil {
		t.Fatal(err)
	}
	rest(t, e, host)
	if err := e.Trouble(); err == nil || !strings.Contains(err.Error(), nowhere) {
		t.Errorf("an export to nowhere: %v", err)
	}
	if err := e.Export(filepath.Join(t.TempDir(), "a.csv"), false); err != nil {
		t.Fatal(err)
	}
	rest(t, e, host)
	if err := e.Trouble(); err != nil {
		t.Errorf("after it: %v", err)
	}
	source.lock.Lock()
	source.fail = errors.New("out of luck")
	source.lock.Unlock()
	press(e, "p", "n", "h", "r")
	e.Handle(Move{250, 250})
	rest(t, e, host)
	if err := e.Trouble(); err == nil || err.Error() != "out of luck" {
		t.Errorf("what cannot be computed: %v", err)
	}
	// Of what is not in sight.
	run, source = fakeRun(9, 1, 1)
	e, host = opened(t, run, 500, 400)
	press(e, "enter")
	rest(t, e, host)
	source.lock.Lock()
	source.fail = errors.New("out of luck")
	source.lock.Unlock()
	if err := e.Export(filepath.Join(t.TempDir(), "b.csv"), true); err != nil {
		t.Fatal(err)
	}
	for x := range 5 {
		rest(t, e, host)
		e.Handle(Move{float64(x), 1})
	}
	if err := e.Trouble(); err == nil || err.Error() != "out of luck" {
		t.Errorf("an export without numbers: %v", err)
	}
}

// Bytes of a letter are named by the letter, or by its code point if no font shows it.
func TestTokenNames(t *testing.T) {
	run := &Run{Text: "é日x中\u3000", Heads: 1, Layers: []gaze.Pattern{gaze.Full{}}, Tokens: []Token{{Label: "[X]", First: 0, End: 0}, {Label: "é", First: 0, End: 2}, {Label: "\uFFFD", First: 2, End: 5}, {Label: "日", First: 2, End: 5}, {Label: "x", First: 5, End: 6}, {Label: "\uFFFD", First: 6, End: 9}, {Label: "中", First: 6, End: 9}, {Label: "\u3000", First: 9, End: 12}}}
	e := &Explorer{run: run, canvas: canvas{img: image.NewNRGBA(image.Rect(0, 0, 1, 1))}}
	for i, want := range []string{"“[X]”", "“é”", "“\uFFFD” U+65E5", "“日” U+65E5", "“x”", "“\uFFFD” of “中”", "“中”", "“\u3000” U+3000"} {
		if got := e.run.tokenName(i); got != want {
			t.Errorf("token %d is %s, want %s", i, got, want)
		}
	}
}

// A run that was posted but never seen is closed with the explorer.
func TestCloseTakesWhatWasPosted(t *testing.T) {
	run, source := fakeRun(9, 1, 1)
	e := New(newHost(), DefaultSettings())
	e.Post(func() { e.Open(run) })
	e.Close()
	if source.closed != 1 {
		t.Errorf("closed %d times", source.closed)
	}
}

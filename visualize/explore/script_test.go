package explore

import (
	"image"
	"strings"
	"testing"
	"time"
)

// play plays a script to its end and returns the names of its snapshots.
func play(t testing.TB, e *Explorer, host *fakeHost, script string) (snapped []string) {
	t.Helper()
	s, err := ParseScript("test", strings.NewReader(script))
	if err != nil {
		t.Fatal(err)
	}
	s.Snap = func(path string, frame *image.RGBA) error {
		if e.Busy() {
			t.Errorf("%s is a frame that is not complete", path)
		}
		snapped = append(snapped, path)
		return nil
	}
	for end := time.Now().Add(time.Minute); ; {
		ended, err := s.Step(e)
		if err != nil {
			t.Fatal(err)
		}
		if ended {
			return snapped
		}
		if _, changed := e.Frame(time.Now()); !changed {
			time.Sleep(100 * time.Microsecond)
		}
		if time.Now().After(end) {
			t.Fatal("the script does not end")
		}
	}
}

func TestScript(t *testing.T) {
	run, _ := fakeRun(40, 2, 2)
	e, host := opened(t, run, 900, 600)
	snapped := play(t, e, host, `
		# a comment
		press enter
		press pagedown
		settle
		snap a.png
		press ctrl+f
		type w12
		press enter
		wait 20ms
		move 400 300
		wheel 2 ctrl
		down right
		move 500 400
		up right
		press escape
		do overlay
		snap b.png
		paste something new`)
	if strings.Join(snapped, " ") != "a.png b.png" || e.Layer != 1 || e.pinned != (pair{12, 12}) || !e.Overlay || host.texts[len(host.texts)-1] != "something new" {
		t.Errorf("snapped %v, layer %d, pinned %v, texts %q", snapped, e.Layer, e.pinned, host.texts)
	}
}

func TestScriptErrors(t *testing.T) {
	for script, want := range map[string]string{
		"fly":                "line 1: fly: no command",
		"\n\nmove 1":         "line 3: move 1: 1 numbers: expected 2",
		"move x 1":           `"x" is no number`,
		"move 1 2 3 4":       "4 numbers",
		"wheel up":           `"up" is no number`,
		"wheel nan":          `"nan" is no number`,
		"click":              "expected left, right or middle",
		"click north":        "expected left, right or middle",
		"click left command": `"command" is no modifier`,
		"wait soon":          "invalid duration",
		"press ctrl+":        "a key is missing",
		"snap":               "a file is missing",
	} {
		if _, err := ParseScript("s.txt", strings.NewReader(script)); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "s.txt, line ") {
			t.Errorf("%q: %v, want %q", script, err, want)
		}
	}
	s, err := ParseScript("s.txt", strings.NewReader("do fly"))
	if err != nil {
		t.Fatal(err)
	}
	e, _ := opened(t, func() *Run { r, _ := fakeRun(3, 1, 1); return r }(), 300, 300)
	if _, err := s.Step(e); err == nil || !strings.Contains(err.Error(), `s.txt, line 1: no action "fly"`) {
		t.Errorf("%v", err)
	}
}

// A recording, played, is the same events.
func TestRecordingsPlay(t *testing.T) {
	run, _ := fakeRun(9, 1, 1)
	e, _ := opened(t, run, 900, 600)
	var text strings.Builder
	r := Recorder{To: &text, Explorer: e}
	events := []Event{Resize{900, 600, 1}, Press{"enter", 0}, Press{"f", Control}, Press{"w", 0}, Rune{'w'}, Rune{'é'}, Press{"1", Shift}, Rune{'!'},
		Move{10, 20}, Click{Left, true, Shift}, Click{Left, false, 0}, Wheel{0, -1.5, Control}, Paste{"two\nlines"}, Press{"space", 0}, Rune{' '}}
	for _, event := range events {
		r.Record(event)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	want := "resize 900 600 1\npress enter\npress ctrl+f\npress w\ntype é\npress shift+1\nmove 10 20\ndown left shift\nup left\nwheel -1.5 ctrl\npaste two lines\npress space\n"
	if text.String() != want {
		t.Errorf("recorded\n%swant\n%s", text.String(), want)
	}
	if _, err := ParseScript("recording", strings.NewReader(text.String())); err != nil {
		t.Error(err)
	}
}

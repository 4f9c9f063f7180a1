package explore

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gazevk/gaze"
)

// What is typed is run; the old maps stay until the new ones are there, and are
// closed then.
func TestTypingRunsTheText(t *testing.T) {
	run, source := fakeRun(9, 3, 2)
	e, host := opened(t, run, 900, 600)
	press(e, "enter", "pagedown", "t")
	if e.edit.String() != run.Text {
		t.Fatalf("the text to edit is %q", e.edit.String())
	}
	press(e, "ctrl+u")
	for _, letter := range "hi there" {
		e.Handle(Rune{letter})
	}
	if got := host.texts[len(host.texts)-1]; got != "hi there" {
		t.Errorf("%q was asked for", got)
	}
	next, nextSource := fakeRun(5, 3, 2)
	e.Open(next)
	e.Complete(next, 1)
	if e.run != run {
		t.Error("the new run is shown before it has the layer in sight")
	}
	e.Complete(next, 2)
	if e.run != next {
		t.Error("the new run is not shown")
	}
	rest := func(done func() bool) {
		for end := time.Now().Add(10 * time.Second); !done() && time.Now().Before(end); {
			e.Frame(time.Now())
			time.Sleep(time.Millisecond)
		}
	}
	rest(func() bool { source.lock.Lock(); defer source.lock.Unlock(); return source.closed == 1 })
	if source.closed != 1 || nextSource.closed != 0 {
		t.Errorf("closed %d and %d times", source.closed, nextSource.closed)
	}
	source.check(t)
	nextSource.check(t)
}

// The letter of the key that opens a field does not appear in it.
func TestKeysThatOpenFieldsTypeNothing(t *testing.T) {
	run, _ := fakeRun(9, 1, 1)
	e, _ := opened(t, run, 900, 600)
	press(e, "t", "x")
	if got, want := e.edit.String(), run.Text+"x"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	press(e, "escape", "/", "w", "7")
	if got := e.prompt.line.String(); got != "w7" {
		t.Errorf("the prompt has %q", got)
	}
	if !slices.Equal(e.found, []int{7}) {
		t.Errorf("found %v while typing", e.found)
	}
	press(e, "enter")
	if e.prompt != nil || !e.pin || e.pinned != (pair{7, 7}) {
		t.Errorf("pinned %v, %v", e.pin, e.pinned)
	}
}

// A text is selected as a whole, copied, cut and replaced; a click puts the caret
// where it is; and keys that type nothing do what they do elsewhere.
func TestEditingATextAsAWhole(t *testing.T) {
	run, _ := fakeRun(9, 3, 2)
	e, host := opened(t, run, 900, 600)
	expect := func(what, want string) {
		t.Helper()
		if got := e.edit.String(); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	press(e, "t", "ctrl+a", "ctrl+c")
	if !slices.Equal(host.copied, []string{run.Text}) {
		t.Errorf("copied %q", host.copied)
	}
	press(e, "n", "e", "w")
	expect("typed", "new")
	press(e, "ctrl+a", "left", "s")
	expect("not selected any more", "nesw")
	press(e, "ctrl+a")
	e.Handle(Paste{"words to be clicked"})
	expect("pasted", "words to be clicked")
	field := e.layout.field.Inset(e.canvas.px(8))
	click := func(x int) {
		e.Handle(Move{float64(x), float64(field.Min.Y + 5)})
		e.Handle(Click{Button: Left, Down: true})
		e.Handle(Click{Button: Left})
	}
	click(field.Min.X + e.canvas.width(textRole, "words ") + 1)
	press(e, "x")
	expect("clicked", "words xto be clicked")
	click(field.Max.X - 1)
	press(e, "y")
	expect("clicked behind it", "words xto be clickedy")
	press(e, "ctrl+a", "ctrl+x")
	expect("cut", "")
	if len(host.copied) != 2 || host.copied[1] != "words xto be clickedy" {
		t.Errorf("cut %q", host.copied)
	}
	if last := host.texts[len(host.texts)-1]; last != "" {
		t.Errorf("%q is run", last)
	}
	long := strings.Repeat("many words ", 100)
	e.Handle(Paste{long})
	click(field.Max.X - e.canvas.px(60)) // in what is in sight of it
	if e.edit.caret < len(long)-20 || e.edit.caret >= len(long) {
		t.Errorf("the caret is before letter %d of %d", e.edit.caret, len(long))
	}
	press(e, "ctrl+g")
	if e.prompt == nil {
		t.Error("a key of the window does nothing while a text is edited")
	}
}

func TestEscapeAlwaysClears(t *testing.T) {
	run, _ := fakeRun(30, 2, 1)
	e, host := opened(t, run, 900, 600)
	press(e, "enter", "/", "w", "1", "enter", "r", "ctrl+d", "shift+d", "f1")
	if err := e.Select(gaze.Rectangle{Queries: gaze.Span{End: 3}, Keys: gaze.Span{End: 3}}); err != nil {
		t.Fatal(err)
	}
	rest(t, e, host)
	for range 5 {
		press(e, "escape")
	}
	if e.pin || e.selection || e.rollout || e.help || e.prompt != nil || e.editing || len(e.found) > 0 || e.compare != noComparison {
		t.Error("something is left")
	}
}

// Rows whose weights do not add up get a red edge, and only they.
func TestRowsThatDoNotAddUp(t *testing.T) {
	run, source := fakeRun(40, 1, 2)
	source.wrong = map[[2]int]bool{{1, 17}: true}
	e, host := opened(t, run, 900, 600)
	for h := range 2 {
		e.Head, e.screen, e.dirty = h, mapScreen, true
		rest(t, e, host)
		x, pixels := e.view.shown().Min.X-1, flat(t, &e.canvas.shown)
		for query := range 40 {
			red := pixels.RGBAAt(x, int(e.view.y(float64(query)+0.5))) == alarmInk
			if red != (h == 1 && query == 17) {
				t.Errorf("head %d, row %d: red is %v", h, query, red)
			}
		}
	}
}

func TestOrders(t *testing.T) {
	run, _ := fakeRun(8, 3, 3)
	e, host := opened(t, run, 900, 600)
	e.Order = "previous"
	e.dirty = true
	rest(t, e, host)
	if got := e.ordered(); got[0].head != 2 || got[8].head != 0 {
		t.Errorf("by previous: %v", got)
	}
	e.Order = "distance"
	if got := e.ordered(); got[0] != (head{0, 0}) || got[8] != (head{2, 2}) {
		t.Errorf("by distance: %v", got)
	}
	e.Order = "no such order"
	if got := e.ordered(); got[4] != (head{1, 1}) {
		t.Errorf("by nothing: %v", got)
	}
}

// Of two texts side by side all of the longer can be seen and read off, and what lies
// beyond the other is neither pinned nor computed of it.
func TestLongerTextBeside(t *testing.T) {
	long, _ := fakeRun(60, 2, 1)
	e, host := opened(t, long, 900, 600)
	press(e, "enter", "ctrl+d")
	short, _ := fakeRun(12, 2, 1)
	short.Text = "another" + short.Text[7:]
	e.Open(short)
	e.Complete(short, 2)
	e.Progress(1)
	press(e, "shift+d", "r", "home")
	rest(t, e, host)
	panes := e.panes()
	if got := panes[0].view.visible(); got.Queries.End != 60 || got.Keys.End != 60 {
		t.Fatalf("of the longer text %v is in sight", got)
	}
	e.Handle(Move{panes[0].view.x(50.5), panes[0].view.y(51.5)})
	rest(t, e, host)
	if got := e.readout(); len(got) != 2 || got[0] != "A: query “w51”, key “w50”" || !strings.HasPrefix(got[1], "A: ") {
		t.Errorf("read off %q", got)
	}
	e.Handle(Click{Left, true, 0})
	e.Handle(Click{Left, false, 0})
	rest(t, e, host)
	if e.pin || e.Trouble() != nil {
		t.Errorf("pinned %v, %v", e.pinned, e.Trouble())
	}
	press(e, "8")
	e.view.pan(-1e9, -1e9)
	rest(t, e, host)
	if err := e.Export("a.png", false); err == nil || !strings.Contains(err.Error(), "nothing of the map is in sight") {
		t.Errorf("the error is %v", err)
	}
	press(e, "shift+d", "escape", "escape", "escape")
	rest(t, e, host)
	if got := e.view.visible(); e.compare != noComparison || got.Queries.End != 12 || got.Queries.First >= 12 {
		t.Errorf("alone again %v is in sight", got)
	}
}

// A run that is kept to compare with lives on when another text is shown.
func TestComparisonKeepsItsRun(t *testing.T) {
	run, source := fakeRun(12, 2, 2)
	e, host := opened(t, run, 1200, 700)
	press(e, "shift+d")
	if e.compare != noComparison || e.message == "" {
		t.Error("there is a comparison with nothing")
	}
	press(e, "enter", "ctrl+d")
	next, nextSource := fakeRun(12, 2, 2)
	nextSource.weight = func(layer, head, query, key int) float64 { return 0.5 * fakeWeight(layer, head, query, key) }
	e.Open(next)
	e.Complete(next, 2)
	e.Progress(1)
	press(e, "shift+d")
	rest(t, e, host)
	if len(e.panes()) != 2 || source.closed != 0 {
		t.Errorf("%d panes, closed %d times", len(e.panes()), source.closed)
	}
	press(e, "shift+d")
	rest(t, e, host)
	p := e.panes()[0]
	if tile, ok := has[*tile](e.store, e.part(&p, 1, 0, 0)); !ok {
		t.Error("no difference")
	} else if got, _ := tile.at(3, 4); !near32(got, -0.5*fakeWeight(0, 0, 3, 4)) {
		t.Errorf("difference %v", got)
	}
	longer, _ := fakeRun(13, 2, 2)
	e.Open(longer)
	e.Complete(longer, 2)
	e.Progress(1)
	rest(t, e, host)
	if len(e.panes()) != 2 || !strings.Contains(e.message, "A has 12 tokens, this has 13") || e.Trouble() != nil {
		t.Errorf("%d panes of texts of other lengths, %q, %v", len(e.panes()), e.message, e.Trouble())
	}
	press(e, "escape", "escape", "shift+d", "shift+d")
	if e.compare == difference || !strings.Contains(e.message, "12 tokens") {
		t.Errorf("%v, %q", e.compare, e.message)
	}
	press(e, "ctrl+d")
	rest(t, e, host)
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		source.lock.Lock()
		closed := source.closed
		source.lock.Unlock()
		if closed == 1 {
			return
		}
	}
	t.Error("the run that was kept before is not closed")
}

func near32(got float32, want float64) bool { return abs(float64(got)-want) < 1e-6 }

func abs(x float64) float64 { return max(x, -x) }

func TestFailuresAreShown(t *testing.T) {
	run, source := fakeRun(30, 1, 1)
	source.fail = errors.New("the device has gone")
	e, host := opened(t, run, 900, 600)
	press(e, "enter")
	rest(t, e, host)
	if err := e.Trouble(); err == nil || err.Error() != "the device has gone" {
		t.Errorf("trouble is %v", err)
	}
	if source.calls > 12 {
		t.Errorf("%d calls of what fails", source.calls)
	}
	e.Fail(errors.New("no such text"))
	if err := e.Failure(); err == nil || e.Ready() {
		t.Errorf("%v", err)
	}
	e.Frame(time.Now())
}

func TestKeysAreUnique(t *testing.T) {
	names, chords := map[string]bool{}, map[chord]string{}
	for _, a := range actions {
		if names[a.name] || a.name == "" || a.group == "" {
			t.Errorf("action %q", a.name)
		}
		names[a.name] = true
		for _, c := range a.keys {
			if chords[c] != "" {
				t.Errorf("%v does %s and %s", c, chords[c], a.name)
			}
			chords[c] = a.name
		}
	}
	var e Explorer
	if err := e.Do("fly"); err == nil {
		t.Error("an unknown action is done")
	}
}

// All can be drawn larger than the screen asks for, within bounds, and stays so.
func TestLarger(t *testing.T) {
	run, _ := fakeRun(20, 1, 1)
	e, host := opened(t, run, 900, 600)
	for range 3 {
		press(e, "ctrl+=")
	}
	if e.canvas.density != 4 || e.Larger != 3 {
		t.Errorf("density %d", e.canvas.density)
	}
	for range 20 {
		press(e, "ctrl+=")
	}
	if e.canvas.density != largestDensity {
		t.Errorf("density %d", e.canvas.density)
	}
	for range 20 {
		press(e, "ctrl+-")
	}
	if e.canvas.density != 1 || e.Larger != 0 {
		t.Errorf("density %d", e.canvas.density)
	}
	press(e, "ctrl+=")
	e.Handle(Resize{1200, 900, 2})
	rest(t, e, host)
	if e.canvas.density != 3 {
		t.Errorf("density %d on a dense screen", e.canvas.density)
	}
	if frame, _ := e.Frame(time.Now()); frame.Over.Rect.Dx() != 1200 {
		t.Errorf("the frame is %v", frame.Over.Rect)
	}
}

// A map from afar comes in squares, each of few enough pairs to be quick.
func TestTilesOfLargeCells(t *testing.T) {
	for cell := 1; cell <= LargestCell; cell *= 2 {
		side := tileTokens(cell)
		if side%cell != 0 || side > 2048 || side < 256 {
			t.Errorf("cells of %d: squares of %d tokens", cell, side)
		}
	}
}

// A map follows the layers as they complete, unless it is to stay.
func TestStay(t *testing.T) {
	for _, stay := range []bool{false, true} {
		run, _ := fakeRun(9, 3, 2)
		e := New(newHost(), DefaultSettings())
		t.Cleanup(e.Close)
		e.Handle(Resize{900, 600, 1})
		if e.Shown() {
			t.Error("there is something to see before the first run")
		}
		e.Open(run)
		e.Complete(run, 1)
		if !e.Shown() || e.Ready() {
			t.Errorf("with one layer: shown %v, ready %v", e.Shown(), e.Ready())
		}
		e.Stay() // nothing, in the overview
		press(e, "enter")
		if stay {
			e.Stay()
		}
		e.Complete(run, 2)
		if want := map[bool]int{false: 1, true: 0}[stay]; e.Layer != want {
			t.Errorf("stay %v: layer %d is shown of two, expected %d", stay, e.Layer, want)
		}
	}
}

package explore

import (
	"errors"
	"image"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/visualize"
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

func TestFindGoesRound(t *testing.T) {
	run, _ := fakeRun(30, 1, 1) // w1, w10 to w19 have "w1" in them
	e, _ := opened(t, run, 900, 600)
	if err := e.Find("W1"); err != nil {
		t.Fatal(err)
	}
	var visited []int
	for range 12 {
		visited = append(visited, e.pinned.query)
		press(e, ".")
	}
	if want := []int{1, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 1}; !slices.Equal(visited, want) {
		t.Errorf("visited %v, want %v", visited, want)
	}
	press(e, ",") // back from 10
	if e.pinned.query != 1 {
		t.Errorf("back at %d", e.pinned.query)
	}
	press(e, ",")
	if e.pinned.query != 19 {
		t.Errorf("back before the first: %d", e.pinned.query)
	}
	// Over several tokens.
	if err := e.Find("w3 w4"); err != nil || e.pinned.query != 3 || !slices.Equal(e.found, []int{3, 4}) {
		t.Errorf("%v: pinned %v, found %v", err, e.pinned, e.found)
	}
	if err := e.Find("nowhere"); err == nil {
		t.Error("something was found that is not there")
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

func TestGoTo(t *testing.T) {
	run, _ := fakeRun(300, 1, 1)
	e, _ := opened(t, run, 900, 600)
	for _, bad := range []string{"", "x", "1,", "1,y", "-1,0", "300,0", "0,300"} {
		if err := e.GoTo(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
	if err := e.GoTo(" 250 , 12 "); err != nil || e.pinned != (pair{250, 12}) {
		t.Errorf("%v, %v", err, e.pinned)
	}
	if r := e.view.visible(); r.Queries.End <= 250 || r.Keys.First > 12 {
		t.Errorf("%v is in sight", r)
	}
	if err := e.GoTo("7"); err != nil || e.pinned != (pair{7, 7}) {
		t.Errorf("%v, %v", err, e.pinned)
	}
}

// What is read off is the weight itself and its rank.
func TestReadout(t *testing.T) {
	run, source := fakeRun(40, 2, 2)
	e, host := opened(t, run, 900, 600)
	press(e, "enter", "pagedown", "]")
	if err := e.GoTo("20,19"); err != nil {
		t.Fatal(err)
	}
	rest(t, e, host)
	weight := float32(source.weight(1, 1, 20, 19))
	greater := 0
	for key := 17; key <= 22; key++ {
		if float32(source.weight(1, 1, 20, key)) > weight {
			greater++
		}
	}
	got := e.readout()
	for i, want := range []string{"query 20 “w20”", "key 19 “w19”", "weight " + readable(float64(weight)), "rank " + string(rune('1'+greater)) + " of 6"} {
		if i >= len(got) || got[i] != want {
			t.Errorf("line %d of %q, want %q", i, got, want)
		}
	}
	if err := e.GoTo("20,30"); err != nil {
		t.Fatal(err)
	}
	rest(t, e, host)
	if got := e.readout(); got[2] != "masked" {
		t.Errorf("%q of a masked pair", got)
	}
	if len(host.printed) != 2 || !strings.HasPrefix(host.printed[0], `1,1,20,19,"w20","w19",0.`) || !strings.HasSuffix(host.printed[1], `"w30",`) {
		t.Errorf("printed %q", host.printed)
	}
}

// A click in a cell of several pairs pins the greatest of them.
func TestClickPinsTheGreatest(t *testing.T) {
	run, source := fakeRun(1000, 1, 1)
	e, host := opened(t, run, 900, 600)
	press(e, "enter")
	rest(t, e, host)
	cell := e.view.cell()
	if cell < 2 {
		t.Fatal("the cell has one pair")
	}
	x, y := e.view.x(500.5), e.view.y(300.5)
	e.Handle(Move{x, y})
	e.Handle(Click{Left, true, 0})
	e.Handle(Click{Left, false, 0})
	rest(t, e, host)
	best := pair{}
	at, to, _ := e.view.pair(float64(int(x)), float64(int(y)))
	for query := at / cell * cell; query < at/cell*cell+cell; query++ {
		for key := to / cell * cell; key < to/cell*cell+cell; key++ {
			if source.weight(0, 0, query, key) > source.weight(0, 0, best.query, best.key) || best == (pair{}) {
				best = pair{query, key}
			}
		}
	}
	if e.pinned != best {
		t.Errorf("pinned %v, want %v", e.pinned, best)
	}
}

func TestSelectionHasItsMass(t *testing.T) {
	run, source := fakeRun(40, 1, 1)
	e, host := opened(t, run, 900, 600)
	press(e, "enter")
	e.arrange()
	at := func(query, key float64) Move { return Move{e.view.x(key), e.view.y(query)} }
	e.Handle(at(3.5, 5.5))
	e.Handle(Click{Left, true, Shift})
	e.Handle(at(9.5, 14.5))
	e.Handle(Click{Left, false, Shift})
	if want := (gaze.Rectangle{Queries: gaze.Span{First: 3, End: 10}, Keys: gaze.Span{First: 5, End: 15}}); !e.selection || e.selected != want {
		t.Fatalf("selected %v, want %v", e.selected, want)
	}
	rest(t, e, host)
	mass := 0.0
	for query := 3; query < 10; query++ {
		for key := 5; key < 15; key++ {
			mass += source.weight(0, 0, query, key)
		}
	}
	if got := strings.Join(e.selectionReadout(), "\n"); !strings.Contains(got, "mass "+readable(mass)) {
		t.Errorf("%q, want a mass of %v", got, readable(mass))
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
		x := e.view.shown().Min.X - 1
		for query := range 40 {
			red := e.canvas.img.RGBAAt(x, int(e.view.y(float64(query)+0.5))) == alarmInk
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

func TestExports(t *testing.T) {
	run, _ := fakeRun(30, 1, 2)
	e, host := opened(t, run, 900, 600)
	directory := t.TempDir()
	press(e, "enter", "]")
	for _, bad := range []string{"x.gif", "x.png 0", "x.png 9", ""} {
		if err := e.Export(bad, false); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
	for _, name := range []string{"a.png", "b.svg", "c.html", "d.csv", "e.png"} {
		path := filepath.Join(directory, name)
		if err := e.Export(path+" 2", name == "e.png"); err != nil {
			t.Fatal(err)
		}
		rest(t, e, host)
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v, %q", name, err, e.message)
		}
	}
	want := "gaze map --model fake --layer 0 --head 1 --rect 0:30,0:30 --scale log --measure weight --pool max --colors viridis --range "
	if got := host.printed[0]; !strings.HasPrefix(got, want) || !strings.HasSuffix(got, " --density 2 --out "+filepath.Join(directory, "a.png")) {
		t.Errorf("printed %q", got)
	}
	if err := e.Export(filepath.Join(directory, "no", "such", "x.png"), false); err != nil {
		t.Fatal(err)
	}
	rest(t, e, host)
	if !e.alarm {
		t.Errorf("writing to nowhere says %q", e.message)
	}
	press(e, "pagedown", "ctrl+d", "shift+d", "shift+d")
	if err := e.Export(filepath.Join(directory, "difference.csv"), true); err != nil {
		t.Fatal(err)
	}
	rest(t, e, host)
	if data, err := os.ReadFile(filepath.Join(directory, "difference.csv")); err != nil || !strings.Contains(string(data), "w3,0,") {
		t.Errorf("%v: %.200s", err, data)
	}
}

func TestQuote(t *testing.T) {
	for arg, want := range map[string]string{"plain-1.5": "plain-1.5", "": "''", "two words": "'two words'", "it's": `'it'\''s'`, "$x": "'$x'"} {
		if got := quote(arg); got != want {
			t.Errorf("quote(%q) = %s, want %s", arg, got, want)
		}
	}
}

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

// Whatever comes in, nothing breaks, nothing leaks.
func TestRandomEvents(t *testing.T) {
	before := runtime.NumGoroutine()
	random := rand.New(rand.NewPCG(5, 2))
	host := newHost()
	host.files = map[string]string{"x": "dropped text"}
	e := New(host, DefaultSettings())
	var sources []*fakeSource
	open := func() {
		run, source := fakeRun(1+random.IntN(150), 1+random.IntN(3), 1+random.IntN(3))
		sources = append(sources, source)
		e.Open(run)
		e.Complete(run, random.IntN(len(run.Layers)+1))
		if random.IntN(3) > 0 {
			e.Complete(run, len(run.Layers))
			e.Progress(1)
		}
		if random.IntN(8) == 0 {
			e.Abandon(run)
		}
	}
	var chords []chord
	for _, a := range actions {
		if !strings.HasPrefix(a.name, "export") {
			chords = append(chords, a.keys...)
		}
	}
	for _, key := range []Key{"up", "down", "left", "right", "enter", "escape", "tab", "delete", "x", "z"} {
		chords = append(chords, chord{key: key}, chord{key, Shift})
	}
	count := 10_000
	if testing.Short() {
		count = 1000
	}
	e.Handle(Resize{640, 480, 1})
	for i := range count {
		switch random.IntN(12) {
		case 0, 1, 2, 3:
			c := chords[random.IntN(len(chords))]
			e.Handle(Press{c.key, c.modifiers})
			if letter, ok := c.types(); ok {
				e.Handle(Rune{letter})
			}
		case 4, 5, 6:
			e.Handle(Move{random.Float64()*800 - 50, random.Float64()*600 - 50})
		case 7:
			e.Handle(Click{Button(random.IntN(3)), random.IntN(2) == 0, Modifiers(random.IntN(8))})
		case 8:
			e.Handle(Wheel{random.NormFloat64(), 4 * random.NormFloat64(), Modifiers(random.IntN(8))})
		case 9:
			switch random.IntN(6) {
			case 0:
				e.Handle(Resize{random.IntN(900), random.IntN(700), random.IntN(3)})
			case 1:
				e.Handle(Paste{"pasted\ntext \x00 \xff"})
			case 2:
				e.Handle(Drop{[]string{"x", "y"}[:random.IntN(3)]})
			case 3:
				e.GoTo("3,2")
			case 4:
				e.Select(gaze.Rectangle{Queries: gaze.Span{First: random.IntN(5), End: 7}, Keys: gaze.Span{End: 5}})
			}
		case 10:
			if random.IntN(8) == 0 {
				open()
			}
			if random.IntN(60) == 0 {
				e.Fail(errors.New("nothing"))
			}
		}
		if i%3 == 0 {
			e.Frame(time.Now())
		}
	}
	e.Close()
	for i, source := range sources {
		source.check(t)
		if source.closed != 1 {
			t.Errorf("run %d of %d was closed %d times", i, len(sources), source.closed)
		}
	}
	if len(sources) < count/200 {
		t.Errorf("only %d runs", len(sources))
	}
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines are left", runtime.NumGoroutine()-before)
		}
	}
}

func TestEveryActionInEverySituation(t *testing.T) {
	for _, size := range []image.Point{{1, 1}, {200, 200}, {1280, 820}} {
		run, _ := fakeRun(1, 1, 1)
		e, host := opened(t, run, size.X, size.Y)
		for _, a := range actions {
			if err := e.Do(a.name); err != nil {
				t.Error(err)
			}
			e.Frame(time.Now())
		}
		press(e, "escape")
		rest(t, e, host)
	}
	e := New(newHost(), Settings{Layer: 7, Head: 900, Colors: "nonsense", Order: "nonsense"})
	e.Handle(Resize{300, 300, 2})
	for _, a := range actions {
		if err := e.Do(a.name); err != nil {
			t.Error(err)
		}
		e.Frame(time.Now())
	}
	e.Close()
}

func TestSettingsAreWithinTheRun(t *testing.T) {
	run, _ := fakeRun(5, 2, 2)
	host := newHost()
	e := New(host, Settings{Layer: 70, Head: 9, Colors: "blue_red", Measure: visualize.Lift})
	t.Cleanup(e.Close)
	e.Handle(Resize{300, 300, 1})
	e.Open(run)
	e.Complete(run, 2)
	e.Progress(1)
	rest(t, e, host)
	if e.Layer != 1 || e.Head != 1 || e.Colors != "viridis" {
		t.Errorf("%+v", e.Settings)
	}
}

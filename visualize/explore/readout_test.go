package explore

import (
	"slices"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
)

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
	if got := e.readout(); len(got) != 6 || !strings.HasPrefix(got[0], "query 9 ") || !strings.HasPrefix(got[2], "weight ") || !strings.HasPrefix(got[5], "mass ") {
		t.Errorf("read off %q", got)
	}
	if got := strings.Join(e.selectionReadout(), "\n"); !strings.Contains(got, "mass "+readable(mass)) {
		t.Errorf("%q, want a mass of %v", got, readable(mass))
	}
}

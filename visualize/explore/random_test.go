package explore

import (
	"errors"
	"image"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/visualize"
)

// Whatever comes in, nothing breaks, nothing leaks.
func TestRandomEvents(t *testing.T) {
	before := runtime.NumGoroutine()
	random := rand.New(rand.NewPCG(5, 2))
	host := newHost()
	host.files = map[string]string{"x": "dropped text"}
	e := New(host, DefaultSettings())
	var sources []*fakeSource
	device := &fakeDevice{left: 300_000}
	open := func() {
		run, source := fakeRun(1+random.IntN(150), 1+random.IntN(3), 1+random.IntN(3))
		sources = append(sources, source)
		if random.IntN(3) > 0 {
			source.device = device
		}
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
			if random.IntN(2) == 0 {
				e.Presented()
			}
		}
	}
	e.Close()
	device.check(t)
	if taken := device.taken(); taken > 0 || len(device.rooms) == 0 {
		t.Errorf("%d of %d rooms are still taken", taken, len(device.rooms))
	}
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

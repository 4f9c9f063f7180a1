package main

import (
	"fmt"
	"image"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gazevk/gaze/tests/display"
)

// A step is what a person does, by mouse and keyboard and as the line of a script.
type step struct {
	does   string // words for xdotool; a word that begins with ' ends with one
	script string // lines
}

// frames plays the steps without a window and returns the frame after each, the
// first being that before all.
func frames(t *testing.T, steps []step, args ...string) (list []*image.RGBA) {
	t.Helper()
	directory := t.TempDir()
	var script strings.Builder
	name := func(i int) string { return filepath.Join(directory, fmt.Sprintf("%d.png", i)) }
	fmt.Fprintf(&script, "snap %s\n", name(0))
	for i, s := range steps {
		fmt.Fprintf(&script, "%s\nsnap %s\n", s.script, name(i+1))
	}
	mustCall(t, append([]string{"--play", write(t, directory, "script", script.String()), "--snapshot", filepath.Join(directory, "last.png")}, args...)...)
	for i := range len(steps) + 1 {
		list = append(list, picture(t, name(i)))
	}
	return list
}

var word = regexp.MustCompile(`'[^']*'|\S+`)

// act does a step with mouse and keyboard.
func (s *session) act(step step) {
	s.t.Helper()
	words := word.FindAllString(step.does, -1)
	for i := range words {
		words[i] = strings.Trim(words[i], "'")
	}
	s.do(words...)
}

const (
	width, height = 900, 660
	windowSize    = "900x660"
	shortText     = "The cat sat on the mat, and the cat slept."
)

// What a person sees in the window is, after each thing done to it and pixel for
// pixel, what is drawn of the same without one; and what is recorded of all of it
// plays to the same frame.
func TestWindow(t *testing.T) {
	steps := []step{
		{"mousemove 450 200", "move 450 200"}, // over a thumbnail
		{"key Down key Right", "press down\npress right"},
		{"key e", "press e"}, // another order
		{"key e key e", "press e\npress e"},
		{"click 5", "wheel -1"},
		{"click 4 click 4", "wheel 1\nwheel 1"},
		{"click --repeat 2 --delay 30 1", "double left"}, // opens the head
		{"mousemove 300 300", "move 300 300"},            // reads off
		{"click 4 click 4 click 4", "wheel 1\nwheel 1\nwheel 1"},
		{"mousedown 1 mousemove 320 330 mousemove 280 260 mouseup 1", "down left\nmove 320 330\nmove 280 260\nup left"},
		{"keydown ctrl click 5 keyup ctrl", "wheel -1 ctrl"},
		{"mousemove 250 250 mousedown 3 mousemove 330 340 mouseup 3", "move 250 250\ndown right\nmove 330 340\nup right"},
		{"key Home", "press home"},
		{"mousemove 260 260 keydown shift mousedown 1 mousemove 360 380 mouseup 1 keyup shift", "move 260 260\ndown left shift\nmove 360 380\nup left shift"},
		{"key f", "press f"},
		{"key f", "press f"},
		{"mousemove 350 320 click 1", "move 350 320\nclick left"}, // pins
		{"key Left key shift+Down", "press left\npress shift+down"},
		{"key slash type cat", "press /\ntype cat"},
		{"key Return", "press enter"},
		{"key period", "press ."},
		{"key ctrl+g type 5,7", "press ctrl+g\ntype 5,7"},
		{"key Return", "press enter"},
		{"key r", "press r"},
		{"key Escape", "press escape"},
		{"key Page_Down key bracketright", "press pagedown\npress ]"},
		{"key l", "press l"},
		{"key n", "press n"},
		{"key m", "press m"},
		{"key p key o", "press p\npress o"},
		{"key shift+c", "press shift+c"},
		{"key ctrl+d", "press ctrl+d"},
		{"key bracketleft", "press ["},
		{"key shift+d", "press shift+d"},
		{"key shift+d", "press shift+d"},
		{"key shift+d", "press shift+d"},
		{"key h", "press h"},
		{"key h", "press h"},
		{"key h", "press h"},
		{"key question", "press ?"},
		{"key Escape", "press escape"},
		{"key 4", "press 4"},
		{"key w key d", "press w\npress d"},
		{"key t type ' It purred.'", "press t\ntype  It purred."}, // the maps follow
		{"key BackSpace key ctrl+Left key ctrl+Left type 'then '", "press backspace\npress ctrl+left\npress ctrl+left\ntype then "},
		{"key Return", "press enter"},
		{"key BackSpace", "press backspace"}, // the overview
		{"mousemove 5 5", "move 5 5"},
	}
	record := filepath.Join(t.TempDir(), "events")
	args := []string{"--text", shortText, "--size", windowSize, "--forget"}
	start := time.Now()
	want := frames(t, steps, append(args, "--validate")...)
	t.Log("headless", time.Since(start))
	screen := display.Start(t, 1000, 700)
	screen.Xdotool(t, "mousemove", "990", "690") // not over the window
	s := begin(t, screen, append(args, "--record", record)...)
	s.shows(want[0])
	for i, step := range steps {
		s.act(step)
		t.Log(step.does)
		s.shows(want[i+1])
	}
	s.quit()

	var events strings.Builder
	for line := range strings.Lines(read(t, record)) {
		if !strings.HasPrefix(line, "wait ") {
			events.WriteString(line)
		}
	}
	again := write(t, t.TempDir(), "again", events.String())
	snapshot := filepath.Join(t.TempDir(), "again.png")
	mustCall(t, append(args, "--play", again, "--snapshot", snapshot, "--validate")...)
	if got := picture(t, snapshot); !same(got, want[len(want)-1]) {
		t.Errorf("what was recorded plays to another frame:\n%s", events.String())
	}
	_ = os.Remove
}

func same(a, b *image.RGBA) bool {
	return a.Rect == b.Rect && string(a.Pix) == string(b.Pix)
}

package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"image"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/gazevk/gaze/cmd/internal/commandline"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/tests/display"
)

// A step is what a person does, by mouse and keyboard and as the line of a script.
type step struct {
	does   string // words for xdotool; a word that begins with ' ends with one
	script string // lines
}

// frames plays the steps without a window and returns the frame after each, the
// first being that before all.
func frames(t *testing.T, steps []step, args ...string) []*image.RGBA {
	t.Helper()
	return framesOf(t, nil, steps, args...)
}

// framesOf is frames with cells that stay on the device, in a pool that pool makes.
func framesOf(t *testing.T, pool func(context.Context, *engine.Engine) (*engine.Pool, error), steps []step, args ...string) (list []*image.RGBA) {
	t.Helper()
	script := "snap first\n"
	for _, s := range steps {
		script += s.script + "\nsnap next\n"
	}
	args = append(args, "--play", write(t, t.TempDir(), "script", script), "--snapshot", "last.png")
	var o options
	flags := flag.NewFlagSet("test", flag.ContinueOnError)
	o.declare(flags)
	operands, err := commandline.Parse(flags, args)
	if err == nil {
		err = o.check(flags, operands)
	}
	if err == nil {
		// Files of so many pixels take the race detector long.
		keep := func(_ string, frame *image.RGBA) error {
			list = append(list, &image.RGBA{Pix: bytes.Clone(frame.Pix), Stride: frame.Stride, Rect: frame.Rect})
			return nil
		}
		err = (&program{options: &o, stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard, keep: keep, rooms: pool}).run(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return list[:len(steps)+1]
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
	windowSize = "900x660"
	shortText  = "The cat sat on the mat, and the cat slept."
)

// newScreen is one with room beside the window, where the mouse is.
func newScreen(t *testing.T) *display.Display {
	t.Helper()
	screen := display.Start(t, 1000, 700)
	screen.Xdotool(t, "mousemove", "990", "690")
	return screen
}

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
	want := frames(t, steps, args...)
	placed := framesOf(t, smallPool, steps, args...)
	screen := newScreen(t)
	for paint, want := range map[string][]*image.RGBA{"cpu": want, "device": placed} {
		t.Run(paint, func(t *testing.T) {
			s := begin(t, screen, append(args, "--record", record, "--paint", paint)...)
			s.shows(want[0])
			for i, step := range steps {
				s.act(step)
				t.Log(step.does)
				s.shows(want[i+1])
			}
			s.quit()
		})
	}
	for i := range want { // several layers over a map are rounded otherwise
		if !alike(want[i], placed[i], 2) {
			t.Errorf("frame %d looks otherwise where cells stay on the device", i)
		}
	}

	var events strings.Builder
	for line := range strings.Lines(read(t, record)) {
		if !strings.HasPrefix(line, "wait ") {
			events.WriteString(line)
		}
	}
	again := write(t, t.TempDir(), "again", events.String())
	snapshot := filepath.Join(t.TempDir(), "again.png")
	mustCall(t, append(args, "--play", again, "--snapshot", snapshot)...)
	if got := picture(t, snapshot); !same(got, want[len(want)-1]) {
		t.Errorf("what was recorded plays to another frame:\n%s", events.String())
	}
}

// alike reports whether no channel differs by more.
func alike(a, b *image.RGBA, most int) bool {
	for i := range a.Pix {
		if d := int(a.Pix[i]) - int(b.Pix[i]); max(d, -d) > most {
			return false
		}
	}
	return a.Rect == b.Rect
}

func same(a, b *image.RGBA) bool {
	return a.Rect == b.Rect && string(a.Pix) == string(b.Pix)
}

// A window that is resized, faster than anybody draws at last, and hidden and
// shown again has the frame of its size.
func TestWindowResize(t *testing.T) {
	var steps []step
	sizes := rand.New(rand.NewPCG(3, 4))
	for range 15 {
		width, height := 60+sizes.IntN(900), 40+sizes.IntN(640)
		steps = append(steps, step{fmt.Sprintf("%d %d", width, height), fmt.Sprintf("resize %d %d", width, height)})
	}
	steps = append(steps, step{"1 1", "resize 1 1"}, step{"700 500", "resize 700 500"})
	args := []string{"--text", shortText, "--size", windowSize, "--layer", "3", "--head", "2", "--forget"}
	want := frames(t, steps, args...)
	s := begin(t, newScreen(t), args...)
	s.shows(want[0])
	window := s.window()
	for i, step := range steps {
		s.do(append([]string{"windowsize", window}, strings.Fields(step.does)...)...)
		s.shows(want[i+1])
	}
	for i := range 50 {
		s.do("windowsize", window, fmt.Sprint(300+8*i), fmt.Sprint(500-3*i))
	}
	s.do("windowsize", window, "700", "500")
	last := want[len(want)-1]
	s.shows(last)
	for range 3 { // as minimizing does
		s.do("windowunmap", "--sync", window)
		s.shows(image.NewRGBA(last.Rect))
		s.do("windowmap", "--sync", window)
		s.shows(last)
	}
	s.do("mousemove", "100", "100")
	s.quit()
}

// What is pinned and exported is printed, so that others can go on with it: the
// command that is printed writes the same numbers.
func TestWindowExport(t *testing.T) {
	directory := t.TempDir()
	args := []string{"--text", shortText, "--size", windowSize, "--layer", "6", "--head", "1", "--forget"}
	steps := []step{{"mousemove 300 330", "move 300 330"}, {"click 1", "click left"}}
	want := frames(t, steps, args...)
	s := begin(t, newScreen(t), args...)
	s.shows(want[0])
	for i, step := range steps {
		s.act(step)
		s.shows(want[i+1])
	}
	if line := s.prints("6,1,"); !regexp.MustCompile(`^6,1,\d+,\d+,".+",".+",0\.\d+$`).MatchString(line) {
		t.Errorf("what is pinned is printed as %s", line)
	}
	export := func(name string) (path, command string) {
		path = filepath.Join(directory, name)
		s.do("key", "ctrl+shift+e", "key", "ctrl+u", "type", "--delay", "2", path)
		s.do("key", "Return")
		return path, s.prints("--out " + path)
	}
	path, command := export("part.csv")
	gaze := filepath.Join(directory, "gaze")
	build := exec.Command("go", "build", "-o", gaze, "../gaze")
	build.Env = outside // where compiled packages are kept
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	reproduces := func(path, command string) {
		exported := read(t, path)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("sh", "-c", strings.Replace(command, "gaze ", gaze+" ", 1)).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
		if again := read(t, path); again != exported || len(again) < 1000 {
			t.Errorf("%s writes another file of %d bytes; the window wrote %d", command, len(again), len(exported))
		}
	}
	reproduces(path, command)
	for _, name := range []string{"part.png", "part.svg", "part.html"} {
		reproduces(export(name))
	}
	s.quit()
}

// What is copied can be pasted, here into the text itself.
func TestWindowPaste(t *testing.T) {
	record := filepath.Join(t.TempDir(), "events")
	args := []string{"--text", shortText, "--size", windowSize, "--pin", "3,5", "--forget"}
	steps := []step{{"mousemove 890 650", "move 890 650"}, {"key ctrl+c", "press ctrl+c"}, {"key t key ctrl+u", "press t\npress ctrl+u"}}
	want := frames(t, steps, args...)
	s := begin(t, newScreen(t), append(args, "--record", record)...)
	s.shows(want[0])
	for i, step := range steps {
		s.act(step)
		s.shows(want[i+1])
	}
	s.do("key", "ctrl+v", "key", "shift+Insert", "key", "Escape")
	s.quit()
	const pasted = "paste query 3 “sat” key 5 “the” weight "
	if events := read(t, record); strings.Count(events, pasted) != 2 {
		t.Errorf("the events are\n%s", events)
	}
}

// The next start takes up the view and the size of the last; a state that is
// damaged is as good as none, and --forget leaves it alone.
func TestWindowRemembers(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	file := filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "gaze", "view.json")
	args := []string{"--text", shortText}
	plain := frames(t, nil, append(args, "--size", "900x660")...)[0]
	steps := []step{{"mousemove 450 200 key m key Down key Right key Return", "move 450 200\npress m\npress down\npress right\npress enter"}, {"key n", "press n"}}
	want := frames(t, steps, append(args, "--size", "900x660")...)
	later := frames(t, nil, append(args, "--size", "820x600", "--layer", "1", "--head", "1", "--colors", "cividis", "--measure", "row_maximum")...)[0]

	s := begin(t, newScreen(t), append(args, "--size", "900x660")...)
	s.shows(plain)
	for i, step := range steps {
		s.act(step)
		s.shows(want[i+1])
	}
	s.do("windowsize", s.window(), "820", "600", "mousemove", "990", "690")
	s.shows(later)
	s.do("mousemove", "810", "590")
	s.quit()

	s = begin(t, newScreen(t), args...)
	s.shows(later)
	s.do("mousemove", "810", "590")
	s.quit()
	state := read(t, file)
	for _, damaged := range []string{"", "{", "[]", `{"Width": 1, "Height": -3}`, `{"Layer": -7}`, `{"Scale": "cubic"}`, `{"Measure": "difference"}`, "\x00\xff"} {
		if err := os.WriteFile(file, []byte(damaged), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, otherwise := readState(state0), state0; got != otherwise {
			t.Errorf("%q is taken up as %+v", damaged, got)
		}
	}
	s = begin(t, newScreen(t), append(args, "--size", "900x660", "--forget")...)
	s.shows(plain)
	s.do("mousemove", "810", "590")
	s.quit()
	if left := read(t, file); left != "\x00\xff" {
		t.Errorf("--forget leaves %q", left)
	}
	if !strings.Contains(state, `"Layer": 1`) {
		t.Errorf("the state is %s", state)
	}
}

var state0 = defaultState(&options{width: 640, height: 480})

// Lines of standard input are shown as they come, unless it is paused.
func TestWindowFollows(t *testing.T) {
	texts := []string{"It rained all night.", "The river rose.", "Nobody slept."}
	size := []string{"--size", windowSize, "--forget"}
	shows := func(text string, steps ...step) []*image.RGBA {
		return frames(t, steps, append(size, "--text", text)...)
	}
	paused, third := shows(texts[1], step{"", "press space"}, step{"", "press enter"}), shows(texts[2], step{"", "press enter"})
	s := begin(t, newScreen(t), append(size, "--follow")...)
	fmt.Fprintln(s.stdin, texts[0])
	s.shows(shows(texts[0])[0])
	fmt.Fprintf(s.stdin, "\n  \n%s\n", texts[1])
	s.shows(paused[0])
	s.do("mousemove", "890", "650", "key", "space")
	s.shows(paused[1])
	fmt.Fprintln(s.stdin, texts[2])
	s.do("key", "Return")
	s.shows(paused[2])
	s.do("key", "space")
	s.shows(third[1])
	s.quit()
}

// A script is played in a window as it is without one, which it closes at its end.
func TestWindowPlays(t *testing.T) {
	directory := t.TempDir()
	script := write(t, directory, "script", "settle\npress enter\nwait 10ms\nsnap "+directory+"/1.png\npress t\ntype  Yes.\nsnap "+directory+"/2.png\n")
	args := []string{"--text", shortText, "--size", windowSize, "--forget", "--play", script}
	s := begin(t, newScreen(t), args...)
	if status, complaint := s.end(); status != 0 || complaint != "" {
		t.Fatalf("status %d\n%s", status, complaint)
	}
	inWindow := []*image.RGBA{picture(t, directory+"/1.png"), picture(t, directory+"/2.png")}
	mustCall(t, append(args, "--snapshot", directory+"/last.png")...)
	for i, name := range []string{"/1.png", "/2.png"} {
		if !same(picture(t, directory+name), inWindow[i]) {
			t.Errorf("%s differs", name)
		}
	}
	// Nobody sits before a window that plays: what failed is how it ends.
	s = begin(t, newScreen(t), append(args, "--device", "nosuch")...)
	if status, complaint := s.end(); status != 1 || !strings.Contains(complaint, "nosuch") {
		t.Errorf("status %d\n%s", status, complaint)
	}
}

// Signals and an X server that dies end the program in good order.
func TestWindowEnds(t *testing.T) {
	args := []string{"--text", shortText, "--size", windowSize}
	want := frames(t, nil, args...)[0]
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Setenv("XDG_CONFIG_HOME", t.TempDir())
		s := begin(t, newScreen(t), args...)
		s.shows(want)
		if err := s.command.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if status, complaint := s.end(); status != 130 || complaint != "gaze-view: interrupted\n" {
			t.Errorf("%v: status %d\n%s", signal, status, complaint)
		}
		if file, err := stateFile(); err != nil || !strings.Contains(read(t, file), `"Width": 900`) {
			t.Errorf("%v: the view is not remembered: %v", signal, err)
		}
	}
	var s *session
	t.Run("server", func(inner *testing.T) { // whose screen ends with it
		screen := newScreen(inner)
		s = begin(t, screen, args...)
		s.shows(want)
	})
	if status, complaint := s.end(); status != 1 || complaint == "" || strings.Contains(complaint, "panic") || strings.Contains(complaint, "goroutine") {
		t.Errorf("without its screen: status %d\n%s", status, complaint)
	}
}

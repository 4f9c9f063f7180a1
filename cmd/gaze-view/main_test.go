package main

import (
	"bytes"
	"context"
	"flag"
	"image"
	"image/draw"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gazevk/gaze/tests/display"
)

var update = flag.Bool("update", false, "rewrite the golden texts")

// asProgram is the variable of the environment that makes the program of the
// tests gaze-view itself.
const asProgram = "GAZE_TEST_AS_PROGRAM"

// outside is the environment that the tests were started in.
var outside = os.Environ()

// Tests compile kernels as users do, but leave what users have alone.
func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	flag.Parse()
	home, err := os.MkdirTemp("", "gaze-view-test-*")
	if err != nil {
		panic(err)
	}
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"} {
		os.Setenv(name, filepath.Join(home, name))
	}
	os.Setenv("GAZE_FONTS", "") // pictures are of the fonts that the program carries
	os.Unsetenv("DISPLAY")      // a test that opens a window has a screen of its own
	status := m.Run()
	os.RemoveAll(home)
	os.Exit(status)
}

// A called is what a command line did.
type called struct {
	status   int
	out, err string
}

func call(ctx context.Context, stdin string, args ...string) called {
	var out, err bytes.Buffer
	status := execute(ctx, args, strings.NewReader(stdin), &out, &err)
	return called{status, out.String(), err.String()}
}

// mustCall calls gaze-view and returns its output. It must succeed without complaint.
func mustCall(t *testing.T, args ...string) string {
	t.Helper()
	c := call(t.Context(), "", args...)
	if c.status != 0 || c.err != "" {
		t.Fatalf("gaze-view %q: status %d\n%s", args, c.status, c.err)
	}
	return c.out
}

// write writes a file into a directory and returns its path.
func write(t *testing.T, directory, name, text string) string {
	t.Helper()
	path := filepath.Join(directory, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// picture returns a PNG.
func picture(t *testing.T, path string) *image.RGBA {
	t.Helper()
	decoded, err := png.Decode(strings.NewReader(read(t, path)))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	frame := image.NewRGBA(decoded.Bounds())
	draw.Draw(frame, frame.Rect, decoded, decoded.Bounds().Min, draw.Src)
	return frame
}

// patience is how long a test waits for what has to come: much longer than a busy
// machine takes.
const patience = time.Minute

// await waits until done reports true.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// A session is gaze-view, running with a window at the top left of a screen.
type session struct {
	t       *testing.T
	screen  *display.Display
	command *exec.Cmd
	stdin   interface{ Write([]byte) (int, error) }
	out     output
	errors  output
	ended   chan error
}

// An output is what a program has written so far.
type output struct {
	sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.Lock()
	defer o.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.Lock()
	defer o.Unlock()
	return o.text.String()
}

// begin starts gaze-view on a screen, with validation on.
func begin(t *testing.T, screen *display.Display, args ...string) *session {
	t.Helper()
	s := &session{t: t, screen: screen, ended: make(chan error, 1)}
	s.command = exec.Command(os.Args[0], append([]string{"--validate"}, args...)...)
	s.command.Env = append(os.Environ(), asProgram+"=1", "DISPLAY="+screen.Name)
	s.command.Stdout, s.command.Stderr = &s.out, &s.errors
	stdin, err := s.command.StdinPipe()
	if err == nil {
		s.stdin = stdin
		err = s.command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() { s.ended <- s.command.Wait() }()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("gaze-view printed:\n%s%s", s.out.String(), s.errors.String())
		}
		stdin.Close()
		s.command.Process.Kill()
	})
	return s
}

// do does with xdotool what the words say.
func (s *session) do(words ...string) {
	s.t.Helper()
	s.screen.Xdotool(s.t, words...)
}

// shows waits until the window shows a frame.
func (s *session) shows(want *image.RGBA) {
	s.t.Helper()
	s.screen.AwaitWithin(s.t, want, patience)
}

// window returns the window's id, once there is one.
func (s *session) window() (id string) {
	s.t.Helper()
	await(s.t, "a window", func() bool {
		out, err := exec.Command("xdotool", "search", "--onlyvisible", "--name", "^gaze$").Output()
		id = strings.TrimSpace(string(out))
		return err == nil && id != ""
	})
	return id
}

// prints waits for a line of output that has a text in it, and returns it.
func (s *session) prints(text string) (line string) {
	s.t.Helper()
	await(s.t, "a line with "+text, func() bool {
		for line = range strings.Lines(s.out.String()) {
			if strings.Contains(line, text) {
				return true
			}
		}
		return false
	})
	return strings.TrimSuffix(line, "\n")
}

// end waits for the program's end and returns its status and what it complained of.
func (s *session) end() (status int, complaint string) {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.t.Fatal("gaze-view does not end")
	}
	return s.command.ProcessState.ExitCode(), s.errors.String()
}

// quit presses ctrl+q. The program must end well: with no complaint, and nothing
// for the validation layers to find fault with.
func (s *session) quit() {
	s.t.Helper()
	s.do("key", "ctrl+q")
	if status, complaint := s.end(); status != 0 || complaint != "" {
		s.t.Errorf("status %d\n%s", status, complaint)
	}
}

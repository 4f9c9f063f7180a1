// Package display gives tests a screen that nobody sees: an X server of their
// own, what it shows, and a hand on its mouse and keyboard. It needs Xvfb,
// xdotool, xprop and setxkbmap.
package display

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A Display is a running X server with one screen and no window manager: windows
// come up at the top left, without borders.
type Display struct {
	Name   string // for DISPLAY, such as ":7"
	buffer string // the file of the screen's pixels, which the server writes
}

// Start runs an X server of width x height pixels of 8-bit red, green and blue
// until the test's end, and points DISPLAY at it.
func Start(t testing.TB, width, height int) *Display {
	t.Helper()
	return StartDepth(t, width, height, 24)
}

// StartDepth is Start with other bits per pixel, such as the 8 of a palette.
func StartDepth(t testing.TB, width, height, depth int) *Display {
	t.Helper()
	directory := t.TempDir()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	// The server ends with its standard input: also where the tests crash.
	server := exec.Command("sh", "-c", `Xvfb "$@" </dev/null & server=$!; exec 3>&-; read -r end; kill $server; wait $server`, "Xvfb",
		"-displayfd", "3", "-screen", "0", fmt.Sprintf("%dx%dx%d", width, height, depth), "-fbdir", directory, "-nolisten", "tcp", "-noreset")
	server.ExtraFiles = []*os.File{write}
	var log strings.Builder
	server.Stdout, server.Stderr = &log, &log
	alive, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	err = server.Start()
	write.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		alive.Close()
		server.Wait() // its status is that of being ended
	})
	number, err := bufio.NewReader(read).ReadString('\n')
	if err != nil {
		alive.Close()
		server.Wait()
		t.Fatalf("Xvfb, which tests/setup/test-needs installs, does not run: %v\n%s", err, log.String())
	}
	d := &Display{Name: ":" + strings.TrimSpace(number), buffer: filepath.Join(directory, "Xvfb_screen0")}
	t.Setenv("DISPLAY", d.Name)
	return d
}

// Xdotool does with mouse, keyboard and windows what the arguments say, and
// returns what xdotool printed.
func (d *Display) Xdotool(t testing.TB, arguments ...string) string {
	t.Helper()
	return d.run(t, "xdotool", arguments...)
}

func (d *Display) run(t testing.TB, program string, arguments ...string) string {
	t.Helper()
	c := exec.Command(program, arguments...)
	c.Env = append(os.Environ(), "DISPLAY="+d.Name)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(arguments, " "), err, out)
	}
	return string(out)
}

// Screen returns what the screen shows, with the alpha of all pixels 255.
func (d *Display) Screen(t testing.TB) *image.RGBA {
	t.Helper()
	data, err := os.ReadFile(d.buffer)
	if err != nil {
		t.Fatal(err)
	}
	screen, err := parse(data)
	if err != nil {
		t.Fatalf("%s: %v", d.buffer, err)
	}
	return screen
}

// Await waits until the screen's top left shows want, and fails the test with
// what it shows instead after ten seconds.
func (d *Display) Await(t testing.TB, want *image.RGBA) {
	t.Helper()
	d.AwaitWithin(t, want, 10*time.Second)
}

// AwaitWithin is Await for what may take longer.
func (d *Display) AwaitWithin(t testing.TB, want *image.RGBA, limit time.Duration) {
	t.Helper()
	for end := time.Now().Add(limit); ; {
		begun := time.Now()
		difference := differ(d.Screen(t), want)
		if difference == "" {
			return
		}
		time.Sleep(max(5*time.Millisecond, 2*time.Since(begun))) // who draws needs the processor too
		if time.Now().After(end) {
			t.Fatalf("the screen does not show the frame: %s", difference)
		}
	}
}

// differ returns the first pixel of want that screen has otherwise, or "".
func differ(screen, want *image.RGBA) string {
	for y := range want.Rect.Dy() {
		for x := range want.Rect.Dx() {
			expected := want.RGBAAt(want.Rect.Min.X+x, want.Rect.Min.Y+y)
			expected.A = 255
			if got := screen.RGBAAt(x, y); got != expected {
				return fmt.Sprintf("pixel %d, %d is %v, want %v", x, y, got, expected)
			}
		}
	}
	return ""
}

// parse reads an X window dump of 32 bits a pixel, as XWDFile.h lays it out.
func parse(data []byte) (*image.RGBA, error) {
	const fields = 25
	var h [fields]uint32
	if len(data) < 4*fields {
		return nil, fmt.Errorf("%d bytes are no window dump", len(data))
	}
	for i := range h {
		h[i] = binary.BigEndian.Uint32(data[4*i:])
	}
	header, version, width, height, littleEndian := int(h[0]), h[1], int(h[4]), int(h[5]), h[7] == 0
	bits, line, masks, colors := h[11], int(h[12]), [3]uint32(h[14:17]), int(h[19])
	if version != 7 || bits != 32 || !littleEndian || masks != [3]uint32{0xff0000, 0xff00, 0xff} {
		return nil, fmt.Errorf("version %d, %d bits, masks %x: this reads version 7 with 32 bits and 8 a color", version, bits, masks)
	}
	pixels := data[min(header+12*colors, len(data)):]
	if len(pixels) < height*line || line < 4*width {
		return nil, fmt.Errorf("%d bytes for %d lines of %d", len(pixels), height, line)
	}
	screen := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			from, to := pixels[y*line+4*x:], screen.Pix[screen.PixOffset(x, y):]
			to[0], to[1], to[2], to[3] = from[2], from[1], from[0], 255
		}
	}
	return screen, nil
}

// Layout makes the keyboard one of that layout, such as "fr" or "us(dvorak)".
// Windows that are opened after it have it.
func (d *Display) Layout(t testing.TB, layout string) {
	t.Helper()
	d.run(t, "setxkbmap", layout)
}

// Density says that the screen has that many dots per inch, where 96 is usual
// and 192 makes windows twice as large. Windows that are opened after it know.
func (d *Display) Density(t testing.TB, dots int) {
	t.Helper()
	d.run(t, "xprop", "-root", "-format", "RESOURCE_MANAGER", "8s", "-set", "RESOURCE_MANAGER", fmt.Sprintf("Xft.dpi:\t%d\n", dots))
}

package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// A progress is a bar on a terminal. The nil bar shows nothing.
type progress struct {
	w     io.Writer
	name  string
	shown time.Time // when it was last drawn
}

// newProgress returns a bar on standard error, nil where that is no terminal.
func newProgress(s streams, name string) *progress {
	f, ok := s.err.(*os.File)
	if !ok {
		return nil
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	return &progress{w: f, name: name}
}

// show draws the share that is done, 0 to 1, at most ten times a second.
func (p *progress) show(done float64) {
	const width = 30
	if p == nil || time.Since(p.shown) < 100*time.Millisecond {
		return
	}
	p.shown = time.Now()
	full := min(max(int(done*width), 0), width)
	fmt.Fprintf(p.w, "\r\x1b[K%3.0f%% %s%s %s", 100*done, strings.Repeat("#", full), strings.Repeat(".", width-full), p.name)
}

// clear removes the bar.
func (p *progress) clear() {
	if p != nil && !p.shown.IsZero() {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

package main

import (
	"fmt"

	"github.com/gazevk/gaze/visualize/explore"
)

// These methods make the program an explore.Host.

func (p *program) Run(text string) { p.live.run(text) }

func (p *program) Pause(paused bool) { p.paused.Store(paused) }

func (p *program) Variant(step int) {
	if !p.live.next(step) {
		p.explorer.Warn("there are no variants: open a run file with some")
		return
	}
	p.explorer.Progress(0)
}

func (p *program) Read(path string) (string, error) { return readText(nil, path) }

func (p *program) Wake() {
	if w := p.window.Load(); w != nil {
		w.Wake()
	}
}

func (p *program) Copy(text string) {
	if w := p.window.Load(); w != nil {
		w.SetClipboard(text)
	}
}

// Print prints a line. That nobody can read it ends no window, but is an error when it
// is closed.
func (p *program) Print(line string) {
	if _, err := fmt.Fprintln(p.stdout, line); err != nil && p.unread == nil {
		p.unread = fmt.Errorf("cannot write to standard output: %w", err)
	}
}

func (p *program) Quit() {
	if w := p.window.Load(); w != nil {
		w.Close()
	}
}

func (p *program) Label(key explore.Key) string {
	if w := p.window.Load(); w != nil {
		return w.KeyLabel(key)
	}
	return string(key)
}

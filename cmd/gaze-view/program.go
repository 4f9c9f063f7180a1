package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"image"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/visualize"
	"github.com/gazevk/gaze/visualize/explore"
	"github.com/gazevk/gaze/visualize/viewer"
	"github.com/gazevk/gaze/vk"
)

// exampleText is what the window opens with where no text is given.
const exampleText = "The keeper of the lighthouse wrote a letter to her brother, and the keeper kept the letter in the lighthouse until her brother came."

// A program is the viewer with everything around it. It is the explorer's host,
// and what a window shows.
type program struct {
	options        *options
	stdin          io.Reader
	stdout, stderr io.Writer

	explorer *explore.Explorer
	live     *live
	window   atomic.Pointer[viewer.Window]                               // nil without one
	opened   chan struct{}                                               // closed once that is known which
	shows    atomic.Pointer[vk.Adapter]                                  // it
	rooms    func(context.Context, *engine.Engine) (*engine.Pool, error) // of a test without a window
	state    state
	messages atomic.Int64 // of the validation layers
	variants *variants

	look, do []func() error // due once the first text is in sight, and once all of it is there
	script   *explore.Script
	film     *film // nil unless it is asked for
	recorder *explore.Recorder
	events   bytes.Buffer // that were recorded
	lines    chan string  // of standard input, for --follow
	failed   error        // what ends the program
	unread   error        // of a line on standard output
	paused   atomic.Bool
	seen     atomic.Bool                                // all of the text that was asked for last is in sight
	keep     func(path string, frame *image.RGBA) error // takes frames in place of files, for tests
}

func (p *program) run(ctx context.Context) (err error) {
	o := p.options
	if err := visualize.CheckFonts(); err != nil {
		return err
	}
	if p.variants, err = openVariants(o); err != nil {
		return err
	}
	defer p.variants.close()
	text := p.variants.list[0].text
	switch {
	case o.given["text"]:
		text = o.text
	case o.file != "":
		if text, err = readText(p.stdin, o.file); err != nil {
			return err
		}
	case text == "":
		text = exampleText
	}
	if err := p.openScript(); err != nil {
		return err
	}
	p.state = defaultState(o)
	if !o.forget && o.windowed() {
		p.state = readState(p.state)
	}
	p.apply()
	p.live = newLive(p.variants.list, o.device, p.engineOptions())
	if o.given["device"] {
		p.live.command = append(p.live.command, "--device", o.device)
	}
	if o.given["precision"] {
		p.live.command = append(p.live.command, "--precision", o.precision)
	}
	p.explorer = explore.New(p, p.state.Settings)
	if p.opened = make(chan struct{}); o.windowed() {
		p.live.newPool = p.newPool
	} else {
		p.live.newPool = p.rooms
	}
	if o.record != "" {
		p.recorder = &explore.Recorder{To: &p.events, Explorer: p.explorer}
	}
	p.live.start(p.explorer)
	p.look, p.do = p.atFirst()
	p.live.run(text)
	if o.follow {
		p.followInput()
	}
	if !o.windowed() {
		err = p.draw(ctx)
	} else {
		err = p.show(ctx)
	}
	p.live.stop()
	p.explorer.Close()
	closing := p.live.close()
	if err == nil {
		err = p.failed
	}
	if err == nil {
		err = closing
	}
	if (err == nil || ctx.Err() != nil) && !o.forget && o.windowed() {
		p.state.Settings = p.explorer.Settings
		p.state.Map = p.explorer.InMap()
		if saving := p.state.write(); saving != nil {
			fmt.Fprintf(p.stderr, "gaze-view: warning: the view is not remembered: %v\n", saving)
		}
	}
	if p.recorder != nil && err == nil {
		err = p.keepRecord()
	}
	if err == nil {
		err = p.unread
	}
	if n := p.messages.Load(); n > 0 && err == nil {
		err = fmt.Errorf("the validation layers reported %d messages", n)
	}
	return err
}

// engineOptions are those of the device that computes.
func (p *program) engineOptions() engine.Options {
	options := engine.Options{Vulkan: p.vulkanOptions()}
	if directory, err := os.UserCacheDir(); err == nil && !p.options.noCache {
		directory = filepath.Join(directory, "gaze")
		options.TuningDir = directory
		options.Vulkan = append(options.Vulkan, vk.WithPipelineCache(directory))
	}
	return options
}

func (p *program) vulkanOptions() []vk.Option {
	if !p.options.validate {
		return nil
	}
	return []vk.Option{vk.WithValidation(&p.messages), vk.WithLogger(slog.New(slog.NewTextHandler(p.stderr, nil)))}
}

// Handle passes an event on.
func (p *program) Handle(event explore.Event) {
	if p.recorder != nil {
		p.recorder.Record(event)
	}
	if r, ok := event.(explore.Resize); ok && p.window.Load() != nil {
		p.state.Width, p.state.Height = r.Width/max(r.Density, 1), r.Height/max(r.Density, 1)
	}
	p.explorer.Handle(event)
}

// Frame draws the explorer's frame, after what is due before it.
func (p *program) Frame(now time.Time) (*explore.Frame, bool) {
	if p.failed == nil {
		p.failed = p.proceed()
	}
	if p.failed != nil {
		p.Quit()
	}
	frame, changed := p.explorer.Frame(now)
	p.seen.Store(p.explorer.Ready() && !p.explorer.Busy() || p.explorer.Failure() != nil)
	if w := p.window.Load(); w != nil && p.script != nil {
		time.AfterFunc(5*time.Millisecond, w.Wake) // it may be waiting for time to pass
	}
	return frame, changed
}

// doAll does what is on a list, once.
func doAll(list *[]func() error) error {
	for _, do := range *list {
		if err := do(); err != nil {
			return err
		}
	}
	*list = nil
	return nil
}

// proceed does what waits for the first text, and plays the script.
func (p *program) proceed() error {
	if len(p.look) > 0 && p.explorer.Shown() {
		if err := doAll(&p.look); err != nil {
			return err
		}
		p.explorer.Stay()
	}
	if p.explorer.Ready() {
		if err := doAll(&p.do); err != nil {
			return err
		}
	}
	if len(p.look)+len(p.do) > 0 {
		return nil
	}
	if p.script == nil || !p.explorer.Ready() && p.explorer.Failure() == nil && p.script.Fresh() {
		return nil
	}
	if p.film != nil {
		if p.explorer.Busy() {
			return nil // it shows what a person would wait for
		}
		if err := p.film.add(p.explorer); err != nil {
			return err
		}
	}
	ended, err := p.script.Step(p.explorer)
	if ended {
		p.script = nil
		p.Quit()
		if err == nil {
			err = p.explorer.Failure() // which nobody has read
		}
	}
	return err
}

// draw writes a snapshot or a film, without a window.
func (p *program) draw(ctx context.Context) error {
	d := p.options.density
	p.explorer.Handle(explore.Resize{Width: p.state.Width * d, Height: p.state.Height * d, Density: d})
	for {
		frame, _ := p.Frame(time.Now())
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case p.failed != nil:
			return p.failed
		case p.explorer.Failure() != nil:
			return p.explorer.Failure()
		case p.script == nil && len(p.look)+len(p.do) == 0 && p.explorer.Ready() && !p.explorer.Busy():
			if err := p.explorer.Trouble(); err != nil {
				return err
			}
			if p.film != nil {
				return p.film.write(p.explorer, p.options.film)
			}
			flat, err := frame.Flatten(ctx)
			if err != nil {
				return err
			}
			return p.writeFrame(p.options.snapshot, flat)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// writeFrame writes a frame as PNG.
func (p *program) writeFrame(path string, frame *image.RGBA) error {
	if p.keep != nil {
		return p.keep(path, frame)
	}
	return visualize.WritePNG(path, frame)
}

// openScript reads the events to play.
func (p *program) openScript() error {
	if p.options.play == "" {
		return nil
	}
	file, err := os.Open(p.options.play)
	if err != nil {
		return fmt.Errorf("cannot read the events: %w", err)
	}
	defer file.Close()
	if p.script, err = explore.ParseScript(p.options.play, file); err != nil {
		return err
	}
	if p.options.film != "" {
		p.film = &film{}
		p.script.Wait = p.film.wait
	}
	p.script.Snap = p.writeFrame
	return nil
}

// keepRecord writes the events that were recorded.
func (p *program) keepRecord() error {
	if err := p.recorder.Close(); err != nil {
		return err
	}
	return gaze.WriteFile(p.options.record, func(w io.Writer) error {
		_, err := w.Write(p.events.Bytes())
		return err
	})
}

// lineTime is how long a line of standard input is in sight at least.
const lineTime = 250 * time.Millisecond

// followInput shows each line of standard input; of those that come while one is
// computed or in sight, the last. While paused it reads none.
func (p *program) followInput() {
	p.lines = make(chan string, 1)
	go func() {
		defer close(p.lines)
		lines := bufio.NewScanner(p.stdin)
		lines.Buffer(nil, maxText<<20)
		for lines.Scan() {
			text := strings.ToValidUTF8(lines.Text(), "\uFFFD")
			if strings.TrimSpace(text) == "" {
				continue
			}
			p.whilePaused()
			select {
			case <-p.lines: // nobody has seen it, and now nobody will
			default:
			}
			p.lines <- text
		}
		if err := lines.Err(); err != nil {
			p.explorer.Post(func() { p.explorer.Warn(fmt.Sprintf("standard input: %v", err)) })
		}
	}()
	go func() {
		for text := range p.lines {
			p.whilePaused()
			shown := make(chan bool)
			p.explorer.Post(func() {
				p.seen.Store(false)
				p.explorer.SetText(text)
				close(shown)
			})
			for <-shown; !p.seen.Load(); {
				time.Sleep(5 * time.Millisecond)
			}
			time.Sleep(lineTime)
		}
	}()
}

func (p *program) whilePaused() {
	for p.paused.Load() {
		time.Sleep(20 * time.Millisecond)
	}
}

package main

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/vk"
)

// deviceFlags are the flags of every command that computes on a device.
type deviceFlags struct {
	name     string
	validate bool
	noCache  bool
	untuned  bool
}

// declare declares all of them.
func (d *deviceFlags) declare(flags *flag.FlagSet) {
	d.declareDevice(flags)
	flags.BoolVar(&d.untuned, "untuned", false, "take the default shapes of kernels, whatever gaze tune chose")
}

// declareDevice declares those of commands that choose the shapes of kernels themselves.
func (d *deviceFlags) declareDevice(flags *flag.FlagSet) {
	flags.StringVar(&d.name, "device", "", "compute on the device of this `NAME` (or index), whatever the run file says")
	flags.BoolVar(&d.validate, "validate", false, "turn on Vulkan's validation layers, and fail if they find fault")
	flags.BoolVar(&d.noCache, "no-cache", false, "do not keep compiled kernels for the next time")
}

// engines holds one engine for each device that was asked for.
type engines struct {
	flags    deviceFlags
	options  engine.Options
	stderr   io.Writer
	messages atomic.Int64
	noted    map[*engine.Engine]bool // whose note was shown
	open     map[string]func() (*engine.Engine, error)
}

func newEngines(flags deviceFlags, stderr io.Writer) *engines {
	e := &engines{flags: flags, stderr: stderr, noted: map[*engine.Engine]bool{}, open: map[string]func() (*engine.Engine, error){}}
	if flags.validate {
		logger := slog.New(slog.NewTextHandler(stderr, nil))
		e.options.Vulkan = append(e.options.Vulkan, vk.WithValidation(&e.messages), vk.WithLogger(logger))
	}
	directory := cacheDirectory()
	if directory != "" && !flags.noCache {
		e.options.Vulkan = append(e.options.Vulkan, vk.WithPipelineCache(directory))
	}
	if !flags.untuned {
		e.options.TuningDir = directory
	}
	return e
}

// cacheDirectory returns where gaze keeps what it need not find out again: compiled
// kernels, and which are quickest. It is "" where the system names no place for it.
func cacheDirectory() string {
	directory, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(directory, "gaze")
}

// start begins to open what get is going to be asked for.
func (e *engines) start(name string) { go e.opener(name)() }

// opener returns what opens the device that the flags name, else name does, once.
func (e *engines) opener(name string) func() (*engine.Engine, error) {
	if e.flags.name != "" {
		name = e.flags.name
	}
	if e.open[name] == nil {
		options := e.options
		e.open[name] = sync.OnceValues(func() (*engine.Engine, error) { return engine.Open(name, options) })
	}
	return e.open[name]
}

// get returns the engine of the device that the flags name, else name does. It says
// why tuned kernels cannot be had where they should.
func (e *engines) get(name string) (*engine.Engine, error) {
	opened, err := e.opener(name)()
	if err != nil {
		return nil, err
	}
	if note := opened.Note(); note != "" && !e.noted[opened] {
		fmt.Fprintf(e.stderr, "gaze: %s\n", note)
		e.noted[opened] = true
	}
	return opened, nil
}

// close closes all engines. What goes wrong at that, such as a cache that cannot
// be written, spoils no result: it is a warning. It returns an error if the
// validation layers found fault.
func (e *engines) close(s streams) error {
	for _, open := range e.open {
		opened, err := open()
		if err != nil { // who asked for it knows
			continue
		}
		if err := opened.Close(); err != nil {
			fmt.Fprintf(s.err, "gaze: warning: %v\n", err)
		}
	}
	if n := e.messages.Load(); n > 0 {
		return fmt.Errorf("the validation layers reported %d messages", n)
	}
	return nil
}

package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/visualize"
	"github.com/gazevk/gaze/visualize/explore"
)

// A state is what the program remembers from one time to the next.
type state struct {
	Width, Height int  // of the window, at density 1
	Map           bool // a map was in sight, not the overview
	explore.Settings
}

func defaultState(o *options) state {
	return state{Width: o.width, Height: o.height, Settings: explore.DefaultSettings()}
}

// stateFile returns where the state is kept.
func stateFile() (string, error) {
	directory, err := os.UserConfigDir()
	return filepath.Join(directory, "gaze", "view.json"), err
}

// readState returns the state of the last time. Where there is none, or it is
// damaged, it is otherwise.
func readState(otherwise state) state {
	path, err := stateFile()
	if err != nil {
		return otherwise
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return otherwise
	}
	s := otherwise
	if json.Unmarshal(data, &s) != nil || s.Width < 200 || s.Height < 200 || s.Width > 8192 || s.Height > 8192 || s.Layer < -1 || s.Head < -1 ||
		s.Measure == visualize.Difference {
		return otherwise
	}
	return s
}

func (s state) write() error {
	path, err := stateFile()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	data, err := json.MarshalIndent(s, "", "\t")
	if err != nil {
		return err
	}
	return gaze.WriteFile(path, func(w io.Writer) error {
		_, err := w.Write(append(data, '\n'))
		return err
	})
}

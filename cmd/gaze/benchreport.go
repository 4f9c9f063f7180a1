package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/gazevk/gaze/engine/bench"
)

// A benchReport is a whole benchmark, as JSON. Times are in seconds.
type benchReport struct {
	Command string        `json:"command"`
	Version string        `json:"version"`
	Date    string        `json:"date"`
	Seconds float64       `json:"seconds"` // that it took
	Host    hostSummary   `json:"host"`
	Device  deviceSummary `json:"device"`
	Shapes  string        `json:"kernel_shapes,omitempty"` // who chose them
	Runs    int           `json:"runs"`                    // that were asked for, of each case
	*bench.Result
}

// A hostSummary is the machine that a device is part of.
type hostSummary struct {
	System       string `json:"system"`
	Architecture string `json:"architecture"`
	Processors   int    `json:"processors"`
	Processor    string `json:"processor,omitempty"`
	Load         string `json:"load,omitempty"` // averages of 1, 5 and 15 minutes when it began
}

// thisHost describes this machine, as far as the system says what it is.
func thisHost() hostSummary {
	h := hostSummary{System: runtime.GOOS, Architecture: runtime.GOARCH, Processors: runtime.NumCPU()}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				h.Processor = strings.TrimSpace(value)
				break
			}
		}
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		if words := strings.Fields(string(text)); len(words) >= 3 {
			h.Load = strings.Join(words[:3], " ")
		}
	}
	return h
}

// line says on what was measured.
func (h hostSummary) line() string {
	text := fmt.Sprintf("%d processors, %s/%s", h.Processors, h.System, h.Architecture)
	if h.Processor != "" {
		text = h.Processor + ", " + text
	}
	if h.Load != "" {
		text += ", load " + h.Load
	}
	return text
}

// readBenchReport reads what --json wrote.
func readBenchReport(path string) (*benchReport, error) {
	const most = 64 << 20
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot compare: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, fmt.Errorf("cannot compare: %w", err)
	}
	r := &benchReport{}
	if len(data) > most {
		err = errors.New("it is too large")
	} else if err = json.NewDecoder(bytes.NewReader(data)).Decode(r); err == nil && (r.Result == nil || r.Limits == nil || len(r.Cases) == 0) {
		err = errors.New("it has no cases")
	}
	if err == nil {
		for i, c := range r.Cases {
			if c == nil || !(c.Seconds() > 0) {
				err = fmt.Errorf("case %d has no time", i)
				break
			}
		}
	}
	if err != nil {
		return nil, fmt.Errorf("cannot compare with %s: %w; expected what gaze bench --json writes", path, err)
	}
	return r, nil
}

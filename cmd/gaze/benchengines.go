package main

import (
	"io"

	"github.com/gazevk/gaze/engine"
)

// tierEngines holds an engine of one device for each tier of kernels.
type tierEngines struct {
	flags  deviceFlags
	stderr io.Writer
	open   map[engine.Tier]*engines
}

func newTierEngines(flags deviceFlags, stderr io.Writer) *tierEngines {
	return &tierEngines{flags, stderr, map[engine.Tier]*engines{}}
}

// get returns the engine of a tier; "" is the one that suits the device.
func (t *tierEngines) get(tier engine.Tier) (*engine.Engine, error) {
	if known := t.open[tier]; known != nil {
		return known.get("auto")
	}
	e := newEngines(t.flags, t.stderr)
	e.options.Tier = tier
	if len(t.open) > 0 {
		e.stderr = io.Discard // the first has said what there is to say of the device
	}
	t.open[tier] = e
	opened, err := e.get("auto")
	if err == nil && tier == "" {
		t.open[opened.Traits().Tier] = e
	}
	return opened, err
}

// close closes all engines; see [engines.close].
func (t *tierEngines) close(s streams) error {
	var failure error
	closed := map[*engines]bool{}
	for _, e := range t.open {
		if closed[e] {
			continue
		}
		closed[e] = true
		if err := e.close(s); err != nil {
			failure = err
		}
	}
	return failure
}

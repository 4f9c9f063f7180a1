package explore

import (
	"github.com/gazevk/gaze/visualize"
)

// Settings are what is remembered from one time to the next.
type Settings struct {
	Layer, Head int // -1 for the mean
	Measure     visualize.Measure
	Scale       visualize.Scale
	Pooling     visualize.Pooling
	Colors      string    // a colour map
	Range       RangeMode `json:"-"`
	Order       string    // of the overview
	Overlay     bool      // of the mask's edges
	Larger      int       // densities that all is drawn larger than the screen's asks for
}

// A RangeMode says when the range of colours changes.
type RangeMode int

const (
	RangeOfHead RangeMode = iota // fits what is in sight when a head is opened
	RangeLocked
	RangeOfView // always fits what is in sight
)

// DefaultSettings are those of the first time.
func DefaultSettings() Settings {
	return Settings{Colors: "viridis", Order: orders[0].name}
}

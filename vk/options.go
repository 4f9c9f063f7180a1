package vk

import (
	"log/slog"
	"sync/atomic"
)

type options struct {
	logger     *slog.Logger
	validation bool
	messages   *atomic.Int64
	cacheDir   string
	faults     func(call string) error
	statistics bool
}

// An Option changes how [Open] and [Adapters] work.
type Option func(*options)

// WithLogger sends the driver's and the layers' messages to logger.
func WithLogger(logger *slog.Logger) Option { return func(o *options) { o.logger = logger } }

// WithValidation turns on the validation layer, synchronization validation
// included, and counts its messages. Open fails where the layer is missing.
func WithValidation(messages *atomic.Int64) Option {
	return func(o *options) { o.validation, o.messages = true, messages }
}

// WithPipelineCache keeps compiled pipelines in a file in dir, one for each
// device and driver version. A damaged or foreign file is ignored and replaced.
func WithPipelineCache(dir string) Option { return func(o *options) { o.cacheDir = dir } }

// WithFaults asks fail before every Vulkan call that can fail; an error that it
// returns stands for the call's own. Tests use it to lose devices on purpose.
func WithFaults(fail func(call string) error) Option { return func(o *options) { o.faults = fail } }

// WithStatistics makes drivers keep each pipeline's registers, spills and the
// like for [Pipeline.Statistics].
func WithStatistics() Option { return func(o *options) { o.statistics = true } }

func gather(list []Option) options {
	var o options
	for _, set := range list {
		set(&o)
	}
	return o
}

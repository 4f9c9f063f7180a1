package vk

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"

	vulkan "github.com/vulkan-go/vulkan"
)

type options struct {
	logger     *slog.Logger
	validation bool
	messages   *atomic.Int64
	cacheDir   string
	faults     func(call string) error
	statistics bool
	// memoryTypes replaces the device's memory types, so that tests can have
	// the heaps of a discrete GPU on a driver that has one kind of memory.
	memoryTypes func([]memoryType) []memoryType
}

// An Option changes how [Open] and [Adapters] work.
type Option func(*options)

// WithLogger sends the messages of the driver, the loader and the layers to
// logger, and a warning where a pipeline cache cannot be kept.
func WithLogger(logger *slog.Logger) Option { return func(o *options) { o.logger = logger } }

// WithValidation turns on the validation layer, synchronization validation
// included, and counts its messages in messages unless that is nil. Open fails
// where the layer is missing.
func WithValidation(messages *atomic.Int64) Option {
	return func(o *options) { o.validation, o.messages = true, messages }
}

// WithPipelineCache keeps compiled pipelines in a file in dir, one for each
// device and driver version. A damaged or foreign file is ignored and replaced;
// where the file cannot be written, everything works but the next start is
// slower.
func WithPipelineCache(dir string) Option { return func(o *options) { o.cacheDir = dir } }

// WithFaults asks fail before every Vulkan call that can fail, by the name of
// the function; an error that it returns stands for the call's own. Tests use
// it to lose devices on purpose. It may be called from several goroutines.
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

// call makes one Vulkan call that can fail, unless the faults fail it. What
// follows the function's name in call is for the error only.
func (o *options) call(call string, do func() vulkan.Result) error {
	if o.faults != nil {
		function, _, _ := strings.Cut(call, " ")
		switch err := o.faults(function); {
		case errors.Is(err, ErrDeviceLost):
			return failed(call, vulkan.ErrorDeviceLost)
		case errors.Is(err, ErrOutOfMemory):
			return failed(call, vulkan.ErrorOutOfDeviceMemory)
		case err != nil:
			return fmt.Errorf("vk: %s: %w", call, err)
		}
	}
	return failed(call, do())
}

package vk

import (
	"errors"
	"fmt"

	vulkan "github.com/vulkan-go/vulkan"
)

// The reasons an error of this package can wrap.
var (
	ErrNoDevice     = errors.New("no Vulkan device")
	ErrNotSupported = errors.New("not supported by this device")
	ErrOutOfMemory  = errors.New("out of memory")
	ErrDeviceLost   = errors.New("device lost")
	ErrClosed       = errors.New("already closed")

	// A presenter deals with these itself.
	errOutOfDate   = errors.New("the window has changed")
	errSurfaceLost = errors.New("the window's surface is lost")
)

// A callError is a failed Vulkan call.
type callError struct {
	call   string // the function, then what it was asked for
	result vulkan.Result
}

func (e *callError) Error() string {
	switch reason := e.Unwrap(); {
	case reason == ErrDeviceLost:
		return fmt.Sprintf("vk: %s: device lost: the driver reset or removed it; open it again, and if that repeats, update the driver or submit less work at a time", e.call)
	case reason != nil:
		return fmt.Sprintf("vk: %s: %v", e.call, reason)
	}
	return fmt.Sprintf("vk: %s: %v", e.call, vulkan.Error(e.result))
}

func (e *callError) Unwrap() error {
	switch e.result {
	case vulkan.ErrorOutOfDeviceMemory, vulkan.ErrorOutOfHostMemory, vulkan.ErrorOutOfPoolMemory,
		vulkan.ErrorFragmentedPool, vulkan.ErrorTooManyObjects, vulkan.ErrorMemoryMapFailed:
		return ErrOutOfMemory
	case vulkan.ErrorDeviceLost:
		return ErrDeviceLost
	case vulkan.ErrorOutOfDate:
		return errOutOfDate
	case vulkan.ErrorSurfaceLost:
		return errSurfaceLost
	case vulkan.ErrorIncompatibleDriver:
		return ErrNoDevice
	case vulkan.ErrorFeatureNotPresent, vulkan.ErrorExtensionNotPresent, vulkan.ErrorLayerNotPresent:
		return ErrNotSupported
	}
	return nil
}

// failed returns nil unless result is an error code.
func failed(call string, result vulkan.Result) error {
	if result >= 0 {
		return nil
	}
	return &callError{call, result}
}

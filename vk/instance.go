package vk

/*
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"

	vulkan "github.com/vulkan-go/vulkan"
)

// An instance holds the functions of one VkInstance in C memory.
type instance struct {
	c       *C.gaze_instance
	options options
	debug   uintptr
}

const validationLayer = "VK_LAYER_KHRONOS_validation"

var (
	oldestAPI = vulkan.MakeVersion(1, 1, 0) // has all that is needed
	newestAPI = vulkan.MakeVersion(1, 3, 0) // saves asking for extensions
)

// openInstance makes an instance with further extensions, those of a surface.
func openInstance(o options, extensions []string) (*instance, error) {
	loader.Lock()
	defer loader.Unlock()
	if err := openLoader(); err != nil {
		return nil, err
	}
	api := min(uint32(C.gaze_instance_version(loader.get)), newestAPI)
	if api < oldestAPI {
		return nil, fmt.Errorf("vk: %w: the Vulkan loader speaks %v; %v or later is needed: update it", ErrNoDevice, vulkan.Version(api), vulkan.Version(oldestAPI))
	}
	validate := C.int(0)
	if o.validation {
		layer := C.CString(validationLayer)
		defer C.free(unsafe.Pointer(layer))
		if C.gaze_has_layer(loader.get, layer) == 0 {
			return nil, fmt.Errorf("vk: validation layer %s is not installed (package vulkan-validationlayers): %w", validationLayer, ErrNotSupported)
		}
		validate = 1
	}
	in := &instance{c: (*C.gaze_instance)(C.calloc(1, C.sizeof_gaze_instance)), options: o, debug: registerLog(o)}
	var surface [C.GAZE_MAX_NAMES]*C.char
	for i := range min(len(extensions), len(surface)) {
		surface[i] = C.CString(extensions[i])
		defer C.free(unsafe.Pointer(surface[i]))
	}
	err := o.call("vkCreateInstance", func() vulkan.Result {
		return vulkan.Result(C.gaze_create_instance(loader.get, C.uint32_t(api), validate, C.uintptr_t(in.debug), C.uint32_t(len(extensions)), &surface[0], in.c))
	})
	if err != nil {
		unregisterLog(in.debug)
		C.free(unsafe.Pointer(in.c))
		if errors.Is(err, ErrNotSupported) {
			return nil, err
		}
		// Loaders report a damaged driver as this or that, even as out of memory.
		return nil, fmt.Errorf("vk: %w: no driver answered (%w); %s", ErrNoDevice, err, installHint())
	}
	if !loader.bound {
		// The loader's entry points serve every instance, so the first one binds them for good.
		vulkan.InitInstance(convert[vulkan.Instance](in.c.instance))
		loader.bound = true
	}
	return in, nil
}

func (in *instance) close() {
	C.gaze_destroy_instance(in.c)
	C.free(unsafe.Pointer(in.c))
	unregisterLog(in.debug) // last: the layer reports at the end what was left behind
}

// physicalDevices returns the adapters in the loader's order.
func (in *instance) physicalDevices() ([]vulkan.PhysicalDevice, error) {
	handle := convert[vulkan.Instance](in.c.instance)
	var list []vulkan.PhysicalDevice
	err := in.options.call("vkEnumeratePhysicalDevices", func() vulkan.Result {
		var count uint32
		result := vulkan.EnumeratePhysicalDevices(handle, &count, nil)
		if result < 0 || count == 0 {
			return result
		}
		list = make([]vulkan.PhysicalDevice, count)
		result = vulkan.EnumeratePhysicalDevices(handle, &count, list)
		list = list[:count]
		return result
	})
	return list, err
}

// convert reinterprets a handle of one package's C type as another's. It never
// passes through unsafe.Pointer: a handle need not be an address, and the
// garbage collector refuses small integers in pointers that it scans. It does
// not scan these handles, because their C types are incomplete (runtime/cgo.Incomplete).
func convert[To, From any](handle From) To {
	return *(*To)(unsafe.Pointer(&handle))
}

package vk

/*
#cgo linux LDFLAGS: -ldl
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	vulkan "github.com/vulkan-go/vulkan"
)

var loader struct {
	sync.Mutex
	get   C.PFN_vkGetInstanceProcAddr
	bound bool // vulkan-go has its function pointers
}

// An instance holds the functions of one VkInstance in C memory.
type instance struct {
	c     *C.gaze_instance
	debug uintptr
}

func openInstance(o options) (*instance, error) {
	loader.Lock()
	defer loader.Unlock()
	if loader.get == nil {
		loader.get = C.gaze_open_loader()
		if loader.get == nil {
			return nil, fmt.Errorf("vk: %w: there is no Vulkan loader; %s", ErrNoDevice, installHint())
		}
		vulkan.SetGetInstanceProcAddr(*(*unsafe.Pointer)(unsafe.Pointer(&loader.get)))
		if err := vulkan.Init(); err != nil {
			loader.get = nil
			return nil, fmt.Errorf("vk: %w: the Vulkan loader is damaged: %v", ErrNoDevice, err)
		}
	}
	validate := 0
	if o.validation {
		layer := C.CString("VK_LAYER_KHRONOS_validation")
		defer C.free(unsafe.Pointer(layer))
		if C.gaze_has_layer(loader.get, layer) == 0 {
			return nil, fmt.Errorf("vk: validation layer VK_LAYER_KHRONOS_validation is not installed (package vulkan-validationlayers): %w", ErrNotSupported)
		}
		validate = C.GAZE_VALIDATE | C.GAZE_VALIDATE_SYNC
	}
	in := &instance{c: (*C.gaze_instance)(C.calloc(1, C.sizeof_gaze_instance)), debug: registerLog(o)}
	// 1.1 is enough for everything; a newer loader may offer up to 1.3, which the kernels' tiers use.
	api := min(C.gaze_instance_version(loader.get), C.uint32_t(vulkan.MakeVersion(1, 3, 0)))
	result := vulkan.Result(C.gaze_create_instance(loader.get, api, C.int(validate), C.uintptr_t(in.debug), in.c))
	if err := failed("vkCreateInstance", result); err != nil {
		unregisterLog(in.debug)
		C.free(unsafe.Pointer(in.c))
		if result == vulkan.ErrorIncompatibleDriver {
			return nil, fmt.Errorf("vk: %w: no Vulkan driver answered; %s", ErrNoDevice, installHint())
		}
		return nil, err
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
	unregisterLog(in.debug)
}

// physicalDevices returns the adapters in the loader's order.
func (in *instance) physicalDevices() ([]vulkan.PhysicalDevice, error) {
	handle := convert[vulkan.Instance](in.c.instance)
	var count uint32
	if err := failed("vkEnumeratePhysicalDevices", vulkan.EnumeratePhysicalDevices(handle, &count, nil)); err != nil {
		return nil, err
	}
	list := make([]vulkan.PhysicalDevice, count)
	if count == 0 {
		return nil, nil
	}
	err := failed("vkEnumeratePhysicalDevices", vulkan.EnumeratePhysicalDevices(handle, &count, list))
	return list[:count], err
}

func installHint() string {
	switch runtime.GOOS {
	case "linux":
		return "install your GPU's driver, or a CPU one: Debian and Ubuntu: apt install libvulkan1 mesa-vulkan-drivers; Fedora: dnf install vulkan-loader mesa-vulkan-drivers; Arch: pacman -S vulkan-icd-loader vulkan-swrast"
	case "darwin":
		return "install MoltenVK: brew install molten-vk vulkan-loader"
	}
	return "install your GPU vendor's current driver"
}

// convert reinterprets a handle of one package's C type as another's. It never
// passes through unsafe.Pointer as a value: a handle need not be an address,
// and the garbage collector refuses small integers in pointers it scans.
func convert[To, From any](handle From) To {
	return *(*To)(unsafe.Pointer(&handle))
}

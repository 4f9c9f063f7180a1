package vk

/*
#cgo linux LDFLAGS: -ldl
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"unsafe"

	vulkan "github.com/vulkan-go/vulkan"
)

// loader is the Vulkan loader of this process, opened at first use and never closed.
var loader struct {
	sync.Mutex
	get   C.PFN_vkGetInstanceProcAddr
	bound bool // vulkan-go has its function pointers
}

// loaderNames are the files that hold a Vulkan loader, best first. libvulkan.so
// alone, which vulkan-go opens, exists only where a development package is installed.
func loaderNames() []string {
	switch runtime.GOOS {
	case "windows":
		return []string{"vulkan-1.dll"}
	case "darwin":
		return []string{"libvulkan.1.dylib", "/opt/homebrew/lib/libvulkan.1.dylib", "/usr/local/lib/libvulkan.1.dylib", "libMoltenVK.dylib"}
	}
	return []string{"libvulkan.so.1", "libvulkan.so"}
}

// findLoader returns vkGetInstanceProcAddr of the first of names that has it.
func findLoader(names []string) (C.PFN_vkGetInstanceProcAddr, error) {
	for _, name := range names {
		path := C.CString(name)
		get := C.gaze_open_loader(path)
		C.free(unsafe.Pointer(path))
		if get != nil {
			return get, nil
		}
	}
	return nil, fmt.Errorf("vk: %w: there is no Vulkan loader (%s); %s", ErrNoDevice, strings.Join(names, ", "), installHint())
}

// openLoader makes loader ready. The caller holds its lock.
func openLoader() error {
	if loader.get != nil {
		return nil
	}
	get, err := findLoader(loaderNames())
	if err != nil {
		return err
	}
	vulkan.SetGetInstanceProcAddr(*(*unsafe.Pointer)(unsafe.Pointer(&get)))
	if err := vulkan.Init(); err != nil {
		return fmt.Errorf("vk: %w: the Vulkan loader is damaged: %v", ErrNoDevice, err)
	}
	loader.get = get
	return nil
}

// installHint says what to do where no driver answers.
func installHint() string {
	for _, name := range []string{"VK_DRIVER_FILES", "VK_ICD_FILENAMES"} {
		if files := os.Getenv(name); files != "" {
			return fmt.Sprintf("%s=%s hides all other drivers: unset it, or name a driver's manifest", name, files)
		}
	}
	switch runtime.GOOS {
	case "linux":
		return "install your GPU's driver, or a CPU one: Debian and Ubuntu: apt install libvulkan1 mesa-vulkan-drivers; Fedora: dnf install vulkan-loader mesa-vulkan-drivers; Arch: pacman -S vulkan-icd-loader vulkan-swrast"
	case "darwin":
		return "install MoltenVK: brew install molten-vk vulkan-loader"
	}
	return "install your GPU vendor's current driver"
}

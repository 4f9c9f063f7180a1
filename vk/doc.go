// Package vk is all of Vulkan that gaze uses and nothing of attention: devices,
// memory, compute pipelines, recorded commands and their barriers, and frames in
// a window. No raw Vulkan handle leaves it.
//
// Calls go through github.com/vulkan-go/vulkan where that binding is sound, and
// through shim.h where it is not: for every call that takes a slice of structs
// or strings, which the binding may free while the driver still reads it, and
// for everything newer than Vulkan 1.1.88. It needs Vulkan 1.1 and a 64-bit
// platform.
//
// A [Device] may be used from several goroutines; a [Recorder], [Commands] or
// [Presenter] from one at a time. A [Shared] may be closed while a frame of it is shown. Errors name the Vulkan call and wrap one of the Err
// values. Once a call has reported that the device was lost, every later one
// fails with [ErrDeviceLost] and only Close is of use; once something was
// closed, using it fails with [ErrClosed].
package vk

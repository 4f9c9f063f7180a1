// Package engine computes attention on a Vulkan device.
//
// A [Request] says what is wanted. [NewPlan] turns it into a [Plan]: buffers and
// passes, a plain value made without a device, which "gaze explain" prints. An
// [Engine] runs plans.
package engine

// Package bench measures how quick gaze's kernels are on a device, and what the
// device can do at most, so that each figure stands beside the limit that binds it.
//
// A limit is the best that several kernels of package shaders reach which do
// nothing but multiply and add, copy, or start; their results are checked, so no
// compiler can have left the work out. A case is what gaze does, timed by the
// device's clock and by the host's, at least ten times after a run that compiles.
package bench

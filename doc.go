// Package gaze is the vocabulary of attention: what a query may see, how
// packed sequences lie in memory, how positions turn into rotations. It holds
// plain data and pure functions, and imports nothing but the standard library.
//
// Every other package speaks in these terms. The engine turns an [Attention]
// into passes on a Vulkan device, package reference computes the same numbers
// in float64, and package visualize draws them.
//
// Shapes are written [heads, n, headDim], row-major; n counts the tokens of
// all packed sequences together.
package gaze

// Package visualize draws attention: it pools the weights of one head into a
// [Map] of cells, gives each cell a colour, and lays out a [Picture] of it, or a
// [Montage] of several. It is plain Go and needs neither a device nor a window.
//
// In every picture the queries run down and the keys run across, the first of
// both at the top left. A pair that the pattern hides is masked, which is not
// the same as a weight of 0, and never takes a colour of the colour map.
//
// Sizes are in pixels of the picture before Density multiplies them.
package visualize

// Package visualize draws attention: it pools the weights of one head into a
// [Map] of cells, gives each cell a colour, and lays out a [Picture] of it, or a
// [Montage] of several. It is plain Go and needs neither a device nor a window.
//
// In every picture the queries run down and the keys run across, the first of
// both at the top left. A pair that the pattern hides is masked, which is not
// the same as a weight of 0, and never takes a colour of the colour map.
//
// Text is in the Go fonts. A letter that they lack is taken from a font of the system
// that has its outline, or is a box; so pictures with such letters may differ from
// one machine to another. The variable GAZE_FONTS of the environment, a list of
// directories and files as in PATH, replaces the system's fonts, and its order says
// which is asked first; set to nothing, it leaves the boxes. What it names must be there. Letters stand from left
// to right in the order of the text, and none changes its shape beside another:
// Arabic is unjoined. In an SVG they are text, which its reader sets as it can.
//
// Sizes are in pixels of the picture before Density multiplies them.
package visualize

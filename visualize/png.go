package visualize

import (
	"image"
	"image/png"
	"io"

	"github.com/gazevk/gaze"
)

// WritePNG writes img to path as PNG. On any error path is left as it was.
func WritePNG(path string, img image.Image) error {
	return gaze.WriteFile(path, func(w io.Writer) error { return png.Encode(w, img) })
}

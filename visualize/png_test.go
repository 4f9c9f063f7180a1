package visualize

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

// entries returns the names in a directory.
func entries(t *testing.T, directory string) []string {
	t.Helper()
	list, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

func TestWritePNG(t *testing.T) {
	directory := t.TempDir()
	path := filepath.Join(directory, "map.png")
	img := image.NewRGBA(image.Rect(0, 0, 3, 2))
	img.SetRGBA(1, 1, viridis.Colors[200])
	for range 2 { // a file that exists is replaced
		if err := WritePNG(path, img); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if decoded.Bounds() != img.Rect || color.RGBAModel.Convert(decoded.At(1, 1)) != img.At(1, 1) {
		t.Errorf("read back %v with %v", decoded.Bounds(), decoded.At(1, 1))
	}
	if names := entries(t, directory); len(names) != 1 {
		t.Errorf("the directory holds %v", names)
	}
}

func TestWritePNGLeavesNothingBehind(t *testing.T) {
	directory := t.TempDir()
	folder := filepath.Join(directory, "folder.png")
	if err := os.Mkdir(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	img := image.NewRGBA(image.Rect(0, 0, 4, 4))
	for name, err := range map[string]error{
		"a picture without pixels":   WritePNG(filepath.Join(directory, "empty.png"), image.NewRGBA(image.Rectangle{})),
		"a folder of that name":      WritePNG(folder, img),
		"a folder that is not there": WritePNG(filepath.Join(directory, "none", "map.png"), img),
		"a file used as a folder":    WritePNG(filepath.Join(os.DevNull, "map.png"), img),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if names := entries(t, directory); len(names) != 1 || len(entries(t, folder)) != 0 {
		t.Errorf("the directory holds %v", names)
	}
}

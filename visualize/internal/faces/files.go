package faces

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

const (
	mostEntries = 50_000    // of directories, so that a link to / ends
	largestFile = 256 << 20 // all of Han in several weights has 120 MB
)

// systemRoots returns where fonts are: in the directories and files of GAZE_FONTS, in
// their order, if that is set, even to nothing.
func systemRoots() (roots []string, ordered bool) {
	if list, set := os.LookupEnv("GAZE_FONTS"); set {
		return filepath.SplitList(list), true
	}
	return usualRoots(runtime.GOOS, os.Getenv), false
}

// usualRoots returns where an operating system has fonts, a person's own first.
func usualRoots(system string, variable func(name string) string) (roots []string) {
	home := variable("HOME")
	switch system {
	case "windows":
		roots = []string{filepath.Join(variable("LOCALAPPDATA"), "Microsoft", "Windows", "Fonts"), filepath.Join(variable("WINDIR"), "Fonts")}
	case "darwin":
		roots = []string{filepath.Join(home, "Library", "Fonts"), "/Library/Fonts", "/System/Library/Fonts"}
	default:
		// The XDG Base Directory Specification, and what is older.
		roots = []string{filepath.Join(variable("XDG_DATA_HOME"), "fonts"), filepath.Join(home, ".local", "share", "fonts"), filepath.Join(home, ".fonts")}
		for _, data := range filepath.SplitList(variable("XDG_DATA_DIRS")) {
			roots = append(roots, filepath.Join(data, "fonts"))
		}
		roots = append(roots, "/usr/local/share/fonts", "/usr/share/fonts")
	}
	// What is not absolute came of a variable that is not set.
	return slices.DeleteFunc(roots, func(root string) bool { return !filepath.IsAbs(root) })
}

// A file is one that has the name of a font.
type file struct {
	path, name string // name is the last element of path
	root       int    // below which it is
}

// A search collects the files below roots.
type search struct {
	root  int
	left  int             // entries that may still be looked at
	seen  map[string]bool // directories
	files []file
}

// visit adds a file, or all below a directory. It follows links, but enters no
// directory twice, and passes by what cannot be read and is no plain file.
func (s *search) visit(path string) {
	s.left--
	if s.left < 0 {
		return
	}
	info, err := os.Stat(path)
	if err != nil {
		return
	}
	if !info.IsDir() {
		switch strings.ToLower(filepath.Ext(path)) {
		case ".ttf", ".otf", ".ttc", ".otc":
			if info.Mode().IsRegular() {
				s.files = append(s.files, file{path, filepath.Base(path), s.root})
			}
		}
		return
	}
	directory, err := filepath.EvalSymlinks(path)
	if err != nil || s.seen[directory] {
		return
	}
	s.seen[directory] = true
	// Of a directory that cannot be read to its end, what was read.
	entries, _ := os.ReadDir(directory)
	for _, entry := range entries {
		s.visit(filepath.Join(path, entry.Name()))
	}
}

// open opens a plain file that is not too large, to be closed by the caller.
func (f *file) open() (reader, error) {
	opened, err := os.Open(f.path)
	if err != nil {
		return reader{}, err
	}
	info, err := opened.Stat()
	if err == nil && (!info.Mode().IsRegular() || info.Size() > largestFile) {
		err = fmt.Errorf("%s is no plain file of at most %d bytes", f.path, largestFile)
	}
	if err != nil {
		opened.Close()
		return reader{}, err
	}
	return reader{opened, info.Size()}, nil
}

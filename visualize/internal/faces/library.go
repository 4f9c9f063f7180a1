package faces

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"strings"
	"sync"

	gotext "github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/fontscan"
	"github.com/go-text/typesetting/language"
)

// A library has the fonts of a system. Nothing is read before the first letter is
// looked up. It serves any number of goroutines.
type library struct {
	open func() (*fontscan.FontMap, error)

	lock  sync.Mutex
	asked bool
	fonts *fontscan.FontMap // nil: none
	found map[rune]*outline
}

var system = library{open: systemFonts}

// find returns the outline of r in the font that suits it best, or nil.
func (l *library) find(r rune) *outline {
	l.lock.Lock()
	defer l.lock.Unlock()
	if found, ok := l.found[r]; ok {
		return found
	}
	if !l.asked {
		l.asked, l.found = true, map[rune]*outline{}
		l.fonts, _ = l.open() // without fonts letters are boxes
	}
	found := l.seek(r)
	l.found[r] = found
	return found
}

// seek asks the fonts.
func (l *library) seek(r rune) (found *outline) {
	if l.fonts == nil {
		return nil
	}
	// What is wrong with a font's file must not be worse than not having r.
	defer func() {
		if recover() != nil {
			found = nil
		}
	}()
	l.fonts.SetScript(language.LookupScript(r))
	f := l.fonts.ResolveFace(r)
	if f == nil {
		return nil
	}
	glyph, ok := f.NominalGlyph(r)
	if !ok { // the font is any
		return nil
	}
	drawn, _ := f.GlyphData(glyph).(gotext.GlyphOutline) // a picture in colours has none
	found = newOutline(drawn.Segments, f.HorizontalAdvance(glyph), float32(f.Upem()))
	if !found.sound() || !blank(r) && !found.visible() {
		return nil
	}
	return found
}

// systemFonts returns the fonts of the system, or those of GAZE_FONTS, a list of
// directories and files, if that is set, even to nothing.
func systemFonts() (*fontscan.FontMap, error) {
	if list, set := os.LookupEnv("GAZE_FONTS"); set {
		return fontsIn(filepath.SplitList(list)...), nil
	}
	fonts := newFonts()
	// Where an index of them is kept.
	cache, err := os.UserCacheDir()
	if err == nil {
		cache = filepath.Join(cache, "gaze")
		err = os.MkdirAll(cache, 0o755)
	}
	if err != nil {
		cache = os.TempDir()
	}
	return fonts, fonts.UseSystemFonts(cache)
}

// Check reports what GAZE_FONTS names and cannot be read.
func Check() error {
	for _, root := range filepath.SplitList(os.Getenv("GAZE_FONTS")) {
		file, err := os.Open(root)
		if err != nil {
			if reason := (*fs.PathError)(nil); errors.As(err, &reason) {
				err = reason.Err
			}
			return fmt.Errorf("the variable GAZE_FONTS names %q: %w; it is a list of directories and files of fonts, or empty", root, err)
		}
		file.Close()
	}
	return nil
}

func newFonts() *fontscan.FontMap {
	fonts := fontscan.NewFontMap(log.New(io.Discard, "", 0))
	fonts.SetQuery(fontscan.Query{Families: []string{fontscan.SansSerif}})
	return fonts
}

// fontsIn returns the fonts of files, and of all files below directories.
func fontsIn(roots ...string) *fontscan.FontMap {
	fonts := newFonts()
	for _, root := range roots {
		addFonts(fonts, root)
	}
	return fonts
}

// addFonts adds a file, or all below a directory, which may be a link to it. What is
// no font is passed by.
func addFonts(fonts *fontscan.FontMap, root string) {
	if file, err := filepath.EvalSymlinks(root); err == nil {
		root = file
	}
	filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil
		}
		switch strings.ToLower(filepath.Ext(path)) {
		case ".ttf", ".otf", ".ttc", ".otc":
			if data, err := os.ReadFile(path); err == nil {
				addFont(fonts, path, data)
			}
		}
		return nil
	})
}

func addFont(fonts *fontscan.FontMap, path string, data []byte) {
	defer func() { recover() }() // a damaged font is none
	fonts.AddFont(bytes.NewReader(data), path, "")
}

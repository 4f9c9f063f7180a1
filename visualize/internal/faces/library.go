package faces

import (
	"cmp"
	"image"
	"slices"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// A library has the fonts of some directories. Nothing is read before the first
// letter is looked up. It serves any number of goroutines.
type library struct {
	roots func() (roots []string, ordered bool) // ordered: the first root is asked first, whatever it has

	lock  sync.Mutex
	read  bool
	fonts []candidate // in the order in which they are asked
	found map[rune]*opentype.Font
}

var system = library{roots: systemRoots}

// find returns the first font that has r, or nil.
func (l *library) find(r rune) *opentype.Font {
	l.lock.Lock()
	defer l.lock.Unlock()
	if found, ok := l.found[r]; ok {
		return found
	}
	if !l.read {
		l.read, l.fonts, l.found = true, candidates(l.roots()), map[rune]*opentype.Font{}
	}
	var found *opentype.Font
	for i := range l.fonts {
		if c := &l.fonts[i]; c.covers(r) && c.shows(r) {
			found = c.font
			break
		}
	}
	l.found[r] = found
	return found
}

// candidates returns the fonts below directories, or in files, in the order in which
// they are asked: upright, of ordinary weight and sans serif before others, then by
// the order of the roots, names, and places in a collection. If the roots are ordered
// they come first.
func candidates(roots []string, ordered bool) (all []candidate) {
	s := search{left: mostEntries, seen: map[string]bool{}}
	for i, root := range roots {
		s.root = i
		s.visit(root)
	}
	for _, file := range s.files {
		all = append(all, file.candidates()...)
	}
	slices.SortFunc(all, func(a, b candidate) int {
		if ordered && a.root != b.root {
			return cmp.Compare(a.root, b.root)
		}
		return cmp.Or(cmp.Compare(a.penalty, b.penalty), cmp.Compare(a.root, b.root), cmp.Compare(a.name, b.name),
			cmp.Compare(a.path, b.path), cmp.Compare(a.index, b.index))
	})
	return all
}

// A candidate is a font that the system has. All but its letters and its style is
// read once one of the letters is asked for.
type candidate struct {
	file
	index   int // in a collection
	offset  int // in the file
	penalty int
	spans   []span // sorted, apart
	font    *opentype.Font
	face    font.Face // of some size, to try letters in
	broken  bool
}

// A span is the code points from first to last.
type span struct{ first, last rune }

// covers reports whether the font says that it has r.
func (c *candidate) covers(r rune) bool {
	_, ok := slices.BinarySearchFunc(c.spans, r, func(s span, r rune) int {
		switch {
		case s.last < r:
			return -1
		case s.first > r:
			return 1
		default:
			return 0
		}
	})
	return ok
}

// shows reports whether the font has r as an outline, and so has neither a picture
// in colours nor nothing at all. Whatever is wrong with the file, it is no worse than
// not having r.
func (c *candidate) shows(r rune) (ok bool) {
	// The parser checks most that it reads, and panics on the rest.
	defer func() { ok = recover() == nil && ok }()
	if c.broken {
		return false
	}
	if c.font == nil {
		c.broken = true // until it is proved to be whole
		parsed, err := c.outlines()
		if err != nil {
			return false
		}
		if c.face, err = opentype.NewFace(parsed, &opentype.FaceOptions{Size: triedSize, DPI: 72}); err != nil {
			return false
		}
		c.font, c.broken = parsed, false
	}
	bounds, advance, ok := c.face.GlyphBounds(r)
	if !ok || !sound(bounds, advance, triedSize) {
		return false
	}
	if blank(r) {
		return true
	}
	_, mask, _, _, ok := c.face.Glyph(fixed.Point26_6{}, r)
	alpha, isAlpha := mask.(*image.Alpha)
	return ok && isAlpha && slices.ContainsFunc(alpha.Pix, func(coverage uint8) bool { return coverage > 0 })
}

// triedSize is that of letters that are drawn to see whether there is anything of them.
const triedSize = 24

package faces

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
)

// The font that is asked first depends on its style, then on whose it is, then on
// its name, and not on where it lies; or first of all on the order that was given.
func TestOrder(t *testing.T) {
	letters := map[rune]box{'中': square}
	serif, mono, script, silent := [10]byte{2, 2}, [10]byte{2, 11, 5, 9}, [10]byte{3, 11}, [10]byte{2, 0, 1}
	own := stored(t, map[string][]byte{"z.ttf": madeFont{letters: letters}.write(0), "zz-Sans.ttf": madeFont{letters: letters}.write(0), "own-bold.ttf": madeFont{letters: letters, weight: 700}.write(0)})
	others := stored(t, map[string][]byte{
		"1/bold.ttf":            madeFont{letters: letters, weight: 700}.write(0),
		"1/b.otf":               madeFont{letters: letters}.write(0),
		"2/a.ttf":               madeFont{letters: letters}.write(0),
		"1/italic.ttf":          madeFont{letters: letters, slanted: true}.write(0),
		"1/light.ttf":           madeFont{letters: letters, weight: 300}.write(0),
		"1/thin.ttf":            madeFont{letters: letters, weight: 100}.write(0),
		"1/serif.ttf":           madeFont{letters: letters, panose: serif}.write(0),
		"1/mono.ttf":            madeFont{letters: letters, panose: mono}.write(0),
		"1/script.ttf":          madeFont{letters: letters, panose: script}.write(0),
		"1/silent.ttf":          madeFont{letters: letters, panose: silent}.write(0),
		"1/narrow.ttf":          madeFont{letters: letters, width: 3}.write(0),
		"1/old.ttf":             madeFont{letters: letters, weight: 4}.write(0),
		"1/d.otc":               collection(madeFont{letters: letters, weight: 600}, madeFont{letters: letters}, madeFont{letters: letters}),
		"1/e.pfb":               madeFont{letters: letters}.write(0),
		"1/readme.txt":          []byte("no font"),
		"1/none.ttf":            madeFont{}.write(0),
		"1/damaged.ttf":         []byte("no font"),
		"1/empty.ttf":           nil,
		"1/directory.ttf/c.ttc": collection(madeFont{letters: letters}),
	})
	for ordered, want := range map[bool]string{
		false: "zz-Sans z a b c d' d'' old light mono silent serif script narrow italic d own-bold bold thin",
		true:  "zz-Sans z own-bold a b c d' d'' old light mono silent serif script narrow italic d bold thin",
	} {
		var got []string
		for _, c := range candidates([]string{own, others, own, filepath.Join(others, "nowhere")}, ordered) {
			got = append(got, strings.TrimSuffix(c.name, filepath.Ext(c.name))+strings.Repeat("'", c.index))
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("asked in the order\n%v, want\n%v", got, want)
		}
	}
}

// Of several fonts in a file, the one that has the letter.
func TestCollections(t *testing.T) {
	wide := square
	wide.advance = 1500
	l := fontsIn(stored(t, map[string][]byte{"a.ttc": collection(madeFont{letters: map[rune]box{'中': square}, odd: true}, madeFont{letters: map[rune]box{'丽': wide}, format: 4})}))
	f := faceOf(t, l, 20)
	if one, two := draw(f, '中'), draw(f, '丽'); one.advance.Round() != 20 || two.advance.Round() != 30 {
		t.Errorf("letters are %v and %v wide", one.advance, two.advance)
	}
}

// Letters of all kinds of segments.
func TestSegments(t *testing.T) {
	// Three segments: one by a difference, one by a list that has a gap, and the last.
	table := slices.Concat(shorts(4, 0, 0, 6, 0, 0, 0), shorts(0x102, 0x204, 0xffff), shorts(0), shorts(0x100, 0x201, 0xffff), shorts(-0x100, 0, 1), shorts(0, 4, 0), shorts(7, 0, 8, 9))
	// What is 0x100 has glyph 0, and so has 0x202.
	if got, want := segments(table), []span{{0x101, 0x102}, {0x201, 0x201}, {0x203, 0x204}}; !slices.Equal(got, want) {
		t.Errorf("letters are %x, want %x", got, want)
	}
	c := candidate{spans: segments(table)}
	for r := rune(0xff); r < 0x207; r++ {
		want := r == 0x101 || r == 0x102 || r == 0x201 || r == 0x203 || r == 0x204
		if c.covers(r) != want {
			t.Errorf("covers %x: %v", r, !want)
		}
	}
}

// What comes out of order is damaged, and so is the rest.
func TestDamagedSegments(t *testing.T) {
	four := slices.Concat(shorts(4, 0, 0, 8, 0, 0, 0), shorts(0x20, 0x40, 0x30, 0x60), shorts(0), shorts(0x20, 0x30, 0x30, 0x50), make([]byte, 16))
	if got, want := segments(four), []span{{0x20, 0x20}, {0x30, 0x40}}; !slices.Equal(got, want) {
		t.Errorf("segments are %x, want %x", got, want)
	}
	if got := segments(slices.Concat(shorts(4, 0, 0, 4, 0, 0, 0), shorts(0x20, 0x40), shorts(0), shorts(0x30, 0x40), make([]byte, 8))); len(got) != 0 {
		t.Errorf("what ends before it begins is %x", got)
	}
	twelve := func(groups ...int) table {
		return slices.Concat(shorts(12, 0), longs(0, 0, len(groups)/3), longs(groups...))
	}
	for _, c := range []struct {
		table table
		want  []span
	}{
		{twelve(0x20, 0x40, 1, 0x41, 0x42, 9, 0x50, 0x60, 3), []span{{0x20, 0x42}, {0x50, 0x60}}},
		{twelve(0x20, 0x40, 1, 0x40, 0x60, 3, 0x70, 0x80, 1), []span{{0x20, 0x40}}},
		{twelve(0x20, 0x40, 1, 0x60, 0x50, 3), []span{{0x20, 0x40}}},
		{twelve(0x20, 0x40, 1, 0x50, 0x110000, 3), []span{{0x20, 0x40}}},
		{twelve(0x20, 0x40, 1, 0x50, 0x60, 3)[:30], []span{{0x20, 0x40}}},
		{twelve(), nil},
	} {
		if got := groups(c.table); !slices.Equal(got, c.want) {
			t.Errorf("groups are %x, want %x", got, c.want)
		}
	}
}

// No panic of the parser is one of the program, and what was found damaged is not read
// again.
func TestFaults(t *testing.T) {
	regular, err := carried[Regular]()
	if err != nil {
		t.Fatal(err)
	}
	c := candidate{font: regular, face: struct{ font.Face }{}} // whose methods are those of nil
	if c.shows('A') {
		t.Error("a font without glyphs shows one")
	}
	path := filepath.Join(stored(t, map[string][]byte{"a.ttf": madeFont{letters: map[rune]box{'中': square}}.write(0)[:400]}), "a.ttf")
	l := fontsIn(path)
	if l.find('中') != nil || len(l.fonts) != 1 {
		t.Fatal("the font is not one that is cut off behind its letters")
	}
	if err := os.WriteFile(path, madeFont{letters: map[rune]box{'中': square}}.write(0), 0o644); err != nil {
		t.Fatal(err)
	}
	if l.fonts[0].shows('中') {
		t.Error("a damaged font is read again")
	}
}

// No more is read than there is, whatever a file says.
func TestTables(t *testing.T) {
	f := file{path: filepath.Join("testdata", "square.ttf")}
	r, err := f.open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, c := range [][3]int{{0, 4, 4}, {0, 1 << 50, int(r.size)}, {int(r.size) - 3, 8, 3}, {int(r.size), 1, 0}, {1 << 40, 1, 0}, {0, -1, 0}} {
		if got := len(r.table(c[0], c[1])); got != c[2] {
			t.Errorf("%d bytes at %d of %d are %d", c[1], c[0], r.size, got)
		}
	}
}

// What is damaged costs its letters, and nothing else.
func TestDamagedFonts(t *testing.T) {
	whole := goregular.TTF
	random := rand.New(rand.NewPCG(1, 2))
	damaged := map[string][]byte{}
	for _, made := range [][]byte{whole, madeFont{letters: map[rune]box{'中': square, 'A': square}}.write(0), madeFont{letters: map[rune]box{'中': square}, format: 4}.write(0), collection(madeFont{letters: map[rune]box{'A': square}}, madeFont{letters: map[rune]box{'A': square}})} {
		for i := range 60 {
			data := slices.Clone(made)
			switch i % 3 {
			case 0:
				data = data[:random.IntN(len(data))]
			case 1: // its head, which has the places of all else
				for range 1 + random.IntN(4) {
					data[random.IntN(min(len(data), 400))] = byte(random.Uint32())
				}
			case 2:
				for range 1 + random.IntN(len(data)/8) {
					data[random.IntN(len(data))] = byte(random.Uint32())
				}
			}
			damaged[string(rune('a'+len(damaged)/26))+string(rune('a'+len(damaged)%26))+".ttf"] = data
		}
	}
	directory := stored(t, damaged)
	names, err := os.ReadDir(directory)
	if err != nil || len(names) != 240 {
		t.Fatal(err, len(names))
	}
	found := 0
	for _, name := range names {
		l := fontsIn(filepath.Join(directory, name.Name()))
		f := faceOf(t, l, 14)
		for _, r := range []rune{'A', 'g', 'é', 'Ж', '中', '日', 0xffff, 0x10ffff, -1} {
			if l.find(r) != nil {
				found++
			}
			draw(f, r)
		}
	}
	if found == 0 || found == 9*len(names) {
		t.Errorf("found %d letters: what is damaged was not read", found)
	}
	// A font that is whole is found among all of them.
	if err := os.WriteFile(filepath.Join(directory, "zz.ttf"), madeFont{letters: map[rune]box{'\ue123': square}}.write(0), 0o644); err != nil {
		t.Fatal(err)
	}
	if fontsIn(directory).find('\ue123') == nil {
		t.Error("damaged fonts hide one that is whole")
	}
}

// Links that lead around, and what is no plain file, are passed by; links elsewhere
// are followed.
func TestLinks(t *testing.T) {
	letters := map[rune]box{'中': square}
	directory, elsewhere := stored(t, map[string][]byte{"a/b/c/d.ttf": madeFont{letters: map[rune]box{'国': square}}.write(0)}), stored(t, map[string][]byte{"e.ttf": madeFont{letters: letters}.write(0)})
	for link, to := range map[string]string{"a/b/c/around": directory, "a/b/again": filepath.Join(directory, "a"), "linked": elsewhere, "nowhere.ttf": filepath.Join(directory, "none")} {
		if err := os.Symlink(to, filepath.Join(directory, filepath.FromSlash(link))); err != nil {
			t.Skip(err)
		}
	}
	s := search{left: mostEntries, seen: map[string]bool{}}
	s.visit(directory)
	if len(s.files) != 2 || s.left < mostEntries-20 {
		t.Errorf("%d files of %d entries", len(s.files), mostEntries-s.left)
	}
	l := fontsIn(directory)
	if l.find('中') == nil || l.find('国') == nil {
		t.Error("a linked font is not found")
	}
	s = search{left: 3, seen: map[string]bool{}}
	s.visit(directory)
	if len(s.files) != 0 {
		t.Error("a search has no end")
	}
	large, err := os.Create(filepath.Join(directory, "large.ttf"))
	if err != nil {
		t.Fatal(err)
	}
	defer large.Close()
	if _, err := large.Write(madeFont{letters: map[rune]box{'\ue000': square}}.write(0)); err != nil {
		t.Fatal(err)
	}
	if fontsIn(directory).find('\ue000') == nil {
		t.Fatal("a small file has no letters")
	}
	if err := large.Truncate(largestFile + 1); err != nil {
		t.Skip(err)
	}
	if fontsIn(directory).find('\ue000') != nil {
		t.Error("a file is read however large it is")
	}
}

func TestRoots(t *testing.T) {
	variables := map[string]string{}
	variable := func(name string) string { return variables[name] }
	if got, want := usualRoots("linux", variable), []string{"/usr/local/share/fonts", "/usr/share/fonts"}; !slices.Equal(got, want) {
		t.Errorf("without a home: %q", got)
	}
	variables = map[string]string{"HOME": "/home/me", "XDG_DATA_HOME": "/data", "XDG_DATA_DIRS": "/one:relative:/two"}
	if got, want := usualRoots("linux", variable), []string{"/data/fonts", "/home/me/.local/share/fonts", "/home/me/.fonts", "/one/fonts", "/two/fonts", "/usr/local/share/fonts", "/usr/share/fonts"}; !slices.Equal(got, want) {
		t.Errorf("fonts are in %q, want %q", got, want)
	}
	if got, want := usualRoots("darwin", variable), []string{"/home/me/Library/Fonts", "/Library/Fonts", "/System/Library/Fonts"}; !slices.Equal(got, want) {
		t.Errorf("fonts are in %q, want %q", got, want)
	}
	t.Setenv("GAZE_FONTS", "/a"+string(filepath.ListSeparator)+"b.ttf")
	if got, ordered := systemRoots(); !ordered || !slices.Equal(got, []string{"/a", "b.ttf"}) {
		t.Errorf("GAZE_FONTS means %q", got)
	}
	t.Setenv("GAZE_FONTS", "")
	if got, _ := systemRoots(); len(got) != 0 {
		t.Errorf("nothing in GAZE_FONTS means %q", got)
	}
}

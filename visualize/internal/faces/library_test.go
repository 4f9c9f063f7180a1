package faces

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/go-text/typesetting/fontscan"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
)

// Of several fonts in a file, the one that has the letter; of several files the one
// that comes first.
func TestCollections(t *testing.T) {
	wide := square
	wide.advance = 1500
	directory := stored(t, map[string][]byte{"a.ttc": collection(madeFont{letters: map[rune]box{'中': square}}, madeFont{letters: map[rune]box{'丽': wide}, format: 4})})
	other := filepath.Join(stored(t, map[string][]byte{"b.ttf": madeFont{letters: map[rune]box{'中': wide, '丽': square}}.write(0)}), "b.ttf")
	for _, c := range []struct {
		roots []string
		ems   map[rune]float32
	}{
		{[]string{directory, other}, map[rune]float32{'中': 1, '丽': 1.5}},
		{[]string{other, directory, filepath.Join(directory, "nowhere")}, map[rune]float32{'中': 1.5, '丽': 1}},
	} {
		l := libraryOf(c.roots...)
		for r, want := range c.ems {
			if got := l.find(r); got == nil || got.advance != want {
				t.Errorf("%q in %q is %+v, want one of %v ems", r, c.roots, got, want)
			}
		}
	}
}

// A link that is named is followed.
func TestLinks(t *testing.T) {
	directory := stored(t, map[string][]byte{"a.ttf": madeFont{letters: map[rune]box{'中': square}}.write(0)})
	links := t.TempDir()
	for name, to := range map[string]string{"file.ttf": filepath.Join(directory, "a.ttf"), "directory": directory} {
		link := filepath.Join(links, name)
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
		if libraryOf(link).find('中') == nil {
			t.Errorf("%s: the letter is not found", name)
		}
	}
}

// A system without fonts, or with none that can be read, has no letters.
func TestNoFonts(t *testing.T) {
	for name, l := range map[string]*library{
		"none":   libraryOf(),
		"failed": {open: func() (*fontscan.FontMap, error) { return nil, errors.New("no fonts") }},
	} {
		if l.find('中') != nil || l.find('国') != nil {
			t.Errorf("%s: a letter is found", name)
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
			// Its directory of tables stays: the library allocates whatever length stands there.
			const directory = 12 + 16*20
			if i%2 == 0 {
				data = data[:random.IntN(len(data))]
			} else {
				for range 1 + random.IntN(len(data)/8) {
					data[directory+random.IntN(len(data)-directory)] = byte(random.Uint32())
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
		l := libraryOf(filepath.Join(directory, name.Name()))
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
	if libraryOf(directory).find('\ue123') == nil {
		t.Error("damaged fonts hide one that is whole")
	}
}

// What the environment names must be there.
func TestCheck(t *testing.T) {
	directory := t.TempDir()
	file := filepath.Join(directory, "a.ttf")
	if err := os.WriteFile(file, []byte("no font"), 0o600); err != nil {
		t.Fatal(err)
	}
	list := string(filepath.ListSeparator)
	for value, want := range map[string]string{
		"": "", directory: "", directory + list + file: "",
		directory + list + "/nowhere": `the variable GAZE_FONTS names "/nowhere": no such file or directory; it is a list of directories and files of fonts, or empty`,
		list + directory:              `the variable GAZE_FONTS names "": no such file or directory; it is a list of directories and files of fonts, or empty`,
	} {
		t.Setenv("GAZE_FONTS", value)
		err := Check()
		if got := fmt.Sprint(err); got != want && (want != "" || err != nil) {
			t.Errorf("%q: %v", value, err)
		}
		if face, made := New(Regular, 12, font.HintingFull); (made == nil) != (want == "") || made == nil && face == nil {
			t.Errorf("%q: %v", value, made)
		}
	}
}

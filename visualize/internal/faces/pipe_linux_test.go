package faces

import (
	"path/filepath"
	"syscall"
	"testing"
)

// A pipe with the name of a font, to which nobody writes, is not waited for.
func TestPipes(t *testing.T) {
	directory := stored(t, map[string][]byte{"a.ttf": madeFont{letters: map[rune]box{'中': square}}.write(0)})
	if err := syscall.Mkfifo(filepath.Join(directory, "0.ttf"), 0o644); err != nil {
		t.Skip(err)
	}
	if fontsIn(directory).find('中') == nil {
		t.Error("a pipe hides a font")
	}
}

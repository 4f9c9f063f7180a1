package visualize

import (
	"strings"
	"testing"
)

func TestWrap(t *testing.T) {
	set, err := newTypesetter(1)
	if err != nil {
		t.Fatal(err)
	}
	const title = "head 3 - any(sliding_window(-64..+64), global_tokens(0)), n = 812"
	for _, text := range []string{"", " ", "word", title, "line\nbreak\tand  spaces", strings.Repeat("x", 300), strings.Repeat("é…中 ", 90), "\xff\xfe"} {
		for _, width := range []int{1, 20, 90, 300, 5000} {
			for maxLines := 1; maxLines <= 3; maxLines++ {
				lines := set.wrap(titleRole, text, width, maxLines)
				if len(lines) > maxLines {
					t.Errorf("%q at %d: %d lines, at most %d", text, width, len(lines), maxLines)
				}
				cut := false
				for _, line := range lines {
					if set.width(titleRole, line) > width {
						t.Errorf("%q is wider than %d", line, width)
					}
					cut = cut || line == "" || strings.HasSuffix(line, "…")
				}
				if all := strings.Join(lines, " "); !cut && all != strings.Join(strings.Fields(text), " ") {
					t.Errorf("%q at %d became %q without an ellipsis", text, width, all)
				}
			}
		}
	}
	if got := set.wrap(titleRole, title, 320, 3); len(got) != 3 || !strings.HasSuffix(got[2], "812") {
		t.Errorf("the title wraps into %q", got)
	}
}

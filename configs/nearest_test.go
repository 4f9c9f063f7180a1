package configs

import (
	"slices"
	"testing"
)

func TestEditDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0},
		{"abc", "abd", 1}, {"abc", "ac", 1}, {"ac", "abc", 1}, {"abc", "acb", 1},
		{"kitten", "sitting", 3}, {"ca", "abc", 3}, {"rigth", "right", 1},
	} {
		if got := editDistance(c.a, c.b); got != c.want {
			t.Errorf("%q to %q: got %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"heads", "head_dim", "path", "sliding_window", "dilated_window", "f16"}
	for typed, want := range map[string]string{
		"head":          "heads",
		"headdim":       "head_dim",
		"HEAD-DIM":      "head_dim",
		"pth":           "path",
		"window":        "sliding_window",
		"dilated":       "dilated_window",
		"dilatedwindow": "dilated_window",
		"f32":           "",
		"fp16":          "f16",
		"tokens":        "",
		"":              "",
	} {
		if got := nearest(typed, names); got != want {
			t.Errorf("%q: got %q, want %q", typed, got, want)
		}
	}
}

func TestList(t *testing.T) {
	got := []string{list(nil, "or"), list([]string{"a"}, "or"), list([]string{"a", "b"}, "or"), list([]string{"a", "b", "c"}, "and")}
	if want := []string{"", "a", "a or b", "a, b and c"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

package configs

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
)

// nested returns depth patterns of kind any around one of kind causal.
func nested(depth int) string {
	return "attention.pattern = [" + strings.Repeat(`{kind = "any", patterns = [`, depth) +
		`{kind = "causal"}` + strings.Repeat("]}", depth) + "]"
}

func listOf(n int, item string) string {
	return "[" + strings.Repeat(item+", ", n) + "]"
}

func variants(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "[[variant]]\nname = \"%d\"\n", i)
	}
	return text.String()
}

// TestLimits: each bound lets its limit pass, and one more is an error.
func TestLimits(t *testing.T) {
	for _, c := range []struct {
		name       string
		text       func(n int) string
		limit      int
		line, from int    // of the error
		want       string // in its message
	}{
		{"pattern depth", nested, maxPatternDepth, 1, 0, "patterns lie more than 16 deep in one another"},
		{"patterns", func(n int) string {
			return "attention.pattern = " + listOf(n, `{kind = "full"}`)
		}, maxPatterns, 1, 0, "pattern has 257 tables: at most 256 are allowed"},
		{"patterns in patterns", func(n int) string {
			return "attention.pattern = " + listOf(2, `{kind = "any", patterns = `+listOf(n/2-1, `{kind = "full"}`)+`}`)
		}, maxPatterns + 1, 1, 0, "there are more than 256 patterns, counting those in any and all"},
		{"global tokens", func(n int) string {
			return `attention.pattern = [{kind = "global_tokens", tokens = ` + listOf(n, "0") + `}]`
		}, maxGlobalTokens, 1, 0, "tokens has 4097 integers: at most 4096 are allowed"},
		{"variants", variants, maxVariants, 129, 1, "variant has 65 tables: at most 64 are allowed"},
		{"heads", func(n int) string { return fmt.Sprint("attention.heads = ", n) }, maxHeads, 1, 19, "heads is 1025"},
		{"tokens", func(n int) string { return fmt.Sprintf("attention.sequences = [1, %d]", n-1) },
			gaze.MaxTokens, 1, 23, fmt.Sprintf("the sequences hold more than %d tokens", gaze.MaxTokens)},
		{"name", func(n int) string { return "name = '" + strings.Repeat("µ", n) + "'" },
			maxName, 1, 8, "name is longer than 64 characters"},
		{"path", func(n int) string { return "output.report = '" + strings.Repeat("a", n-5) + ".json'" },
			maxPath, 1, 17, "report is longer than 1024 characters"},
		{"dots", func(n int) string { return strings.Repeat("a.", n-1) + "a = 1" }, maxDepth, 1, 2*maxDepth + 1, "nested too deeply"},
		{"dots in a header", func(n int) string { return "[" + strings.Repeat("a.", n-1) + "a]" }, maxDepth, 1, 2*maxDepth + 2, "nested too deeply"},
		{"brackets", func(n int) string { return "a = " + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) },
			maxDepth, 1, maxDepth + 4, "nested too deeply"},
		{"brackets never closed", func(n int) string {
			if n <= maxDepth {
				return ""
			}
			return "a = " + strings.Repeat("[", maxFileSize/2)
		}, maxDepth, 1, maxDepth + 4, "nested too deeply"},
	} {
		// What passes may still be a file of unknown keys.
		_, err := Parse("run.toml", []byte(c.text(c.limit)))
		if err != nil && !strings.Contains(err.Error(), "unknown key") {
			t.Errorf("%s: %d is an error: %v", c.name, c.limit, err)
		}
		_, err = Parse("run.toml", []byte(c.text(c.limit+1)))
		var located *Error
		if !errors.As(err, &located) || !strings.Contains(located.Message, c.want) || located.Line != c.line ||
			c.from != 0 && located.Column != c.from {
			t.Errorf("%s: %d gives %v; want %s at %d:%d", c.name, c.limit+1, err, c.want, c.line, c.from)
		}
	}
}

// TestBytes are errors that a text file of cases cannot hold.
func TestBytes(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"byte order mark", "\ufeffheads = 1",
			"run.toml:1:1: unknown key \"heads\" in the file; did you mean attention.heads? A key belongs to the header above it\n" +
				"    heads = 1\n    ^^^^^"},
		{"carriage returns", "name = \"a\"\r\n[attention]\r\nheads = 0\r\n",
			"run.toml:3:9: heads is 0: it must be an integer from 1 to 1024\n    heads = 0\n            ^"},
		{"no line end", "[device]\nname =",
			"run.toml:2:6: unexpected EOF; expected value\n    name =\n         ^"},
		{"end within a string", "name = \"\u00b5", "run.toml:1:9: unexpected EOF; expected '\"'\n    name = \"\u00b5\n            ^"},
		{"NUL", "a = 1\x00", "run.toml:1:6: the file holds a NUL: is it in UTF-16? Save it as UTF-8\n    a = 1\ufffd\n         ^"},
		{"control character", "name = \"a\x1bb\"", "run.toml:1:10: control character 0x1b: in a string, write \\u001b\n    name = \"a\ufffdb\"\n             ^"},
		{"lone carriage return", "#\n# \r", "run.toml:2:3: control character 0x0d: in a string, write \\u000d\n    # \n      ^"},
		{"not UTF-8", "name = \"\xff\"", "run.toml:1:9: byte 0xff is not UTF-8: save the file as UTF-8\n    name = \"\ufffd\"\n            ^"},
		{"UTF-16", "\xff\xfea\x00=\x001\x00", "run.toml:1:1: byte 0xff is not UTF-8: save the file as UTF-8\n    \ufffd\ufffda\ufffd=\ufffd1\ufffd\n    ^"},
	} {
		_, err := Parse("run.toml", []byte(c.text))
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: got\n%v\nwant\n%s", c.name, err, c.want)
		}
	}
}

// TestErrorFields: a program can tell the parts of an error.
func TestErrorFields(t *testing.T) {
	_, err := Parse("run.toml", []byte("\n  heads = 1"))
	want := Error{
		Path: "run.toml", Line: 2, Column: 3,
		Source: "  heads = 1", Marker: "  ^^^^^",
		Message: `unknown key "heads" in the file; did you mean attention.heads? A key belongs to the header above it`,
	}
	if got := new(Error); !errors.As(err, &got) || *got != want {
		t.Errorf("got %+v, want %+v", err, want)
	}
}

// TestLongLines: of a long line only the part around the fault is shown, with
// the carets below it.
func TestLongLines(t *testing.T) {
	for _, before := range []int{0, 39, 40, 41, 99, 100, 1000} {
		for _, after := range []int{0, 50, 1000} {
			text := strings.Repeat(" ", before) + "heads = 1 # " + strings.Repeat("x", after)
			_, err := Parse("run.toml", []byte(text))
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("%d spaces before and %d letters after: %v", before, after, err)
			}
			at := strings.Index(e.Source, "heads")
			if at < 0 || e.Marker != strings.Repeat(" ", at)+"^^^^^" || e.Column != before+1 ||
				len(e.Source) > maxSource+len("...  ...") {
				t.Errorf("%d spaces before and %d letters after: column %d\n%s\n%s", before, after, e.Column, e.Source, e.Marker)
			}
		}
	}
}

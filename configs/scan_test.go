package configs

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// at follows a path such as "array | [1] | n".
func at(t *testing.T, root *node, path string) *node {
	t.Helper()
	n := root
	for _, p := range strings.Split(path, " | ") {
		if i, err := strconv.Atoi(strings.Trim(p, "[]")); err == nil && strings.HasPrefix(p, "[") {
			if i >= len(n.items) {
				t.Fatalf("%s: %d items at %s", path, len(n.items), p)
			}
			n = n.items[i]
		} else if n = n.table[p]; n == nil {
			t.Fatalf("%s: nothing at %s", path, p)
		}
	}
	return n
}

// TestScan: keys and values lie where they do. Parts of a path are separated
// by " | ".
func TestScan(t *testing.T) {
	data, err := os.ReadFile("testdata/tricky.toml")
	if err != nil {
		t.Fatal(err)
	}
	text, root := agree(t, string(data))
	for _, c := range []struct {
		path       string
		line       int
		key, value string
	}{
		{"top", 2, "top", "1"},
		{"literal key", 4, "'literal key'", `"a # b = [c]"`},
		{`escaped " a = key`, 5, `"escaped \" \u0061 = key"`, `'C:\'`},
		{"", 6, `""`, `"empty key"`},
		{"1 | 2", 7, "2", `"dotted numbers"`},
		{"spaced | out", 8, "out", "3"},
		{"spaced", 8, "spaced", "spaced"},
		{"dates", 9, "dates", "[1979-05-27 07:32:00, 07:32:00]"},
		{"dates | [0]", 9, "", "1979-05-27 07:32:00"},
		{"dates | [1]", 9, "", "07:32:00"},
		{"table", 11, "table", "[table]"},
		{"table | a", 12, "a", "a"},
		{"table | a | b | c", 12, "c", "true"},
		{"table | a | b | d | [1]", 14, "", "2"},
		{"table | a | b | d | [2]", 15, "", "[3, 4]"},
		{"table | a | b | d | [2] | [1]", 15, "", "4"},
		{"table | a | b | d | [3]", 16, "", `"]"`},
		{"table | a | b | d | [5]", 16, "", "\"\"\"\n]\n\"\"\""},
		{"table | a | b | d | [6]", 18, "", "'''\n\"]'''"},
		{"table | a | x.y | z", 22, "z", "0.5"},
		{"table | inline", 23, "inline", `{ p = 1, q.r = "}", s = [{t = 2}, {}], "u" = '}' , }`},
		{"table | inline | q | r", 23, "r", `"}"`},
		{"table | inline | s | [0] | t", 23, "t", "2"},
		{"table | inline | s | [1]", 23, "", "{}"},
		{"table | inline | u", 23, `"u"`, "'}'"},
		{"table | multi | y", 26, "y", "2"},
		{"table | basic", 28, "basic", "\"\"\"one \\\n    two \"\" three\\\\\"\"\""},
		{"table | quotes", 30, "quotes", `""""ends with two quotes"""""`},
		{"table | literals", 31, "literals", "''''quoted''''"},
		{"table | sub", 33, "sub", "sub"},
		{"table | sub | q]", 33, `"q]"`, `[ table . sub . "q]" ]`},
		{"table | sub | q] | k", 34, "k", `"v"`},
		{"array", 36, "array", "array"},
		{"array | [0]", 36, "array", "[[array]]"},
		{"array | [0] | n", 37, "n", "1"},
		{"array | [0] | inner | [0] | n", 39, "n", "2"},
		{"array | [0] | inner | [1] | n", 41, "n", "3"},
		{"array | [0] | inner | [1] | deep", 42, "deep", "[array.inner.deep]"},
		{"array | [0] | inner | [1] | deep | n", 43, "n", "4"},
		{"array | [1]", 44, "array", "[[array]]"},
		{"array | [1] | n", 45, "n", "5"},
		{"array | [1] | array | n", 46, "n", "6"},
	} {
		n := at(t, root, c.path)
		key, value := text[n.key.first:n.key.end], text[n.span.first:n.span.end]
		if line := strings.Count(text[:n.span.first], "\n") + 1; line != c.line || key != c.key || value != c.value {
			t.Errorf("%s: line %d, key %q, value %q; want line %d, key %q, value %q",
				c.path, line, key, value, c.line, c.key, c.value)
		}
	}
}

// agree scans a sound document, whose tree must be that of the TOML parser.
func agree(t *testing.T, data string) (text string, root *node) {
	t.Helper()
	text = strings.TrimPrefix(data, "\ufeff")
	root, f := scan(text)
	if f != nil {
		t.Fatalf("%q: %s", text, f.message)
	}
	values, f := decode(text)
	if f != nil {
		t.Fatalf("%q: %s", text, f.message)
	}
	if lost := root.fill(values); lost != nil {
		t.Fatalf("%q: at byte %d the scanner does not see what the parser sees, %v", text, lost.span.first, values)
	}
	return text, root
}

func TestScanAgrees(t *testing.T) {
	for _, text := range []string{
		"", "\n", "#", "\ufeffa = 1", "a=1", "a=1#", "a = []", "a = [\n]", "a = {}", "[a]", "[[a]]\n[[a]]",
		"a = \"\"", "a = ''", "a = \"\"\"\"\"\"", "a = ''''''", "a = \"\\\\\"", "a = '\\'", "a = \"\"\"\\\"\"\"\"",
		"a = [1,2,]", "a = [[],[[]]]", "a = [{}]", "a = 1e3", "a = -inf", "a = 1979-05-27T07:32:00.5-07:00\t# x",
		"a.b = 1\na.c = 2\n[d]\na.b = 3", "[a.b]\n[a]\nc = 1", "[a.b.c]\n[a.b.d]\n[a]\ne.f = 1",
		"[[a.b]]\n[a.b.c]\nd = 1\n[[a.b]]\n[a.b.c]\nd = 2", "a = \"\"\"x\"\" \\\"\"\" y\"\"\"", "a = 1\r\nb = 2\r\n",
		"\"a.b\" = 1\n'a.c' = 2\n\"\\U0001F600\" = 3", "a = \"\u00b5 = 1\" # \u00b5\nb = 2",
	} {
		agree(t, text)
	}
}

// TestScanStops: the scanner does not run past the end of broken documents,
// whatever they break off in.
func TestScanStops(t *testing.T) {
	data, err := os.ReadFile("testdata/tricky.toml")
	if err != nil {
		t.Fatal(err)
	}
	for end := range data {
		if _, f := scan(string(data[:end])); f != nil {
			t.Fatalf("cut at %d: %s", end, f.message)
		}
	}
}

// TestFillDisagreement: a difference is found wherever it lies.
func TestFillDisagreement(t *testing.T) {
	const text = "a = 1\nb = [1]\n[c]\nx = 1"
	type m = map[string]any
	for _, c := range []struct {
		name   string
		values m
		want   string // the place of the difference, "-" for none
	}{
		{"none", m{"a": int64(1), "b": []any{int64(1)}, "c": m{"x": int64(1)}}, "-"},
		{"another key", m{"a": int64(1), "b": []any{int64(1)}, "c": m{"y": int64(1)}}, "1"},
		{"a key less", m{"a": int64(1), "b": []any{int64(1)}, "c": m{}}, "[c]"},
		{"a key more", m{"a": int64(1), "b": []any{int64(1)}, "c": m{"x": int64(1), "y": int64(1)}}, "[c]"},
		{"an item more", m{"a": int64(1), "b": []any{int64(1), int64(2)}, "c": m{}}, "[1]"},
		{"array and scalar", m{"a": int64(1), "b": int64(1), "c": m{}}, "[1]"},
		{"table and scalar", m{"a": int64(1), "b": []any{int64(1)}, "c": int64(1)}, "[c]"},
		{"table and array", m{"a": int64(1), "b": []any{int64(1)}, "c": []m{}}, "[c]"},
		{"scalar and array", m{"a": []any{int64(1)}, "b": []any{int64(1)}, "c": m{}}, "1"},
	} {
		root, _ := scan(text)
		got := "-"
		if lost := root.fill(c.values); lost != nil {
			got = text[lost.span.first:lost.span.end]
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

package configs

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the errors that come out into testdata/errors.txt")

const goldenErrors = "testdata/errors.txt"

// TestErrors parses each file of testdata/errors.txt. A case is a line
// "=== name", a run file, a line "---" and the error.
func TestErrors(t *testing.T) {
	text, err := os.ReadFile(goldenErrors)
	if err != nil {
		t.Fatal(err)
	}
	cases := strings.Split("\n"+string(text), "\n=== ")[1:]
	if len(cases) < 100 {
		t.Fatalf("%d cases: the file was cut", len(cases))
	}
	var updated strings.Builder
	for _, c := range cases {
		name, rest, _ := strings.Cut(c, "\n")
		file, want, _ := strings.Cut(rest, "\n---\n")
		file, want = strings.TrimSuffix(file, "\n")+"\n", strings.TrimSuffix(want, "\n")
		_, err := Parse("dir/run.toml", []byte(file))
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if err.Error() != want && !*update {
			t.Errorf("%s: got\n%v\nwant\n%s", name, err, want)
		}
		updated.WriteString("=== " + name + "\n" + file + "---\n" + err.Error() + "\n")
	}
	if *update {
		if err := os.WriteFile(goldenErrors, []byte(updated.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

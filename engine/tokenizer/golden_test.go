package tokenizer

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
)

// The golden files hold what Hugging Face tokenizers 0.23.3 makes of texts;
// testdata/make.py writes them, here or, for the long comparison, elsewhere.
var goldenFolder = flag.String("golden", "testdata", "the folder of the golden files to compare with")

// A goldenRow is one call of encode, and what decode makes of its ids.
type goldenRow struct {
	Text     int    `json:"text"` // a line, -1 where ids alone are decoded
	Pair     *int   `json:"pair"`
	Bare     bool   `json:"bare"`
	Prefix   bool   `json:"prefix"`
	Max      int    `json:"max"`
	Strategy string `json:"strategy"`

	Error    bool     `json:"error"`
	IDs      []uint32 `json:"ids"`
	Spans    []int    `json:"spans"` // first, counted from the end before, and length of what is no special token
	Sequence string   `json:"sequence"`
	Plain    *string  `json:"plain"` // decoded without special tokens, where that is not the text
	Full     *string  `json:"full"`  // and with them
}

// readLines returns a reader of the lines of a compressed file.
func readLines(t testing.TB, path string) *bufio.Reader {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	return bufio.NewReaderSize(z, 1<<20)
}

// decodeLines reads a JSON value a line.
func decodeLines[T any](t testing.TB, r *bufio.Reader) (values []T) {
	t.Helper()
	d := json.NewDecoder(r)
	for {
		var v T
		err := d.Decode(&v)
		if err == io.EOF {
			return values
		}
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, v)
	}
}

// base returns the tokenizer.json of a name in testdata, with some parts replaced.
func base(t testing.TB, name string, parts map[string]json.RawMessage) []byte {
	t.Helper()
	data, err := io.ReadAll(readLines(t, "testdata/"+name+".json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if len(parts) == 0 {
		return data
	}
	var file map[string]json.RawMessage
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	for key, part := range parts {
		file[key] = part
	}
	if data, err = json.Marshal(file); err != nil {
		t.Fatal(err)
	}
	return data
}

func parseBase(t testing.TB, name string, parts map[string]json.RawMessage) *Tokenizer {
	t.Helper()
	tokenizer, err := Parse(name, base(t, name, parts))
	if err != nil {
		t.Fatal(err)
	}
	return tokenizer
}

func TestGolden(t *testing.T) {
	lines := decodeLines[string](t, readLines(t, *goldenFolder+"/lines.json.gz"))
	files, _ := filepath.Glob(*goldenFolder + "/*.golden.gz")
	if len(files) < 20 {
		t.Fatalf("%d golden files in %s, expected 20 or more", len(files), *goldenFolder)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".golden.gz"), func(t *testing.T) {
			t.Parallel()
			r := readLines(t, path)
			first, err := r.ReadBytes('\n')
			if err != nil {
				t.Fatal(err)
			}
			var head struct {
				Base   string
				Parts  map[string]json.RawMessage
				Tokens []*string
			}
			if err := json.Unmarshal(first, &head); err != nil {
				t.Fatal(err)
			}
			tokenizer := parseBase(t, head.Base, head.Parts)
			if count := len(head.Tokens); count > 0 && tokenizer.VocabSize() != count {
				t.Errorf("%d tokens, expected %d", tokenizer.VocabSize(), count)
			}
			for id, want := range head.Tokens {
				if got, ok := tokenizer.Token(uint32(id)); want == nil == ok || ok && got != *want {
					t.Errorf("token %d is %q, expected %q", id, got, *want)
				}
			}
			count := 0
			for _, row := range decodeLines[goldenRow](t, r) {
				compareRow(t, tokenizer, lines, row)
				count++
				if t.Failed() {
					t.FailNow()
				}
			}
			if count < 100 {
				t.Errorf("%d rows, expected 100 or more", count)
			}
		})
	}
}

func compareRow(t *testing.T, tokenizer *Tokenizer, lines []string, row goldenRow) {
	t.Helper()
	text := ""
	if row.Text >= 0 {
		text = lines[row.Text]
		o := Options{MaxLength: row.Max, NoTemplate: row.Bare, AddPrefixSpace: row.Prefix}
		texts := map[rune]string{'0': text}
		if row.Pair != nil {
			o.Pair = &lines[*row.Pair]
			texts['1'] = *o.Pair
		}
		switch row.Strategy {
		case "only_first":
			o.Truncation = OnlyFirst
		case "only_second":
			o.Truncation = OnlySecond
		}
		got, err := tokenizer.Encode(text, o)
		if row.Error {
			if err == nil {
				t.Errorf("line %d, %+v: no error, expected one", row.Text, o)
			}
			return
		}
		if err != nil {
			t.Errorf("line %d: %v", row.Text, err)
			return
		}
		want := row.encoding()
		for i := range max(len(got.IDs), len(want.IDs)) {
			if i < len(got.IDs) && i < len(want.IDs) && got.IDs[i] == want.IDs[i] &&
				got.Offsets[i] == want.Offsets[i] && got.Sequence[i] == want.Sequence[i] && got.Special[i] == want.Special[i] {
				continue
			}
			t.Errorf("line %d, %+v, token %d of %d, expected %d of %d:\n%.300q\ngot  %s\nwant %s", row.Text, o, i,
				len(got.IDs), i, len(want.IDs), text, show(tokenizer, texts, got, i), show(tokenizer, texts, want, i))
			return
		}
	}
	for _, c := range []struct {
		skip bool
		want *string
	}{{true, row.Plain}, {false, row.Full}} {
		want := text
		if c.want != nil {
			want = *c.want
		}
		if got := tokenizer.Decode(row.IDs, c.skip); got != want {
			t.Errorf("line %d: decoded, special tokens skipped %v:\ngot  %.300q\nwant %.300q", row.Text, c.skip, got, want)
		}
	}
}

func (r goldenRow) encoding() Encoding {
	e := Encoding{IDs: r.IDs, Offsets: make([]gaze.Span, len(r.IDs)), Sequence: make([]int8, len(r.IDs)), Special: make([]bool, len(r.IDs))}
	spans, last := r.Spans, 0
	for i, s := range r.Sequence {
		if s == '-' {
			e.Sequence[i], e.Special[i] = -1, true
			continue
		}
		e.Sequence[i] = int8(s - '0')
		first := last + spans[0]
		last = first + spans[1]
		e.Offsets[i] = gaze.Span{First: first, End: last}
		spans = spans[2:]
	}
	return e
}

// show prints the tokens around one that differs.
func show(t *Tokenizer, texts map[rune]string, e Encoding, at int) string {
	var out strings.Builder
	for i := max(0, at-2); i < min(len(e.IDs), at+3); i++ {
		form, _ := t.Token(e.IDs[i])
		text, s := texts[rune('0'+e.Sequence[i])], e.Offsets[i]
		if s.First > s.End || s.End > len(text) {
			text, s.First, s.End = "?", 0, 1
		}
		out.WriteString(strings.Join([]string{"", form, jsonText(text[s.First:s.End])}, " "))
		out.WriteString(strings.Trim(strings.Join(strings.Fields(jsonText(e.Offsets[i])), ""), `"`) + ";")
	}
	return out.String()
}

func jsonText(v any) string {
	data, _ := json.Marshal(v)
	return string(data)
}

// One text must give the same alone, again from the cache, and among others.
func TestConcurrentEncode(t *testing.T) {
	lines := decodeLines[string](t, readLines(t, "testdata/lines.json.gz"))[:300]
	for _, name := range []string{"modernbert", "gemma"} {
		tokenizer := parseBase(t, name, nil)
		alone, want := parseBase(t, name, nil), make([]Encoding, len(lines))
		for i, line := range lines {
			want[i], _ = alone.Encode(line, Options{})
		}
		done := make(chan bool)
		for range 4 {
			go func() {
				defer func() { done <- true }()
				for i, line := range lines {
					got, err := tokenizer.Encode(line, Options{})
					if err != nil || !slices.Equal(got.IDs, want[i].IDs) || !slices.Equal(got.Offsets, want[i].Offsets) {
						t.Errorf("%s, line %d: %v, or tokens that differ from those alone", name, i, err)
						return
					}
				}
			}()
		}
		for range 4 {
			<-done
		}
	}
}

package tokenizer

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var (
	benchTokenizer = flag.String("tokenizer", "", "a tokenizer.json for BenchmarkEncode, with -text")
	benchText      = flag.String("text", "", "a file of lines for BenchmarkEncode")
)

// BenchmarkEncode is one goroutine, line by line, on the lines of -text or of
// the golden files; testdata/speed.py runs it and the original library by turns.
func BenchmarkEncode(b *testing.B) {
	if *benchText != "" {
		text, err := os.ReadFile(*benchText)
		if err != nil {
			b.Fatal(err)
		}
		tokenizer, err := Load(*benchTokenizer)
		if err != nil {
			b.Fatal(err)
		}
		encodeAll(b, tokenizer, strings.Split(string(text), "\n"))
		return
	}
	lines := decodeLines[string](b, readLines(b, "testdata/lines.json.gz"))
	for _, name := range []string{"modernbert", "llama3", "o200k", "gemma"} {
		b.Run(name, func(b *testing.B) {
			tokenizer := parseBase(b, name, nil)
			encodeAll(b, tokenizer, lines)
		})
	}
}

// BenchmarkLong is one text of about a megabyte, which for gemma is one word.
func BenchmarkLong(b *testing.B) {
	lines := decodeLines[string](b, readLines(b, "testdata/lines.json.gz"))
	text := []string{strings.Repeat(strings.Join(lines, "\n"), 8)}
	for _, name := range []string{"modernbert", "gemma"} {
		b.Run(name, func(b *testing.B) {
			encodeAll(b, parseBase(b, name, nil), text)
		})
	}
}

func encodeAll(b *testing.B, tokenizer *Tokenizer, lines []string) {
	size := 0
	for _, line := range lines {
		size += len(line)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, line := range lines {
			if _, err := tokenizer.Encode(line, Options{}); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkParse(b *testing.B) {
	data := base(b, "modernbert", nil)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := Parse("modernbert", data); err != nil {
			b.Fatal(err)
		}
	}
}

package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/gazevk/gaze/engine/tokenizer"
)

// A text is one input of a model, and where it came from.
type text struct {
	source string // "--text 2" or "lines.txt, line 7"
	string
}

// unreadable returns the error of a tokenizer that does not take the text.
func (t text) unreadable(err error) error {
	if errors.Is(err, tokenizer.ErrInvalidUTF8) {
		err = fmt.Errorf("%w: convert it to UTF-8", err)
	}
	return fmt.Errorf("%s: %w", t.source, err)
}

// A textFlags says which texts a command takes.
type textFlags struct {
	texts textList
	file  string
}

// A textList is a flag that may be given several times.
type textList []string

func (l *textList) String() string { return strings.Join(*l, "\n") }

func (l *textList) Set(value string) error {
	*l = append(*l, value)
	return nil
}

func (f *textFlags) declare(flags *flag.FlagSet, what string) {
	flags.Var(&f.texts, "text", "a `TEXT`, "+what+"; may be given several times")
	flags.StringVar(&f.file, "file", "", "read more texts from `FILE`, one a line; - is standard input")
}

// maxTexts is the most bytes that are read of a file of texts.
const maxTexts = 1 << 30

// read returns the texts, those of the file behind the others.
func (f *textFlags) read(stdin io.Reader) ([]text, error) {
	var texts []text
	for i, t := range f.texts {
		texts = append(texts, text{fmt.Sprintf("--text %d", i+1), t})
	}
	if f.file == "" && len(texts) == 0 {
		return nil, usageError{errors.New("there is no text; give --text TEXT or --file FILE")}
	}
	if f.file == "" {
		return texts, nil
	}
	name, from := f.file, stdin
	if f.file == "-" {
		name = "standard input"
	} else {
		file, err := os.Open(f.file)
		if err != nil {
			return nil, fmt.Errorf("cannot read texts: %w", err)
		}
		defer file.Close()
		from = file
	}
	lines, err := readLines(from)
	if err != nil {
		return nil, fmt.Errorf("cannot read texts from %s: %w", name, err)
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("%s is empty: expected one text a line", name)
	}
	for i, line := range lines {
		texts = append(texts, text{fmt.Sprintf("%s, line %d", name, i+1), line})
	}
	return texts, nil
}

// readLines returns the lines of r without their ends, LF or CRLF. An empty line
// is a text too: results must stand where their lines do.
func readLines(r io.Reader) ([]string, error) {
	limited := &io.LimitedReader{R: r, N: maxTexts + 1}
	from := bufio.NewReaderSize(limited, 1<<16)
	var lines []string
	for {
		line, err := from.ReadString('\n')
		if limited.N == 0 {
			return nil, fmt.Errorf("it has over %s: give it in parts", size(maxTexts))
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if line != "" {
			lines = append(lines, strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"))
		}
		if err != nil {
			return lines, nil
		}
	}
}

// excerpt writes the beginning of a text on one line.
func excerpt(text string) string {
	const most = 60
	words := strings.Join(strings.Fields(text[:min(len(text), 8*most)]), " ")
	if runes := []rune(words); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return words
}

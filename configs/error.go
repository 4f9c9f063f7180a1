package configs

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An Error is one thing wrong with a run file, and its place.
type Error struct {
	Path    string
	Line    int    // from 1
	Column  int    // from 1, in characters
	Source  string // the line, or the part of a long one around Column
	Marker  string // to print below Source: carets under what is wrong
	Message string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s\n    %s\n    %s", e.Path, e.Line, e.Column, e.Message, e.Source, e.Marker)
}

// A span is the bytes first <= i < end of a file.
type span struct{ first, end int }

// A fault is something wrong with a span of a file.
type fault struct {
	span
	message string
}

// Source lines longer than maxSource characters are cut around the fault,
// keeping sourceBefore characters in front of it.
const (
	maxSource    = 100
	sourceBefore = 40
)

// newError finds the line and the column of f in text.
func newError(path, text string, f fault) *Error {
	first := min(max(f.first, 0), len(text))
	lineStart := strings.LastIndexByte(text[:first], '\n') + 1
	line, _, _ := strings.Cut(text[lineStart:], "\n")
	line = strings.TrimSuffix(line, "\r")

	before := min(first-lineStart, len(line))
	marked := min(max(f.end, first)-lineStart, len(line)) - before
	column := utf8.RuneCountInString(line[:before])
	carets := max(1, utf8.RuneCountInString(line[before:before+marked]))

	source := []rune(strings.Map(printable, line))
	from, to := 0, len(source)
	if len(source) > maxSource {
		from = min(max(0, column-sourceBefore), len(source)-maxSource)
		to = from + maxSource
	}
	var shown, marker strings.Builder
	if from > 0 {
		shown.WriteString("... ")
		marker.WriteString("    ")
	}
	for _, c := range source[from:min(column, to)] {
		// A tab is as wide below as it is above.
		if c != '\t' {
			c = ' '
		}
		marker.WriteRune(c)
	}
	marker.WriteString(strings.Repeat("^", max(1, min(carets, to-column))))
	shown.WriteString(string(source[from:to]))
	if to < len(source) {
		shown.WriteString(" ...")
	}
	return &Error{
		Path:    path,
		Line:    strings.Count(text[:lineStart], "\n") + 1,
		Column:  column + 1,
		Source:  shown.String(),
		Marker:  marker.String(),
		Message: f.message,
	}
}

// printable keeps what cannot be seen from garbling a terminal.
func printable(c rune) rune {
	if c == '\t' || unicode.IsPrint(c) {
		return c
	}
	return unicode.ReplacementChar
}

// quote returns s in quotes, shortened where it is very long.
func quote(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most]) + "..."
	}
	return strconv.Quote(s)
}

package configs

import (
	"fmt"
	"strings"

	"github.com/BurntSushi/toml"
)

// maxDepth bounds the brackets and key parts around a value, because the TOML
// parser recurses, and takes time quadratic in it.
const maxDepth = 64

// A scanner finds where the keys and values of a TOML document lie, which the
// TOML parser does not tell. It does not judge: on anything that is not TOML
// it stops and leaves the complaint to the parser.
type scanner struct {
	text    string
	at      int
	stopped bool
	deep    *fault // what is nested beyond maxDepth
}

// A part is one part of a dotted key.
type part struct {
	name string
	span span
}

// scan returns the tree of places in text. Values are not filled in.
func scan(text string) (*node, *fault) {
	s := scanner{text: text}
	root := &node{}
	table, depth := root, 0
	for s.blank(); !s.stopped && s.at < len(s.text); s.blank() {
		if s.text[s.at] == '[' {
			table, depth = s.header(root)
		} else {
			s.pair(table, depth)
		}
	}
	return root, s.deep
}

// stop ends the scan.
func (s *scanner) stop() {
	s.stopped = true
	s.at = len(s.text)
}

// limit stops where depth is too great, and reports whether it is.
func (s *scanner) limit(depth int, where span) bool {
	if depth <= maxDepth {
		return false
	}
	if s.deep == nil {
		s.deep = &fault{where, fmt.Sprintf("this is nested too deeply: at most %d tables and arrays may lie in one another", maxDepth)}
	}
	s.stop()
	return true
}

// take moves past c where it comes next.
func (s *scanner) take(c byte) bool {
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

// spaces moves past spaces and tabs.
func (s *scanner) spaces() {
	for s.take(' ') || s.take('\t') {
	}
}

// blank moves past space, line ends and comments.
func (s *scanner) blank() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		case '#':
			end := strings.IndexByte(s.text[s.at:], '\n')
			if end < 0 {
				end = len(s.text) - s.at
			}
			s.at += end
		default:
			return
		}
	}
}

// header reads [a.b] or [[a.b]] and returns the table that it opens.
func (s *scanner) header(root *node) (table *node, depth int) {
	first := s.at
	s.at++
	isArray := s.take('[')
	parts := s.key(0)
	closed := s.take(']') && (!isArray || s.take(']'))
	if !closed || s.stopped {
		s.stop()
		return root, 0
	}
	whole := span{first, s.at}
	last := parts[len(parts)-1]
	parent := root.descend(parts[:len(parts)-1])
	if isArray {
		array := parent.child(last)
		table = &node{key: last.span, span: whole}
		array.items = append(array.items, table)
	} else {
		table = parent.child(last).latest()
		table.key, table.span = last.span, whole
	}
	return table, len(parts)
}

// pair reads key = value into table.
func (s *scanner) pair(table *node, depth int) {
	parts := s.key(depth)
	if s.stopped || !s.take('=') {
		s.stop()
		return
	}
	s.spaces()
	value := s.value(depth + len(parts))
	if s.stopped {
		return
	}
	last := parts[len(parts)-1]
	value.key = last.span
	table.descend(parts[:len(parts)-1]).put(last.name, value)
}

// key reads a dotted key and the space around it.
func (s *scanner) key(depth int) []part {
	var parts []part
	for {
		s.spaces()
		first := s.at
		var name string
		if s.at < len(s.text) && (s.text[s.at] == '"' || s.text[s.at] == '\'') {
			s.str()
			name = unquote(s.text[first:s.at])
		} else {
			for s.at < len(s.text) && isBare(s.text[s.at]) {
				s.at++
			}
			name = s.text[first:s.at]
		}
		where := span{first, s.at}
		if where.first == where.end {
			s.stop()
		}
		if s.stopped || s.limit(depth+len(parts)+1, where) {
			return nil
		}
		parts = append(parts, part{name, where})
		s.spaces()
		if !s.take('.') {
			return parts
		}
	}
}

func isBare(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

// unquote returns the name that a quoted key stands for.
func unquote(quoted string) string {
	inner := quoted[1:max(1, len(quoted)-1)]
	if quoted[0] == '\'' || !strings.Contains(inner, `\`) {
		return inner
	}
	// Escapes mean here what they mean to the parser.
	var decoded struct{ Key string }
	if _, err := toml.Decode("key = "+quoted, &decoded); err != nil {
		return inner
	}
	return decoded.Key
}

// value reads any value.
func (s *scanner) value(depth int) *node {
	n := &node{span: span{s.at, s.at + 1}}
	if s.at == len(s.text) {
		s.stop()
		return n
	}
	switch c := s.text[s.at]; {
	case c == '"' || c == '\'':
		s.str()
	case (c == '[' || c == '{') && s.limit(depth+1, n.span):
	case c == '[':
		s.at++
		for s.blank(); !s.take(']') && !s.stopped; s.blank() {
			n.items = append(n.items, s.value(depth+1))
			s.separator(']')
		}
	case c == '{':
		s.at++
		for s.blank(); !s.take('}') && !s.stopped; s.blank() {
			s.pair(n, depth+1)
			s.separator('}')
		}
	default:
		s.scalar()
	}
	n.span.end = s.at
	return n
}

// separator moves past a comma; anything else than end must follow one.
func (s *scanner) separator(end byte) {
	s.blank()
	if !s.take(',') && (s.at == len(s.text) || s.text[s.at] != end) {
		s.stop()
	}
}

// scalar reads a number, a boolean or a date; a date may hold a space.
func (s *scanner) scalar() {
	length := strings.IndexAny(s.text[s.at:], ",]}#\r\n")
	if length < 0 {
		length = len(s.text) - s.at
	}
	length = len(strings.TrimRight(s.text[s.at:s.at+length], " \t"))
	if length == 0 {
		s.stop()
	}
	s.at += length
}

// str moves past a string of any of the four kinds.
func (s *scanner) str() {
	mark := s.text[s.at]
	triple := strings.Repeat(string(mark), 3)
	isMultiline := strings.HasPrefix(s.text[s.at:], triple)
	s.at++
	if isMultiline {
		s.at += 2
	}
	for s.at < len(s.text) {
		c := s.text[s.at]
		switch {
		case c == '\\' && mark == '"':
			s.at += 2
			continue
		case c == '\n' && !isMultiline:
			s.stop()
			return
		case c == mark && !isMultiline:
			s.at++
			return
		case c == mark && strings.HasPrefix(s.text[s.at:], triple):
			s.at += 3
			// One or two more marks belong to the contents.
			_ = s.take(mark) && s.take(mark)
			return
		}
		s.at++
	}
	s.stop()
}

package tokenizer

import (
	"strings"
	"unicode/utf8"

	"github.com/gazevk/gaze"
)

// A piece is a part of the text on its way through the pipeline: what it reads
// by now, and which bytes of the given text each byte of that came from.
type piece struct {
	text   string
	origin int      // where the piece begins in the given text; align counts from there
	align  []extent // one a byte of text; nil while text is still what was given
}

// An extent is the bytes first <= i < end, counted from a piece's origin. It
// begins and ends between characters.
type extent struct{ first, end uint32 }

// slice returns the part text[first:end].
func (p piece) slice(first, end int) piece {
	if p.align != nil {
		return piece{p.text[first:end], p.origin, p.align[first:end]}
	}
	return piece{p.text[first:end], p.origin + first, nil}
}

// at returns what the byte text[i] is aligned with: the whole character, where
// the text is unchanged.
func (p piece) at(i int) extent {
	if p.align != nil {
		return p.align[i]
	}
	end := i + 1
	for !utf8.RuneStart(p.text[i]) {
		i--
	}
	for end < len(p.text) && !utf8.RuneStart(p.text[end]) {
		end++
	}
	return extent{uint32(i), uint32(end)}
}

// span returns the bytes of the given text behind text[first:end], which is not empty.
func (p piece) span(first, end int) gaze.Span {
	return gaze.Span{First: p.origin + int(p.at(first).first), End: p.origin + int(p.at(end-1).end)}
}

// A rewriter makes the changed form of a piece.
type rewriter struct {
	from  piece
	text  []byte
	align []extent
}

// rewrite returns a rewriter of p that holds nothing yet, the encoder's only one.
func (e *encoder) rewrite(p piece) *rewriter {
	e.rewriter = rewriter{p, e.rewriter.text[:0], make([]extent, 0, len(p.text)+len(p.text)/2+16)}
	return &e.rewriter
}

// copy appends from.text[first:end] as it is.
func (w *rewriter) copy(first, end int) {
	w.text = append(w.text, w.from.text[first:end]...)
	if w.from.align != nil {
		w.align = append(w.align, w.from.align[first:end]...)
		return
	}
	for i := first; i < end; {
		size := 1
		for i+size < end && !utf8.RuneStart(w.from.text[i+size]) {
			size++
		}
		whole := extent{uint32(i), uint32(i + size)}
		for range size {
			w.align = append(w.align, whole)
		}
		i += size
	}
}

// add appends text, all of it aligned with what from.text[i] is aligned with;
// i < 0 stands for the beginning.
func (w *rewriter) add(text string, i int) {
	var where extent
	if i >= 0 {
		where = w.from.at(i)
	}
	w.text = append(w.text, text...)
	for range len(text) {
		w.align = append(w.align, where)
	}
}

// put appends one character. It stands in the place of the first character at
// from.text[*position:] and uses up as many as it says; one that uses up none
// stands with the character before.
func (w *rewriter) put(s step, position *int) {
	size := len(w.text)
	w.text = utf8.AppendRune(w.text, s.char)
	size = len(w.text) - size
	i := *position
	if s.taken == 0 {
		i--
	}
	var where extent
	if i >= 0 {
		where = w.from.at(i)
	}
	for range size {
		w.align = append(w.align, where)
	}
	for range s.taken {
		_, size := utf8.DecodeRuneInString(w.from.text[*position:])
		*position += size
	}
}

func (w *rewriter) piece() piece {
	return piece{string(w.text), w.from.origin, w.align}
}

// A normalizer changes a piece before it is split into words.
type normalizer interface {
	normalize(e *encoder, p piece) piece
}

// replace puts content in the place of each pattern.
type replace struct{ pattern, content string }

func (r replace) normalize(e *encoder, p piece) piece {
	next := strings.Index(p.text, r.pattern)
	if next < 0 {
		return p
	}
	out := e.rewrite(p)
	from := 0
	for next >= 0 {
		first := from + next
		out.copy(from, first)
		from = first + len(r.pattern)
		out.add(r.content, from-1)
		next = strings.Index(p.text[from:], r.pattern)
	}
	out.copy(from, len(p.text))
	return out.piece()
}

// prepend puts text before a piece that is not empty, aligned with the piece's
// first character.
type prepend struct{ text string }

func (r prepend) normalize(e *encoder, p piece) piece {
	if p.text == "" {
		return p
	}
	out := e.rewrite(p)
	out.add(r.text, 0)
	out.copy(0, len(p.text))
	return out.piece()
}

package tokenizer

import (
	"strings"
	"unicode/utf8"
)

// bpe is the byte-pair encoding model. It takes a word apart into bytes or
// characters and merges neighbours as long as it has merges for them.
type bpe struct {
	byBytes  bool
	bytes    [256]uint32           // ids of the bytes, where words are taken apart into those
	ascii    [utf8.RuneSelf]uint32 // ids of the characters, where into those
	others   map[rune]uint32       // and of the ones above 127
	fallback *[256]uint32          // ids of <0x00> to <0xFF>, with byte_fallback
	unknown  uint32                // id of what is none of these
	fuse     bool                  // neighbours that are unknown are one

	// whole has the ids of words that are tokens, with ignore_merges.
	whole map[string]uint32

	// cut is set where text is a whole line, with ▁ for its spaces. No merge
	// joins a ▁ to what stands before it, unless that ends in a byte that is
	// joined; so lines are cut there into words.
	cut    bool
	joined [256]bool

	merges mergeTable
	cache  wordCache
}

const metaspace = "▁"

// A token is an id and how many bytes of the word it stands for.
type token struct{ id, size uint32 }

// encode emits the tokens of a piece that is one word to the model.
func (m *bpe) encode(e *encoder, p piece) {
	if m.whole != nil {
		if id, ok := m.whole[p.text]; ok {
			e.emit(p, 0, []token{{id, uint32(len(p.text))}})
			return
		}
	}
	first := 0
	if m.cut {
		for i := 1; i < len(p.text); i++ {
			next := strings.Index(p.text[i:], metaspace)
			if next < 0 {
				break
			}
			i += next
			if !m.joined[p.text[i-1]] && !strings.HasSuffix(p.text[:i], metaspace) {
				e.emit(p, first, m.tokens(e, p.text[first:i]))
				first = i
			}
		}
	}
	e.emit(p, first, m.tokens(e, p.text[first:]))
}

// tokens returns the tokens of a word, to be read before the next call.
func (m *bpe) tokens(e *encoder, word string) []token {
	if len(word) > longestToCache {
		return m.tokenize(e, word)
	}
	slot, tokens := m.cache.slot(word)
	if tokens == nil {
		tokens = m.tokenize(e, word)
		slot.Store(newCachedWord(word, tokens))
	}
	return tokens
}

func (m *bpe) tokenize(e *encoder, word string) []token {
	if m.byBytes {
		m.splitBytes(e, word)
	} else {
		m.splitCharacters(e, word)
	}
	count := m.merges.merge(e, e.symbols)
	e.tokens = e.tokens[:0]
	for _, s := range e.symbols[:count] {
		e.tokens = append(e.tokens, token{s.id, s.size})
	}
	return e.tokens
}

func (m *bpe) splitBytes(e *encoder, word string) {
	e.symbols = e.symbols[:0]
	unknown := false
	for i := range len(word) {
		id := m.bytes[word[i]]
		if id == none {
			m.addUnknown(e, 1, unknown)
		} else {
			e.symbols = append(e.symbols, symbol{id: id, size: 1})
		}
		unknown = id == none
	}
}

func (m *bpe) splitCharacters(e *encoder, word string) {
	e.symbols = e.symbols[:0]
	unknown := false
	for i := 0; i < len(word); {
		r, size := utf8.DecodeRuneInString(word[i:])
		id := uint32(none)
		if r < utf8.RuneSelf {
			id = m.ascii[r]
		} else if known, ok := m.others[r]; ok {
			id = known
		}
		switch {
		case id != none:
			e.symbols = append(e.symbols, symbol{id: id, size: uint32(size)})
		case m.fallback != nil:
			for k := range size {
				e.symbols = append(e.symbols, symbol{id: m.fallback[word[i+k]], size: 1})
			}
		default:
			m.addUnknown(e, uint32(size), unknown)
		}
		unknown = id == none && m.fallback == nil
		i += size
	}
}

// addUnknown adds the unknown token, or lengthens it where the symbol before is
// unknown too and they fuse.
func (m *bpe) addUnknown(e *encoder, size uint32, again bool) {
	if again && m.fuse {
		e.symbols[len(e.symbols)-1].size += size
		return
	}
	e.symbols = append(e.symbols, symbol{id: m.unknown, size: size})
}

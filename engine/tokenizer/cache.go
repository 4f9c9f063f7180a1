package tokenizer

import (
	"hash/maphash"
	"slices"
	"strings"
	"sync/atomic"
)

// A wordCache remembers the tokens of words. Its size is fixed: each word has
// one slot, where the word that came last stays. Any number of goroutines may
// use it at once, and none waits for another.
type wordCache struct {
	seed  maphash.Seed
	slots []atomic.Pointer[cachedWord]
}

type cachedWord struct {
	word   string
	tokens []token
}

const (
	cachedWords     = 1 << 15
	longestToCache  = 64 // bytes: longer words are rare, and would not come again
	cacheIndexShift = 64 - 15
)

func newWordCache() wordCache {
	return wordCache{maphash.MakeSeed(), make([]atomic.Pointer[cachedWord], cachedWords)}
}

// slot returns the word's slot and, where that holds the word, its tokens.
func (c *wordCache) slot(word string) (*atomic.Pointer[cachedWord], []token) {
	slot := &c.slots[maphash.String(c.seed, word)>>cacheIndexShift]
	if known := slot.Load(); known != nil && known.word == word {
		return slot, known.tokens
	}
	return slot, nil
}

// newCachedWord copies what it is given: a word is part of a whole text, which
// the cache must not keep alive.
func newCachedWord(word string, tokens []token) *cachedWord {
	return &cachedWord{strings.Clone(word), slices.Clone(tokens)}
}

package tokenizer

// An addedToken is found in the text before anything is split into words.
type addedToken struct {
	id         uint32
	content    string
	singleWord bool // only where no word character stands beside it
	lstrip     bool // takes the white space on its left along
	rstrip     bool // and on its right
	normalized bool // is found after normalization, in its normalized form
	special    bool // skipped by Decode on request
}

// An addedSet finds the tokens of one kind, normalized or not, in a text: the
// leftmost one, and of several that begin there the longest.
type addedSet struct {
	tokens []addedToken
	first  [256]int32 // the node below the root, 0 for none
	nodes  []addedNode
}

// addedNode is one byte of a token; node 0 is not one.
type addedNode struct {
	char           byte
	child, sibling int32 // nodes, 0 for none
	token          int32 // that ends here, 1 + its index; 0 for none
}

// insert adds a token under its pattern. It returns false when another token
// has that pattern already.
func (s *addedSet) insert(pattern string, token addedToken) bool {
	if s.nodes == nil {
		s.nodes = make([]addedNode, 1)
	}
	link := &s.first[pattern[0]]
	for i := range len(pattern) {
		for *link != 0 && s.nodes[*link].char != pattern[i] {
			link = &s.nodes[*link].sibling
		}
		if *link == 0 {
			*link = int32(len(s.nodes))
			at := *link // appending may move what link points into
			s.nodes = append(s.nodes, addedNode{char: pattern[i]})
			link = &s.nodes[at].child
			if i == len(pattern)-1 {
				link = nil
				s.tokens = append(s.tokens, token)
				s.nodes[at].token = int32(len(s.tokens))
			}
			continue
		}
		if i == len(pattern)-1 {
			if s.nodes[*link].token != 0 {
				return false
			}
			s.tokens = append(s.tokens, token)
			s.nodes[*link].token = int32(len(s.tokens))
		}
		link = &s.nodes[*link].child
	}
	return true
}

// find returns the next token at or behind text[from:], without regard to its
// flags, or nil.
func (s *addedSet) find(text string, from int) (first, end int, token *addedToken) {
	if len(s.tokens) == 0 {
		return 0, 0, nil
	}
	for i := from; i < len(text); i++ {
		node := s.first[text[i]]
		if node == 0 {
			continue
		}
		for j := i; ; {
			if t := s.nodes[node].token; t != 0 {
				end, token = j+1, &s.tokens[t-1]
			}
			j++
			if j == len(text) {
				break
			}
			node = s.nodes[node].child
			for node != 0 && s.nodes[node].char != text[j] {
				node = s.nodes[node].sibling
			}
			if node == 0 {
				break
			}
		}
		if token != nil {
			return i, end, token
		}
	}
	return 0, 0, nil
}

// splitAdded emits the set's tokens found in the piece, and hands what stands
// between them to next.
func (e *encoder) splitAdded(s *addedSet, p piece, next func(*encoder, piece)) {
	done := 0 // what stands before it has been dealt with
	for from := 0; ; {
		first, end, token := s.find(p.text, from)
		if token == nil {
			break
		}
		from = end
		if token.singleWord && !e.standsAlone(p.text, first, end) {
			continue
		}
		if token.lstrip {
			for first > 0 {
				flags, size := e.characters.before(p.text, first)
				if flags&classBits != space {
					break
				}
				first -= size
			}
			first = max(first, done)
		}
		if token.rstrip {
			for end < len(p.text) {
				flags, size := e.characters.at(p.text, end)
				if flags&classBits != space {
					break
				}
				end += size
			}
		}
		if first >= end { // the token before took all of it along
			continue
		}
		if done < first {
			next(e, p.slice(done, first))
		}
		e.emitAdded(token.id, p.slice(first, end))
		done = end
	}
	if done < len(p.text) {
		next(e, p.slice(done, len(p.text)))
	}
}

// standsAlone tells whether no word character stands right before or behind text[first:end].
func (e *encoder) standsAlone(text string, first, end int) bool {
	if first > 0 {
		if flags, _ := e.characters.before(text, first); flags&wordBit != 0 {
			return false
		}
	}
	if end < len(text) {
		if flags, _ := e.characters.at(text, end); flags&wordBit != 0 {
			return false
		}
	}
	return true
}

package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxID bounds ids, which index tables. The largest vocabularies in use have
// about 260,000.
const maxID = 1<<21 - 1

func (t *Tokenizer) parseModel(data json.RawMessage) error {
	if isNull(data) {
		return fmt.Errorf("%s has no %q", topLevel, "model")
	}
	o, kind := component("model", data, 0)
	if o.err == nil && kind != "BPE" {
		return unsupported("model", kind, "BPE")
	}
	var dropout float64
	var unknown, prefix, suffix string
	var fallback, ignoreMerges bool
	o.take("dropout", &dropout)
	o.take("unk_token", &unknown)
	o.take("continuing_subword_prefix", &prefix)
	o.take("end_of_word_suffix", &suffix)
	o.take("fuse_unk", &t.model.fuse)
	o.take("byte_fallback", &fallback)
	o.take("ignore_merges", &ignoreMerges)
	vocab, merges := o.raw("vocab"), o.raw("merges")
	switch {
	case dropout != 0:
		o.fail("model.dropout is %v: tokens at random are not supported", dropout)
	case prefix != "":
		o.fail("model.continuing_subword_prefix is %.40q, which is not supported", prefix)
	case suffix != "":
		o.fail("model.end_of_word_suffix is %.40q, which is not supported", suffix)
	}
	if err := o.done(); err != nil {
		return err
	}
	if err := t.parseVocab(vocab); err != nil {
		return err
	}
	if err := t.parseMerges(merges); err != nil {
		return err
	}
	t.model.cache = newWordCache()
	t.model.byBytes = t.byteLevel
	if ignoreMerges {
		t.model.whole = t.wholeWords()
	}
	return t.setAlphabet(unknown, fallback)
}

// parseVocab reads {"token": id, ...}.
func (t *Tokenizer) parseVocab(data json.RawMessage) error {
	if isNull(data) || bytes.TrimSpace(data)[0] != '{' {
		return fmt.Errorf("model.vocab is %s, expected an object", kindOf(data))
	}
	t.ids = make(map[string]uint32, len(data)/16)
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	d.Token() // {
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return fmt.Errorf("model.vocab: %w", err)
		}
		form := key.(string)
		value, err := d.Token()
		if err != nil {
			return fmt.Errorf("model.vocab: %w", err)
		}
		var id int64 = -1
		if n, ok := value.(json.Number); ok {
			if whole, err := n.Int64(); err == nil {
				id = whole
			}
		}
		if id < 0 || id > maxID {
			return fmt.Errorf("model.vocab: the id of %.60q is %.40v, expected a whole number from 0 to %d", form, value, maxID)
		}
		if _, ok := t.ids[form]; ok {
			return fmt.Errorf("model.vocab has the token %.60q twice", form)
		}
		if err := t.addForm(form, uint32(id)); err != nil {
			return fmt.Errorf("model.vocab: %w", err)
		}
		t.ids[form] = uint32(id)
	}
	return nil
}

// addForm enters a form under an id that is not in use.
func (t *Tokenizer) addForm(form string, id uint32) error {
	for int(id) >= len(t.forms) {
		t.forms = append(t.forms, "")
		t.known = append(t.known, false)
	}
	if t.known[id] {
		return fmt.Errorf("%.60q and %.60q both have the id %d", t.forms[id], form, id)
	}
	t.forms[id], t.known[id] = form, true
	return nil
}

// parseMerges reads ["a b", ...] or [["a", "b"], ...]; the rank of a merge is
// its position.
func (t *Tokenizer) parseMerges(data json.RawMessage) error {
	var pairs [][]string
	if isNull(data) || json.Unmarshal(data, &pairs) != nil {
		var joined []string
		if isNull(data) || json.Unmarshal(data, &joined) != nil {
			return fmt.Errorf(`model.merges is %s, expected an array of all "a b" or all ["a", "b"]`, kindOf(data))
		}
		pairs = make([][]string, 0, len(joined))
		for _, s := range joined {
			if !strings.HasPrefix(s, "#version") {
				pairs = append(pairs, strings.Split(s, " "))
			}
		}
	}
	t.model.merges = newMergeTable(len(pairs))
	for rank, pair := range pairs {
		if len(pair) != 2 {
			return fmt.Errorf("model.merges[%d] is %.80q: a merge has two parts", rank, strings.Join(pair, " "))
		}
		var ids [3]uint32
		for i, form := range []string{pair[0], pair[1], pair[0] + pair[1]} {
			id, ok := t.ids[form]
			if !ok {
				return fmt.Errorf("model.merges[%d] is %.60q and %.60q, but %.120q is not in model.vocab", rank, pair[0], pair[1], form)
			}
			ids[i] = id
		}
		t.model.merges.put(ids[0], ids[1], uint32(rank), ids[2])
		if n := len(pair[0]); n > 0 && strings.HasPrefix(pair[1], metaspace) && !strings.HasSuffix(pair[0], metaspace) {
			t.model.joined[pair[0][n-1]] = true
		}
	}
	return nil
}

// wholeWords returns the vocabulary under what its tokens look like to the
// model: in byte-level tokenizers, raw bytes.
func (t *Tokenizer) wholeWords() map[string]uint32 {
	if !t.byteLevel {
		words := make(map[string]uint32, len(t.ids))
		for form, id := range t.ids {
			words[form] = id
		}
		return words
	}
	words := make(map[string]uint32, len(t.ids))
	for form, id := range t.ids {
		if raw, ok := appendBytes(nil, form); ok {
			words[string(raw)] = id
		}
	}
	return words
}

// setAlphabet finds the tokens that words are taken apart into, and makes sure
// that there is one for whatever a text may hold.
func (t *Tokenizer) setAlphabet(unknown string, fallback bool) error {
	m := &t.model
	m.unknown = none
	if id, ok := t.ids[unknown]; ok && unknown != "" {
		m.unknown = id
	}
	if t.byteLevel {
		for b := range m.bytes {
			id, ok := t.ids[string(byteForms[b])]
			if !ok {
				id = none
				inText := b != 0xC0 && b != 0xC1 && b < 0xF5
				if inText && (m.unknown == none || fallback) {
					return fmt.Errorf("model.vocab lacks %q, the byte 0x%02X, and there is no unk_token in its place",
						byteForms[b], b)
				}
			}
			m.bytes[b] = id
		}
		return nil
	}
	for r := range m.ascii {
		m.ascii[r] = none
	}
	m.others = map[rune]uint32{}
	for form, id := range t.ids {
		r, size := utf8.DecodeRuneInString(form)
		if size == 0 || size != len(form) {
			continue
		}
		if r < utf8.RuneSelf {
			m.ascii[r] = id
		} else {
			m.others[r] = id
		}
		m.cut = m.cut || form == metaspace
	}
	if !fallback {
		if m.unknown == none {
			return fmt.Errorf("model.unk_token is %.40q, which is not in model.vocab, and there is no byte_fallback: "+
				"characters that are not in it would get lost", unknown)
		}
		return nil
	}
	m.fallback = new([256]uint32)
	for b := range m.fallback {
		form := fmt.Sprintf("<0x%02X>", b)
		id, ok := t.ids[form]
		if !ok {
			return fmt.Errorf("model.byte_fallback is true, but model.vocab lacks %q", form)
		}
		m.fallback[b] = id
	}
	return nil
}

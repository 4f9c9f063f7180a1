package tokenizer

import (
	"encoding/json"
	"fmt"
)

func parseAddedToken(o *object, id uint32) (addedToken, error) {
	token := addedToken{id: id}
	o.need("content", &token.content)
	o.need("single_word", &token.singleWord)
	o.need("lstrip", &token.lstrip)
	o.need("rstrip", &token.rstrip)
	o.need("normalized", &token.normalized)
	o.need("special", &token.special)
	if token.content == "" {
		o.fail("%s.content is empty", o.path)
	}
	return token, o.done()
}

// parseAddedTokens reads [{"id": 50284, "content": "[MASK]", ...}, ...].
func (t *Tokenizer) parseAddedTokens(data json.RawMessage, config configuration) error {
	var members []json.RawMessage
	if !isNull(data) && json.Unmarshal(data, &members) != nil {
		return fmt.Errorf("added_tokens is %s, expected an array", kindOf(data))
	}
	// The original library does not look at the ids: a token that is not in the
	// vocabulary gets the next free one. Files agree with that, or are broken.
	next := uint32(len(t.ids))
	tokens := make([]addedToken, 0, len(members))
	place := make(map[string]int, len(members))
	add := func(path string, token addedToken) error {
		id, ok := t.ids[token.content]
		if !ok {
			id = next
		}
		if id != token.id {
			return fmt.Errorf("%s is %.60q with the id %d, where its place in the vocabulary makes it %d",
				path, token.content, token.id, id)
		}
		if ok {
			return nil
		}
		next++
		if id > maxID {
			return fmt.Errorf("%s.id is %d: at most %d is possible", path, id, maxID)
		}
		t.ids[token.content] = id
		if err := t.addForm(token.content, id); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	}
	for i, member := range members {
		path := fmt.Sprintf("added_tokens[%d]", i)
		o := parseObject(path, member)
		var id uint32
		o.need("id", &id)
		token, err := parseAddedToken(o, id)
		if err != nil {
			return err
		}
		if _, ok := place[token.content]; ok {
			return fmt.Errorf("%s is %.60q again", path, token.content)
		}
		if err := add(path, token); err != nil {
			return err
		}
		place[token.content] = len(tokens)
		tokens = append(tokens, token)
	}
	// tokenizer_config.json has the last word on flags.
	for _, token := range config.added {
		if i, ok := place[token.content]; ok && tokens[i].id == token.id {
			tokens[i] = token
			continue
		}
		if err := add("tokenizer_config.json: added_tokens_decoder."+fmt.Sprint(token.id), token); err != nil {
			return err
		}
		place[token.content] = len(tokens)
		tokens = append(tokens, token)
	}
	return t.setAdded(tokens)
}

// setAdded enters the tokens under what is to be found in a text.
func (t *Tokenizer) setAdded(tokens []addedToken) error {
	e := &encoder{Tokenizer: t}
	t.special = map[string]bool{}
	for _, token := range tokens {
		set, pattern := &t.addedRaw, token.content
		if token.normalized {
			p := piece{text: pattern}
			for _, n := range t.normalizers {
				p = n.normalize(e, p)
			}
			set, pattern = &t.addedNormalized, p.text
			t.forms[token.id] = pattern // as the decoder expects it
		}
		if token.special {
			t.special[token.content] = true
		}
		if pattern == "" || !set.insert(pattern, token) {
			return fmt.Errorf("added_tokens: %.60q reads %.60q after normalization, as another one does or nothing",
				token.content, pattern)
		}
	}
	return nil
}

package tokenizer

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// A configuration is what stands beside a tokenizer.json. Most keys of those
// files are for other readers, so unknown ones are no error here.
type configuration struct {
	roles          map[Role]string
	maxLength      int
	truncationSide string       // "left", "right" or ""
	added          []addedToken // added_tokens_decoder, in the order of ids
}

// maxLengthSet is what a model_max_length must stay under to mean anything:
// "no limit" is written as 1e30.
const maxLengthSet = 1 << 30

func (c *configuration) read(data []byte) error {
	if err := checkJSON(data); err != nil {
		return err
	}
	o := parseObject(topLevel, data)
	for _, role := range []Role{CLS, SEP, Mask, Pad, Unknown, BOS, EOS} {
		value := o.raw(string(role))
		if o.err != nil || isNull(value) {
			continue
		}
		var content string
		if json.Unmarshal(value, &content) != nil { // {"content": "[MASK]", "lstrip": true, ...}
			token := parseObject(string(role), value)
			token.need("content", &content)
			if token.err != nil {
				return token.err
			}
		}
		c.roles[role] = content
	}
	length := 0.0
	o.take("model_max_length", &length)
	if length >= 1 && length < maxLengthSet && length == math.Trunc(length) {
		c.maxLength = int(length)
	}
	o.take("truncation_side", &c.truncationSide)
	if s := c.truncationSide; s != "" && s != "left" && s != "right" {
		o.fail("truncation_side is %.40q, expected left or right", s)
	}
	splitSpecial := false
	if o.take("split_special_tokens", &splitSpecial); splitSpecial {
		o.fail("split_special_tokens is true, which is not supported")
	}
	if value := o.raw("added_tokens_decoder"); !isNull(value) {
		c.readAdded(o, value)
	}
	return o.err
}

// readAdded reads {"50284": {"content": "[MASK]", "lstrip": true, ...}, ...}.
func (c *configuration) readAdded(o *object, data json.RawMessage) {
	byID := parseObject("added_tokens_decoder", data)
	if byID.err != nil {
		o.fail("%w", byID.err)
		return
	}
	for key, value := range byID.fields {
		path := fmt.Sprintf("added_tokens_decoder.%.20s", key)
		id, err := strconv.ParseUint(key, 10, 32)
		if err != nil {
			o.fail("%s is no id", path)
			return
		}
		token, err := parseAddedToken(parseObject(path, value), uint32(id))
		if err != nil {
			o.fail("%w", err)
			return
		}
		c.added = append(c.added, token)
	}
	slices.SortFunc(c.added, func(a, b addedToken) int { return cmp.Compare(a.id, b.id) })
}

// usualNames are those of special tokens that nothing else names.
var usualNames = map[Role][]string{
	CLS: {"[CLS]"}, SEP: {"[SEP]"}, Mask: {"[MASK]", "<mask>"}, Pad: {"[PAD]", "<pad>"},
	Unknown: {"[UNK]", "<unk>"}, BOS: {"<bos>", "<s>"}, EOS: {"<eos>", "</s>"},
}

func (t *Tokenizer) findRoles(config configuration) error {
	t.roles = map[Role]uint32{}
	for role, names := range usualNames {
		if name, ok := config.roles[role]; ok {
			id, ok := t.ids[name]
			if !ok {
				return fmt.Errorf("the %s of the files beside it, %.60q, is not in the vocabulary", role, name)
			}
			t.roles[role] = id
			continue
		}
		for _, name := range names {
			if id, ok := t.ids[name]; ok && t.special[name] {
				t.roles[role] = id
				break
			}
		}
	}
	return nil
}

package tokenizer

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// maxNesting is how deep a Sequence may stand in a Sequence.
const maxNesting = 8

// component begins to read {"type": "...", ...}.
func component(path string, data json.RawMessage, depth int) (o *object, kind string) {
	o = parseObject(path, data)
	o.need("type", &kind)
	if depth > maxNesting {
		o.fail("%s: a Sequence may be nested %d deep at most", path, maxNesting)
	}
	return o, kind
}

// sequence reads the members of a Sequence.
func (o *object) sequence(key string, depth int, read func(path string, data json.RawMessage, depth int) error) error {
	var members []json.RawMessage
	o.need(key, &members)
	if err := o.done(); err != nil {
		return err
	}
	for i, member := range members {
		if err := read(fmt.Sprintf("%s[%d]", o.at(key), i), member, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// stringPattern takes {"String": "..."} or {"Regex": "..."}, which sets regex.
func (o *object) stringPattern(key string) (text string, regex bool) {
	value := o.raw(key)
	if o.err != nil {
		return "", false
	}
	p := parseObject(o.at(key), value)
	if _, regex = p.fields["Regex"]; regex {
		p.need("Regex", &text)
	} else {
		p.need("String", &text)
	}
	if err := p.done(); err != nil {
		o.err = err
	} else if text == "" {
		o.fail("%s is empty", o.at(key))
	}
	return text, regex
}

func unsupported(path, kind, known string) error {
	return fmt.Errorf("%s.type is %.60q, which is not supported: only %s are", path, kind, known)
}

// maxGrowth is how many times as long as it was the steps of a file may make a
// text; those in use make it at most 12 times as long. A chain of steps that
// each double it would exhaust any memory.
const maxGrowth = 64

// grow notes that a step may make a text factor times as long.
func (o *object) grow(growth *float64, factor float64) {
	*growth = max(1, *growth) * max(1, factor)
	if *growth > maxGrowth {
		o.fail("%s: up to here, a text may become %.0f times as long: at most %d is possible", o.path, *growth, maxGrowth)
	}
}

func (t *Tokenizer) parseNormalizer(path string, data json.RawMessage, depth int) error {
	if isNull(data) {
		return nil
	}
	o, kind := component(path, data, depth)
	if o.err != nil {
		return o.err
	}
	switch kind {
	case "Sequence":
		return o.sequence("normalizers", depth, t.parseNormalizer)
	case "NFC":
		o.grow(&t.growth, 3) // as U+1D1C0 does
		t.normalizers = append(t.normalizers, nfc{})
	case "Replace":
		var r replace
		var regex bool
		if r.pattern, regex = o.stringPattern("pattern"); regex {
			o.fail("%s.pattern is the regular expression %.80q: only strings are supported there", path, r.pattern)
		}
		o.need("content", &r.content)
		o.grow(&t.growth, float64(len(r.content))/float64(max(1, len(r.pattern))))
		t.normalizers = append(t.normalizers, r)
	case "Prepend":
		var p prepend
		o.need("prepend", &p.text)
		o.grow(&t.growth, float64(1+len(p.text)))
		t.normalizers = append(t.normalizers, p)
	default:
		return unsupported(path, kind, "NFC, Replace, Prepend and Sequence")
	}
	return o.done()
}

func (t *Tokenizer) parsePreTokenizer(path string, data json.RawMessage, depth int) error {
	if isNull(data) {
		return nil
	}
	o, kind := component(path, data, depth)
	if o.err != nil {
		return o.err
	}
	if t.byteLevel && kind != "Sequence" {
		return fmt.Errorf("%s follows a ByteLevel, which must be the last", path)
	}
	switch kind {
	case "Sequence":
		return o.sequence("pretokenizers", depth, t.parsePreTokenizer)
	case "ByteLevel":
		t.byteLevel, t.byteLevelSplits = true, true
		o.need("add_prefix_space", &t.addPrefixSpace)
		o.raw("trim_offsets") // of the post-processor of that name only
		o.take("use_regex", &t.byteLevelSplits)
	case "Split":
		var s splitter
		text, regex := o.stringPattern("pattern")
		o.need("behavior", &s.behavior)
		o.need("invert", &s.invert)
		s.pattern = literal(text)
		if regex {
			known, ok := knownPatterns[text]
			if !ok {
				o.fail("%s.pattern is the regular expression %.400q, which is none of the %d that are supported",
					path, text, len(knownPatterns))
			}
			s.pattern = known
		}
		switch s.behavior {
		case removed, isolated, mergedWithPrevious, mergedWithNext, contiguous:
		default:
			o.fail("%s.behavior is %.40q, expected %s, %s, %s, %s or %s", path, s.behavior,
				removed, isolated, mergedWithPrevious, mergedWithNext, contiguous)
		}
		if _, whole := s.pattern.(words); whole && s.invert && s.behavior == removed {
			// The known expressions match everything, so that this keeps all
			// matches: another spelling of Isolated.
			s.behavior, s.invert = isolated, false
		}
		t.splitters = append(t.splitters, s)
	default:
		return unsupported(path, kind, "ByteLevel, Split and Sequence")
	}
	return o.done()
}

func (t *Tokenizer) parsePostProcessor(path string, data json.RawMessage, depth int) error {
	if isNull(data) {
		return nil
	}
	o, kind := component(path, data, depth)
	if o.err != nil {
		return o.err
	}
	switch kind {
	case "Sequence":
		return o.sequence("processors", depth, t.parsePostProcessor)
	case "ByteLevel":
		prefixSpace, trim := false, false
		o.need("add_prefix_space", &prefixSpace)
		o.need("trim_offsets", &trim)
		o.raw("use_regex") // of the pre-tokenizer of that name only
		if trim {
			t.trim = append(t.trim, prefixSpace)
		}
	case "TemplateProcessing":
		if t.single != nil {
			o.fail("%s is the second TemplateProcessing: only one is supported", path)
		}
		specials := t.templateTokens(o)
		t.single = t.parseTemplate(o, "single", specials)
		t.pair = t.parseTemplate(o, "pair", specials)
	default:
		return unsupported(path, kind, "TemplateProcessing, ByteLevel and Sequence")
	}
	return o.done()
}

// templateTokens reads {"[CLS]": {"id": "[CLS]", "ids": [50281], "tokens": ["[CLS]"]}, ...}.
func (t *Tokenizer) templateTokens(o *object) map[string][]uint32 {
	specials := map[string][]uint32{}
	all := parseObject(o.at("special_tokens"), o.raw("special_tokens"))
	if all.err != nil {
		o.fail("%w", all.err)
		return nil
	}
	for name, value := range all.fields {
		s := parseObject(fmt.Sprintf("%s.%.40s", all.path, name), value)
		var id string
		var ids []uint32
		var tokens []string
		s.need("id", &id)
		s.need("ids", &ids)
		s.need("tokens", &tokens)
		if len(ids) != len(tokens) {
			s.fail("%s has %d ids and %d tokens", s.path, len(ids), len(tokens))
		}
		for i := 0; i < len(ids) && s.err == nil; i++ {
			if form, _ := t.Token(ids[i]); form != tokens[i] {
				s.fail("%s.ids[%d] is %d, which is not the id of %.40q", s.path, i, ids[i], tokens[i])
			}
		}
		if err := s.done(); err != nil {
			o.fail("%w", err)
			return nil
		}
		specials[name] = ids
	}
	return specials
}

// parseTemplate reads [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, ...].
func (t *Tokenizer) parseTemplate(o *object, key string, specials map[string][]uint32) template {
	var members []json.RawMessage
	o.need(key, &members)
	parts := template{}
	seen := [2]int{}
	for i, member := range members {
		if o.err != nil {
			return nil
		}
		m := parseObject(fmt.Sprintf("%s[%d]", o.at(key), i), member)
		kind := "Sequence"
		if _, ok := m.fields["SpecialToken"]; ok {
			kind = "SpecialToken"
		}
		inner := parseObject(m.path+"."+kind, m.raw(kind))
		if m.err == nil {
			m.err = inner.err
		}
		var id string
		inner.need("id", &id)
		inner.raw("type_id") // the models at hand know no types
		ids, known := specials[id]
		switch {
		case kind == "SpecialToken" && known:
			parts = append(parts, templatePart{sequence: -1, ids: ids})
		case kind == "SpecialToken":
			inner.fail("%s.id is %.40q, which is not among the special_tokens", inner.path, id)
		case id == "A", id == "B" && key == "pair":
			sequence := int8(id[0] - 'A')
			seen[sequence]++
			parts = append(parts, templatePart{sequence: sequence})
		default:
			inner.fail("%s.id is %.40q, expected A, or in a pair B", inner.path, id)
		}
		for _, part := range []*object{inner, m} {
			if err := part.done(); err != nil {
				o.fail("%w", err)
			}
		}
	}
	if seen[0] != 1 || key == "pair" && seen[1] != 1 {
		o.fail("%s does not have each text once", o.at(key))
	}
	return parts
}

func (t *Tokenizer) parseDecoder(path string, data json.RawMessage, depth int) error {
	if isNull(data) {
		return nil
	}
	o, kind := component(path, data, depth)
	if o.err != nil {
		return o.err
	}
	switch kind {
	case "Sequence":
		if t.decoders == nil { // not the same as no decoder, even if empty
			t.decoders = []decoder{}
		}
		return o.sequence("decoders", depth, t.parseDecoder)
	case "ByteLevel":
		for _, key := range []string{"add_prefix_space", "trim_offsets", "use_regex"} {
			o.raw(key)
		}
		t.decoders = append(t.decoders, byteLevelDecoder{})
	case "Replace":
		var d replaceDecoder
		var regex bool
		if d.pattern, regex = o.stringPattern("pattern"); regex {
			o.fail("%s.pattern is the regular expression %.80q: only strings are supported there", path, d.pattern)
		}
		o.need("content", &d.content)
		o.grow(&t.decodedGrowth, float64(len(d.content))/float64(max(1, len(d.pattern))))
		t.decoders = append(t.decoders, d)
	case "ByteFallback":
		t.decoders = append(t.decoders, byteFallbackDecoder{})
	case "Fuse":
		t.decoders = append(t.decoders, fuseDecoder{})
	case "Strip":
		var d stripDecoder
		o.need("content", &d.content)
		o.need("start", &d.start)
		o.need("stop", &d.stop)
		if utf8.RuneCountInString(d.content) != 1 || d.start < 0 || d.stop < 0 {
			o.fail("%s: content is one character, start and stop are at least 0", path)
		}
		t.decoders = append(t.decoders, d)
	default:
		return unsupported(path, kind, "ByteLevel, Replace, ByteFallback, Fuse, Strip and Sequence")
	}
	return o.done()
}

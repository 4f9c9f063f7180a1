package tokenizer

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
)

// tiny is a whole tokenizer.json; what the tests break stands on lines of its own.
const tiny = `{
"version": "1.0",
"truncation": null,
"padding": null,
"added_tokens": [
{"id": 0, "content": "<unk>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
{"id": 8, "content": "<mask>", "single_word": false, "lstrip": true, "rstrip": false, "normalized": false, "special": true}
],
"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
"pre_tokenizer": {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": false},
"post_processor": {"type": "TemplateProcessing",
"single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
"pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
"special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}
},
"decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "Fuse"}]},
"model": {"type": "BPE",
"dropout": null, "unk_token": "<unk>", "continuing_subword_prefix": null, "end_of_word_suffix": "",
"fuse_unk": true, "byte_fallback": false, "ignore_merges": false,
"vocab": {"<unk>": 0, "<s>": 1, "a": 2, "b": 3, "▁": 4, "ab": 5, "▁ab": 6, "é": 7},
"merges": [["a", "b"], ["▁", "ab"]]
}}`

func TestTiny(t *testing.T) {
	tokenizer, err := Parse("tiny", []byte(tiny))
	if err != nil {
		t.Fatal(err)
	}
	pair := "ab"
	e, err := tokenizer.Encode("ab abx  <mask>e\u0301", Options{Pair: &pair})
	if err != nil {
		t.Fatal(err)
	}
	want := Encoding{
		IDs: []uint32{5, 6, 0, 8, 7, 1, 5},
		// The accent is part of the é, but not of what that is aligned with.
		Offsets:  []gaze.Span{{First: 0, End: 2}, {First: 2, End: 5}, {First: 5, End: 6}, {First: 6, End: 14}, {First: 14, End: 15}, {}, {First: 0, End: 2}},
		Sequence: []int8{0, 0, 0, 0, 0, -1, 1},
		Special:  []bool{false, false, false, false, false, true, false},
	}
	if jsonText(e) != jsonText(want) {
		t.Errorf("got  %s\nwant %s", jsonText(e), jsonText(want))
	}
	if got := tokenizer.Decode(e.IDs, true); got != "ab abé<s>ab" {
		t.Errorf("decoded %q", got)
	}
	if id, ok := tokenizer.ID("▁ab"); !ok || id != 6 {
		t.Errorf("▁ab is %d, %v", id, ok)
	}
	if _, ok := tokenizer.ID("ba"); ok {
		t.Error("ba has an id")
	}
	if form, ok := tokenizer.Token(9); ok {
		t.Errorf("token 9 is %q", form)
	}
	if tokenizer.VocabSize() != 9 {
		t.Errorf("VocabSize is %d", tokenizer.VocabSize())
	}
	for role, want := range map[Role]uint32{Mask: 8, Unknown: 0} {
		if id, ok := tokenizer.Special(role); !ok || id != want {
			t.Errorf("%s is %d, %v", role, id, ok)
		}
	}
	if id, ok := tokenizer.Special(BOS); ok { // <s> is no special token of this file
		t.Errorf("bos_token is %d", id)
	}
}

// Each entry changes tiny so that it must be refused, with words that say why.
func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{tiny, ``, "no JSON"},
		{tiny, `[]`, "the file is an array, expected an object"},
		{`"version": "1.0"`, "\"version\": \"\xff\"", "not UTF-8"},
		{`"padding": null,`, `"padding": null,,`, "no JSON, at byte 57"},
		{`"padding": null,`, `"padding": null, "padding": null,`, `the file has the key "padding" twice`},
		{`"padding": null`, `"extra": 1`, "extra is not supported"},
		{`"1.0"`, `"2.0"`, `version is "2.0", expected 1.0`},
		{`"truncation": null`, `"truncation": {"direction": "Up", "max_length": 1, "strategy": "LongestFirst", "stride": 0}`, `truncation.direction is "Up"`},
		{`"truncation": null`, `"truncation": {"how": 1}`, `truncation.how is not supported`},

		{`"id": 8`, `"id": 9`, `added_tokens[1] is "<mask>" with the id 9, where its place in the vocabulary makes it 8`},
		{`"id": 8`, `"id": -8`, `added_tokens[1].id is -8, expected a whole number`},
		{`"id": 8`, `"id": 8.5`, `added_tokens[1].id is 8.5, expected a whole number`},
		{`"<mask>"`, `"<unk>"`, `added_tokens[1] is "<unk>" again`},
		{`"<mask>"`, `""`, `added_tokens[1].content is empty`},
		{`"<mask>"`, `7`, `added_tokens[1].content is 7, expected a string`},
		{`"lstrip": true, `, ``, `added_tokens[1] has no "lstrip"`},
		{`"lstrip": true, `, `"lstrip": true, "Lstrip": 1, `, `added_tokens[1].Lstrip is not supported`},

		{`"NFC"`, `"NFKC"`, `normalizer.normalizers[0].type is "NFKC", which is not supported`},
		{`{"type": "NFC"}`, `{"type": "NFC", "form": 1}`, `normalizer.normalizers[0].form is not supported`},
		{`{"type": "NFC"}`, `{"kind": "NFC"}`, `normalizer.normalizers[0] has no "type"`},
		{`{"type": "NFC"}`, `"NFC"`, `normalizer.normalizers[0] is "NFC", expected an object`},
		{`{"type": "NFC"}`, strings.Repeat(`{"type": "Replace", "pattern": {"String": "a"}, "content": "aa"},`, 7) + `{"type": "NFC"}`, `normalizer.normalizers[6]: up to here, a text may become 128 times as long`},
		{`{"type": "Fuse"}`, `{"type": "Replace", "pattern": {"String": "a"}, "content": "` + strings.Repeat("a", 65) + `"}`, `decoder.decoders[1]: up to here, a text may become 65 times as long`},
		{`{"type": "NFC"}`, strings.Repeat(`{"type": "Sequence", "normalizers": [`, 9) + strings.Repeat(`]}`, 9), `nested 8 deep at most`},
		{`{"String": " "}, "content"`, `{"Regex": " "}, "content"`, `normalizer.normalizers[1].pattern is the regular expression " "`},
		{`{"String": " "}, "content"`, `{"String": ""}, "content"`, `normalizer.normalizers[1].pattern is empty`},

		{`"type": "Split"`, `"type": "Metaspace"`, `pre_tokenizer.type is "Metaspace", which is not supported`},
		{`{"String": " "}, "behavior"`, `{"Regex": "\\d"}, "behavior"`, `pre_tokenizer.pattern is the regular expression "\\d"`},
		{`"MergedWithPrevious"`, `"Dropped"`, `pre_tokenizer.behavior is "Dropped"`},
		{`"invert": false`, `"invert": 0`, `pre_tokenizer.invert is 0, expected true or false`},

		{`"type": "TemplateProcessing"`, `"type": "RobertaProcessing"`, `post_processor.type is "RobertaProcessing"`},
		{`"ids": [1]`, `"ids": [2]`, `post_processor.special_tokens.<s>.ids[0] is 2, which is not the id of "<s>"`},
		{`"ids": [1]`, `"ids": []`, `post_processor.special_tokens.<s> has 0 ids and 1 tokens`},
		{`"single": [{"SpecialToken": {"id": "<s>"`, `"single": [{"SpecialToken": {"id": "<t>"`, `post_processor.single[0].SpecialToken.id is "<t>"`},
		{`"single": [{"SpecialToken"`, `"single": [{"Special"`, `post_processor.single[0].Sequence is missing, expected an object`},
		{`{"Sequence": {"id": "B", "type_id": 1}}`, `{"Sequence": {"id": "A", "type_id": 1}}`, `post_processor.pair does not have each text once`},
		{`"type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]`, `"type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}]`, `post_processor.single[1].Sequence.id is "B"`},

		{`{"type": "Fuse"}`, `{"type": "CTC"}`, `decoder.decoders[1].type is "CTC"`},
		{`{"type": "Fuse"}`, `{"type": "Strip", "content": "ab", "start": 1, "stop": 0}`, `decoder.decoders[1]: content is one character`},

		{`"type": "BPE"`, `"type": "Unigram"`, `model.type is "Unigram", which is not supported: only BPE`},
		{`"type": "BPE",`, ``, `model has no "type"`},
		{`"dropout": null`, `"dropout": 0.1`, `model.dropout is 0.1`},
		{`"end_of_word_suffix": ""`, `"end_of_word_suffix": "</w>"`, `model.end_of_word_suffix is "</w>"`},
		{`"continuing_subword_prefix": null`, `"continuing_subword_prefix": "##"`, `model.continuing_subword_prefix is "##"`},
		{`"unk_token": "<unk>"`, `"unk_token": null`, `model.unk_token is ""`},
		{`"byte_fallback": false`, `"byte_fallback": true`, `model.byte_fallback is true, but model.vocab lacks "<0x00>"`},
		{`"fuse_unk": true`, `"fuse_unk": "yes"`, `model.fuse_unk is "yes", expected true or false`},
		{`"fuse_unk": true`, `"fuse": true`, `model.fuse is not supported`},
		{`"a": 2`, `"a": 3`, `model.vocab: "a" and "b" both have the id 3`},
		{`"a": 2`, `"a": 2, "a": 9`, `model.vocab has the token "a" twice`},
		{`"a": 2`, `"a": -1`, `model.vocab: the id of "a" is -1`},
		{`"a": 2`, `"a": 4294967296`, `model.vocab: the id of "a" is 4294967296`},
		{`"a": 2`, `"a": "2"`, `model.vocab: the id of "a" is 2`},
		{`"a": 2`, `"a": {}`, `model.vocab: the id of "a" is`},
		{`["a", "b"]`, `["a", "c"]`, `model.merges[0] is "a" and "c", but "c" is not in model.vocab`},
		{`["a", "b"]`, `["b", "a"]`, `but "ba" is not in model.vocab`},
		{`["a", "b"]`, `["a", "b", "b"]`, `model.merges[0] is "a b b": a merge has two parts`},
		{`["a", "b"], ["▁", "ab"]`, `"ab"`, `model.merges[0] is "ab": a merge has two parts`},
		{`["a", "b"]`, `"a b"`, `model.merges is an array, expected an array of all "a b" or all ["a", "b"]`},
		{`[["a", "b"], ["▁", "ab"]]`, `7`, `model.merges is 7, expected an array`},
		{`"vocab": {"<unk>": 0, "<s>": 1, "a": 2, "b": 3, "▁": 4, "ab": 5, "▁ab": 6, "é": 7}`, `"vocab": [1]`, `model.vocab is an array, expected an object`},
	} {
		if strings.Count(tiny, c.old) < 1 {
			t.Errorf("%q is not in tiny", c.old)
			continue
		}
		_, err := Parse("tiny.json", []byte(strings.Replace(tiny, c.old, c.new, 1)))
		if err == nil || !strings.HasPrefix(err.Error(), "cannot load a tokenizer: tiny.json: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.80q instead of %.80q: error %v\nexpected one with %q", c.new, c.old, err, c.want)
		}
	}
}

func TestByteLevelRefuses(t *testing.T) {
	file := string(base(t, "modernbert", nil))
	for _, c := range []struct{ old, new, want string }{
		{`"Ċ":`, `"ĊĊĊĊĊ":`, `model.vocab lacks 'Ċ', the byte 0x0A, and there is no unk_token`},
		{`"pre_tokenizer":{`, `"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"ByteLevel","add_prefix_space":false},{`,
			`pre_tokenizer.pretokenizers[1] follows a ByteLevel, which must be the last`},
	} {
		changed := strings.Replace(file, c.old, c.new, 1)
		if strings.Contains(c.new, "pretokenizers") {
			changed = strings.Replace(changed, `},"post_processor"`, `}]},"post_processor"`, 1)
		}
		if _, err := Parse("x", []byte(changed)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v", c.want, err)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	tokenizer, err := Parse("tiny", []byte(tiny))
	if err != nil {
		t.Fatal(err)
	}
	bad := "a\xe9\xbf"
	for _, c := range []struct {
		text    string
		options Options
		want    string
	}{
		{bad, Options{}, "text: not valid UTF-8 at byte 1 (0xE9)"},
		{"\ufffd\xff", Options{}, "text: not valid UTF-8 at byte 3 (0xFF)"},
		{"a", Options{Pair: &bad}, "Pair: not valid UTF-8 at byte 1"},
		{"a", Options{MaxLength: -1}, "MaxLength is -1"},
		{"a", Options{AddPrefixSpace: true}, "AddPrefixSpace is for byte-level tokenizers"},
		{"a", Options{Truncation: 3}, "Truncation is 3"},
		{"aaa", Options{MaxLength: 2, Truncation: OnlySecond}, "OnlySecond shortens the pair, of which there is none"},
	} {
		if _, err := tokenizer.Encode(c.text, c.options); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, expected one with %q", c.text, err, c.want)
		}
	}
	if _, err := tokenizer.Encode(bad, Options{}); !errors.Is(err, ErrInvalidUTF8) {
		t.Errorf("error %v is not ErrInvalidUTF8", err)
	}
	if _, err := parseBase(t, "modernbert", nil).Encode("a", Options{MaxLength: 1}); err == nil ||
		!strings.Contains(err.Error(), "MaxLength is 1, but the template alone adds 2 tokens") {
		t.Errorf("error %v", err)
	}
}

func TestLoad(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Load(folder); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "tokenizer.json") {
		t.Errorf("an empty folder: error %v", err)
	}
	write("tokenizer.json", tiny)
	write("special_tokens_map.json", `{"bos_token": "<s>", "mask_token": {"content": "<s>", "lstrip": true}}`)
	write("tokenizer_config.json", `{"mask_token": "<mask>", "pad_token": null, "model_max_length": 8192, "truncation_side": "left",
		"tokenizer_class": "X", "added_tokens_decoder": {
		"8": {"content": "<mask>", "single_word": false, "lstrip": false, "rstrip": true, "normalized": false, "special": true},
		"9": {"content": "<x>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}}}`)
	for _, path := range []string{folder, filepath.Join(folder, "tokenizer.json")} {
		tokenizer, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		for role, want := range map[Role]uint32{BOS: 1, Mask: 8} {
			if id, ok := tokenizer.Special(role); !ok || id != want {
				t.Errorf("%s is %d, %v", role, id, ok)
			}
		}
		if tokenizer.MaxLength() != 8192 {
			t.Errorf("MaxLength is %d", tokenizer.MaxLength())
		}
		e, err := tokenizer.Encode("ab <mask> a<x>", Options{NoTemplate: true, MaxLength: 4})
		if want := `[4,8,2,9]`; err != nil || jsonText(e.IDs) != want { // the ab at the left is gone
			t.Errorf("ids %s, %v, expected %s", jsonText(e.IDs), err, want)
		}
	}
	for text, want := range map[string]string{
		`{"mask_token": "<none>"}`:                    `the mask_token of the files beside it, "<none>", is not in the vocabulary`,
		`{"mask_token": 5}`:                           `mask_token is 5, expected an object`,
		`{"truncation_side": "top"}`:                  `truncation_side is "top"`,
		`{"split_special_tokens": true}`:              `split_special_tokens is true`,
		`{"added_tokens_decoder": {"x": {}}}`:         `added_tokens_decoder.x is no id`,
		`{"added_tokens_decoder": {"5": {}}}`:         `added_tokens_decoder.5 has no "content"`,
		`{"added_tokens_decoder": 5}`:                 `added_tokens_decoder is 5`,
		strings.Repeat(`{"added_tokens_decoder":`, 5): `no JSON`,
		`{"added_tokens_decoder": {"7": {"content": "<mask>", "single_word": false, "lstrip": false, "rstrip": true,
			"normalized": false, "special": true}}}`: `added_tokens_decoder.7 is "<mask>" with the id 7`,
	} {
		write("tokenizer_config.json", text)
		if _, err := Load(folder); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: error %v, expected one with %q", text, err, want)
		}
	}
	write("tokenizer_config.json", `{"model_max_length": 1000000000000000019884624838656}`)
	if tokenizer, err := Load(folder); err != nil || tokenizer.MaxLength() != 0 {
		t.Errorf("no limit: %v", err)
	}
}

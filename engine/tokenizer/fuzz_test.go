package tokenizer

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// checkEncoding fails where offsets leave the text or cut a character.
func checkEncoding(t *testing.T, e Encoding, texts [2]string) {
	t.Helper()
	if len(e.Offsets) != len(e.IDs) || len(e.Sequence) != len(e.IDs) || len(e.Special) != len(e.IDs) {
		t.Fatalf("%d ids, %d offsets, %d sequences, %d special", len(e.IDs), len(e.Offsets), len(e.Sequence), len(e.Special))
	}
	for i, s := range e.Offsets {
		if e.Special[i] {
			continue
		}
		text := texts[e.Sequence[i]]
		if s.First < 0 || s.First > s.End || s.End > len(text) {
			t.Fatalf("token %d is at %v of %d bytes", i, s, len(text))
		}
		for _, at := range []int{s.First, s.End} {
			if at < len(text) && !utf8.RuneStart(text[at]) {
				t.Fatalf("token %d at %v cuts a character of %q", i, s, text)
			}
		}
	}
}

// jsonValue finds, one after the other, what a mutation may replace.
var jsonValue = regexp.MustCompile(`"[^"]*"|-?[0-9]+|true|false|null|\{|\[`)

// Whatever the file says, there is an error or a tokenizer that works. The file
// is tiny with one of its values replaced, or, at 0, the value alone.
func FuzzLoad(f *testing.F) {
	values := jsonValue.FindAllStringIndex(tiny, -1)
	for at := range values {
		for _, value := range []string{`null`, `""`, `"ab"`, `7`, `-1`, `[]`, `{}`, `true`} {
			f.Add(uint16(at), value, "ab abx <mask>e\u0301")
		}
	}
	f.Add(uint16(0), tiny, "ab")
	f.Add(uint16(0), strings.Replace(tiny, `{"type": "NFC"}`, `{"type": "Prepend", "prepend": "▁"}`, 1), "a <mask> b")
	f.Add(uint16(0), strings.Replace(tiny, `{"type": "Fuse"}`, `{"type": "Strip", "content": "a", "start": 1, "stop": 2}, {"type": "ByteFallback"}`, 1), "aba")
	f.Add(uint16(0), strings.ReplaceAll(tiny, `"lstrip": true, "rstrip": false`, `"lstrip": true, "rstrip": true`), "<mask>  <mask>")
	f.Add(uint16(0), strings.Replace(tiny, `[["a", "b"], ["▁", "ab"]]`, `["#version: 0.2", "a b"]`, 1), "ab")
	f.Fuzz(func(t *testing.T, at uint16, value, text string) {
		data := value
		if at > 0 {
			where := values[int(at)%len(values)]
			data = tiny[:where[0]] + value + tiny[where[1]:]
		}
		tokenizer, err := Parse("fuzz", []byte(data))
		if err != nil {
			return
		}
		for _, o := range []Options{{}, {Pair: &text}, {MaxLength: 5}, {NoTemplate: true}} {
			e, err := tokenizer.Encode(text, o)
			if err != nil {
				continue
			}
			checkEncoding(t, e, [2]string{text, text})
			tokenizer.Decode(e.IDs, true)
		}
		for id := range uint32(tokenizer.VocabSize() + 1) {
			if form, ok := tokenizer.Token(id); ok && id < 100 {
				if back, ok := tokenizer.ID(form); ok && back != id {
					t.Fatalf("the token %d, %q, has the id %d", id, form, back)
				}
				tokenizer.Decode([]uint32{id, id}, false)
			}
		}
	})
}

// Whatever stands beside a tokenizer.json, there is an error or a tokenizer that works.
func FuzzConfiguration(f *testing.F) {
	for _, data := range []string{
		`{"mask_token": {"content": "<mask>", "lstrip": true}, "cls_token": "<s>", "model_max_length": 512, "truncation_side": "left"}`,
		`{"model_max_length": 1e30, "bos_token": null, "eos_token": {"content": 1}}`,
		`{"added_tokens_decoder": {"8": {"content": "<mask>", "single_word": false, "lstrip": false, "rstrip": true, "normalized": false, "special": true}}}`,
		`{"added_tokens_decoder": {"9": {"content": "new", "single_word": true, "normalized": true}, "2": {"content": "a"}}}`,
		`{"added_tokens_decoder": {"4294967295": {"content": ""}, "x": []}}`,
		`{"split_special_tokens": true}`, `{"truncation_side": "up"}`, `[]`, `{"added_tokens_decoder": 1}`, `{"pad_token": "nowhere"}`,
	} {
		f.Add([]byte(data), "ab abx <mask> new")
	}
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		config := configuration{roles: map[Role]string{}}
		if config.read(data) != nil {
			return
		}
		tokenizer, err := parse([]byte(tiny), config)
		if err != nil {
			return
		}
		if tokenizer.MaxLength() < 0 {
			t.Fatalf("MaxLength is %d", tokenizer.MaxLength())
		}
		for _, role := range []Role{CLS, SEP, Mask, Pad, Unknown, BOS, EOS} {
			if id, ok := tokenizer.Special(role); ok {
				if form, ok := tokenizer.Token(id); !ok {
					t.Fatalf("the %s is %d, %q, which is no token", role, id, form)
				}
			}
		}
		for _, o := range []Options{{}, {Pair: &text}, {MaxLength: 5}} {
			if e, err := tokenizer.Encode(text, o); err == nil {
				checkEncoding(t, e, [2]string{text, text})
				tokenizer.Decode(e.IDs, true)
			}
		}
	})
}

func FuzzEncode(f *testing.F) {
	for _, line := range decodeLines[string](f, readLines(f, "testdata/lines.json.gz"))[:200] {
		f.Add(line, line[:len(line)/3], uint8(len(line)))
	}
	all := map[string]*Tokenizer{}
	for _, name := range []string{"modernbert", "llama3", "o200k", "gemma", "unknown"} {
		all[name] = parseBase(f, name, nil)
	}
	// Without added tokens, some of which swallow spaces, nothing gets lost.
	bare := map[string]json.RawMessage{"added_tokens": []byte("[]"), "post_processor": []byte("null")}
	modernbert, llama3, gemma := parseBase(f, "modernbert", bare), parseBase(f, "llama3", bare), parseBase(f, "gemma", bare)
	f.Fuzz(func(t *testing.T, text, pair string, maxLength uint8) {
		if !utf8.ValidString(text) || !utf8.ValidString(pair) {
			if _, err := modernbert.Encode(text, Options{Pair: &pair}); err == nil {
				t.Fatal("no error for what is not UTF-8")
			}
			return
		}
		for name, tokenizer := range all {
			whole, err := tokenizer.Encode(text, Options{Pair: &pair})
			if err != nil {
				t.Fatal(err)
			}
			checkEncoding(t, whole, [2]string{text, pair})
			if again, _ := tokenizer.Encode(text, Options{Pair: &pair}); jsonText(again) != jsonText(whole) {
				t.Fatalf("%s: %s, and again %s", name, jsonText(whole), jsonText(again))
			}
			most := 3 + int(maxLength)
			short, err := tokenizer.Encode(text, Options{Pair: &pair, MaxLength: most})
			if err != nil {
				t.Fatal(err)
			}
			checkEncoding(t, short, [2]string{text, pair})
			if len(short.IDs) != min(len(whole.IDs), most) || len(short.IDs)+short.Truncated != len(whole.IDs) || whole.Truncated != 0 {
				t.Fatalf("%s: %d tokens truncated to %d are %d, and %d are said to be cut off", name, len(whole.IDs), most, len(short.IDs), short.Truncated)
			}
			single, _ := tokenizer.Encode(text, Options{NoTemplate: true})
			truncated, _ := tokenizer.Encode(text, Options{NoTemplate: true, MaxLength: most})
			if !slices.Equal(truncated.IDs, single.IDs[:min(len(single.IDs), most)]) {
				t.Fatalf("%s: %v truncated to %d are %v", name, single.IDs, most, truncated.IDs)
			}
		}
		e := &encoder{Tokenizer: modernbert}
		for _, c := range []struct {
			tokenizer *Tokenizer
			want      string
		}{
			{modernbert, nfc{}.normalize(e, piece{text: text}).text},
			{llama3, text},
			{gemma, strings.ReplaceAll(text, "▁", " ")},
		} {
			encoding, err := c.tokenizer.Encode(text, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := c.tokenizer.Decode(encoding.IDs, false); got != c.want {
				t.Fatalf("%q became %q, expected %q", text, got, c.want)
			}
			for i := 1; i < len(encoding.Offsets); i++ {
				before, s := encoding.Offsets[i-1], encoding.Offsets[i]
				if s.First < before.First || s.End < before.End {
					t.Fatalf("token %d at %v follows one at %v", i, s, before)
				}
			}
		}
	})
}

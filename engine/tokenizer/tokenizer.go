package tokenizer

import (
	"sync"
)

// A Tokenizer turns text into tokens and back. It does not change once it is
// loaded.
type Tokenizer struct {
	characters *characters

	addedRaw        addedSet // found before normalization
	addedNormalized addedSet // found behind it
	normalizers     []normalizer
	splitters       []splitter
	byteLevel       bool // words are taken as bytes
	addPrefixSpace  bool // each word that begins without a space gets one
	byteLevelSplits bool // and is split by GPT-2's pattern
	model           bpe
	single, pair    template
	trim            []bool   // see trimOffsets
	tokenBlanks     []blanks // by id, where offsets are trimmed
	truncateLeft    bool
	decoders        []decoder // nil where there is none

	forms     []string          // by id, as Decode reads them
	known     []bool            // by id
	ids       map[string]uint32 // of every token, under its content
	special   map[string]bool   // contents of special tokens
	roles     map[Role]uint32
	maxLength int

	growth, decodedGrowth float64 // see maxGrowth

	encoders sync.Pool // of *encoder
}

// Token returns the form of a token in the vocabulary: "Ġword" or "▁word", not
// " word". ok is false for an id that is not in use.
func (t *Tokenizer) Token(id uint32) (form string, ok bool) {
	if int64(id) >= int64(len(t.forms)) || !t.known[id] {
		return "", false
	}
	return t.forms[id], true
}

// ID returns the id of a token, given as the vocabulary has it.
func (t *Tokenizer) ID(token string) (id uint32, ok bool) {
	id, ok = t.ids[token]
	return id, ok
}

// VocabSize is one more than the largest id, added tokens included. A model's
// vocab_size must not be less; it is often more.
func (t *Tokenizer) VocabSize() int { return len(t.forms) }

// MaxLength is the model_max_length of tokenizer_config.json, 0 where there is
// none or it is no limit.
func (t *Tokenizer) MaxLength() int { return t.maxLength }

// A Role is what a special token is for, in the spelling of tokenizer_config.json.
type Role string

const (
	CLS     Role = "cls_token"
	SEP     Role = "sep_token"
	Mask    Role = "mask_token"
	Pad     Role = "pad_token"
	Unknown Role = "unk_token"
	BOS     Role = "bos_token"
	EOS     Role = "eos_token"
)

// Special returns the token for a role: the one that tokenizer_config.json or
// special_tokens_map.json name, or, where neither does, the one with a usual
// name ([MASK] or <mask>).
func (t *Tokenizer) Special(role Role) (id uint32, ok bool) {
	id, ok = t.roles[role]
	return id, ok
}

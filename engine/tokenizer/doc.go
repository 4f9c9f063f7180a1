// Package tokenizer turns text into the tokens of a Hugging Face tokenizer.json
// and back: [Load], [Tokenizer.Encode], [Tokenizer.Decode].
//
// It reads what the tokenizers of ModernBERT and its relatives are made of:
// byte-pair encoding over bytes (ModernBERT, Ettin, granite) or over characters
// with byte fallback (mmBERT, Gemma); added tokens with all their flags; NFC,
// Replace and Prepend; the GPT-2, GPT-4, GPT-4o and Qwen ways to split words;
// templates for one text and for two. Whatever else a file asks for is refused
// by name and place, never ignored; so are files that contradict themselves.
//
// Ids and byte offsets equal those of the Python package tokenizers 0.23.3, the
// one that testdata/make.py compares with, on 100,000 lines of text of every
// kind. That package answers from Unicode tables of its own (regular expressions
// of Unicode 16, NFC of Unicode 9); unicode.bin holds what it answers for each
// code point, so that Go's tables, which change with the toolchain, play no part.
//
// Go modules that were looked at first: sugarme/tokenizer v0.3.0 gets other ids for a
// third of the lines (NFC, normalized added tokens, byte fallback),
// panics on some, and cannot compile GPT-4's expression; gomlx/go-huggingface
// v0.3.1 reads no tokenizer.json; mattn/tensai and zerfoo/ztoken return no
// offsets; daulet/tokenizers and its relatives link the Rust library.
//
// A pipeline has five stages, each one file: added tokens that are found in the
// text as it is (added.go), normalization and then the added tokens found behind
// it (piece.go, nfc.go), splitting into words (split.go, words.go), the model
// (bpe.go, merge.go, cache.go), and the template (truncate.go, trim.go,
// template.go). Each token's offsets follow from what its bytes are aligned with.
package tokenizer

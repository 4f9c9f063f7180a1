package tokenizer

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/gazevk/gaze"
)

// Options say how a text becomes tokens; the zero value is the usual way.
type Options struct {
	// Pair, where not nil, is the second text: [CLS] text [SEP] pair [SEP].
	Pair *string
	// MaxLength, above 0, is the most tokens to return, those of the template
	// ([CLS], [SEP]) included: the texts are truncated, the template never is.
	MaxLength int
	// Truncation says which text gives way.
	Truncation Truncation
	// NoTemplate leaves out the tokens that the template adds.
	NoTemplate bool
	// AddPrefixSpace puts a space before the text, and behind every added token
	// that no space follows, so that a first word gets the tokens it has inside
	// a sentence. Only byte-level tokenizers have that choice.
	AddPrefixSpace bool
}

// An Encoding is a text in tokens. All slices have one entry a token.
type Encoding struct {
	IDs []uint32
	// Offsets are the bytes of the text, or of the pair, that each token stands
	// for, whole characters always, so that tokens of a shared character
	// overlap. They are zero for what the template added. They follow the
	// original library, which aligns a character composed by NFC with the first
	// of its parts only.
	Offsets []gaze.Span
	// Sequence is 0 for tokens of the text, 1 for those of the pair and -1 for
	// those that the template added.
	Sequence []int8
	// Special tells what the template added. A "[MASK]" found in the text is
	// not special in this sense.
	Special []bool
	// Truncated is the number of tokens of the text and of the pair that
	// MaxLength has cut off.
	Truncated int
}

// ErrInvalidUTF8 is returned, wrapped, for a text that is not UTF-8. Offsets
// into it would have no meaning; strings.ToValidUTF8 makes one that is.
var ErrInvalidUTF8 = errors.New("not valid UTF-8")

// Encode returns the tokens of text. Any number of goroutines may call it at
// once.
func (t *Tokenizer) Encode(text string, o Options) (Encoding, error) {
	template := t.single
	if o.Pair != nil {
		template = t.pair
	}
	added := 0
	if !o.NoTemplate {
		added = template.added()
	}
	switch {
	case o.MaxLength < 0:
		return Encoding{}, fmt.Errorf("tokenizer: MaxLength is %d, expected 0 (no limit) or more", o.MaxLength)
	case o.MaxLength > 0 && o.MaxLength < added:
		return Encoding{}, fmt.Errorf("tokenizer: MaxLength is %d, but the template alone adds %d tokens", o.MaxLength, added)
	case o.Truncation < LongestFirst || o.Truncation > OnlySecond:
		return Encoding{}, fmt.Errorf("tokenizer: Truncation is %d, expected LongestFirst, OnlyFirst or OnlySecond", o.Truncation)
	case o.AddPrefixSpace && !t.byteLevel:
		return Encoding{}, errors.New("tokenizer: AddPrefixSpace is for byte-level tokenizers, which this is not")
	}
	if err := t.checkText("text", text); err != nil {
		return Encoding{}, err
	}
	if o.Pair != nil {
		if err := t.checkText("Pair", *o.Pair); err != nil {
			return Encoding{}, err
		}
	}

	e := t.encoders.Get().(*encoder)
	defer t.encoders.Put(e)
	e.ids, e.spans, e.blanks = e.ids[:0], e.spans[:0], e.blanks[:0]
	e.prefixSpace = t.addPrefixSpace || o.AddPrefixSpace

	texts := make([]tokenRange, 1, 2)
	texts[0] = e.text(text)
	if o.Pair != nil {
		texts = append(texts, e.text(*o.Pair))
	}
	if o.MaxLength > 0 {
		if err := t.truncate(texts, o.MaxLength-added, o.Truncation); err != nil {
			return Encoding{}, err
		}
	}
	if t.trim != nil {
		e.trimOffsets(text, texts[0])
		if o.Pair != nil {
			e.trimOffsets(*o.Pair, texts[1])
		}
	}
	out := e.fill(template, texts, !o.NoTemplate)
	out.Truncated = len(e.ids)
	for _, r := range texts {
		out.Truncated -= r.end - r.first
	}
	return out, nil
}

func (t *Tokenizer) checkText(what, text string) error {
	// Positions in a text have 32 bits, as long as it may grow.
	if most := int64(math.MaxUint32 / max(1, t.growth)); int64(len(text)) > most {
		return fmt.Errorf("tokenizer: %s has %d bytes: at most %d are possible", what, len(text), most)
	}
	if utf8.ValidString(text) {
		return nil
	}
	for i, r := range text {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 {
				return fmt.Errorf("tokenizer: %s: %w at byte %d (0x%02X)", what, ErrInvalidUTF8, i, text[i])
			}
		}
	}
	return nil
}

// An encoder is the memory of one call of Encode.
type encoder struct {
	*Tokenizer
	prefixSpace bool

	ids    []uint32
	spans  []gaze.Span
	blanks []blanks // of each token, where offsets are trimmed

	rewriter rewriter
	steps    []step
	symbols  []symbol
	links    []link
	heap     mergeHeap
	tokens   []token
}

// A tokenRange is the tokens first <= i < end of an encoder.
type tokenRange struct{ first, end int }

// text emits the tokens of a whole text.
func (e *encoder) text(text string) tokenRange {
	first := len(e.ids)
	if text != "" {
		e.splitAdded(&e.addedRaw, piece{text: text}, (*encoder).normalize)
	}
	return tokenRange{first, len(e.ids)}
}

// normalize deals with a piece that holds none of the tokens found before
// normalization.
func (e *encoder) normalize(p piece) {
	for _, n := range e.normalizers {
		p = n.normalize(e, p)
	}
	if p.text != "" {
		e.splitAdded(&e.addedNormalized, p, (*encoder).preTokenize)
	}
}

// preTokenize deals with a piece that holds no added tokens.
func (e *encoder) preTokenize(p piece) { e.split(e.splitters, p) }

// word hands the model what the splitters left.
func (e *encoder) word(p piece) {
	if e.byteLevel {
		if e.prefixSpace && p.text[0] != ' ' {
			p = prepend{" "}.normalize(e, p)
		}
		if e.byteLevelSplits {
			for i := 0; i < len(p.text); {
				end := gpt2Words(e.characters, p.text, i)
				e.model.encode(e, p.slice(i, end))
				i = end
			}
			return
		}
	}
	e.model.encode(e, p)
}

// emit adds the tokens of the part of p.text that begins at first.
func (e *encoder) emit(p piece, first int, tokens []token) {
	for _, t := range tokens {
		end := first + int(t.size)
		e.ids = append(e.ids, t.id)
		e.spans = append(e.spans, p.span(first, end))
		first = end
		if e.trim != nil {
			e.blanks = append(e.blanks, e.tokenBlanks[t.id])
		}
	}
}

// emitAdded adds an added token, found as the whole of p.
func (e *encoder) emitAdded(id uint32, p piece) {
	e.ids = append(e.ids, id)
	e.spans = append(e.spans, p.span(0, len(p.text)))
	if e.trim != nil {
		e.blanks = append(e.blanks, countBlanks(p.text))
	}
}

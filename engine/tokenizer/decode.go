package tokenizer

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Decode returns the text of the tokens. Ids that are not in the vocabulary
// give nothing; neither do special tokens, if skipSpecial says so. Bytes that
// are not UTF-8, as half a character's tokens give, become U+FFFD.
func (t *Tokenizer) Decode(ids []uint32, skipSpecial bool) string {
	forms := make([]string, 0, len(ids))
	for _, id := range ids {
		form, ok := t.Token(id)
		if !ok || skipSpecial && t.special[form] {
			continue
		}
		forms = append(forms, form)
	}
	if t.decoders == nil {
		return strings.Join(forms, " ")
	}
	for _, d := range t.decoders {
		forms = d.decode(forms)
	}
	return strings.Join(forms, "")
}

// A decoder is one step from the forms of tokens to text.
type decoder interface{ decode(forms []string) []string }

// byteLevelDecoder turns each character back into the byte it stands for, and
// all into one text. A form with any other character stands for itself.
type byteLevelDecoder struct{}

func (byteLevelDecoder) decode(forms []string) []string {
	var out []byte
	for _, form := range forms {
		if raw, ok := appendBytes(out, form); ok {
			out = raw
		} else {
			out = append(out, form...)
		}
	}
	return []string{replaceInvalid(out)}
}

// replaceInvalid puts one U+FFFD in the place of each maximal subpart of a
// character, as Unicode recommends and Rust does; Go's own conversions put one
// in the place of each byte.
func replaceInvalid(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var out strings.Builder
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if r != utf8.RuneError || size > 1 {
			out.Write(b[:size])
			b = b[size:]
			continue
		}
		out.WriteRune(utf8.RuneError)
		b = b[subpartSize(b):]
	}
	return out.String()
}

// subpartSize returns the size of the longest beginning of a character that b,
// which does not begin with a whole one, begins with; at least 1 (Unicode,
// tables 3-7 and 3-8).
func subpartSize(b []byte) int {
	more, low, high := 0, byte(0x80), byte(0xBF)
	switch lead := b[0]; {
	case 0xC2 <= lead && lead <= 0xDF:
		more = 1
	case lead&0xF0 == 0xE0:
		more = 2
	case 0xF0 <= lead && lead <= 0xF4:
		more = 3
	}
	switch b[0] {
	case 0xE0:
		low = 0xA0
	case 0xED:
		high = 0x9F
	case 0xF0:
		low = 0x90
	case 0xF4:
		high = 0x8F
	}
	size := 1
	for size <= more && size < len(b) && low <= b[size] && b[size] <= high {
		size++
		low, high = 0x80, 0xBF
	}
	return size
}

// replaceDecoder replaces in every form.
type replaceDecoder struct{ pattern, content string }

func (d replaceDecoder) decode(forms []string) []string {
	for i, form := range forms {
		forms[i] = strings.ReplaceAll(form, d.pattern, d.content)
	}
	return forms
}

// byteFallbackDecoder turns runs of forms like <0x0A> into their bytes, or,
// where those are not UTF-8, into one U+FFFD each.
type byteFallbackDecoder struct{}

func (byteFallbackDecoder) decode(forms []string) []string {
	out := forms[:0] // never overtakes the form that is read
	var run []byte
	flush := func() {
		if len(run) == 0 {
			return
		}
		if utf8.Valid(run) {
			out = append(out, string(run))
		} else {
			for range run {
				out = append(out, string(utf8.RuneError))
			}
		}
		run = run[:0]
	}
	for _, form := range forms {
		if b, ok := fallbackByte(form); ok {
			run = append(run, b)
			continue
		}
		flush()
		out = append(out, form)
	}
	flush()
	return out
}

// fallbackByte returns the byte of a form like <0x0A>.
func fallbackByte(form string) (byte, bool) {
	if len(form) != 6 || form[:3] != "<0x" || form[5] != '>' {
		return 0, false
	}
	// Rust's parser takes a sign, so that <0x+A> is a byte too; Go's takes none.
	digits := form[3:5]
	if digits[0] == '+' {
		digits = digits[1:]
	}
	value, err := strconv.ParseUint(digits, 16, 8)
	return byte(value), err == nil
}

// fuseDecoder joins all forms.
type fuseDecoder struct{}

func (fuseDecoder) decode(forms []string) []string { return []string{strings.Join(forms, "")} }

// stripDecoder takes up to start and stop characters off the ends of every
// form, as long as they are content.
type stripDecoder struct {
	content     string
	start, stop int
}

func (d stripDecoder) decode(forms []string) []string {
	for i, form := range forms {
		for range d.start {
			rest, ok := strings.CutPrefix(form, d.content)
			if !ok {
				break
			}
			form = rest
		}
		for range d.stop {
			rest, ok := strings.CutSuffix(form, d.content)
			if !ok {
				break
			}
			form = rest
		}
		forms[i] = form
	}
	return forms
}

package tokenizer

// byteForms holds the characters that stand for bytes in the vocabulary of a
// byte-level tokenizer (GPT-2's bytes_to_unicode): printable Latin-1 bytes are
// themselves, the others follow from U+0100 on, in order: Ġ is the space.
var byteForms = func() (forms [256]rune) {
	next := rune(256)
	for b := range forms {
		if '!' <= b && b <= '~' || 0xA1 <= b && b <= 0xAC || 0xAE <= b {
			forms[b] = rune(b)
		} else {
			forms[b] = next
			next++
		}
	}
	return forms
}()

// formBytes is byteForms the other way round.
var formBytes = func() map[rune]byte {
	bytes := map[rune]byte{}
	for b, r := range byteForms {
		bytes[r] = byte(b)
	}
	return bytes
}()

// appendBytes appends the bytes that a form stands for. ok is false if it has a
// character that stands for none.
func appendBytes(out []byte, form string) (_ []byte, ok bool) {
	for _, r := range form {
		b, ok := formBytes[r]
		if !ok {
			return nil, false
		}
		out = append(out, b)
	}
	return out, true
}

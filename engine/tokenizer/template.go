package tokenizer

import "github.com/gazevk/gaze"

// A template is what stands where in an encoding: [CLS] text [SEP].
type template []templatePart

// A templatePart is either the tokens of a text or tokens of its own.
type templatePart struct {
	sequence int8     // 0 the text, 1 the pair, -1 ids
	ids      []uint32 // what the template adds
}

// added returns the number of tokens that the template adds.
func (t template) added() int {
	count := 0
	for _, part := range t {
		count += len(part.ids)
	}
	return count
}

// fill returns the encoding that the template makes of the texts' tokens.
func (e *encoder) fill(t template, texts []tokenRange, withAdded bool) Encoding {
	count := 0
	for _, part := range t {
		if part.sequence >= 0 {
			count += texts[part.sequence].end - texts[part.sequence].first
		} else if withAdded {
			count += len(part.ids)
		}
	}
	out := Encoding{
		IDs:      make([]uint32, 0, count),
		Offsets:  make([]gaze.Span, 0, count),
		Sequence: make([]int8, count),
		Special:  make([]bool, count),
	}
	for _, part := range t {
		at := len(out.IDs)
		if part.sequence >= 0 {
			tokens := texts[part.sequence]
			out.IDs = append(out.IDs, e.ids[tokens.first:tokens.end]...)
			out.Offsets = append(out.Offsets, e.spans[tokens.first:tokens.end]...)
		} else if withAdded {
			out.IDs = append(out.IDs, part.ids...)
			out.Offsets = append(out.Offsets, make([]gaze.Span, len(part.ids))...)
		}
		for i := at; i < len(out.IDs); i++ {
			out.Sequence[i] = part.sequence
			out.Special[i] = part.sequence < 0
		}
	}
	return out
}

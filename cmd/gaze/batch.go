package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gazevk/gaze/engine/modernbert"
	"github.com/gazevk/gaze/engine/tokenizer"
	"github.com/gazevk/gaze/vk"
)

// A sequence is what a model is run on.
type sequence struct {
	text int // its number
	ids  []uint32
	rows []int // tokens that masked-LM logits are wanted of
}

// wholeTexts returns one sequence for each text.
func wholeTexts(encodings []tokenizer.Encoding) []sequence {
	sequences := make([]sequence, len(encodings))
	for i, e := range encodings {
		sequences[i] = sequence{text: i, ids: e.IDs}
	}
	return sequences
}

// A batcher runs a model over sequences of any lengths.
type batcher struct {
	sequences []sequence
	rowLimit  int // of a batch; 0 is none
	bar       *progress
}

// A forwarder is a *modernbert.Model.
type forwarder interface {
	Forward(ctx context.Context, batch [][]uint32, want modernbert.Want, watch modernbert.Watch) (*modernbert.Output, error)
}

// run calls the model for batches of at most limit tokens, and take with what it
// gave for the sequences of each. A batch too large for the device's memory is
// halved, and so are those after it.
func (b *batcher) run(ctx context.Context, limit int, m forwarder, want func(batch []int) modernbert.Want, take func(batch []int, out *modernbert.Output)) error {
	// The longest with the longest, so that a batch's sequences take about as
	// long each, and first, so that what does not fit is known at once.
	left := make([]int, len(b.sequences))
	all := 0
	for i := range left {
		left[i] = i
		all += len(b.sequences[i].ids)
	}
	slices.SortStableFunc(left, func(i, j int) int { return len(b.sequences[j].ids) - len(b.sequences[i].ids) })
	for done := 0; len(left) > 0; {
		count, tokens := b.next(left, limit)
		batch := left[:count]
		ids := make([][]uint32, count)
		for i, s := range batch {
			ids[i] = b.sequences[s].ids
		}
		out, err := m.Forward(ctx, ids, want(batch), modernbert.Watch{Progress: func(part float64) {
			b.bar.show((float64(done) + part*float64(tokens)) / float64(all))
		}})
		if errors.Is(err, vk.ErrOutOfMemory) && count > 1 {
			limit = max(tokens/2, 1)
			continue
		}
		if errors.Is(err, vk.ErrOutOfMemory) {
			return fmt.Errorf("a text of %d tokens does not fit in the device's memory: %w", tokens, err)
		}
		if err != nil {
			return err
		}
		take(batch, out)
		left, done = left[count:], done+tokens
	}
	return nil
}

// next returns how many of the sequences left, at least one, make the next
// batch, and the tokens that they have.
func (b *batcher) next(left []int, limit int) (count, tokens int) {
	rows := 0
	for _, i := range left {
		s := b.sequences[i]
		tooMany := tokens+len(s.ids) > limit || b.rowLimit > 0 && rows+len(s.rows) > b.rowLimit
		if count > 0 && tooMany {
			break
		}
		count, tokens, rows = count+1, tokens+len(s.ids), rows+len(s.rows)
	}
	return count, tokens
}

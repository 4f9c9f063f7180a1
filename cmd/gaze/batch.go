package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/gazevk/gaze"
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

	lock  sync.Mutex // guards the rest
	under []*forwarded
	done  int // tokens of batches before those
}

// A forwarder is a *modernbert.Model.
type forwarder interface {
	Forward(ctx context.Context, batch [][]uint32, want modernbert.Want, watch modernbert.Watch) (*modernbert.Output, error)
}

// A forwarded is a batch that a model runs.
type forwarded struct {
	batch  []int
	tokens int
	alone  bool    // no other has been under way beside it
	part   float64 // that is done
	ended  chan struct{}
	out    *modernbert.Output
	err    error
}

// atOnce is how many batches a model runs at a time: while the device computes
// one, the next is planned and sent there, and the last fetched and evaluated.
const atOnce = 2

// run calls the model for batches of at most limit tokens, and take with what it
// gave for the sequences of each. A batch too large for the device's memory is
// halved, and so are those after it.
func (b *batcher) run(ctx context.Context, limit int, m forwarder, want func(batch []int) modernbert.Want, take func(batch []int, out *modernbert.Output)) error {
	left, all := b.order(), 0
	for _, s := range b.sequences {
		all += len(s.ids)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer func() {
		cancel()
		for _, f := range b.under {
			<-f.ended
		}
	}()
	ahead, most := 1, atOnce // one until it was seen to fit
	for len(left)+len(b.under) > 0 {
		for len(left) > 0 && len(b.under) < ahead {
			count, tokens := b.next(left, limit)
			b.start(ctx, m, left[:count], tokens, all, want(left[:count]))
			left = left[count:]
		}
		f := b.wait()
		switch {
		case errors.Is(f.err, vk.ErrOutOfMemory) && !f.alone: // by itself it may fit
			ahead, most = 1, 1
			left = append(slices.Clone(f.batch), left...)
			slices.SortStableFunc(left, b.longestFirst)
		case errors.Is(f.err, vk.ErrOutOfMemory) && len(f.batch) > 1:
			limit = max(f.tokens/2, 1)
			left = append(slices.Clone(f.batch), left...)
		case errors.Is(f.err, vk.ErrOutOfMemory):
			return fmt.Errorf("a text of %d tokens does not fit in the device's memory: %w", f.tokens, f.err)
		case f.err != nil:
			return f.err
		default:
			take(f.batch, f.out)
			ahead = most
		}
	}
	return nil
}

// order returns the numbers of the sequences, the longest with the longest, so that
// a batch's sequences take about as long each, and first, so that what does not fit
// is known at once.
func (b *batcher) order() []int {
	order := make([]int, len(b.sequences))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, b.longestFirst)
	return order
}

func (b *batcher) longestFirst(i, j int) int {
	return len(b.sequences[j].ids) - len(b.sequences[i].ids)
}

// first returns the sequences that run begins with.
func (b *batcher) first(limit int) []int {
	order := b.order()
	count, _ := b.next(order, limit)
	return order[:count]
}

func (b *batcher) lengths(batch []int) gaze.Lengths {
	lengths := make(gaze.Lengths, len(batch))
	for i, s := range batch {
		lengths[i] = len(b.sequences[s].ids)
	}
	return lengths
}

// start has the model run one batch more.
func (b *batcher) start(ctx context.Context, m forwarder, batch []int, tokens, all int, want modernbert.Want) {
	f := &forwarded{batch: batch, tokens: tokens, ended: make(chan struct{})}
	ids := make([][]uint32, len(batch))
	for i, s := range batch {
		ids[i] = b.sequences[s].ids
	}
	b.lock.Lock()
	defer b.lock.Unlock()
	f.alone = len(b.under) == 0
	for _, other := range b.under {
		other.alone = false
	}
	b.under = append(b.under, f)
	go func() {
		defer close(f.ended)
		f.out, f.err = m.Forward(ctx, ids, want, modernbert.Watch{Progress: func(part float64) { b.show(f, part, all) }})
	}()
}

// wait waits for the batch that was started first.
func (b *batcher) wait() *forwarded {
	f := b.under[0]
	<-f.ended
	b.lock.Lock()
	defer b.lock.Unlock()
	b.under = b.under[1:]
	if f.err == nil {
		b.done += f.tokens
	}
	return f
}

// show shows that a part of a batch is done.
func (b *batcher) show(f *forwarded, part float64, all int) {
	b.lock.Lock()
	defer b.lock.Unlock()
	f.part = part
	done := float64(b.done)
	for _, f := range b.under {
		done += f.part * float64(f.tokens)
	}
	b.bar.show(done / float64(all))
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

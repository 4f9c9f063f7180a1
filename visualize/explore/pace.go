package explore

import (
	"time"

	"github.com/gazevk/gaze"
)

// A pace is how long pairs took so far, those of late above all.
type pace struct {
	took  time.Duration
	pairs float64
}

func (p *pace) add(took time.Duration, pairs float64) {
	const memory = 1 << 26
	if p.pairs > memory {
		p.took, p.pairs = p.took/2, p.pairs/2
	}
	p.took += took
	p.pairs += pairs
}

// expects returns how long so many pairs will take: forever while nothing is known.
func (p pace) expects(pairs float64) time.Duration {
	const forever = 1 << 62
	if p.pairs == 0 {
		return forever
	}
	return time.Duration(min(pairs/p.pairs*float64(p.took), forever))
}

// pairs returns about how many pairs are computed for a part, those that are masked
// left out.
func (p tilePart) pairs() float64   { return p.pairsOf(p.rectangle()) }
func (p coarsePart) pairs() float64 { return p.pairsOf(p.rectangle()) / coarseRows }

func (p tilePart) pairsOf(r gaze.Rectangle) float64 {
	pairs := p.of.pairs(p.head, r)
	if p.minus.run != nil {
		pairs += p.minus.run.pairs(p.minus.head, r)
	}
	return pairs
}

func (p thumbnailPart) pairs() float64 {
	all := gaze.Span{End: len(p.of.Tokens)}
	return float64(p.of.Heads) * p.of.pairs(head{p.at, 0}, gaze.Rectangle{Queries: all, Keys: all})
}

// pairs returns about how many pairs of a rectangle the heads that h stands for
// see, counted at some of its queries.
func (r *Run) pairs(h head, within gaze.Rectangle) (pairs float64) {
	const step = 64
	heads := h.heads(r.Heads)
	queries := within.Queries.End - within.Queries.First
	var spans []gaze.Span
	for layer := h.first(); layer < h.end(len(r.Layers)); layer++ {
		seen, looked := 0, 0
		sequence, rest := gaze.Span{}, r.sequences()
		for query := within.Queries.First + min(queries, step)/2; query < within.Queries.End; query += step {
			for query >= sequence.End {
				sequence, rest = gaze.Span{First: sequence.End, End: sequence.End + rest[0]}, rest[1:]
			}
			spans = r.Layers[layer].AppendKeys(spans[:0], query-sequence.First, sequence.End-sequence.First)
			for _, s := range spans {
				seen += max(min(sequence.First+s.End, within.Keys.End)-max(sequence.First+s.First, within.Keys.First), 0)
			}
			looked++
		}
		pairs += float64((heads.End-heads.First)*seen) * float64(queries) / float64(max(looked, 1))
	}
	return pairs
}

package explore

import (
	"context"

	"github.com/gazevk/gaze"
)

// A rowPart is all weights of one query, [n]; NaN where it does not see the key.
type rowPart struct {
	of    *Run
	head  head
	query int
}

func (p rowPart) run() *Run    { return p.of }
func (p rowPart) layer() int   { return p.head.end(len(p.of.Layers)) - 1 }
func (p rowPart) urgency() int { return urgentRow }

func (p rowPart) compute(ctx context.Context) (any, error) {
	r := gaze.Rectangle{Queries: gaze.Span{First: p.query, End: p.query + 1}, Keys: gaze.Span{End: len(p.of.Tokens)}}
	t, err := newTile(ctx, p.of, p.head, r, 1, 0, 0)
	if err != nil {
		return nil, err
	}
	return t.values, nil
}

// A cellPart is the weights of the pairs of one cell.
type cellPart struct {
	of        *Run
	head      head
	rectangle gaze.Rectangle
}

func (p cellPart) run() *Run    { return p.of }
func (p cellPart) layer() int   { return p.head.end(len(p.of.Layers)) - 1 }
func (p cellPart) urgency() int { return urgentRow }

func (p cellPart) compute(ctx context.Context) (any, error) {
	return newTile(ctx, p.of, p.head, p.rectangle, 1, 0, 0)
}

// greatest returns the pair with the greatest weight of a tile.
func (t *tile) greatest() (query, key int) {
	best := 0
	for i, value := range t.values {
		if value > t.values[best] || t.values[best] != t.values[best] {
			best = i
		}
	}
	return t.rectangle.Queries.First + best/t.columns*t.cell, t.rectangle.Keys.First + best%t.columns*t.cell
}

// A summaryPart is what the heads of a layer amount to.
type summaryPart struct {
	of *Run
	at int // the layer
}

func (p summaryPart) run() *Run    { return p.of }
func (p summaryPart) layer() int   { return p.at }
func (p summaryPart) urgency() int { return urgentSummary }

func (p summaryPart) compute(ctx context.Context) (any, error) {
	return p.of.Source.Summary(ctx, p.at)
}

// A stripPart is how much of the attention of a span of queries each key
// receives, or how much each query gives to a span of keys, in one head or, on
// average, in several.
type stripPart struct {
	of    *Run
	head  head
	given bool
	span  gaze.Span
}

func (p stripPart) run() *Run    { return p.of }
func (p stripPart) layer() int   { return p.head.end(len(p.of.Layers)) - 1 }
func (p stripPart) urgency() int { return urgentStrip }

func (p stripPart) compute(ctx context.Context) (any, error) {
	heads := p.head.heads(p.of.Heads)
	total := make([]float64, len(p.of.Tokens))
	count := 0
	sum := p.of.Source.Received
	if p.given {
		sum = p.of.Source.Given
	}
	for layer := p.head.first(); layer < p.head.end(len(p.of.Layers)); layer++ {
		strips, err := sum(ctx, layer, heads, p.span)
		if err != nil {
			return nil, err
		}
		for _, strip := range strips {
			for i, value := range strip {
				total[i] += value
			}
			count++
		}
	}
	for i := range total {
		total[i] /= float64(count)
	}
	return total, nil
}

// A rolloutPart is attention rollout from a query of a layer's output, [n].
type rolloutPart struct {
	of        *Run
	at, query int
}

func (p rolloutPart) run() *Run    { return p.of }
func (p rolloutPart) layer() int   { return p.at }
func (p rolloutPart) urgency() int { return urgentRow }

func (p rolloutPart) compute(ctx context.Context) (any, error) {
	return p.of.Source.Rollout(ctx, p.at, p.query)
}

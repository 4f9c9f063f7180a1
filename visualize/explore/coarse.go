package explore

import (
	"context"
	"time"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/visualize"
)

// A map of which nothing is there yet is first shown coarsely: of each band of
// rows of cells one row is computed, and drawn as high as the band. What that
// leaves out may be anything, so it is only looked at: no number is read off it.

const (
	// coarseRows is how many rows of cells are a band. One in eight, of at least 16
	// queries, still shows diagonals and columns; one in sixteen does not.
	coarseRows = 8
	coarseCell = 16
	// coarseBands is how many bands tell anything.
	coarseBands = 8
	// quick is how long an exact picture may take that needs no other before it.
	quick = 50 * time.Millisecond
)

// A coarsePart is a square of a map, of each band of rows of cells only the first.
type coarsePart struct {
	tilePart
	side int // tokens
}

func (p coarsePart) urgency() int { return urgentCoarse }

func (p coarsePart) rectangle() gaze.Rectangle {
	span := func(at int) gaze.Span {
		return gaze.Span{First: at * p.side, End: min((at+1)*p.side, len(p.of.Tokens))}
	}
	return gaze.Rectangle{Queries: span(p.row), Keys: span(p.column)}
}

func (p coarsePart) compute(ctx context.Context) (any, error) {
	r := p.rectangle()
	all := &tile{rectangle: r, cell: p.cell, band: coarseRows * p.cell, columns: ceilDivide(r.Keys.End-r.Keys.First, p.cell)}
	for first := r.Queries.First; first < r.Queries.End; first += all.band {
		row, err := p.tile(ctx, gaze.Rectangle{Queries: gaze.Span{First: first, End: min(first+p.cell, r.Queries.End)}, Keys: r.Keys})
		if err != nil {
			return nil, err
		}
		all.values = append(all.values, row.values...)
		all.rows++
	}
	return all, nil
}

// coarse returns the coarse square of a map that a square lies in. It is so large
// that a few fill a window, because each row of it is a request.
func (p tilePart) coarse() coarsePart {
	side := 512 * max(p.cell, 4)
	c := coarsePart{p, side}
	c.row, c.column = p.row*tileTokens(p.cell)/side, p.column*tileTokens(p.cell)/side
	c.cell = max(p.cell, coarseCell)
	return c
}

// bare returns the squares that a pane shows of which there is nothing exact,
// neither they nor coarser ones.
func (e *Explorer) bare(p *pane) (list []tilePart) {
	if _, ok := e.thumbnail(p); ok {
		return nil
	}
	cell := p.view.cell()
	p.view.parts(cell, func(row, column int) {
		for of := cell; of <= LargestCell; of *= 2 {
			if _, ok := has[*tile](e.store, e.part(p, of, row*tileTokens(cell)/tileTokens(of), column*tileTokens(cell)/tileTokens(of))); ok {
				return
			}
		}
		list = append(list, e.part(p, cell, row, column))
	})
	return list
}

// drawCoarse draws coarse squares where nothing exact is. They are asked for
// where, at the pace measured so far, the exact ones are not there at once.
func (e *Explorer) drawCoarse(p *pane, draw func(t *tile)) {
	bare := e.bare(p)
	pairs := 0.0
	for _, square := range bare {
		pairs += square.pairs()
	}
	queries := p.view.visible().Queries
	bands := ceilDivide(queries.End-queries.First, coarseRows*max(p.view.cell(), coarseCell))
	ask := bands >= coarseBands && e.store.expected(pairs) > quick
	drawn := map[coarsePart]bool{}
	for _, square := range bare {
		part := square.coarse()
		if drawn[part] {
			continue
		}
		drawn[part] = true
		t, ok := has[*tile](e.store, part)
		if !ok && ask {
			t, ok = need[*tile](e.store, part)
		}
		if ok {
			draw(t)
			e.coarse = part.cell
		}
	}
}

// coarseValues returns some values of the coarse squares in sight, evenly spread.
func (e *Explorer) coarseValues() (values []float32) {
	const most = 1 << 13 // of a square
	for _, p := range e.panes() {
		drawn := map[coarsePart]bool{}
		for _, square := range e.bare(&p) {
			part := square.coarse()
			if t, ok := has[*tile](e.store, part); ok && !drawn[part] {
				for i := 0; i < len(t.values); i += len(t.values)/most | 1 { // odd, so that all columns have their turn
					values = append(values, t.values[i])
				}
			}
			drawn[part] = true
		}
	}
	return values
}

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

// thumbnail returns that of the head that a pane shows, if it is there and a
// coarse picture of it.
func (e *Explorer) thumbnail(p *pane) (*tile, bool) {
	if p.minus.run != nil || p.head.layer == mean || p.head.head == mean || e.Measure != visualize.Weight || e.Pooling != visualize.MaxPooling {
		return nil, false
	}
	tiles, ok := has[[]*tile](e.store, thumbnailPart{p.run, p.head.layer})
	if !ok || tiles[p.head.head].cell <= p.view.cell() {
		return nil, false
	}
	return tiles[p.head.head], true
}

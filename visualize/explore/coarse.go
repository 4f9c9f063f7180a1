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
	// coarseStep is of which rows and columns of a coarse square colours are chosen by.
	coarseStep = 2
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
	all := emptyTile(r, p.cell)
	all.band, all.rows = coarseRows*p.cell, 0
	var rows []gaze.Rectangle
	for first := r.Queries.First; first < r.Queries.End; first += all.band {
		rows = append(rows, gaze.Rectangle{Queries: gaze.Span{First: first, End: min(first+p.cell, r.Queries.End)}, Keys: r.Keys})
		all.rows++
	}
	if err := p.fill(ctx, all, rows); err != nil {
		return nil, err
	}
	// The colours follow from some of it, at once: the next square may take long.
	var err error
	all.sample, err = all.some(ctx, gaze.Span{End: all.rows}, gaze.Span{End: all.columns}, coarseStep)
	return all, err
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
	for _, p := range e.panes() {
		drawn := map[coarsePart]bool{}
		for _, square := range e.bare(&p) {
			part := square.coarse()
			if t, ok := has[*tile](e.store, part); ok && !drawn[part] {
				values = append(values, t.sample...)
			}
			drawn[part] = true
		}
	}
	return values
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

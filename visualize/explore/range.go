package explore

import (
	"context"
	"slices"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/visualize"
)

// drawnScale is the scale that is in force: differences have no logarithm.
func (e *Explorer) drawnScale() visualize.Scale {
	if e.compare == difference && e.Scale == visualize.Log {
		return visualize.Gamma
	}
	return e.Scale
}

// fitRange chooses the range of colours, unless the person has.
func (e *Explorer) fitRange() {
	panes := e.panes()
	last := panes[len(panes)-1]
	key := rangeKey{run: e.run, head: last.head, cell: e.view.cell(), measure: e.Measure, scale: e.drawnScale(), pooling: e.Pooling, compare: e.compare}
	if e.Range == RangeLocked && e.ranged.compare == e.compare && e.r.Validate(e.drawnScale()) == nil {
		return
	}
	done := key
	done.complete = true
	if e.ranged == done && e.Range == RangeOfHead {
		return
	}
	values, complete := e.inSight()
	if !complete { // the colours of a coarse picture need not be exact, nor change with each square
		if coarse := e.coarseValues(); len(coarse) > 0 {
			values = coarse
		}
	}
	e.ranged = key
	e.ranged.complete = complete
	if len(values) > 0 || e.r == (visualize.Range{}) || e.r.Validate(e.drawnScale()) != nil {
		e.r = automatic(e.drawnScale(), e.compare == difference, values)
	}
}

// A sampling is values of cells in sight, and what they were taken of.
type sampling struct {
	panes    []pane
	measure  visualize.Measure
	pooling  visualize.Pooling
	results  int // that had been taken from the worker
	values   []float32
	complete bool
}

// inSight returns values of the cells in sight, and whether all are there. It
// looks at them again only when they are others.
func (e *Explorer) inSight() ([]float32, bool) {
	panes := e.panes()
	s := &e.sampled
	if s.complete && s.measure == e.Measure && s.pooling == e.Pooling && s.results == e.store.taken && slices.Equal(s.panes, panes) {
		return s.values, s.complete
	}
	*s = sampling{panes, e.Measure, e.Pooling, e.store.taken, s.values[:0], true}
	for i := range panes {
		more, all := e.sample(&panes[i])
		s.values, s.complete = append(s.values, more...), s.complete && all
	}
	return s.values, s.complete
}

// sample returns values of cells that a pane shows, evenly spread, and whether
// all of its squares are there.
func (e *Explorer) sample(p *pane) (values []float32, complete bool) {
	const most = 1 << 15
	complete = true
	r, cell := p.view.visible(), p.view.cell()
	rows, columns := r.Cells(gaze.Square(cell))
	step := 1
	for rows/step*(columns/step) > most {
		step *= 2
	}
	p.view.parts(cell, func(row, column int) {
		part := e.part(p, cell, row, column)
		t, ok := has[*tile](e.store, part)
		if ok {
			ok = e.pick(part, t, r, step, func(value float32) { values = append(values, value) })
		}
		complete = complete && ok
	})
	return values, complete
}

// pick calls do with the values of each step-th row and column of a tile's cells in
// view, and reports whether they are there.
func (e *Explorer) pick(of part, t *tile, in gaze.Rectangle, step int, do func(value float32)) (ok bool) {
	within := func(s, of gaze.Span) gaze.Span {
		return gaze.Span{First: max(s.First-of.First, 0) / t.cell, End: ceilDivide(min(s.End, of.End)-of.First, t.cell)}
	}
	rows, columns := within(in.Queries, t.rectangle.Queries), within(in.Keys, t.rectangle.Keys)
	// Of a square that is only touched little is taken, but nothing else for each pixel that the view moves by.
	const grain = 64 // any step divides it that a window can ask for
	grown := func(s gaze.Span, end int) gaze.Span {
		return gaze.Span{First: s.First / grain * grain, End: min(ceilDivide(s.End, grain)*grain, end)}
	}
	part := samplePart{of.run(), of.layer(), t, grown(rows, t.rows), grown(columns, t.columns), step}
	var values []float32
	if t.values == nil {
		values, ok = need[[]float32](e.store, part)
	} else {
		values, _ = t.some(context.Background(), part.rows, part.columns, step)
		ok = true
	}
	if !ok {
		return false
	}
	stride := ceilDivide(part.columns.End-part.columns.First, step)
	for row := ceilDivide(rows.First, step); row*step < rows.End; row++ {
		line := values[(row-part.rows.First/step)*stride:]
		for column := ceilDivide(columns.First, step); column*step < columns.End; column++ {
			if value := line[column-part.columns.First/step]; value == value {
				do(value)
			}
		}
	}
	return true
}

// some returns the cells in each step-th row and column of some of a tile's.
func (t *tile) some(ctx context.Context, rows, columns gaze.Span, step int) (values []float32, err error) {
	if t.values == nil {
		return t.room.Read(ctx, t.first+rows.First*t.columns+columns.First, step*t.columns, step,
			ceilDivide(rows.End-rows.First, step), ceilDivide(columns.End-columns.First, step))
	}
	for row := rows.First; row < rows.End; row += step {
		for column := columns.First; column < columns.End; column += step {
			values = append(values, t.values[row*t.columns+column])
		}
	}
	return values, nil
}

// A samplePart is some of the cells of a tile that only the device has.
type samplePart struct {
	of            *Run
	at            int // its layer
	t             *tile
	rows, columns gaze.Span
	step          int
}

func (p samplePart) run() *Run    { return p.of }
func (p samplePart) layer() int   { return p.at }
func (p samplePart) urgency() int { return urgentSample }

func (p samplePart) compute(ctx context.Context) (any, error) {
	return p.t.some(ctx, p.rows, p.columns, p.step)
}

// A numberPart is the value of one cell that only the device has, to be read off.
type numberPart struct{ samplePart }

func (p numberPart) urgency() int { return urgentRow }

// value returns the value of the cell of a pair, and whether it is visible and known.
func (e *Explorer) value(of part, t *tile, at pair) (value float32, ok bool) {
	row, column := (at.query-t.rectangle.Queries.First)/t.band, (at.key-t.rectangle.Keys.First)/t.cell
	if t.values != nil {
		value = t.values[row*t.columns+column]
		return value, value == value
	}
	values, ok := need[[]float32](e.store, numberPart{samplePart{of.run(), of.layer(), t, gaze.Span{First: row, End: row + 1}, gaze.Span{First: column, End: column + 1}, 1}})
	if !ok {
		return 0, false
	}
	return values[0], values[0] == values[0]
}

package explore

import (
	"math"
	"slices"

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
	if s.measure == e.Measure && s.pooling == e.Pooling && s.results == e.store.taken && slices.Equal(s.panes, panes) {
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
	total := ceilDivide(r.Queries.End-r.Queries.First, cell) * ceilDivide(r.Keys.End-r.Keys.First, cell)
	step := cell * max(int(math.Sqrt(float64(total)/most)), 1)
	p.view.parts(cell, func(row, column int) {
		t, ok := has[*tile](e.store, e.part(p, cell, row, column))
		if !ok {
			complete = false
			return
		}
		firstQuery, endQuery := max(r.Queries.First, t.rectangle.Queries.First), min(r.Queries.End, t.rectangle.Queries.End)
		firstKey, endKey := max(r.Keys.First, t.rectangle.Keys.First), min(r.Keys.End, t.rectangle.Keys.End)
		for query := firstQuery; query < endQuery; query += step {
			line := t.values[(query-t.rectangle.Queries.First)/cell*t.columns:]
			for key := firstKey; key < endKey; key += step {
				if value := line[(key-t.rectangle.Keys.First)/cell]; value == value {
					values = append(values, value)
				}
			}
		}
	})
	return values, complete
}

package engine

import "github.com/gazevk/gaze"

// Cells adds up cells of heads to what a map shows, or picks some cells of a map
// (shaders/cells.comp).
type Cells struct {
	Planes, Heads     int // planes of To, and heads of From that are added up to each
	Rows, Columns     int // of a plane
	First             int // the cell of From that the first head begins with
	Head, Row, Column int // cells of From from one to the next
	FirstTo           int // the cell of To that the first plane begins with; the others follow
	Factor            float32
	Hidden            uint32 // the word of a cell of From of which no pair is visible; NaN says so, too
	Fresh             bool   // forget what lies in To; else add to it
	Mean              bool   // divide by the pairs of Rectangle that a cell has
	Rectangle         gaze.Rectangle
	Cell              gaze.Cell
	From, To          Ref
}

// HiddenWord is a cell of To of which no pair is visible, a NaN.
const HiddenWord uint32 = 0x7fc00000

// Pass returns the dispatch that computes c.
func (c Cells) Pass() Pass {
	fresh, r, cell := 0, c.Rectangle, c.Cell
	if c.Fresh {
		fresh = 1
	}
	if !c.Mean {
		r, cell = gaze.Rectangle{Queries: gaze.Span{End: c.Rows}, Keys: gaze.Span{End: c.Columns}}, gaze.Square(1)
	}
	cells := int64(c.Planes) * int64(c.Rows) * int64(c.Columns)
	heads := int64(c.Heads)
	return Pass{
		Kernel: "cells", Constants: map[string]uint32{},
		Push: map[string]any{"heads": c.Heads, "rows": c.Rows, "columns": c.Columns,
			"first_from": c.First, "from_head": c.Head, "from_row": c.Row, "from_column": c.Column, "first_to": c.FirstTo,
			"factor": c.Factor, "hidden": c.Hidden, "fresh": fresh,
			"first_query": r.Queries.First, "end_query": r.Queries.End, "first_key": r.Keys.First, "end_key": r.Keys.End,
			"cell_queries": cell.Queries, "cell_keys": cell.Keys},
		Bind:         []Ref{c.From, c.To},
		Groups:       [3]uint32{ceilDiv(c.Columns, 64), uint32(c.Rows), uint32(c.Planes)},
		MultiplyAdds: heads * cells, Bytes: 4 * (heads + 2) * cells,
	}
}

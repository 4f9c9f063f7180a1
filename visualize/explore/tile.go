package explore

import (
	"context"
	"errors"
	"image"
	"math"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/visualize"
)

// A head is one of a run's, or a mean over several.
type head struct{ layer, head int }

// mean as a head stands for the mean over the heads of a layer, and as a layer
// for that over all layers.
const mean = -1

// first and end are the layers that h stands for.
func (h head) first() int { return max(h.layer, 0) }

func (h head) end(layers int) int {
	if h.layer == mean {
		return layers
	}
	return h.layer + 1
}

// heads returns the heads of each layer that h stands for.
func (h head) heads(heads int) gaze.Span {
	if h.head == mean || h.layer == mean {
		return gaze.Span{End: heads}
	}
	return gaze.Span{First: h.head, End: h.head + 1}
}

// tileTokens returns how many tokens make one side of a tile: 256 cells, but of
// large cells fewer, so that a map seen from afar fills in from its middle
// instead of coming at once, late.
func tileTokens(cell int) int {
	const cells, tokens = 256, 2048
	return max(min(cells*cell, tokens), cell)
}

// A tilePart is a square of tileTokens(cell) x tileTokens(cell) pairs of a map.
type tilePart struct {
	of          *Run
	head        head
	minus       other // whose square is taken from it; run is nil unless it is a difference
	cell        int
	row, column int // which square
	measure     visualize.Measure
	pooling     visualize.Pooling
}

func (p tilePart) run() *Run        { return p.of }
func (p tilePart) subtracted() *Run { return p.minus.run }
func (p tilePart) layer() int       { return p.head.end(len(p.of.Layers)) - 1 }
func (p tilePart) urgency() int     { return urgentTile }

// rectangle returns the pairs of the square.
func (p tilePart) rectangle() gaze.Rectangle {
	span := func(at int) gaze.Span {
		return gaze.Span{First: at * tileTokens(p.cell), End: min((at+1)*tileTokens(p.cell), len(p.of.Tokens))}
	}
	return gaze.Rectangle{Queries: span(p.row), Keys: span(p.column)}
}

func (p tilePart) compute(ctx context.Context) (any, error) { return p.filled(ctx, p.rectangle()) }

// filled returns a rectangle of the part's map in its cells.
func (p tilePart) filled(ctx context.Context, r gaze.Rectangle) (*tile, error) {
	t := emptyTile(r, p.cell)
	return t, p.fill(ctx, t, []gaze.Rectangle{r})
}

// fill computes the cells of t, which are those of some rectangles of the part's
// map, one below the other. They stay on the device that shows frames if that is
// the one that computes.
func (p tilePart) fill(ctx context.Context, t *tile, of []gaze.Rectangle) error {
	if room := p.of.Source.Room(t.rows * t.columns); room != nil {
		err := p.place(ctx, room, of)
		if err == nil {
			t.room = room
			return nil
		}
		room.Release()
		if !errors.Is(err, ErrElsewhere) {
			return err
		}
	}
	for _, r := range of {
		part, err := p.tile(ctx, r)
		if err != nil {
			return err
		}
		t.values = append(t.values, part.values...)
	}
	return nil
}

// place is tile for several rectangles, in room.
func (p tilePart) place(ctx context.Context, room Room, of []gaze.Rectangle) error {
	first := 0
	for _, r := range of {
		mix := Mix{First: first, Factor: 1, Mean: p.pooling == visualize.MeanPooling, Fresh: true}
		for _, one := range []other{{p.of, p.head}, p.minus} {
			if one.run == nil {
				continue
			}
			heads, layers := one.head.heads(one.run.Heads), len(one.run.Layers)
			mix.Factor /= float32((heads.End - heads.First) * (one.head.end(layers) - one.head.first()))
			for layer := one.head.first(); layer < one.head.end(layers); layer++ {
				err := one.run.Source.Place(ctx, Request{Layer: layer, Heads: heads, Rectangle: r, Cell: p.cell, Measure: p.measure, Pooling: p.pooling}, room, mix)
				if err != nil {
					return err
				}
				mix.Fresh = false
			}
			mix.Factor = -1
		}
		rows, columns := r.Cells(gaze.Square(p.cell))
		first += rows * columns
	}
	return nil
}

// tile computes a rectangle of the part's map in its cells, on the CPU.
func (p tilePart) tile(ctx context.Context, r gaze.Rectangle) (*tile, error) {
	t, err := newTile(ctx, p.of, p.head, r, p.cell, p.measure, p.pooling)
	if err != nil || p.minus.run == nil {
		return t, err
	}
	minus, err := newTile(ctx, p.minus.run, p.minus.head, r, p.cell, p.measure, p.pooling)
	if err != nil {
		return nil, err
	}
	t.subtract(minus)
	return t, nil
}

// A tile is a rectangle of a map in cells.
type tile struct {
	rectangle     gaze.Rectangle
	cell          int
	band          int // queries that a row of cells stands for: cell, or more where only so many of them are computed
	rows, columns int
	values        []float32 // [rows, columns]; NaN where no pair is visible. Nil: they are in
	room          Room
	first         int       // of its cells
	sample        []float32 // some of a coarse tile's

	colors  []uint8 // the index of each cell's colour, for
	colored coloring

	small        []uint8 // the same of fewer, for
	smallSize    image.Point
	smallColored coloring
}

var hiddenValue = float32(math.NaN())

// newTile computes a tile on the CPU: where h stands for several heads, the mean of their
// cells, those of which no pair is visible counting as 0 if others see one.
func newTile(ctx context.Context, run *Run, h head, r gaze.Rectangle, cell int, measure visualize.Measure, pooling visualize.Pooling) (*tile, error) {
	t := emptyTile(r, cell)
	t.values = make([]float32, t.rows*t.columns)
	for i := range t.values {
		t.values[i] = hiddenValue
	}
	heads := h.heads(run.Heads)
	share := 1 / float32((heads.End-heads.First)*(h.end(len(run.Layers))-h.first()))
	for layer := h.first(); layer < h.end(len(run.Layers)); layer++ {
		cells, err := run.Source.Cells(ctx, Request{Layer: layer, Heads: heads, Rectangle: r, Cell: cell, Measure: measure, Pooling: pooling})
		if err != nil {
			return nil, err
		}
		t.add(cells, share, pooling)
	}
	return t, nil
}

// emptyTile returns a tile without its cells.
func emptyTile(r gaze.Rectangle, cell int) *tile {
	rows, columns := r.Cells(gaze.Square(cell))
	return &tile{rectangle: r, cell: cell, band: cell, rows: rows, columns: columns}
}

func ceilDivide(a, b int) int { return (a + b - 1) / b }

// add adds a share of the cells of any number of heads, [heads, rows, columns].
func (t *tile) add(cells []float32, share float32, pooling visualize.Pooling) {
	for i, value := range cells {
		at := i % len(t.values)
		if value == Hidden {
			continue
		}
		if pooling == visualize.MeanPooling {
			value /= float32(t.pairs(at))
		}
		if t.values[at] != t.values[at] {
			t.values[at] = 0
		}
		t.values[at] += value * share
	}
}

// pairs returns how many pairs the cell at an index has.
func (t *tile) pairs(at int) int {
	height := min(t.cell, t.rectangle.Queries.End-t.rectangle.Queries.First-at/t.columns*t.cell)
	width := min(t.cell, t.rectangle.Keys.End-t.rectangle.Keys.First-at%t.columns*t.cell)
	return height * width
}

// subtract takes the cells of another tile from those of t. What one of the two
// does not see counts as 0.
func (t *tile) subtract(other *tile) {
	for i, value := range other.values {
		switch {
		case value != value:
		case t.values[i] != t.values[i]:
			t.values[i] = -value
		default:
			t.values[i] -= value
		}
	}
}

// A thumbnailPart is the maps of all heads of a layer, whole and small.
type thumbnailPart struct {
	of *Run
	at int // the layer
}

func (p thumbnailPart) run() *Run    { return p.of }
func (p thumbnailPart) layer() int   { return p.at }
func (p thumbnailPart) urgency() int { return urgentThumbnail }

// thumbnailCells is how many cells a thumbnail has at the most along one side,
// as long as a cell has no more pairs than it may.
const thumbnailCells = 128

func (p thumbnailPart) compute(ctx context.Context) (any, error) {
	all, cell := p.of.miniature()
	one := emptyTile(all, cell)
	size := one.rows * one.columns
	r := Request{Layer: p.at, Heads: gaze.Span{End: p.of.Heads}, Rectangle: all, Cell: cell}
	tiles := make([]*tile, p.of.Heads)
	for i := range tiles {
		t := *one
		tiles[i] = &t
	}
	if room := p.of.Source.Room(size * p.of.Heads); room != nil {
		if err := p.of.Source.Place(ctx, r, room, Mix{Factor: 1, Fresh: true, Apart: true}); err != nil {
			room.Release()
			return nil, err
		}
		for i, t := range tiles {
			t.room, t.first = room, i*size
		}
		return tiles, nil
	}
	cells, err := p.of.Source.Cells(ctx, r)
	if err != nil {
		return nil, err
	}
	for i, value := range cells {
		if value == Hidden {
			cells[i] = hiddenValue
		}
	}
	for i, t := range tiles {
		t.values = cells[i*size:][:size:size]
	}
	return tiles, nil
}

// miniature returns the whole of a map, and the cells in which thumbnails show it.
func (r *Run) miniature() (all gaze.Rectangle, cell int) {
	n := len(r.Tokens)
	cell = 1
	for ceilDivide(n, cell) > thumbnailCells && cell < LargestCell {
		cell *= 2
	}
	return gaze.Rectangle{Queries: gaze.Span{End: n}, Keys: gaze.Span{End: n}}, cell
}

// A miniaturePart is the whole map of a mean, as small as thumbnails are.
type miniaturePart struct{ tilePart }

func (p miniaturePart) urgency() int { return urgentThumbnail }

func (p miniaturePart) rectangle() gaze.Rectangle {
	all, _ := p.of.miniature()
	return all
}

func (p miniaturePart) pairs() float64 { return p.pairsOf(p.rectangle()) }

func (p miniaturePart) compute(ctx context.Context) (any, error) { return p.filled(ctx, p.rectangle()) }

package verify

import (
	"encoding/binary"
	"math"
	"math/rand/v2"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/reference"
)

// cellsCase adds up what heat maps gave, which lies close, or picks cells of a room,
// which lie apart.
func cellsCase(random *rand.Rand, index int) *layerCase {
	k := engine.Cells{Planes: 1 + random.IntN(3), Heads: 1 + random.IntN(4), Rows: 1 + random.IntN(9), Columns: 1 + random.IntN(150),
		Factor: []float32{1, -1, 0.5, 1 / 3.0, -0.7}[random.IntN(5)], Hidden: math.Float32bits(engine.HiddenCell), FirstTo: random.IntN(5)}
	hidden := float64(engine.HiddenCell)
	switch index % 4 {
	case 0: // as Room.Read has it
		k.Planes, k.Heads, k.Factor, k.Fresh = 1, 1, 1, true
		k.Hidden, hidden = engine.HiddenWord, math.NaN()
	case 1:
		k.Mean = true
	case 2:
		k.Fresh = true
	default:
		k.Fresh, k.Mean = true, true
	}
	k.Column = 1 + random.IntN(3)
	k.Row = k.Columns*k.Column + random.IntN(9)
	k.Head = k.Rows*k.Row + random.IntN(9)
	k.First = random.IntN(9)
	pairs := func(row, column int) int { return 1 }
	if k.Mean {
		k.Cell = gaze.Cell{Queries: 1 << random.IntN(7), Keys: 1 << random.IntN(7)}
		side := func(cells, size int) gaze.Span { // from anywhere in the first of so many cells to anywhere in the last
			first := random.IntN(3) * size
			last := first + (cells-1)*size
			s := gaze.Span{First: first + random.IntN(size), End: last + 1 + random.IntN(size)}
			if s.First >= s.End {
				s.First = first
			}
			return s
		}
		k.Rectangle = gaze.Rectangle{Queries: side(k.Rows, k.Cell.Queries), Keys: side(k.Columns, k.Cell.Keys)}
		queries, keys := perCell(k.Rectangle.Queries, k.Cell.Queries), perCell(k.Rectangle.Keys, k.Cell.Keys)
		pairs = func(row, column int) int { return queries[row] * keys[column] }
	}
	blind := []float64{0, 0.3, 0.9}[random.IntN(3)] // how many show nothing
	c := newLayerCase("%+v, %v of them hidden", k, blind)
	at := func(plane, head, row, column int) int {
		return k.First + (plane*k.Heads+head)*k.Head + row*k.Row + column*k.Column
	}
	from, ref := c.tensor(random, "from", at(k.Planes-1, k.Heads-1, k.Rows-1, k.Columns-1)+1, 1, engine.F32)
	k.From = ref
	for i := range from {
		switch {
		case random.Float64() >= blind:
		case random.IntN(9) > 0:
			from[i] = engine.HiddenCell // of a room it is a number as any other
		default:
			from[i] = math.NaN()
		}
		putFloat(c.buffers["from"], i, from[i])
		if math.IsNaN(from[i]) && random.IntN(2) == 0 { // whichever
			binary.LittleEndian.PutUint32(c.buffers["from"][4*i:], math.Float32bits(float32(math.Inf(-1)))|1+random.Uint32N(1<<23-1))
		}
	}
	cells := k.Planes * k.Rows * k.Columns
	e, out := c.result("to", 1, k.FirstTo+cells, engine.F32)
	k.To = out
	c.pass = k.Pass()
	var before []float64
	for i := range cells {
		before = append(before, float64(float32(random.NormFloat64())))
		if random.Float64() < blind {
			before[i] = math.NaN()
		}
		putFloat(c.buffers["to"], k.FirstTo+i, before[i])
	}
	if k.Fresh {
		before = nil
	}
	c.solve = func() {
		solve := func(before, from []float64, factor float64) []float64 {
			return reference.Cells(before, from, at, k.Planes, k.Heads, k.Rows, k.Columns, hidden, factor, pairs)
		}
		exact := solve(before, from, float64(k.Factor))
		// What is hidden stays so: a magnitude is never below 0.
		magnitude := solve(absolute(before), magnitudes(from, hidden), math.Abs(float64(k.Factor)))
		for i, value := range exact {
			if math.IsNaN(value) {
				e.want[k.FirstTo+i].rule = hiddenCell
				continue
			}
			e.set(k.FirstTo+i, value, cellsBound(k, magnitude[i]))
		}
	}
	return c
}

// perCell returns how many of a span each cell of that size has, counted one by one.
func perCell(s gaze.Span, size int) (counts []int) {
	counts = make([]int, (s.End-1)/size-s.First/size+1)
	for i := s.First; i < s.End; i++ {
		counts[i/size-s.First/size]++
	}
	return counts
}

// magnitudes returns the magnitudes of cells, but for those that are hidden.
func magnitudes(cells []float64, hidden float64) []float64 {
	y := absolute(cells)
	for i, cell := range cells {
		if cell == hidden {
			y[i] = hidden
		}
	}
	return y
}

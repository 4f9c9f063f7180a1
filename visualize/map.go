package visualize

import (
	"fmt"
	"math"

	"github.com/gazevk/gaze"
)

// MaxCells bounds the cells along one side of a [Map].
const MaxCells = 4096

// DefaultCells is a good maxCells for a [Picture] of default size.
const DefaultCells = 1024

// A Map holds the attention of one head, [Queries, Keys], as at most a chosen
// number of cells: [Rows, Cols], row-major, each covering Cell x Cell pairs,
// fewer at the right and the lower edge. It is filled row by row, so that
// nobody ever holds Queries x Keys numbers.
type Map struct {
	Queries, Keys int
	First         struct{ Query, Key int } // of the pairs that it shows, where they are a part of all: see [NewPart]
	Cell          int                      // tokens along one side of a cell; 1: no pooling
	Rows, Cols    int
	Measure       Measure
	Pooling       Pooling

	values  []float64 // [Rows, Cols]: the greatest value, or the sum for MeanPooling
	visible []bool    // [Rows, Cols]: false where every pair is masked
	added   []bool    // [Queries]; nil of a part
	missing int       // queries not yet added
}

// NewMap returns an empty map of at most maxCells x maxCells cells.
func NewMap(queries, keys, maxCells int, measure Measure, pooling Pooling) (*Map, error) {
	switch {
	case queries < 1 || keys < 1 || queries > gaze.MaxTokens || keys > gaze.MaxTokens:
		return nil, fmt.Errorf("map of %d queries x %d keys: each must be from 1 to %d", queries, keys, gaze.MaxTokens)
	case maxCells < 1 || maxCells > MaxCells:
		return nil, fmt.Errorf("map of at most %d cells a side: it must be from 1 to %d", maxCells, MaxCells)
	case measure < Weight || measure > Difference:
		return nil, fmt.Errorf("map of an unknown %v", measure)
	case pooling < MaxPooling || pooling > MeanPooling:
		return nil, fmt.Errorf("map of an unknown %v", pooling)
	}
	return newMap(queries, keys, ceilDivide(max(queries, keys), maxCells), measure, pooling), nil
}

func newMap(queries, keys, cell int, measure Measure, pooling Pooling) *Map {
	rows, cols := ceilDivide(queries, cell), ceilDivide(keys, cell)
	return &Map{
		Queries: queries, Keys: keys, Cell: cell, Rows: rows, Cols: cols,
		Measure: measure, Pooling: pooling,
		values:  make([]float64, rows*cols),
		visible: make([]bool, rows*cols),
		added:   make([]bool, queries),
		missing: queries,
	}
}

func ceilDivide(a, b int) int { return (a + b - 1) / b }

// NewPart returns a map of a rectangle of weights that was pooled into cells, as
// engine.Heatmap leaves them: [rows, columns] of r.Cells(cell), the greatest
// value or the sum for MeanPooling, and below 0 where every pair is masked. Of
// differences, which may be below 0, masked cells are NaN.
func NewPart(r gaze.Rectangle, cell int, measure Measure, pooling Pooling, cells []float32) (*Map, error) {
	if err := r.Validate(gaze.MaxTokens); err != nil {
		return nil, err
	}
	if measure < Weight || measure > Difference {
		return nil, fmt.Errorf("map of %v: unknown %v", r, measure)
	}
	if cell < 1 {
		return nil, fmt.Errorf("map of %v in cells of %d: at least 1 is needed", r, cell)
	}
	m := newMap(r.Queries.End-r.Queries.First, r.Keys.End-r.Keys.First, cell, measure, pooling)
	if len(cells) != len(m.values) || max(m.Rows, m.Cols) > MaxCells {
		return nil, fmt.Errorf("map of %v in %d x %d cells of %d: %d were given, and a side has at most %d", r, m.Rows, m.Cols, cell, len(cells), MaxCells)
	}
	m.First.Query, m.First.Key, m.added, m.missing = r.Queries.First, r.Keys.First, nil, 0
	for i, value := range cells {
		masked := value < 0
		if measure == Difference {
			masked = value != value
		}
		if !masked && !(math.Abs(float64(value)) <= math.MaxFloat32) {
			return nil, fmt.Errorf("cell %d, %d of the map is %v", i/m.Cols, i%m.Cols, value)
		}
		if !masked {
			m.values[i], m.visible[i] = float64(value), true
		}
	}
	return m, nil
}

// AddRow adds the weights, [Keys], of one query. Only those within visible are
// read: spans of keys, disjoint and in ascending order, counted over the packed
// rows of all sequences. Rows may come in any order, each once. On an error the
// map is as it was.
func (m *Map) AddRow(query int, weights []float32, visible []gaze.Span) error {
	if m.added == nil {
		return fmt.Errorf("query %d of a map that is a part, and complete", query)
	}
	if query < 0 || query >= m.Queries {
		return fmt.Errorf("query %d of a map of %d queries", query, m.Queries)
	}
	if len(weights) != m.Keys {
		return fmt.Errorf("query %d has %d weights: the map has %d keys", query, len(weights), m.Keys)
	}
	if m.added[query] {
		return fmt.Errorf("query %d is in the map already", query)
	}
	greatest, count, err := m.examine(query, weights, visible)
	if err != nil {
		return err
	}
	row := query / m.Cell * m.Cols
	for _, s := range visible {
		for first := s.First; first < s.End; {
			col := first / m.Cell
			end := min(s.End, (col+1)*m.Cell)
			cell := row + col
			value := m.Measure.of(m.pool(weights[first:end]), greatest, count)
			m.merge(cell, value)
			m.visible[cell] = true
			first = end
		}
	}
	m.added[query] = true
	m.missing--
	return nil
}

// examine checks a row and returns its greatest visible weight and the number
// of visible weights.
func (m *Map) examine(query int, weights []float32, visible []gaze.Span) (greatest float32, count int, err error) {
	lowest := float32(0)
	if m.Measure == Difference {
		lowest = -math.MaxFloat32
	}
	end := 0
	for _, s := range visible {
		if s.First < end || s.End <= s.First || s.End > m.Keys {
			return 0, 0, fmt.Errorf("query %d sees keys %d to %d: spans must be non-empty, ascending, disjoint and within 0 to %d",
				query, s.First, s.End, m.Keys)
		}
		end = s.End
		count += s.End - s.First
		for i, w := range weights[s.First:s.End] {
			if !(w >= lowest && w <= math.MaxFloat32) {
				return 0, 0, fmt.Errorf("query %d, key %d: a %v cannot be %v", query, s.First+i, m.Measure, w)
			}
			if w > greatest {
				greatest = w
			}
		}
	}
	return greatest, count, nil
}

// pool reduces neighbouring weights of one row, of which there is at least one.
func (m *Map) pool(weights []float32) float64 {
	if m.Pooling == MeanPooling {
		sum := 0.0
		for _, w := range weights {
			sum += float64(w)
		}
		return sum
	}
	least, greatest := weights[0], weights[0]
	for _, w := range weights[1:] {
		if w > greatest {
			greatest = w
		} else if w < least {
			least = w
		}
	}
	if -least > greatest {
		return float64(least)
	}
	return float64(greatest)
}

// merge joins a value to what a cell holds, which is 0 at first.
func (m *Map) merge(cell int, value float64) {
	if m.Pooling == MeanPooling {
		m.values[cell] += value
	} else if math.Abs(value) > math.Abs(m.values[cell]) {
		m.values[cell] = value
	}
}

// At returns the value of a cell, and false where every pair of it is masked.
func (m *Map) At(row, col int) (value float64, visible bool) {
	cell := row*m.Cols + col
	value = m.values[cell]
	if m.Pooling == MeanPooling {
		pairs := min(m.Cell, m.Queries-row*m.Cell) * min(m.Cell, m.Keys-col*m.Cell)
		value /= float64(pairs)
	}
	return value, m.visible[cell]
}

// ends returns the numbers of the query and the key behind the last of m.
func (m *Map) ends() (query, key int) { return m.First.Query + m.Queries, m.First.Key + m.Keys }

// Complete reports the first query that was never added.
func (m *Map) Complete() error {
	if m.missing == 0 {
		return nil
	}
	for query, added := range m.added {
		if !added {
			return fmt.Errorf("the map lacks %d of its %d rows: query %d was never added", m.missing, m.Queries, query)
		}
	}
	panic("visualize: count of missing rows is wrong")
}

// Shrink returns m pooled to at most maxCells x maxCells cells: the same map as
// if it had been made with the greater Cell. It returns m where it fits already.
func (m *Map) Shrink(maxCells int) (*Map, error) {
	if maxCells < 1 {
		return nil, fmt.Errorf("map of at most %d cells a side: at least 1 is needed", maxCells)
	}
	if err := m.Complete(); err != nil {
		return nil, err
	}
	factor := ceilDivide(max(m.Rows, m.Cols), maxCells)
	if factor == 1 {
		return m, nil
	}
	small := newMap(m.Queries, m.Keys, m.Cell*factor, m.Measure, m.Pooling)
	small.First, small.added, small.missing = m.First, m.added, 0
	for i, value := range m.values {
		if m.visible[i] {
			cell := i/m.Cols/factor*small.Cols + i%m.Cols/factor
			small.merge(cell, value)
			small.visible[cell] = true
		}
	}
	return small, nil
}

// String says what a cell of m shows of the pairs it covers: "max of 4 × 4".
func (m *Map) String() string {
	return fmt.Sprintf("%v of %d × %d", m.Pooling, m.Cell, m.Cell)
}

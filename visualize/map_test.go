package visualize

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
)

func (a attention) compare(t *testing.T, m *Map) {
	t.Helper()
	for row := range m.Rows {
		for col := range m.Cols {
			want, wantVisible := a.cell(m, row, col)
			got, visible := m.At(row, col)
			// The sums of a mean may be taken in another order.
			tolerance := 0.0
			if m.Pooling == MeanPooling {
				tolerance = 1e-12 * math.Abs(want)
			}
			if visible != wantVisible || math.Abs(got-want) > tolerance {
				t.Fatalf("%v, %v: cell %d, %d is %v (visible %v), want %v (%v)", m, m.Measure, row, col, got, visible, want, wantVisible)
			}
		}
	}
}

// part returns the weights of a rectangle as a device leaves them, in cells of one pair.
func part(t *testing.T, a attention, r gaze.Rectangle) *Map {
	t.Helper()
	var cells []float32
	for query := r.Queries.First; query < r.Queries.End; query++ {
		row := make([]float32, r.Keys.End-r.Keys.First)
		for i := range row {
			row[i] = -1
		}
		for _, s := range a.visible[query] {
			for key := max(s.First, r.Keys.First); key < min(s.End, r.Keys.End); key++ {
				row[key-r.Keys.First] = a.weights[query][key]
			}
		}
		cells = append(cells, row...)
	}
	m, err := NewPart(r, 1, Weight, MaxPooling, cells)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A part shows what the whole shows there.
func TestPart(t *testing.T) {
	a := plainAttention(longformer, gaze.Lengths{15, 9}, 1)
	whole := a.pooled(t, 24, Weight, MaxPooling)
	r := gaze.Rectangle{Queries: gaze.Span{First: 4, End: 24}, Keys: gaze.Span{First: 8, End: 18}}
	m := part(t, a, r)
	for row := range m.Rows {
		for col := range m.Cols {
			value, visible := m.At(row, col)
			wanted, shown := whole.At(row+4, col+8)
			if value != wanted || visible != shown {
				t.Errorf("query %d, key %d: %v %v, expected %v %v", row+4, col+8, value, visible, wanted, shown)
			}
		}
	}
	small, err := m.Shrink(10)
	if err != nil || small.First != m.First || small.Rows != 10 || small.Cols != 5 {
		t.Errorf("%+v, %v", small, err)
	}
	if m.Complete() != nil || m.AddRow(0, make([]float32, 10), nil) == nil {
		t.Error("a part takes rows")
	}
	for _, bad := range [][]float32{nil, make([]float32, 199), append(make([]float32, 199), float32(math.NaN())), append(make([]float32, 199), float32(math.Inf(1)))} {
		if _, err := NewPart(r, 1, Weight, MaxPooling, bad); err == nil {
			t.Errorf("%d cells are accepted", len(bad))
		}
	}
	if _, err := NewPart(r, 1, Difference+1, MaxPooling, make([]float32, 200)); err == nil {
		t.Error("a part shows differences")
	}
	for _, sequences := range []gaze.Lengths{{15, 8}, {10}} {
		if _, err := (Picture{Map: m, Sequences: sequences}).Draw(); err == nil {
			t.Errorf("a part that reaches beyond %v is drawn", sequences)
		}
	}
}

func TestMapEqualsBruteForce(t *testing.T) {
	patterns := []gaze.Pattern{
		gaze.Full{},
		gaze.Causal{},
		gaze.SlidingWindow{Left: 3, Right: 1},
		gaze.DilatedWindow{Reach: 2, Dilation: 5},
		gaze.Any{gaze.SlidingWindow{Left: 2, Right: 2}, gaze.GlobalTokens{Tokens: []int{0, 9}}},
		gaze.All{gaze.GlobalTokens{Tokens: []int{4}}, gaze.SlidingWindow{Left: 4, Right: 4}}, // some queries see nothing
	}
	for _, p := range patterns {
		for _, lengths := range []gaze.Lengths{{1}, {2}, {16}, {13, 1, 7}, {31}} {
			a := newAttention(p, lengths, 7)
			for _, maxCells := range []int{1, 2, 3, 5, 8, 30, 31, 100} {
				for _, measure := range []Measure{Weight, RowMaximum, Lift} {
					for _, pooling := range []Pooling{MaxPooling, MeanPooling} {
						m := a.pooled(t, maxCells, measure, pooling)
						if m.Rows > maxCells || m.Rows*m.Cell < a.queries || (m.Rows-1)*m.Cell >= a.queries {
							t.Fatalf("%d queries in %d cells of %d, at most %d", a.queries, m.Rows, m.Cell, maxCells)
						}
						a.compare(t, m)
					}
				}
			}
		}
	}
}

func TestMapOfDifferencesKeepsTheGreatestMagnitude(t *testing.T) {
	a := attention{queries: 2, keys: 5,
		weights: [][]float32{{0.1, -0.5, 0.2, 0.3, 9}, {-0.1, 0.4, -0.2, -0.2, -0.3}},
		visible: [][]gaze.Span{{{First: 0, End: 4}}, {{First: 0, End: 5}}}}
	for _, pooling := range []Pooling{MaxPooling, MeanPooling} {
		a.compare(t, a.pooled(t, 3, Difference, pooling))
	}
	m := a.pooled(t, 3, Difference, MaxPooling)
	for col, want := range []float32{-0.5, 0.3, -0.3} {
		if got, _ := m.At(0, col); got != float64(want) {
			t.Errorf("cell %d is %v, want %v", col, got, want)
		}
	}
}

func TestMapWithMoreKeysThanQueries(t *testing.T) {
	a := newAttention(gaze.SlidingWindow{Left: 9, Right: 2}, gaze.Lengths{29}, 3)
	a.queries, a.weights, a.visible = 11, a.weights[:11], a.visible[:11]
	for _, pooling := range []Pooling{MaxPooling, MeanPooling} {
		m := a.pooled(t, 8, Weight, pooling)
		if m.Cell != 4 || m.Rows != 3 || m.Cols != 8 {
			t.Errorf("11 x 29 pairs became %d x %d cells of %d", m.Rows, m.Cols, m.Cell)
		}
		a.compare(t, m)
	}
}

func TestMapOfWeightsThatAreAllZeroIsVisible(t *testing.T) {
	a := attention{1, 2, [][]float32{{0, 0}}, [][]gaze.Span{{{First: 0, End: 1}}}}
	for _, measure := range []Measure{Weight, RowMaximum, Lift} {
		m := a.pooled(t, 2, measure, MaxPooling)
		if value, visible := m.At(0, 0); value != 0 || !visible {
			t.Errorf("%v: a weight of 0 gives %v, visible %v", measure, value, visible)
		}
		if _, visible := m.At(0, 1); visible {
			t.Errorf("%v: a masked pair is visible", measure)
		}
	}
}

func TestMapReadsVisibleWeightsOnlyInAnyOrder(t *testing.T) {
	a := newAttention(gaze.SlidingWindow{Left: 2, Right: 2}, gaze.Lengths{9, 8}, 5)
	want := a.pooled(t, 6, Weight, MeanPooling)
	got, _ := NewMap(17, 17, 6, Weight, MeanPooling)
	for query := 16; query >= 0; query-- {
		row := make([]float32, 17)
		for key := range row {
			row[key] = float32(math.NaN())
			if a.sees(query, key) {
				row[key] = a.weights[query][key]
			}
		}
		if err := got.AddRow(query, row, a.visible[query]); err != nil {
			t.Fatal(err)
		}
	}
	for i := range want.values {
		if math.Abs(got.values[i]-want.values[i]) > 1e-15 || got.visible[i] != want.visible[i] {
			t.Fatalf("cell %d is %v, want %v", i, got.values[i], want.values[i])
		}
	}
}

func TestShrinkEqualsAMapMadeSmaller(t *testing.T) {
	a := newAttention(gaze.Any{gaze.Causal{}, gaze.DilatedWindow{Reach: 3, Dilation: 4}}, gaze.Lengths{23, 18}, 2)
	for _, pooling := range []Pooling{MaxPooling, MeanPooling} {
		large := a.pooled(t, 21, Lift, pooling)
		for _, maxCells := range []int{1, 2, 5, 10, 20} {
			small, err := large.Shrink(maxCells)
			if err != nil {
				t.Fatal(err)
			}
			if small.Rows > maxCells || small.Cell%large.Cell != 0 {
				t.Errorf("at most %d cells: %d of %d tokens", maxCells, small.Rows, small.Cell)
			}
			a.compare(t, small)
		}
		if same, err := large.Shrink(21); same != large || err != nil {
			t.Errorf("a map that fits was copied: %v", err)
		}
		if _, err := large.Shrink(0); err == nil {
			t.Error("a map of no cells was made")
		}
	}
}

func TestNewMapRefuses(t *testing.T) {
	for _, c := range []struct {
		queries, keys, maxCells int
		measure                 Measure
		pooling                 Pooling
		want                    string
	}{
		{0, 4, 8, Weight, MaxPooling, "0 queries"},
		{4, 0, 8, Weight, MaxPooling, "0 keys"},
		{-1, 4, 8, Weight, MaxPooling, "-1 queries"},
		{gaze.MaxTokens + 1, 4, 8, Weight, MaxPooling, fmt.Sprint(gaze.MaxTokens)},
		{4, 4, 0, Weight, MaxPooling, "at most 0 cells"},
		{4, 4, -3, Weight, MaxPooling, "at most -3 cells"},
		{4, 4, MaxCells + 1, Weight, MaxPooling, "4096"},
		{4, 4, 8, Measure(7), MaxPooling, "measure(7)"},
		{4, 4, 8, Weight, Pooling(-1), "pooling(-1)"},
	} {
		m, err := NewMap(c.queries, c.keys, c.maxCells, c.measure, c.pooling)
		if m != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d x %d, %d cells: %v, want %q", c.queries, c.keys, c.maxCells, err, c.want)
		}
	}
}

func TestAddRowRefusesAndLeavesTheMap(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	good := []float32{0.25, 0.25, 0.5}
	all := []gaze.Span{{First: 0, End: 3}}
	m, _ := NewMap(2, 3, 2, Weight, MeanPooling)
	if err := m.AddRow(1, good, all); err != nil {
		t.Fatal(err)
	}
	before := append([]float64(nil), m.values...)
	for _, c := range []struct {
		query   int
		weights []float32
		visible []gaze.Span
		want    string
	}{
		{-1, good, all, "query -1"},
		{2, good, all, "query 2"},
		{0, good[:2], all, "2 weights"},
		{1, good, all, "already"},
		{0, []float32{0.5, nan, 0.5}, all, "key 1: a weight cannot be NaN"},
		{0, []float32{0.5, 0.5, inf}, all, "key 2: a weight cannot be +Inf"},
		{0, []float32{-0.5, 1, 0.5}, all, "key 0: a weight cannot be -0.5"},
		{0, good, []gaze.Span{{First: -1, End: 2}}, "spans"},
		{0, good, []gaze.Span{{First: 0, End: 4}}, "spans"},
		{0, good, []gaze.Span{{First: 2, End: 2}}, "spans"},
		{0, good, []gaze.Span{{First: 0, End: 2}, {First: 1, End: 3}}, "spans"},
		{0, good, []gaze.Span{{First: 2, End: 3}, {First: 0, End: 1}}, "spans"},
	} {
		err := m.AddRow(c.query, c.weights, c.visible)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("query %d, %v, %v: %v, want %q", c.query, c.weights, c.visible, err, c.want)
		}
	}
	for i := range before {
		if m.values[i] != before[i] {
			t.Errorf("cell %d changed from %v to %v", i, before[i], m.values[i])
		}
	}
	if err := m.Complete(); err == nil || !strings.Contains(err.Error(), "query 0") {
		t.Errorf("a map without query 0 is complete: %v", err)
	}
	if err := m.AddRow(0, good, nil); err != nil {
		t.Errorf("a query that sees nothing: %v", err)
	}
	if err := m.Complete(); err != nil {
		t.Error(err)
	}
}

// BenchmarkAddRow adds one row of a full pattern over 8192 tokens.
func BenchmarkAddRow(b *testing.B) {
	const n = 8192
	row := make([]float32, n)
	for i := range row {
		row[i] = rand.Float32()
	}
	m, _ := NewMap(n, n, DefaultCells, Weight, MaxPooling)
	b.SetBytes(4 * n)
	for range b.N {
		m.added[0], m.missing = false, n
		if err := m.AddRow(0, row, []gaze.Span{{First: 0, End: n}}); err != nil {
			b.Fatal(err)
		}
	}
}

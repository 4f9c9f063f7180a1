package visualize

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gazevk/gaze"
)

// An attention is a whole weight matrix: what a Map spares its users.
type attention struct {
	queries, keys int
	weights       [][]float32   // [queries, keys]
	visible       [][]gaze.Span // [queries]
}

// newAttention computes a float64 softmax of scores that have stripes, a first
// token that attracts, and noise, under pattern p over packed sequences.
func newAttention(p gaze.Pattern, lengths gaze.Lengths, seed uint64) attention {
	n := lengths.Tokens()
	a := attention{queries: n, keys: n}
	random := rand.New(rand.NewPCG(seed, seed))
	offset := 0
	for _, length := range lengths {
		for query := range length {
			spans := p.AppendKeys(nil, query, length)
			row := make([]float32, n)
			sum := 0.0
			for i, s := range spans {
				for key := s.First; key < s.End; key++ {
					score := 2*math.Cos(float64(query-key)/5) + random.NormFloat64()
					if key == 0 {
						score += 3
					}
					row[offset+key] = float32(math.Exp(score))
					sum += math.Exp(score)
				}
				spans[i] = gaze.Span{First: offset + s.First, End: offset + s.End}
			}
			for key := range row {
				row[key] = float32(float64(row[key]) / sum)
			}
			a.weights, a.visible = append(a.weights, row), append(a.visible, spans)
		}
		offset += length
	}
	return a
}

// pooled returns the map of a.
func (a attention) pooled(t testing.TB, maxCells int, measure Measure, pooling Pooling) *Map {
	t.Helper()
	m, err := NewMap(a.queries, a.keys, maxCells, measure, pooling)
	if err != nil {
		t.Fatal(err)
	}
	for query := range a.queries {
		if err := m.AddRow(query, a.weights[query], a.visible[query]); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// sees reports whether a query sees a key, pair by pair.
func (a attention) sees(query, key int) bool {
	for _, s := range a.visible[query] {
		if s.First <= key && key < s.End {
			return true
		}
	}
	return false
}

// cell computes one cell from the definition of measure and pooling.
func (a attention) cell(m *Map, row, col int) (value float64, visible bool) {
	sum, extreme, pairs := 0.0, 0.0, 0
	for query := row * m.Cell; query < min((row+1)*m.Cell, a.queries); query++ {
		greatest, count := 0.0, 0
		for key := range a.keys {
			if a.sees(query, key) {
				greatest = max(greatest, float64(a.weights[query][key]))
				count++
			}
		}
		for key := col * m.Cell; key < min((col+1)*m.Cell, a.keys); key++ {
			pairs++
			if !a.sees(query, key) {
				continue
			}
			visible = true
			value := float64(a.weights[query][key])
			switch {
			case m.Measure == RowMaximum && greatest > 0:
				value /= greatest
			case m.Measure == Lift:
				value *= float64(count)
			}
			sum += value
			if math.Abs(value) > math.Abs(extreme) {
				extreme = value
			}
		}
	}
	if m.Pooling == MeanPooling {
		return sum / float64(pairs), visible
	}
	return extreme, visible
}

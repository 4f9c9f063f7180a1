package explore

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/visualize"
)

// meanOf is the mean of a cell's pairs in a layer that sees all, those alone
// that there are.
func meanOf(s *fakeSource, cell, row, column int) float64 {
	n, sum, pairs := len(s.run.Tokens), 0.0, 0
	for query := row * cell; query < min((row+1)*cell, n); query++ {
		for key := column * cell; key < min((column+1)*cell, n); key++ {
			sum += s.weight(0, 0, query, key)
			pairs++
		}
	}
	return sum / float64(pairs)
}

// Cells at the right and the lower edge have fewer pairs: their mean is of those,
// in the window and in what is exported.
func TestMeansAtTheEdge(t *testing.T) {
	run, source := fakeRun(10, 1, 1)
	e, host := opened(t, run, 400, 300)
	all := gaze.Span{End: 10}
	part := exportPart{tilePart{of: run, head: head{0, 0}, cell: 4, pooling: visualize.MeanPooling}, gaze.Rectangle{Queries: all, Keys: all}}
	value, err := part.compute(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cells := value.(*tile)
	for row := range 3 {
		for column := range 3 {
			if got, want := cells.values[3*row+column], meanOf(source, 4, row, column); math.Abs(float64(got)-want) > 1e-6 {
				t.Errorf("cell %d, %d is %v, want %v", row, column, got, want)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "a.csv")
	if err := e.write(&export{part, path, 1}, cells); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := visualize.NewPart(cells.rectangle, 4, visualize.Weight, visualize.MeanPooling, sums(cells))
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	labels := make([]string, 10)
	for i, token := range run.Tokens {
		labels[i] = token.Label
	}
	if err := m.WriteCSV(&want, labels); err != nil || string(data) != want.String() {
		t.Errorf("%v: wrote\n%swant\n%s", err, data, want.String())
	}
	rest(t, e, host)
}

// sums are the cells as a device leaves them for the mean.
func sums(t *tile) []float32 {
	list := make([]float32, len(t.values))
	for i, value := range t.values {
		list[i] = value * float32(t.pairs(i))
	}
	return list
}

// What only the other map sees counts against it.
func TestDifferenceWhereOneIsMasked(t *testing.T) {
	run, source := fakeRun(12, 2, 1)
	part := tilePart{of: run, head: head{1, 0}, cell: 1, minus: other{run, head{0, 0}}}
	value, err := part.compute(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := value.(*tile).values[11] // outside of the window of layer 1
	if want := -source.weight(0, 0, 0, 11); !near32(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// The lowest colour is that of what is masked; the highest and the next to the
// lowest take what lies beyond the range.
func TestIndices(t *testing.T) {
	one := emptyTile(gaze.Rectangle{Queries: gaze.Span{End: 1}, Keys: gaze.Span{End: 6}}, 1)
	one.values = []float32{hiddenValue, 0, 0.01, 0.1, 1, 50}
	for i, want := range []uint8{0, 1, 1, 128, 255, 255} {
		if got := one.indices(newLevels(coloring{visualize.Log, visualize.Range{Low: 0.01, High: 1}}))[i]; got != want {
			t.Errorf("%v has colour %d, want %d", one.values[i], got, want)
		}
	}
	for i, want := range []uint8{0, 1, 2, 25, 255, 255} {
		if got := one.indices(newLevels(coloring{visualize.Linear, visualize.Range{High: 1}}))[i]; got != want {
			t.Errorf("%v has colour %d on a linear scale, want %d", one.values[i], got, want)
		}
	}
}

// A range has at most four decades.
func TestAutomaticRangeOfManyDecades(t *testing.T) {
	var values []float32
	for i := range 1000 {
		values = append(values, float32(math.Pow(10, -9*float64(i)/999)))
	}
	if r := automatic(visualize.Log, false, values); math.Abs(r.High/r.Low/1e4-1) > 1e-6 {
		t.Errorf("%v", r)
	}
}

// Where nothing differs, that is the middle of the colours.
func TestAutomaticRangeOfNoDifference(t *testing.T) {
	if r := automatic(visualize.Gamma, true, []float32{0, hiddenValue, 0}); r.Low != -r.High || r.High <= 0 {
		t.Errorf("%v", r)
	}
}

// What no frame wants stays as long as there is room.
func TestStoreKeepsWhatHasRoom(t *testing.T) {
	run, _ := fakeRun(3, 1, 1)
	s := newStore(func() {})
	defer s.close()
	p := rowPart{of: run, query: 1}
	s.results[p] = &result{value: []float32{1}, bytes: 100}
	s.bytes = 100
	for range 5 {
		s.begin()
		s.end()
	}
	if _, ok := has[[]float32](s, p); !ok {
		t.Error("it is gone")
	}
}

package engine

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/reference"
)

// What is recomputed of a capture is what the weights that a run hands out give,
// with or without rotation, for every pattern, path and precision, also on a device
// that binds one head or two of the three.
func TestCapture(t *testing.T) {
	e := open(t)
	whole := e.traits.StorageRange
	most := sumBytes
	t.Cleanup(func() { e.traits.StorageRange, sumBytes = whole, most })
	n := packed.Tokens()
	all := gaze.Span{End: n}
	for i, pattern := range patterns {
		for j, precision := range []Precision{F32, F16} {
			a := layer(3, pattern)
			if (i+j)%2 == 0 {
				a.RoPE = gaze.RoPE{}
			}
			path := []Path{Fused, Explicit}[i%2]
			in := randomInput(1, a, packed)
			if e.traits.StorageRange = whole; i%3 > 0 {
				e.traits.StorageRange = roundUp(int64(n), 64) * int64(a.HeadDim) * 4 // an output of one head
			}
			r := Request{Attention: a, Lengths: packed, Precision: precision, Path: path}
			c, err := e.Capture(context.Background(), mustPlan(t, e.Traits(), r), in, Watch{})
			if err != nil {
				t.Fatal(err)
			}
			for _, heads := range c.ranges(gaze.Span{End: 3}) {
				if most := max(heads.query.Size, heads.key.Size, heads.lse.Size); most > e.traits.StorageRange {
					t.Errorf("heads %v take %d bytes in one binding, of %d", heads.Span, most, e.traits.StorageRange)
				}
			}
			r.Weights = true
			weights := run(t, e, mustPlan(t, e.Traits(), r), in).weights
			near := func(what string, got []float32, want []float64, tolerance float64) {
				t.Helper()
				if len(got) != len(want) {
					t.Fatalf("%d of %s, expected %d", len(got), what, len(want))
				}
				for k := range got {
					if !(math.Abs(float64(got[k])-want[k]) <= tolerance) {
						t.Fatalf("%v, %s, %s: %s %d is %v, expected %v", a.Visible(), path, precision, what, k, got[k], want[k])
					}
				}
			}

			v := View{Heads: gaze.Span{First: 1, End: 3}, Rectangle: gaze.Rectangle{Queries: gaze.Span{First: 3, End: n}, Keys: gaze.Span{First: 5, End: 120}}, Cell: gaze.Cell{Queries: 8, Keys: 2}}
			cells, _, err := c.Heatmap(context.Background(), v)
			if err != nil {
				t.Fatal(err)
			}
			want := reference.Heatmap(reference.Widen(weights), a.Visible(), packed, 3, v.Rectangle, v.Cell, false)[len(cells)/2:]
			for k := range want {
				if math.IsNaN(want[k]) {
					want[k] = HiddenCell
				}
			}
			near("cell", cells, want, 1e-5)

			ids := make([]uint32, n)
			for k := range ids {
				ids[k] = uint32(1000 + k) // none is the same as another
			}
			statistics, err := c.Statistics(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			var flat []float32
			for _, s := range statistics {
				flat = append(append(flat, s.Sum, s.Entropy, s.Distance, s.Greatest), s.Roles[:]...)
			}
			near("statistic", flat, reference.RowStatistics(reference.Widen(weights), ids, a.Visible(), packed, 3), 1e-3)

			// A measure takes other exponents, of heads without a gap between them.
			v.Measure, v.Cell = OfRowMaximum, gaze.Square(1)
			cells, _, err = c.Heatmap(context.Background(), v)
			if err != nil {
				t.Fatal(err)
			}
			want = nil
			for head := 1; head < 3; head++ {
				for query := 3; query < n; query++ {
					for key := 5; key < 120; key++ {
						row := weights[(head*n+query)*n:][:n]
						if !visible(a.Visible(), query, key) {
							want = append(want, HiddenCell)
							continue
						}
						want = append(want, float64(row[key])/float64(statistics[head*n+query].Greatest))
					}
				}
			}
			near("cell", cells, want, 1e-4)

			sumBytes = []int64{32 << 20, 4 * 100}[j] // or some rows of cells
			factors := []float64{2, 0, 0.5}
			received, err := c.Received(context.Background(), gaze.Span{First: 1, End: 2}, gaze.Span{First: 62, End: 65}, factors)
			if err != nil {
				t.Fatal(err)
			}
			given, err := c.Given(context.Background(), gaze.Span{End: 3}, gaze.Span{First: 30, End: 100})
			if err != nil {
				t.Fatal(err)
			}
			for k := range n {
				sum := 0.0
				for q, factor := range factors {
					sum += factor * float64(weights[(n+62+q)*n+k])
				}
				if math.Abs(received[0][k]-sum) > 1e-5 {
					t.Fatalf("%v: key %d receives %v, expected %v", a.Visible(), k, received[0][k], sum)
				}
				sum = 0
				for key := 30; key < 100; key++ {
					sum += float64(weights[(2*n+k)*n+key])
				}
				if math.Abs(given[2][k]-sum) > 1e-5 {
					t.Fatalf("%v: query %d gives %v, expected %v", a.Visible(), k, given[2][k], sum)
				}
			}
			if _, err := c.Received(context.Background(), gaze.Span{End: 4}, all, nil); err == nil || !strings.Contains(err.Error(), "heads 0 to 4") {
				t.Errorf("the error is %v", err)
			}
			if err := c.Close(); err != nil || c.Close() != nil {
				t.Error(err)
			}
		}
	}
}

// visible reports whether a packed query sees a packed key.
func visible(p gaze.Pattern, query, key int) bool {
	first := 0
	for _, length := range packed {
		if query < first+length {
			return key >= first && key < first+length && gaze.Sees(p, query-first, key-first, length)
		}
		first += length
	}
	return false
}

// What cannot be captured leaves nothing open: the engine's close would tell.
func TestCaptureFails(t *testing.T) {
	e := open(t)
	a := layer(3, nil)
	in := randomInput(1, a, packed)
	plan := mustPlan(t, e.Traits(), Request{Attention: a, Lengths: packed})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := e.Capture(ctx, plan, in, Watch{}); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	ctx, cancel = context.WithCancel(context.Background())
	_, err := e.Capture(ctx, plan, in, Watch{Progress: func(float64) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	if _, err := e.Capture(context.Background(), plan, Input{}, Watch{}); err == nil || !strings.Contains(err.Error(), "q has 0 elements") {
		t.Errorf("the error is %v", err)
	}
}

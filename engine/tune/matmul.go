package tune

import (
	"fmt"
	"math"
	"time"

	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/bench"
)

// rowClasses are the numbers of rows to measure, and up to which number each stands
// for others.
var rowClasses = []struct{ rows, upTo int }{{16, 16}, {128, 256}, {512, 1024}, {4096, 0}}

// columnClasses are the products of a layer of ModernBERT-base, by the weights that
// they have; upTo as above.
var columnClasses = []struct {
	upTo     int
	products []bench.Product // Rows left open
}{
	{1024, []bench.Product{{Name: "Wo", Columns: 768, Depth: 768}, {Name: "MLP out", Columns: 768, Depth: 1152}}},
	{0, []bench.Product{{Name: "QKV", Columns: 2304, Depth: 768}, {Name: "MLP in, gated", Columns: 1152, Depth: 768, Gated: true}}},
}

// lapsOfAClass is about how many times as long as one lap of the default a class
// takes: once for each candidate, and then several times for the few good ones.
const lapsOfAClass = 40

// matMul tunes matrix products of one precision, few rows first, as long as there
// is time. Rows that there is no time for are left to the rules.
func (t *tuner) matMul(precision engine.Precision) error {
	type size struct{ rows, upTo int }
	var sizes []size
	for _, c := range rowClasses {
		sizes = append(sizes, size(c))
	}
	if len(t.Rows) > 0 {
		sizes = nil
		for _, rows := range t.Rows {
			sizes = append(sizes, size{rows, rows})
		}
		sizes[len(sizes)-1].upTo = 0
	}
	var last []*Class // of the most rows yet
	lap := 0.0        // seconds of the default, of all products, a row
	for i, s := range sizes {
		need := time.Duration(lap * float64(s.rows) * lapsOfAClass * float64(time.Second))
		if i > 0 && need > t.left()*3/2 {
			t.result.Omitted = append(t.result.Omitted, fmt.Sprintf("matmul %s, %d rows: about %.0f s", precision, s.rows, need.Seconds()))
			continue
		}
		var classes []*Class
		lap = 0
		budget := t.left() / time.Duration(len(columnClasses)*(len(sizes)-i))
		for j, columns := range columnClasses {
			c := &Class{Suite: "matmul", Precision: precision, Rows: s.upTo, Columns: columns.upTo, measured: s.rows}
			var expected func(Shape) float64
			if j < len(last) && t.engine.Traits().CPU {
				expected = last[j].foretell(s.rows)
			}
			done := float64(i*len(columnClasses) + j)
			err := t.products(c, columns.products, expected, budget, func(share float64) {
				t.tell((done + share) / float64(len(columnClasses)*len(sizes)))
			})
			if err != nil {
				return err
			}
			classes = append(classes, c)
			lap += c.Candidates[0].Seconds.Median / float64(s.rows)
		}
		last = classes
	}
	return nil
}

// foretell returns what shapes will take for rows rows, going by the tiles that
// they must compute: so it is where a device is busy with a single one, as CPUs are.
func (c *Class) foretell(rows int) func(Shape) float64 {
	return func(s Shape) float64 {
		for _, known := range c.Candidates {
			if *known.MatMul == *s.MatMul {
				if known.LeftOut {
					return math.Inf(1)
				}
				tiles := func(rows int) float64 { return float64((rows + s.MatMul.Rows - 1) / s.MatMul.Rows) }
				return known.Seconds.Median * tiles(rows) / tiles(c.measured)
			}
		}
		return 0
	}
}

// products measures one class over its products.
func (t *tuner) products(c *Class, list []bench.Product, expected func(Shape) float64, budget time.Duration, tell func(float64)) error {
	var work []*bench.Workload
	defer func() {
		for _, w := range work {
			w.Close()
		}
	}()
	for _, p := range list {
		p.Rows = c.measured
		p.Name = fmt.Sprintf("%s %d x %d x %d", p.Name, p.Rows, p.Columns, p.Depth)
		w, err := bench.NewProduct(t.ctx, t.engine, p, c.Precision)
		if err != nil {
			return err
		}
		work = append(work, w)
	}
	return t.measure(c, work, products(t.engine.Traits(), c.measured, c.Precision), expected, budget, tell)
}

package bench

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
)

// A window of a viewer, in pixels.
const windowColumns, windowRows = 1920, 1080

// viewerShare is what the kernels of pictures may count on of the device's limit.
const viewerShare = 0.1

// A picture is what a viewer asks for: cells of so many pairs along a side, or,
// where that is 0, the statistics of a head. Where band is not 0 only the first row
// of cells of so many queries is computed, as in the coarse picture that comes first.
type picture struct{ cell, band int }

// viewer measures what a viewer asks for as one zooms out, the coarse picture of
// a whole map beside the exact one, and the statistics of a head, over as many
// tokens as there is time for.
func (r *runner) viewer() error {
	// Of the coarse and the exact picture the first sets the length.
	groups := [][]picture{{{cell: 1}}, {{cell: 8}}, {{cell: 16, band: 128}, {cell: 16}}, {{cell: 64}}, {{}}}
	if r.Effort == Quick {
		groups = [][]picture{{{cell: 1}}, {{}}}
	}
	lengths := r.Lengths
	if len(lengths) == 0 {
		lengths = []int{8192, 4096, 2048, 1024}
	}
	for i, group := range groups {
		for _, precision := range r.precisions(engine.F32) {
			if err := r.views(group, lengths, precision); err != nil {
				return err
			}
		}
		r.tell("viewer", float64(i+1)/float64(len(groups)))
	}
	return nil
}

// views measures pictures of the longest that there is time for, or of all
// lengths if they were asked for.
func (r *runner) views(group []picture, lengths []int, precision engine.Precision) error {
	for i, n := range lengths {
		if len(r.Lengths) == 0 && i < len(lengths)-1 && !r.affords(group[0].pairs(n)*headDim, viewerShare) {
			continue
		}
		for _, p := range group {
			if err := r.view(n, p, precision); err != nil {
				return err
			}
		}
		if len(r.Lengths) == 0 {
			return nil
		}
	}
	return nil
}

// rectangles returns what a picture of n tokens takes, each at a request of its own.
func (p picture) rectangles(n int) (list []gaze.Rectangle) {
	all := visible(n, p.cell)
	if p.band == 0 {
		return []gaze.Rectangle{all}
	}
	for first := 0; first < all.Queries.End; first += p.band {
		list = append(list, gaze.Rectangle{Queries: gaze.Span{First: first, End: min(first+p.cell, all.Queries.End)}, Keys: all.Keys})
	}
	return list
}

// pairs returns how many pairs are computed for a picture of n tokens.
func (p picture) pairs(n int) (pairs int64) {
	for _, r := range p.rectangles(n) {
		pairs += int64(r.Queries.End-r.Queries.First) * int64(r.Keys.End-r.Keys.First)
	}
	return pairs
}

// visible returns what a window shows of n tokens when a pixel is cell pairs
// wide and high, from the first on; all of them for the statistics.
func visible(n, cell int) gaze.Rectangle {
	if cell == 0 {
		return gaze.Rectangle{Queries: gaze.Span{End: n}, Keys: gaze.Span{End: n}}
	}
	return gaze.Rectangle{Queries: gaze.Span{End: min(n, windowRows*cell)}, Keys: gaze.Span{End: min(n, windowColumns*cell)}}
}

func (r *runner) view(n int, p picture, precision engine.Precision) error {
	e, err := r.Open(r.Tiers[0])
	if err != nil {
		return err
	}
	t := newTensors()
	m := gaze.NewBlockMap(gaze.Full{}, gaze.Lengths{n}, engine.HeatmapTile)
	lse := make([]float32, n)
	for i := range lse {
		lse[i] = float32(math.Log(float64(n)))
	}
	layout := engine.Layout{Row: headDim, Head: n * headDim}
	query, key := t.uniform("q", n*headDim, precision), t.uniform("k", n*headDim, precision)
	blockMap, sums := t.given("block map", engine.Words(m)), t.given("lse", engine.Bytes(lse))
	c := &Case{Suite: "viewer", Precision: precision, Tokens: n}
	var requests [][]engine.Pass
	kernel := "heatmap"
	if p.cell == 0 {
		kernel = "statistics"
		c.Name = fmt.Sprintf("statistics of a head, n %d", n)
		ids := make([]uint32, n) // texts repeat themselves
		for i := range ids {
			ids[i] = uint32(i * i % 1009)
		}
		const size = int64(unsafe.Sizeof(engine.RowStatistic{}))
		pass, err := engine.RowStatistics{Heads: 1, HeadDim: headDim, Scale: 0.125, Map: m, Precision: precision, In: layout, LSEHead: n,
			Query: query, Key: key, LSE: sums, BlockMap: blockMap,
			Tokens: t.given("tokens", engine.TokenWords(ids, gaze.Lengths{n})), Statistics: t.empty("statistics", size*int64(n))}.Pass(e.Traits())
		if err != nil {
			return err
		}
		requests = [][]engine.Pass{{pass}}
	} else {
		rows, columns := visible(n, p.cell).Cells(gaze.Square(p.cell))
		c.Name = fmt.Sprintf("%d x %d pixels of %s, n %d", columns, rows, pixelText(p.cell), n)
		if p.band > 0 {
			c.Name = fmt.Sprintf("%d x %d pixels, %d of %d queries, n %d", columns, rows, p.cell, p.band, n)
		}
		cells := t.empty("cells", 4*int64(rows*columns))
		for _, rectangle := range p.rectangles(n) {
			rows, columns := rectangle.Cells(gaze.Square(p.cell))
			cells.Size = 4 * int64(rows*columns) // each request has cells of its own
			passes, err := engine.Heatmap{Heads: 1, HeadDim: headDim, Scale: 0.125, Map: m, Precision: precision, In: layout, LSEHead: n, Rectangle: rectangle,
				Cell: gaze.Square(p.cell), Query: query, Key: key, LSE: sums, BlockMap: blockMap, Cells: cells}.Passes(e.Traits())
			if err != nil {
				return err
			}
			requests = append(requests, passes)
		}
	}
	c.MultiplyAdds = p.pairs(n) * headDim
	for _, passes := range requests {
		for _, pass := range passes {
			c.Bytes += pass.Bytes
		}
	}
	if err := t.fits(e); err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	buffers, err := upload(r.ctx, e, t)
	if err != nil {
		return err
	}
	defer buffers.Close()
	return r.measure(c, []string{kernelName(kernel, e.Traits().ForPictures(), precision)}, func() (*engine.Timing, error) {
		all := &engine.Timing{}
		for _, passes := range requests {
			timing, err := r.execute(e, passes, buffers)()
			if err != nil {
				return nil, err
			}
			all.Add(timing)
		}
		return all, nil
	})
}

func pixelText(cell int) string {
	if cell == 1 {
		return "1 pair"
	}
	return fmt.Sprintf("%d x %d pairs", cell, cell)
}

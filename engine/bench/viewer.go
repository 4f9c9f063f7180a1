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

// viewer measures what a viewer asks for as one zooms out, and the statistics of
// a head, over as many tokens as there is time for.
func (r *runner) viewer() error {
	cells := []int{1, 8, 64}
	if r.Effort == Quick {
		cells = []int{1}
	}
	lengths := r.Lengths
	if len(lengths) == 0 {
		lengths = []int{8192, 4096, 2048, 1024}
	}
	for i, cell := range append(cells, 0) { // 0 stands for the statistics
		for _, precision := range r.precisions(engine.F32) {
			if err := r.views(cell, lengths, precision); err != nil {
				return err
			}
		}
		r.tell("viewer", float64(i+1)/float64(len(cells)+1))
	}
	return nil
}

// views measures a view of the longest that there is time for, or of all
// lengths if they were asked for.
func (r *runner) views(cell int, lengths []int, precision engine.Precision) error {
	for i, n := range lengths {
		rectangle := visible(n, cell)
		pairs := int64(rectangle.Queries.End) * int64(rectangle.Keys.End)
		if len(r.Lengths) == 0 && i < len(lengths)-1 && !r.affords(pairs*headDim, viewerShare) {
			continue
		}
		if err := r.view(n, cell, rectangle, precision); err != nil {
			return err
		}
		if len(r.Lengths) == 0 {
			return nil
		}
	}
	return nil
}

// visible returns what a window shows of n tokens when a pixel is cell pairs
// wide and high, from the first on; all of them for the statistics.
func visible(n, cell int) gaze.Rectangle {
	if cell == 0 {
		return gaze.Rectangle{Queries: gaze.Span{End: n}, Keys: gaze.Span{End: n}}
	}
	return gaze.Rectangle{Queries: gaze.Span{End: min(n, windowRows*cell)}, Keys: gaze.Span{End: min(n, windowColumns*cell)}}
}

func (r *runner) view(n, cell int, rectangle gaze.Rectangle, precision engine.Precision) error {
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
	var passes []engine.Pass
	kernel := "heatmap"
	if cell == 0 {
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
		passes = []engine.Pass{pass}
	} else {
		rows, columns := rectangle.Cells(gaze.Square(cell))
		c.Name = fmt.Sprintf("%d x %d pixels of %s, n %d", columns, rows, pixelText(cell), n)
		passes, err = engine.Heatmap{Heads: 1, HeadDim: headDim, Scale: 0.125, Map: m, Precision: precision, In: layout, LSEHead: n, Rectangle: rectangle,
			Cell: gaze.Square(cell), Query: query, Key: key, LSE: sums, BlockMap: blockMap, Cells: t.empty("cells", 4*int64(rows*columns))}.Passes(e.Traits())
		if err != nil {
			return err
		}
	}
	c.MultiplyAdds = int64(rectangle.Queries.End) * int64(rectangle.Keys.End) * headDim
	for _, p := range passes {
		c.Bytes += p.Bytes
	}
	if err := t.fits(e); err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	buffers, err := upload(r.ctx, e, t)
	if err != nil {
		return err
	}
	defer buffers.Close()
	return r.measure(c, []string{kernelName(kernel, e.Traits().ForPictures(), precision)}, r.execute(e, passes, buffers))
}

func pixelText(cell int) string {
	if cell == 1 {
		return "1 pair"
	}
	return fmt.Sprintf("%d x %d pairs", cell, cell)
}

package engine

import (
	"fmt"
	"math"

	"github.com/gazevk/gaze"
)

// A Heatmap recomputes the weights of a rectangle of queries and keys, in some
// heads, and pools them into cells (shaders/heatmap_lanes.comp,
// heatmap_tiled.comp). It never holds more than the cells. Cells of which no pair
// is visible stay at HiddenCell.
type Heatmap struct {
	FirstHead, Heads int // those to draw
	HeadDim          int
	Scale            float64
	Map              *gaze.BlockMap // for tiles of HeatmapTile queries
	Precision        Precision      // of query and key
	In               Layout
	LSEHead          int // elements between two heads' first log-sum-exp
	Rectangle        gaze.Rectangle
	Cell             gaze.Cell // each side a power of two, at most HeatmapTile
	Sum              bool      // pool by the sum, else by the greatest
	Query, Key, LSE  Ref
	BlockMap         Ref // Words(Map)
	Cells            Ref // [Heads, rows, columns] f32, of Rectangle.Cells(Cell)
}

// HeatmapTile is the queries of a tile of Heatmap's block map.
const HeatmapTile = 64

// heatmapChunk is the keys that one workgroup looks at: few enough that a map of
// one head fills a GPU.
const heatmapChunk = 512

// HiddenCell is the value of a cell of which no pair is visible.
const HiddenCell = -1

// CheckCell reports cells that no Heatmap can have.
func CheckCell(c gaze.Cell) error {
	for _, side := range []int{c.Queries, c.Keys} {
		if side < 1 || side > HeatmapTile || side&(side-1) != 0 {
			return fmt.Errorf("cells of %v pairs: each side must be a power of two, at most %d", c, HeatmapTile)
		}
	}
	return nil
}

// heatmapRows returns the queries that a workgroup of heatmap_lanes.comp takes at a
// time: many share what is loaded of the keys.
func heatmapRows(t Traits) int {
	if t.CPU && t.lanes() == 8 {
		return 32
	}
	return 8
}

// Passes returns what computes h on a device with traits t.
func (h Heatmap) Passes(t Traits) ([]Pass, error) {
	pass, err := h.Pass(t)
	fill := Pass{Bind: []Ref{h.Cells}, Fill: math.Float32bits(HiddenCell), Bytes: h.Cells.Size}
	return []Pass{fill, pass}, err
}

// Pass returns the dispatch of h alone, for cells that hold HiddenCell.
func (h Heatmap) Pass(t Traits) (Pass, error) {
	m, r := h.Map, h.Rectangle
	if m.QueryTile != HeatmapTile {
		return Pass{}, fmt.Errorf("engine: the block map has tiles of %d queries: expected %d", m.QueryTile, HeatmapTile)
	}
	if err := CheckCell(h.Cell); err != nil {
		return Pass{}, fmt.Errorf("engine: %w", err)
	}
	if err := r.Validate(m.Rows); err != nil {
		return Pass{}, err
	}
	firstTile, endTile := r.Queries.First/HeatmapTile, int(ceilDiv(r.Queries.End, HeatmapTile))
	firstChunk, endChunk := r.Keys.First/heatmapChunk, int(ceilDiv(r.Keys.End, heatmapChunk))
	rows, columns := r.Cells(h.Cell)
	sum := 0
	if h.Sum {
		sum = 1
	}
	tiles := int64(0) // of keys, within the rectangle
	for _, t := range m.Tiles[m.First[firstTile]:m.First[endTile]] {
		if first := int(t.Key) * gaze.KeyTile; first < r.Keys.End && first+gaze.KeyTile > r.Keys.First {
			tiles++
		}
	}
	heads := int64(h.Heads)
	return Pass{
		Kernel:    "heatmap_" + string(t.ForPictures()) + "_" + string(h.Precision),
		Constants: pictureConstants(t, h.HeadDim, heatmapRows(t)),
		Push: map[string]any{"rows": m.Rows, "map_tiles": len(m.First), "map_masks": len(m.First) + 2*len(m.Tiles),
			"in_row": h.In.Row / 4, "in_head": h.In.Head / 4, "lse_head": h.LSEHead, "first_head": h.FirstHead, "scale": h.Scale,
			"first_query": r.Queries.First, "end_query": r.Queries.End, "first_key": r.Keys.First, "end_key": r.Keys.End,
			"cell_queries": h.Cell.Queries, "cell_keys": h.Cell.Keys, "cell_rows": rows, "cell_columns": columns, "chunk": heatmapChunk, "sum": sum},
		Bind:         []Ref{h.Query, h.Key, h.BlockMap, h.LSE, h.Cells},
		Tiles:        m.First[firstTile : endTile+1],
		Groups:       [3]uint32{uint32(endTile - firstTile), uint32(h.Heads), uint32(endChunk - firstChunk)},
		MultiplyAdds: heads * tiles * HeatmapTile * gaze.KeyTile * int64(h.HeadDim),
		Bytes: heads*(int64(r.Queries.End-r.Queries.First+r.Keys.End-r.Keys.First)*int64(h.HeadDim)*h.Precision.size()+
			4*int64(rows)*int64(columns)) + MapBytes(m),
	}, nil
}

package engine

import (
	"fmt"

	"github.com/gazevk/gaze"
)

// RowStatistics recomputes the attention weights of every query and sums them up
// (shaders/statistics_lanes.comp, statistics_tiled.comp).
type RowStatistics struct {
	Heads, HeadDim  int
	Scale           float64
	Map             *gaze.BlockMap // for tiles of HeatmapTile queries
	Precision       Precision      // of query and key
	In              Layout
	LSEHead         int // elements between two heads' first log-sum-exp
	Query, Key, LSE Ref
	BlockMap        Ref // Words(Map)
	Tokens          Ref // TokenWords
	Statistics      Ref // [Heads, rows] RowStatistic
}

// A RowStatistic is what the weights of one query amount to, in the order in
// which a device stores it. It is zero for a query that sees nothing.
type RowStatistic struct {
	Sum      float32 // 1 where queries, keys, mask and log-sum-exp belong together
	Entropy  float32 // in bits: 0 where all attention goes to one key
	Distance float32 // mean distance of the keys, in tokens
	Greatest float32 // weight
	Roles    Roles
}

// TokenWords returns what RowStatistics knows of packed tokens: their ids, [n], then
// the first row and the last of the sequence of each.
func TokenWords(ids []uint32, lengths gaze.Lengths) []byte {
	n := len(ids)
	words := make([]uint32, 3*n)
	copy(words, ids)
	first := 0
	for _, length := range lengths {
		for row := first; row < first+length; row++ {
			words[n+row], words[2*n+row] = uint32(first), uint32(first+length-1)
		}
		first += length
	}
	return Bytes(words)
}

// Pass returns the dispatch that computes r on a device with traits t.
func (r RowStatistics) Pass(t Traits) (Pass, error) {
	m := r.Map
	if m.QueryTile != HeatmapTile {
		return Pass{}, fmt.Errorf("engine: the block map has tiles of %d queries: expected %d", m.QueryTile, HeatmapTile)
	}
	elements := int64(r.Heads) * int64(m.Rows) * int64(r.HeadDim)
	parts := 1
	if t.ForPictures().shuffles() {
		parts = HeatmapTile / statisticsRows(t)
	}
	return Pass{
		Kernel: "statistics_" + string(t.ForPictures()) + "_" + string(r.Precision), Constants: pictureConstants(t, r.HeadDim, statisticsRows(t)),
		Push: map[string]any{"rows": m.Rows, "map_tiles": len(m.First), "map_masks": len(m.First) + 2*len(m.Tiles),
			"in_row": r.In.Row / 4, "in_head": r.In.Head / 4, "lse_head": r.LSEHead, "scale": r.Scale},
		Bind:         []Ref{r.Query, r.Key, r.BlockMap, r.LSE, r.Statistics, r.Tokens},
		Groups:       [3]uint32{uint32(m.QueryTiles()), uint32(r.Heads), uint32(parts)},
		Tiles:        m.First,
		MultiplyAdds: int64(r.Heads) * int64(len(m.Tiles)) * HeatmapTile * gaze.KeyTile * int64(r.HeadDim),
		Bytes:        2*elements*r.Precision.size() + r.Statistics.Size + r.Tokens.Size + MapBytes(m),
	}, nil
}

// pictureConstants specializes a kernel that recomputes weights for a picture.
// Of tiers [Lanes] and [Texels], a workgroup takes rows queries at a time.
func pictureConstants(t Traits, headDim, rows int) map[string]uint32 {
	if t.ForPictures().shuffles() {
		return map[string]uint32{"LANES": uint32(t.lanes()), "HEAD_DIM": uint32(headDim), "ROWS": uint32(rows)}
	}
	ownRows := 4 // of an invocation's block of weights
	if t.CPU {
		ownRows = 8
	}
	return map[string]uint32{"LANES": uint32(4 * HeatmapTile / ownRows), "HEAD_DIM": uint32(headDim), "OWN_ROWS": uint32(ownRows)}
}

// statisticsRows returns the queries that a workgroup of statistics_lanes.comp takes.
func statisticsRows(t Traits) int {
	if t.CPU && t.lanes() == 8 {
		return 16
	}
	return 8
}

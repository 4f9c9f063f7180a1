package engine

import (
	"fmt"

	"github.com/gazevk/gaze"
)

// AttentionWeights is what a [FusedAttention] did not store: exp(Scale q k^T -
// lse) over what Map shows, 0 elsewhere, recomputed from the same queries and
// keys and the log-sum-exps that it gave (shaders/weights.comp).
type AttentionWeights struct {
	Heads, HeadDim  int
	Scale           float64
	Map             *gaze.BlockMap
	Precision       Precision // of query and key
	In              Layout    // of query and key
	LSEHead         int       // elements between two heads' first log-sum-exp
	Query, Key, LSE Ref
	BlockMap        Ref // Words(Map)
}

// Steps returns what recomputes all rows, in the order of their heads and
// queries, and the buffer that their weights pass through: as many rows at a
// time as it holds, never n x n. For [Engine.ExecuteSteps].
func (w AttentionWeights) Steps(t Traits) ([]Step, BufferSpec, error) {
	parts, err := weightParts(t, w.Map, w.Heads)
	if err != nil {
		return nil, BufferSpec{}, err
	}
	buffer := BufferSpec{Name: bufWork}
	steps := make([]Step, len(parts))
	for i, part := range parts {
		work := Ref{bufWork, 0, part.bytes()}
		buffer.Bytes = max(buffer.Bytes, work.Size)
		steps[i] = Step{
			// Tiles that nobody visits are zero.
			Passes: []Pass{{Bind: []Ref{work}, Bytes: work.Size}, w.pass(part, work)},
			Reads:  []Read{{work, part.firstHead, part.heads, part.firstRow, part.rows, w.Map.Rows, part.stride}},
		}
	}
	return steps, buffer, nil
}

// pass returns the dispatch that computes one part into work.
func (w AttentionWeights) pass(p weightPart, work Ref) Pass {
	m := w.Map
	heads := int64(p.heads)
	pairs := heads * int64(m.First[p.endTile]-m.First[p.firstTile]) * int64(m.QueryTile) * gaze.KeyTile
	element := heads * int64(w.HeadDim) * w.Precision.size()
	keys := min(int64(m.Rows), pairs/(heads*int64(m.QueryTile))) // at most so many of each head are visited
	return Pass{
		Kernel:    "weights_" + string(w.Precision),
		Constants: map[string]uint32{"QUERY_TILE": uint32(m.QueryTile), "HEAD_DIM": uint32(w.HeadDim)},
		Push: map[string]any{"rows": m.Rows, "map_tiles": len(m.First), "map_masks": len(m.First) + 2*len(m.Tiles),
			"in_row": w.In.Row / 4, "in_head": w.In.Head / 4, "lse_head": w.LSEHead, "scale": w.Scale,
			// The kernel counts result rows by its head, of which the first here has none before it.
			"first_row": p.firstRow + p.firstHead*p.rows, "chunk_rows": p.rows, "key_stride": p.stride},
		Bind:         []Ref{w.Query, w.Key, w.BlockMap, w.LSE, work},
		Base:         [3]uint32{uint32(p.firstTile), uint32(p.firstHead)},
		Groups:       [3]uint32{uint32(p.endTile - p.firstTile), uint32(p.heads), 1},
		Tiles:        m.First,
		MultiplyAdds: pairs * int64(w.HeadDim),
		Bytes:        element*(int64(p.rows)+keys) + 4*pairs,
	}
}

// A weightPart is the rows of weights that lie in memory together: those of some
// query tiles of some heads.
type weightPart struct {
	firstHead, heads   int
	firstTile, endTile int
	firstRow, rows     int // of each head
	stride             int // elements between two rows
}

func (p weightPart) bytes() int64 { return int64(p.heads) * int64(p.rows) * int64(p.stride) * 4 }

// weightParts cuts the weights of heads over m into parts that fit in one
// buffer: several heads, one head, or some of its query tiles.
func weightParts(t Traits, m *gaze.BlockMap, heads int) ([]weightPart, error) {
	stride := int(roundUp(int64(m.Rows), gaze.KeyTile))
	perRow := int64(stride) * 4
	budget := min(t.StorageRange, weightsBudget)
	tiles := m.QueryTiles()
	headsAtOnce, tilesAtOnce := int(min(budget/(perRow*roundUp(int64(m.Rows), 64)), int64(heads))), tiles
	if headsAtOnce == 0 {
		headsAtOnce = 1
		if tilesAtOnce = int(budget / (perRow * int64(m.QueryTile))); tilesAtOnce == 0 {
			return nil, fmt.Errorf("%d rows of weights over %d keys need %s in one buffer; %s binds %s at most: split the batch",
				m.QueryTile, m.Rows, mebibytes(perRow*int64(m.QueryTile)), t.Device, mebibytes(t.StorageRange))
		}
	}
	var parts []weightPart
	for head := 0; head < heads; head += headsAtOnce {
		for tile := 0; tile < tiles; tile += tilesAtOnce {
			end := min(tile+tilesAtOnce, tiles)
			firstRow := tile * m.QueryTile
			parts = append(parts, weightPart{head, min(headsAtOnce, heads-head), tile, end,
				firstRow, min(end*m.QueryTile, m.Rows) - firstRow, stride})
		}
	}
	return parts, nil
}

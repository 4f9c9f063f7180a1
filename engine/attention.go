package engine

import (
	"maps"

	"github.com/gazevk/gaze"
)

// A Layout says where a tensor of heads lies: row i of head h begins at element
// h*Head + i*Row. Both are multiples of 4.
type Layout struct{ Row, Head int }

// turnedRows is the number of rows that one workgroup of rope.comp turns.
const turnedRows = 16

// A Rotation turns the rows of each head of x by the angles of their positions
// into y (shaders/rope.comp).
type Rotation struct {
	Heads, HeadDim, Rows int
	Precision            Precision // of x and y
	From, To             Layout
	X, Y                 Ref
	Cosines, Sines       Ref // [positions, HeadDim/2] f32
	Positions            Ref // [Rows] u32
}

// Pass returns the dispatch that computes r.
func (r Rotation) Pass() Pass {
	elements := int64(r.Heads) * int64(r.Rows) * int64(r.HeadDim)
	return Pass{
		Kernel:    "rope_" + string(r.Precision),
		Constants: map[string]uint32{"HEAD_DIM": uint32(r.HeadDim)},
		Push: map[string]any{"rows": r.Rows, "x_row": r.From.Row / 4, "x_head": r.From.Head / 4,
			"y_row": r.To.Row / 4, "y_head": r.To.Head / 4},
		Bind:         []Ref{r.X, r.Cosines, r.Sines, r.Positions, r.Y},
		Groups:       [3]uint32{ceilDiv(r.Rows, turnedRows), uint32(r.Heads), 1},
		MultiplyAdds: 2 * elements,
		Bytes:        2 * elements * r.Precision.size(),
	}
}

// FusedAttention is softmax(Scale q k^T) v over what Map shows, without storing
// weights (shaders/attention_lanes.comp, attention_tiled.comp,
// attention_matrix.comp, attention_matrix2.comp), and where keys are split, what joins their shares.
type FusedAttention struct {
	Heads, HeadDim    int
	Scale             float64
	Map               *gaze.BlockMap
	Precision         Precision // of query, key and value
	OutPrecision      Precision
	In, Out           Layout // of query, key and value; of the output
	LSEHead           int    // elements between two heads' first log-sum-exp
	Query, Key, Value Ref
	BlockMap          Ref // Words(Map)
	Output            Ref
	LSE               Ref // [Heads, LSEHead] f32
	Shares, ShareLSE  Ref // of ScratchBytes; what lies there is of use to nobody else
}

// pass returns the dispatch that computes f from all keys.
func (f FusedAttention) pass(t Traits) Pass {
	shape := t.AttentionShape(f)
	constants := map[string]uint32{"HEAD_DIM": uint32(f.HeadDim)}
	maps.Copy(constants, shapesOf[shape.Tier].attentionConstants(t, shape))
	kernel := "attention_" + string(shape.Tier)
	if shape.Reductions {
		kernel += "2"
	}
	kernel += "_" + string(f.Precision)
	if f.Precision != f.OutPrecision {
		kernel += "_" + string(f.OutPrecision)
	}
	m := f.Map
	rows := int64(f.Heads) * int64(m.Rows)
	return Pass{
		Kernel:    kernel,
		Constants: constants,
		Push: map[string]any{"rows": m.Rows, "map_tiles": len(m.First), "map_masks": len(m.First) + 2*len(m.Tiles),
			"in_row": f.In.Row / 4, "in_head": f.In.Head / 4, "out_row": f.Out.Row / 4, "out_head": f.Out.Head / 4,
			"lse_head": f.LSEHead, "scale": f.Scale},
		Bind:         []Ref{f.Query, f.Key, f.Value, f.BlockMap, f.Output, f.LSE},
		Groups:       [3]uint32{uint32(m.QueryTiles()), uint32(f.Heads), uint32(f.Map.QueryTile / shape.Rows)},
		Tiles:        m.First,
		MultiplyAdds: int64(f.Heads) * int64(len(m.Tiles)) * int64(m.QueryTile) * gaze.KeyTile * int64(2*f.HeadDim),
		Bytes:        rows*(int64(f.HeadDim)*(3*f.Precision.size()+f.OutPrecision.size())+4) + MapBytes(m),
	}
}

// MapBytes is the size of Words(m).
func MapBytes(m *gaze.BlockMap) int64 {
	return 4 * int64(len(m.First)+2*len(m.Tiles)+len(m.Masks))
}

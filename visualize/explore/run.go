package explore

import (
	"context"
	"errors"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/visualize"
)

// A Run is the attention of one text in one model, or of numbers that no model
// made: what there is to see. It does not change, but for layers that complete one
// after the other.
type Run struct {
	Name    string // of the model, or of its variant
	Text    string // or what says which numbers
	Tokens  []Token
	Lengths gaze.Lengths // of the sequences that the tokens are packed from; nil: one
	Heads   int
	Layers  []gaze.Pattern // what each sees
	Alone   bool           // the one layer is of no model, and has no number
	Device  string
	Source  Source
	// Command are the arguments of "gaze map" that have the same model, text and
	// device, to reproduce a picture.
	Command []string

	done int  // layers that are complete, from the first
	gone bool // nothing more can be computed
}

// A Token is one of a run's text.
type Token = visualize.Token

// sequences returns the lengths of a run's sequences.
func (r *Run) sequences() gaze.Lengths {
	if r.Lengths == nil {
		return gaze.Lengths{len(r.Tokens)}
	}
	return r.Lengths
}

// A Source computes parts of a run's maps. The explorer calls it from one
// goroutine, and only for layers that are complete.
type Source interface {
	// Cells returns the cells of a request, [heads, rows, columns], and
	// [Hidden] for those of which no pair is visible.
	Cells(ctx context.Context, r Request) ([]float32, error)
	// Room returns room for cells that only the device reads which shows frames,
	// because it is the one that computes; nil where it is not, or has none left.
	Room(cells int) Room
	// Place computes the cells of a request as Cells does and mixes them into
	// room. The error wraps [ErrElsewhere] where it is another device's.
	Place(ctx context.Context, r Request, to Room, mix Mix) error
	// Summary says what each head of a layer amounts to.
	Summary(ctx context.Context, layer int) ([]Summary, error)
	// Received returns how much attention each key receives from a span of
	// queries in each of some heads of a layer, [heads][n].
	Received(ctx context.Context, layer int, heads, queries gaze.Span) ([][]float64, error)
	// Given returns how much attention each query gives to a span of keys, [heads][n].
	Given(ctx context.Context, layer int, heads, keys gaze.Span) ([][]float64, error)
	// Rollout returns what a query's output of a layer is made of, [n]: attention
	// rollout through that layer and all before it.
	Rollout(ctx context.Context, layer, query int) ([]float64, error)
	// Close frees the run.
	Close() error
}

// A Request is a rectangle of weights in some heads of a layer, in cells.
type Request struct {
	Layer     int
	Heads     gaze.Span
	Rectangle gaze.Rectangle // it begins at multiples of Cell
	Cell      int            // pairs along one side: a power of two, at most [LargestCell]
	Measure   visualize.Measure
	Pooling   visualize.Pooling // for the mean, cells are sums
}

// A Room has cells that stay on a device; NaN where no pair of a cell is visible.
type Room interface {
	// Read returns some of its cells, [rows, columns]: that at first + row *
	// rowStride + column * columnStride.
	Read(ctx context.Context, first, rowStride, columnStride, rows, columns int) ([]float32, error)
	// Release says that nobody needs the cells any more. A second call does nothing.
	Release()
}

// ErrElsewhere is why cells cannot be placed.
var ErrElsewhere = errors.New("the cells belong to another device")

// A Mix says how the cells of a request get into a room.
type Mix struct {
	First  int     // the cell of the room that the first goes to
	Factor float32 // of the cells
	Mean   bool    // the cells are sums: each is divided by its pairs
	Fresh  bool    // whatever lay there is forgotten; else they are added to it
	Apart  bool    // heads follow each other; else they are added up
}

const (
	// Hidden is the value of a cell of which no pair is visible.
	Hidden = -1
	// LargestCell is the most pairs along one side of a cell.
	LargestCell = 64
)

// A Summary is what one head does, over all its queries.
type Summary struct {
	Entropy  float64   // mean, in bits
	Distance float64   // mean, in tokens
	Roles    []Share   // what shares of its attention go where
	Sums     []float32 // of each query's weights; 1 unless something is wrong
	Spread   []float32 // entropy of each query, in bits
}

// A Share is how much of a head's attention goes to one kind of token.
type Share struct {
	Name  string // "previous token"
	Share float64
}

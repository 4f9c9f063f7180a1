package engine

import "fmt"

// An Activation is a function that an epilogue applies, by its number in
// shaders/include/activation.glsl.
type Activation uint32

const (
	Identity Activation = iota
	GELU                // x/2 (1 + erf(x / sqrt 2)), exact
	GELUTanh            // its approximation by tanh
	SiLU
	ReLU
	Tanh
)

// A MatMul is out = epilogue(a w^T), with a [Rows, Depth], w [Columns, Depth] (or
// [2 Columns, Depth] if Gated) and out [Rows, Columns]; both depth and columns
// are multiples of 4. See shaders/include/matmul.glsl for the epilogue's order.
type MatMul struct {
	Rows, Columns, Depth int
	A, W, Out            Ref
	Bias                 Ref // f32; none where its Buffer is ""
	OutRow, FirstOut     int // elements between two rows of out (0: Columns), and where column 0 stands
	Gated, Residual      bool
	Activation           Activation
	Rotary               Rotary
	Precision            Precision // of a and w
	OutPrecision         Precision // F32 where Residual
}

// A Rotary is a rotary position embedding in an epilogue, which turns columns 2j and
// 2j+1 of each head by angle j of the row's position: RoPE's interleaved layout. The
// zero value is none. Products that differ in Columns alone share a pipeline.
type Rotary struct {
	HeadDim   int // a multiple of 4
	Columns   int // how many of the first turn, a multiple of HeadDim
	Turns     Ref // [positions, HeadDim/2], cosine and sine of each angle, f32: see [Turns]
	Positions Ref // [Rows] u32
}

// Turns returns those of a [Rotary] from tables of cosines and sines.
func Turns(cosines, sines []float32) []float32 {
	turns := make([]float32, 0, 2*len(cosines))
	for i, cosine := range cosines {
		turns = append(turns, cosine, sines[i])
	}
	return turns
}

// weights returns the columns of w that m reads, those of the gates among them.
func (m MatMul) weights() int {
	if m.Gated {
		return 2 * m.Columns
	}
	return m.Columns
}

// Pass returns the dispatch that computes m on a device with traits t.
func (m MatMul) Pass(t Traits) Pass {
	shape := t.MatMulShape(m)
	kernel := fmt.Sprintf("matmul_%s_%s", shape.Tier, m.Precision)
	if m.Precision != m.OutPrecision {
		kernel += "_" + string(m.OutPrecision)
	}
	constants := shapesOf[shape.Tier].constants(t, shape)
	constants["BIAS"], constants["GATED"], constants["ACTIVATION"] = 0, 0, uint32(m.Activation)
	constants["ROTARY"] = uint32(m.Rotary.HeadDim)
	bias, turns, positions := m.W, m.W, m.W // anything readable: the kernel does not look
	if m.Bias.Buffer != "" {
		constants["BIAS"], bias = 1, m.Bias
	}
	products := int64(m.Rows) * int64(m.weights()) * int64(m.Depth)
	if m.Rotary.HeadDim > 0 {
		turns, positions = m.Rotary.Turns, m.Rotary.Positions
		products += 2 * int64(m.Rows) * int64(m.Rotary.Columns)
	}
	if m.Gated {
		constants["GATED"] = 1
	}
	if m.OutPrecision == F32 {
		if constants["RESIDUAL"] = 0; m.Residual {
			constants["RESIDUAL"] = 1
		}
	}
	weights := int64(m.weights())
	outRow := m.OutRow
	if outRow == 0 {
		outRow = m.Columns
	}
	size := m.Precision.size()
	return Pass{
		Kernel: kernel, Constants: constants,
		Push: map[string]any{"rows": m.Rows, "columns": m.Columns, "depth": m.Depth / 4, "a_row": m.Depth / 4,
			"out_row": outRow / 4, "first_out": m.FirstOut / 4, "turned": m.Rotary.Columns},
		Bind:         []Ref{m.A, m.W, bias, m.Out, turns, positions},
		Groups:       [3]uint32{ceilDiv(m.weights(), shape.Columns), ceilDiv(m.Rows, shape.Rows), 1},
		MultiplyAdds: products,
		Bytes:        (int64(m.Rows)+weights)*int64(m.Depth)*size + int64(m.Rows)*int64(m.Columns)*m.OutPrecision.size(),
	}
}

// A LayerNorm is y = (x - mean) / sqrt(variance + Epsilon) * gain + bias over rows
// of Width elements, a multiple of 4. x, gain and bias are f32.
type LayerNorm struct {
	Rows, Width int
	X, Gain, Y  Ref
	Bias        Ref // none where its Buffer is ""
	Epsilon     float64
	Precision   Precision // of y
}

// Pass returns the dispatch that computes l on a device with traits t.
func (l LayerNorm) Pass(t Traits) Pass {
	kernel := "layernorm_"
	if t.Tier == Texels {
		kernel += "texels_"
	}
	constants, bias := map[string]uint32{"BIAS": 0}, l.Gain
	if l.Bias.Buffer != "" {
		constants["BIAS"], bias = 1, l.Bias
	}
	elements := int64(l.Rows) * int64(l.Width)
	return Pass{
		Kernel: kernel + string(l.Precision), Constants: constants,
		Push:   map[string]any{"rows": l.Rows, "groups": l.Width / 4, "epsilon": l.Epsilon},
		Bind:   []Ref{l.X, l.Gain, bias, l.Y},
		Groups: [3]uint32{ceilDiv(l.Rows, 4), 1, 1}, MultiplyAdds: 4 * elements, Bytes: elements * (4 + l.Precision.size()),
	}
}

// A Gather copies rows of a table, [Count, Width], by their indices into y,
// [Rows, Width] f32. It leaves rows alone whose index is not within
// First <= index < First+Count: such a table is read in several passes.
type Gather struct {
	Rows, Width       int // a multiple of 4
	First, Count      int
	Table, Indices, Y Ref
	Precision         Precision // of the table
}

// Pass returns the dispatch that computes g.
func (g Gather) Pass() Pass {
	return Pass{
		Kernel: "gather_" + string(g.Precision), Constants: map[string]uint32{},
		Push:   map[string]any{"rows": g.Rows, "groups": g.Width / 4, "first": g.First, "count": g.Count},
		Bind:   []Ref{g.Table, g.Indices, g.Y},
		Groups: [3]uint32{ceilDiv(g.Rows, 4), 1, 1}, Bytes: int64(g.Rows) * int64(g.Width) * (4 + g.Precision.size()),
	}
}

// A PoolMode is how [Pooling] makes one vector of a sequence, by its number in
// shaders/pool.comp.
type PoolMode uint32

const (
	PoolCLS PoolMode = iota
	PoolLast
	PoolMax
	PoolMean
	PoolMeanSqrt
	PoolWeightedMean
)

// A Pooling makes one vector, f32, of the rows of each sequence of x, [rows, Width]
// f32. Spans holds three words a sequence: first row, end row, and what the
// weights of a weighted mean count from.
type Pooling struct {
	Sequences, Width int
	Rows             int // of x that are read, for the account
	Mode             PoolMode
	X, Spans, Y      Ref
	OutRow, FirstOut int // elements between two rows of y (0: Width), and where the result starts
}

// Pass returns the dispatch that computes p.
func (p Pooling) Pass() Pass {
	outRow := p.OutRow
	if outRow == 0 {
		outRow = p.Width
	}
	elements := int64(p.Rows) * int64(p.Width)
	return Pass{
		Kernel: "pool", Constants: map[string]uint32{"MODE": uint32(p.Mode)},
		Push:   map[string]any{"groups": p.Width / 4, "out_row": outRow / 4, "first_out": p.FirstOut / 4},
		Bind:   []Ref{p.X, p.Spans, p.Y},
		Groups: [3]uint32{uint32(p.Sequences), ceilDiv(p.Width/4, 64), 1}, MultiplyAdds: elements, Bytes: 4 * elements,
	}
}

// CopyPass copies from to to, which have the same size.
func CopyPass(from, to Ref) Pass { return Pass{Bind: []Ref{from, to}, Bytes: 2 * from.Size} }

func ceilDiv(x, by int) uint32 { return uint32((x + by - 1) / by) }

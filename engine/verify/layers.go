package verify

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/reference"
)

// A layerCase is one pass of the encoder's other kernels, with its inputs and, once
// it is solved if there is something to solve, what it must make of them.
type layerCase struct {
	check
	text  string
	solve func()
}

// layers checks the kernels around attention on one generated problem each.
func (v *verifier) layers(ctx context.Context, index int) error {
	for _, tier := range v.Traits().Tiers() {
		traits := v.Traits().Untuned().OfTier(tier)
		// A generator of its own, so that both tiers get the same problems.
		random := rand.New(rand.NewPCG(v.options.Seed, uint64(index)|1<<32))
		var cases []*layerCase
		for i := range productsOfAProblem {
			// Where the tier has no kernel for it, it is another's, which has its turn.
			if c := matmulCase(random, traits, index, i); strings.HasPrefix(c.pass.Kernel, "matmul_"+string(tier)) {
				cases = append(cases, c)
			}
		}
		cases = append(cases, gatherCase(random, index))
		if tier == engine.Texels || tier == engine.Tiled { // others have the latter's
			cases = append(cases, layerNormCase(random, traits, index))
		}
		if tier == engine.Tiled { // these are the same in all tiers
			cases = append(cases, poolCase(random, index), mergeCase(random, index), cellsCase(random, index))
		}
		for _, c := range cases {
			if !v.wants(c.pass.Kernel) {
				continue
			}
			if err := v.layer(ctx, index, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// layer checks one case.
func (v *verifier) layer(ctx context.Context, index int, c *layerCase) error {
	if c.solve != nil {
		c.solve()
	}
	if err := v.RunPass(ctx, c.pass, c.buffers); err != nil {
		return err
	}
	return v.note(index, c.text, c.pass.Kernel, c.pass.Constants, c.compare())
}

func newLayerCase(format string, arguments ...any) *layerCase {
	return &layerCase{check: check{buffers: map[string][]byte{}}, text: fmt.Sprintf(format, arguments...)}
}

// tensor adds an input of normal values, rounded to precision, and returns them
// and a reference to it.
func (c *layerCase) tensor(random *rand.Rand, name string, count int, scale float64, precision engine.Precision) ([]float64, engine.Ref) {
	x := make([]float32, count)
	for i := range x {
		x[i] = round(float32(scale*random.NormFloat64()), precision)
	}
	size := 4
	if precision == engine.F16 {
		size = 2
	}
	c.buffers[name] = make([]byte, count*size)
	put(c.buffers[name], x, 1, precision)
	return reference.Widen(x), engine.Ref{Buffer: name, Size: int64(count * size)}
}

// result adds an output buffer of rows of pitch elements, and one row more that
// the kernel must leave alone.
func (c *layerCase) result(name string, rows, pitch int, precision engine.Precision) (*expectation, engine.Ref) {
	size := 4
	if precision == engine.F16 {
		size = 2
	}
	c.buffers[name] = make([]byte, (rows+1)*pitch*size)
	e := c.output(name, precision == engine.F16, pitch)
	return e, engine.Ref{Buffer: name, Size: int64((rows + 1) * pitch * size)}
}

func (c *layerCase) words(name string, words []uint32) engine.Ref {
	data := make([]byte, 0, 4*len(words))
	for _, w := range words {
		data = binary.LittleEndian.AppendUint32(data, w)
	}
	c.buffers[name] = data
	return engine.Ref{Buffer: name, Size: int64(len(data))}
}

func (c *layerCase) floats(name string, x []float32) engine.Ref {
	c.buffers[name] = make([]byte, 4*len(x))
	put(c.buffers[name], x, 1, engine.F32)
	return engine.Ref{Buffer: name, Size: int64(4 * len(x))}
}

// epilogues are those that encoders use, each activation and flag among them.
// Every one is a pipeline of its own to compile.
var epilogues = []struct {
	activation            engine.Activation
	name                  reference.Activation
	bias, gated, residual bool
	headDim               int // of the rotation; 0: none
}{
	{engine.Identity, reference.Identity, false, false, false, 0},
	{engine.Identity, reference.Identity, false, false, true, 0},
	{engine.Identity, reference.Identity, true, false, true, 0},
	{engine.Identity, reference.Identity, true, false, false, 64},
	{engine.GELU, reference.GELU, false, true, false, 0},
	{engine.GELU, reference.GELU, true, false, false, 0},
	{engine.Identity, reference.Identity, false, false, false, 96},
	{engine.SiLU, reference.SiLU, true, true, false, 0},
	{engine.GELUTanh, reference.GELUTanh, false, true, true, 0},
	{engine.Identity, reference.Identity, false, false, false, 32},
	{engine.ReLU, reference.ReLU, false, false, false, 0},
	{engine.Tanh, reference.Tanh, true, false, false, 0},
	{engine.Identity, reference.Identity, true, false, false, 128},
}

// productsOfAProblem is how many products a problem checks in each tier.
const productsOfAProblem = 3

// shapeOf returns the shape of product i of a problem. Every shape that the device
// can be tuned to is met in every precision, which takes turns with the problem's
// index, and the longer it goes on with the more of the epilogues. Each is a pipeline
// to compile, which takes longer than all else, so the products of a problem share as
// few shapes as will do.
func shapeOf(shapes []engine.MatMulShape, index, i int) engine.MatMulShape {
	turn, fresh := index/3, (len(shapes)+len(epilogues)-1)/len(epilogues)
	return shapes[(turn*fresh+i%fresh+turn/len(epilogues))%len(shapes)]
}

func matmulCase(random *rand.Rand, traits engine.Traits, index, i int) *layerCase {
	rows := []int{1, 7, 8, 9, 17, 31, 63, 64, 65, 100, 129}[random.IntN(11)]
	columns := 4 * []int{1, 2, 3, 8, 15, 16, 17, 32, 33, 40}[random.IntN(10)]
	depth := 4 * []int{1, 2, 3, 4, 5, 16, 17, 50, 96}[random.IntN(9)]
	m := engine.MatMul{Rows: rows, Columns: columns, Depth: depth, Precision: engine.F32, OutPrecision: engine.F32}
	switch index % 3 {
	case 1:
		m.Precision, m.OutPrecision = engine.F16, engine.F16
	case 2:
		m.Precision = engine.F16
	}
	traits.Tuning.MatMul = []engine.MatMulChoice{{Shape: shapeOf(traits.MatMulShapes(), index, i)}}
	epilogue := epilogues[index/3%len(epilogues)]
	if epilogue.headDim > 0 {
		columns = epilogue.headDim * (1 + random.IntN(3))
		m.Columns = columns
	}
	m.Activation, m.Gated, m.Residual = epilogue.activation, epilogue.gated, epilogue.residual && m.OutPrecision == engine.F32
	m.OutRow, m.FirstOut = columns+8, 4
	scale := []float64{1, 1, 3}[random.IntN(3)] / math.Sqrt(float64(depth))

	c := newLayerCase("%+v", m)
	a, aRef := c.tensor(random, "a", rows*depth, 1, m.Precision)
	weights := columns
	if m.Gated {
		weights *= 2
	}
	w, wRef := c.tensor(random, "w", weights*depth, scale, m.Precision)
	var bias []float64
	m.A, m.W = aRef, wRef
	if epilogue.bias {
		bias, m.Bias = c.tensor(random, "bias", weights, 1, engine.F32)
	}
	var cos, sin []float32
	var positions []uint32
	if epilogue.headDim > 0 {
		cos, sin = gaze.RoPE{Theta: 10000}.Table(epilogue.headDim, 200)
		for range rows {
			positions = append(positions, uint32(random.IntN(200)))
		}
		m.Rotary = engine.Rotary{HeadDim: epilogue.headDim, Columns: epilogue.headDim * random.IntN(columns/epilogue.headDim+1), Turns: c.floats("turns", engine.Turns(cos, sin)), Positions: c.words("positions", positions)}
	}
	e, out := c.result("out", rows, m.OutRow, m.OutPrecision)
	m.Out = out
	c.pass = m.Pass(traits)

	if m.Residual {
		for row := range rows {
			for col := range columns {
				putFloat(c.buffers["out"], row*m.OutRow+m.FirstOut+col, random.NormFloat64())
			}
		}
	}
	c.solve = func() {
		rounding := sumsError(onMatrixUnits(c.pass.Kernel))
		exact := reference.MatMul(a, w, bias, rows, weights, depth)
		magnitude := reference.MatMul(absolute(a), absolute(w), absolute(bias), rows, weights, depth)
		var turned []float64
		if epilogue.headDim > 0 {
			turned = reference.RopeInterleaved(exact, cos, sin, positions, columns/epilogue.headDim, epilogue.headDim)
		}
		for row := range rows {
			for col := range columns {
				i := row*weights + col
				value, bound := epilogue.name.Of(exact[i]), activationBound(exact[i], rounding*scoreBound(depth, magnitude[i]))
				switch epilogue.activation {
				case engine.Identity:
					bound = rounding * scoreBound(depth, magnitude[i])
					if col < m.Rotary.Columns {
						angle := int(positions[row])*epilogue.headDim/2 + col%epilogue.headDim/2
						own, other := math.Abs(float64(cos[angle])), math.Abs(float64(sin[angle]))
						value = turned[i]
						bound = own*bound + other*rounding*scoreBound(depth, magnitude[i^1]) +
							ropeBound(engine.F32, own*exact[i], other*exact[i^1], value)
					}
				case engine.Tanh:
					bound += 8 * u // 1 is taken from a quotient near 1, which has 2.5 ULP
				}
				if m.Gated {
					g, gBound := exact[i+columns], rounding*scoreBound(depth, magnitude[i+columns])
					value, bound = value*g, bound*(math.Abs(g)+gBound)+math.Abs(value)*gBound+2*u*math.Abs(value*g)
				}
				at := row*m.OutRow + m.FirstOut + col
				if m.Residual {
					before := getFloat(c.buffers["out"], at)
					value += before
					bound += 2 * u * (math.Abs(value) + math.Abs(before))
				}
				e.set(at, value, bound+storeBound(m.OutPrecision == engine.F16, value))
			}
		}
	}
	return c
}

func absolute(x []float64) []float64 {
	if x == nil {
		return nil
	}
	y := make([]float64, len(x))
	for i := range x {
		y[i] = math.Abs(x[i])
	}
	return y
}

func gatherCase(random *rand.Rand, index int) *layerCase {
	precision := engine.F32
	if index%2 == 1 {
		precision = engine.F16
	}
	g := engine.Gather{Rows: 1 + random.IntN(40), Width: 4 * (1 + random.IntN(70)), First: random.IntN(20), Count: 1 + random.IntN(30), Precision: precision}
	c := newLayerCase("%+v", g)
	table, ref := c.tensor(random, "table", g.Count*g.Width, 1, precision)
	g.Table = ref
	indices := make([]uint32, g.Rows)
	for i := range indices {
		indices[i] = uint32(random.IntN(60)) // some before the window, some after
	}
	g.Indices = c.words("indices", append(indices[:g.Rows:g.Rows], uint32(g.First))) // one past the end, to be ignored
	e, out := c.result("y", g.Rows, g.Width, engine.F32)
	g.Y = out
	c.pass = g.Pass()
	c.solve = func() {
		for i, at := range indices {
			if int(at) < g.First || int(at) >= g.First+g.Count {
				continue
			}
			for d, value := range reference.Gather(table, []uint32{at - uint32(g.First)}, g.Width) {
				e.set(i*g.Width+d, value, 0)
			}
		}
	}
	return c
}

func layerNormCase(random *rand.Rand, traits engine.Traits, index int) *layerCase {
	l := engine.LayerNorm{Rows: 1 + random.IntN(40), Width: 4 * (1 + random.IntN(300)), Epsilon: []float64{1e-5, 1e-12, 0.1}[random.IntN(3)], Precision: engine.F32}
	if index%2 == 1 {
		l.Precision = engine.F16
	}
	c := newLayerCase("%+v", l)
	offset := []float64{0, 0, 5}[random.IntN(3)] // a mean far from 0
	x, ref := c.tensor(random, "x", l.Rows*l.Width, 1, engine.F32)
	for i := range x {
		x[i] = float64(float32(x[i] + offset))
		putFloat(c.buffers["x"], i, x[i])
	}
	l.X = ref
	gain, ref := c.tensor(random, "gain", l.Width, 1, engine.F32)
	l.Gain = ref
	var bias []float64
	if random.IntN(2) == 0 {
		bias, l.Bias = c.tensor(random, "bias", l.Width, 1, engine.F32)
	}
	e, out := c.result("y", l.Rows, l.Width, l.Precision)
	l.Y = out
	c.pass = l.Pass(traits)
	c.solve = func() {
		exact := reference.LayerNorm(x, gain, bias, l.Epsilon, l.Rows, l.Width)
		for row := range l.Rows {
			bounds := layerNormBounds(x[row*l.Width:(row+1)*l.Width], gain, bias, l.Epsilon)
			for d, bound := range bounds {
				value := exact[row*l.Width+d]
				e.set(row*l.Width+d, value, bound+storeBound(l.Precision == engine.F16, value))
			}
		}
	}
	return c
}

var poolings = []struct {
	mode engine.PoolMode
	name reference.Pooling
}{{engine.PoolCLS, reference.PoolCLS}, {engine.PoolLast, reference.PoolLast}, {engine.PoolMax, reference.PoolMax},
	{engine.PoolMean, reference.PoolMean}, {engine.PoolMeanSqrt, reference.PoolMeanSqrt}, {engine.PoolWeightedMean, reference.PoolWeightedMean}}

func poolCase(random *rand.Rand, index int) *layerCase {
	pooling := poolings[index%len(poolings)]
	p := engine.Pooling{Sequences: 1 + random.IntN(5), Width: 4 * (1 + random.IntN(100)), Mode: pooling.mode, FirstOut: 4}
	p.OutRow = p.Width + 12
	offset := random.IntN(3)
	var spans []gaze.Span
	var words []uint32
	for range p.Sequences {
		length := 1 + random.IntN(50)
		spans = append(spans, gaze.Span{First: p.Rows, End: p.Rows + length})
		words = append(words, uint32(p.Rows), uint32(p.Rows+length), uint32(offset))
		p.Rows += length
	}
	c := newLayerCase("%+v", p)
	x, ref := c.tensor(random, "x", p.Rows*p.Width, 1, engine.F32)
	p.X, p.Spans = ref, c.words("spans", words)
	e, out := c.result("y", p.Sequences, p.OutRow, engine.F32)
	p.Y = out
	c.pass = p.Pass()
	c.solve = func() {
		exact := reference.Pool(x, spans, pooling.name, offset, p.Width)
		magnitude := reference.Pool(absolute(x), spans, pooling.name, offset, p.Width)
		for s := range p.Sequences {
			for d := range p.Width {
				bound := 0.0
				if pooling.mode >= engine.PoolMean {
					bound = (float64(spans[s].End-spans[s].First) + 12) * 2 * u * magnitude[s*p.Width+d]
				}
				e.set(s*p.OutRow+p.FirstOut+d, exact[s*p.Width+d], bound)
			}
		}
	}
	return c
}

package verify

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/reference"
)

// A problem is one generated attention layer and, once it is ready, its float64
// solution. It follows from seed and index alone.
type problem struct {
	index     int
	random    *rand.Rand // generates the tensors, once they are needed
	Attention gaze.Attention
	Lengths   gaze.Lengths
	Precision engine.Precision
	cramped   bool // planned for tiny buffers, so that heads and rows are done in parts
	data      string

	query, key, value []float32 // before rotation, exact in Precision

	// What each stage must give, [heads, n, headDim], [heads, n, n] or [heads, n].
	turnedQuery, turnedKey []float32 // after rotation, rounded to Precision
	exactQuery, exactKey   []float64 // after rotation, exact
	scores, weights        []float64
	output, lse            []float64
	magnitude              []float64 // [heads, n, n]: scale * sum of |q k|
	outputBounds           map[boundKind][]float64
	again, againBounds     []float64 // see recomputed
}

// A boundKind is what the bounds of a problem's output depend on beside it: see outputBounds.
type boundKind struct {
	share  float64
	matrix bool
	splits int
}

// cycle is the number of problems after which every head dimension, precision
// and kind of data has been met.
const cycle = 24

// fewest is how many problems a verification solves at least: the second shape of
// attention has its turn in the second cycle, and each head dimension and precision
// is met in 8 problems.
const fewest = cycle + 8

var (
	sizes = []int{1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 97, 127, 128, 129, 131, 257}
	kinds = []string{"normal", "large", "tiny", "equal rows", "spikes", "zeros"}
)

func newProblem(seed uint64, index int) *problem {
	random := rand.New(rand.NewPCG(seed, uint64(index)))
	p := &problem{index: index, Precision: engine.F32, data: kinds[index%len(kinds)], outputBounds: map[boundKind][]float64{}}
	if index/len(gaze.HeadDims)%2 == 1 {
		p.Precision = engine.F16
	}
	p.cramped = random.IntN(3) == 0
	p.Attention = gaze.Attention{Heads: 1 + random.IntN(3), HeadDim: gaze.HeadDims[index%len(gaze.HeadDims)]}
	switch random.IntN(8) {
	case 0: // one long sequence
		p.Attention.Heads = 1
		p.Lengths = gaze.Lengths{400 + random.IntN(500)}
	case 1, 2, 3: // several, packed
		for range 2 + random.IntN(4) {
			p.Lengths = append(p.Lengths, 1+random.IntN(70))
		}
	default:
		p.Lengths = gaze.Lengths{sizes[random.IntN(len(sizes))]}
	}
	p.Attention.Pattern = randomPattern(random, p.Lengths.Longest(), 2)
	if random.IntN(3) == 0 {
		p.Attention.Scale = math.Exp(random.NormFloat64()) / 8
	}
	if random.IntN(4) > 0 {
		p.Attention.RoPE.Theta = []float64{10000, 160000, 100}[random.IntN(3)]
	}
	p.random = random
	return p
}

// randomPattern returns any pattern, combined to at most depth levels.
func randomPattern(random *rand.Rand, length, depth int) gaze.Pattern {
	choices := 5
	if depth > 0 {
		choices = 8
	}
	width := func() int { return random.IntN(2 + length/(1+random.IntN(4))) }
	switch random.IntN(choices) {
	case 0:
		return gaze.Full{}
	case 1:
		return gaze.SlidingWindow{Left: width(), Right: width()}
	case 2:
		return gaze.DilatedWindow{Reach: random.IntN(20), Dilation: 1 + random.IntN(9)}
	case 3:
		tokens := make([]int, random.IntN(4))
		for i := range tokens {
			tokens[i] = random.IntN(length + 2) // sometimes past every end
		}
		return gaze.GlobalTokens{Tokens: tokens}
	case 4:
		return gaze.Causal{}
	}
	parts := make([]gaze.Pattern, 1+random.IntN(3))
	for i := range parts {
		parts[i] = randomPattern(random, length, depth-1)
	}
	if random.IntN(2) == 0 {
		return gaze.Any(parts)
	}
	return gaze.All(parts) // often leaves rows that see nothing
}

func (p *problem) String() string {
	return fmt.Sprintf("%d heads x %d, lengths %v, %s, %s data, %s", p.Attention.Heads, p.Attention.HeadDim, []int(p.Lengths), p.Attention.Visible(), p.data, p.Precision)
}

// fill makes the inputs. "large" reaches scores of some thousands, where a
// softmax without its maximum overflows.
func (p *problem) fill(random *rand.Rand) {
	n := p.Lengths.Tokens() * p.Attention.Heads * p.Attention.HeadDim
	tensor := func(scale float64) []float32 {
		x := make([]float32, n)
		for i := range x {
			switch p.data {
			case "zeros":
			case "equal rows":
				x[i] = float32(scale * math.Sin(float64(i%p.Attention.HeadDim)))
			case "spikes":
				if random.IntN(16) == 0 {
					x[i] = float32(scale * 8 * random.NormFloat64())
				}
			default:
				x[i] = float32(scale * random.NormFloat64())
			}
			x[i] = round(x[i], p.Precision)
		}
		return x
	}
	scale := map[string]float64{"large": 30, "tiny": 1e-3}[p.data]
	if scale == 0 {
		scale = 1
	}
	p.query, p.key, p.value = tensor(scale), tensor(scale), tensor(1)
}

// round returns x as a device with that precision stores it.
func round(x float32, precision engine.Precision) float32 {
	if precision == engine.F16 {
		return checkpoint.Float16ToFloat32(checkpoint.Float32ToFloat16(x))
	}
	return x
}

// ready makes the tensors and solves the problem, which takes longer than most
// kernels, unless that was done.
func (p *problem) ready() {
	if p.query == nil {
		p.fill(p.random)
		p.solve()
	}
}

// solve computes what every stage must give. Stages after the rotation start
// from its rounded result, as on the device.
func (p *problem) solve() {
	a, n := p.Attention, p.Lengths.Tokens()
	p.exactQuery, p.exactKey = reference.Widen(p.query), reference.Widen(p.key)
	if a.RoPE.Enabled() {
		cos, sin := a.RoPE.Table(a.HeadDim, p.Lengths.Longest())
		positions := p.Lengths.Positions()
		p.exactQuery = reference.Rope(p.exactQuery, cos, sin, positions, a.Heads, a.HeadDim)
		p.exactKey = reference.Rope(p.exactKey, cos, sin, positions, a.Heads, a.HeadDim)
	}
	rounded := func(exact []float64) []float32 {
		x := make([]float32, len(exact))
		for i := range x {
			x[i] = round(float32(exact[i]), p.Precision)
		}
		return x
	}
	p.turnedQuery, p.turnedKey = rounded(p.exactQuery), rounded(p.exactKey)
	q, k, v := reference.Widen(p.turnedQuery), reference.Widen(p.turnedKey), reference.Widen(p.value)
	scale := a.ScoreScale()
	p.scores = reference.Scores(q, k, scale, a.Heads, n, a.HeadDim)
	p.weights, p.lse = reference.Softmax(p.scores, a.Visible(), p.Lengths, a.Heads)
	p.output, _ = reference.Attention(q, k, v, scale, a.Visible(), p.Lengths, a.Heads, a.HeadDim)
	for i := range q {
		q[i], k[i] = math.Abs(q[i]), math.Abs(k[i])
	}
	p.magnitude = reference.Scores(q, k, scale, a.Heads, n, a.HeadDim)
}

package verify

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
)

// A part is what one pass covers of a problem: heads, and query tiles.
type part struct {
	p                     *problem
	plan                  *engine.Plan
	pass                  engine.Pass
	firstHead, heads      int
	firstTile, tiles      int
	rows, stride          int // of the weights buffer; 0 where the pass has none
	firstRow              int
	headRows              int // rows between two heads in per-head buffers
	n, headDim, queryTile int
	matrix                bool // the fused kernel multiplies on matrix units
	splits                int  // shares that keys are split into; 1: none are
	from, of              int  // the share of the keys that eachKey visits, of so many; 0 of 0: all
}

// check prepares the buffers of a pass and what it must make of them.
func (p *problem) check(plan *engine.Plan, pass engine.Pass) *check {
	pass.Bind = slices.Clone(pass.Bind)
	t := part{p: p, plan: plan, pass: pass, n: p.Lengths.Tokens(), headDim: p.Attention.HeadDim, queryTile: plan.Map.QueryTile, matrix: onMatrixUnits(pass.Kernel),
		firstTile: int(pass.Base[0]), tiles: int(pass.Groups[0]), splits: splitsOf(pass)}
	if rows, ok := pass.Push["chunk_rows"]; ok {
		t.rows, t.stride, t.firstRow = rows.(int), pass.Push["key_stride"].(int), pass.Push["first_row"].(int)
	}
	c := &check{buffers: map[string][]byte{}, pass: pass}
	for _, b := range plan.Buffers {
		for _, ref := range pass.Bind {
			if ref.Buffer == b.Name {
				c.buffers[b.Name] = filled(b.Bytes, unread)
			}
		}
	}
	t.findHeads()
	kernel := pass.Kernel
	switch {
	case strings.HasPrefix(kernel, "rope"):
		t.rope(c)
	case strings.HasPrefix(kernel, "scores"):
		t.inputs(c)
		t.scores(c)
	case kernel == "softmax":
		t.inputs(c)
		t.softmax(c)
	case strings.HasPrefix(kernel, "context"):
		t.inputs(c)
		t.context(c)
	case strings.HasPrefix(kernel, "attention") && t.splits > 1:
		t.inputs(c)
		t.shares(c)
	case strings.HasPrefix(kernel, "attention"):
		t.inputs(c)
		t.attention(c)
	case strings.HasPrefix(kernel, "merge"):
		t.merge(c)
	case strings.HasPrefix(kernel, "weights"):
		t.inputs(c)
		t.weights(c)
	default:
		panic("verify: no reference for kernel " + kernel)
	}
	return c
}

// findHeads tells the heads of a pass from the offset of a per-head binding.
func (t *part) findHeads() {
	t.heads = int(t.pass.Groups[1])
	for _, ref := range t.pass.Bind {
		for _, b := range t.plan.Buffers {
			perHead := b.Bytes / int64(t.p.Attention.Heads)
			switch b.Name {
			case "lse":
				t.headRows = int(perHead / 4)
			case "weights", "block map", "cosines", "sines", "positions", "shares", "lse of shares":
				continue
			}
			if b.Name == ref.Buffer {
				t.firstHead = int(ref.Offset / perHead)
			}
		}
	}
}

// inputs fills the tensors that the pass binds, after rotation.
func (t *part) inputs(c *check) {
	heads, precision := t.p.Attention.Heads, t.p.Precision
	for name, x := range map[string][]float32{"q": t.p.turnedQuery, "k": t.p.turnedKey, "q rotated": t.p.turnedQuery, "k rotated": t.p.turnedKey, "v": t.p.value} {
		if buffer := c.buffers[name]; buffer != nil {
			put(buffer, x, heads, precision)
		}
	}
	if buffer := c.buffers["block map"]; buffer != nil {
		copy(buffer, engine.Words(t.plan.Map))
	}
}

func putFloat(buffer []byte, at int, x float64) {
	binary.LittleEndian.PutUint32(buffer[4*at:], math.Float32bits(float32(x)))
}

func getFloat(buffer []byte, at int) float64 {
	return float64(math.Float32frombits(binary.LittleEndian.Uint32(buffer[4*at:])))
}

// eachRow calls do for every query of the part.
func (t *part) eachRow(do func(head, row int)) {
	for h := t.firstHead; h < t.firstHead+t.heads; h++ {
		for row := t.firstTile * t.queryTile; row < min((t.firstTile+t.tiles)*t.queryTile, t.n); row++ {
			do(h, row)
		}
	}
}

// eachKey calls do for every key of the tiles that the query's tile lists, or of
// t's share of them, keys past the last row included; visible tells which the query
// sees.
func (t *part) eachKey(row int, do func(key int, visible bool)) {
	m := t.plan.Map
	tile := row / t.queryTile
	entries := m.Tiles[m.First[tile]:m.First[tile+1]]
	if t.of > 0 {
		entries = entries[len(entries)*t.from/t.of : len(entries)*(t.from+1)/t.of]
	}
	for _, entry := range entries {
		word := uint32(math.MaxUint32)
		if entry.Mask > 0 {
			word = m.Masks[int(entry.Mask-1)*t.queryTile+row%t.queryTile]
		}
		for j := range gaze.KeyTile {
			do(int(entry.Key)*gaze.KeyTile+j, word>>j&1 == 1)
		}
	}
}

// at is the index of a weight in the pass's weights buffer.
func (t *part) at(head, row, key int) int {
	return ((head-t.firstHead)*t.rows+row-t.firstRow)*t.stride + key
}

// seen sums up what a query sees: how many keys, and the largest score bound.
func (t *part) seen(head, row int) (count int, score float64) {
	t.eachKey(row, func(key int, visible bool) {
		if visible {
			count++
			score = max(score, sumsError(t.matrix)*scoreBound(t.headDim, t.p.magnitude[(head*t.n+row)*t.n+key]))
		}
	})
	return count, score
}

// outputBounds is how far each element of the output may be, [heads, n,
// headDim]: each weight's own error, and the sum's. share is what the rotation
// adds to a score's error, as a share of the score's magnitude.
func (t *part) outputBounds(share float64) []float64 {
	p := t.p
	kind := boundKind{share, t.matrix, t.splits}
	if known := p.outputBounds[kind]; known != nil {
		return known
	}
	bounds := make([]float64, len(p.output))
	for h := range p.Attention.Heads {
		for row := range t.n {
			bound := bounds[(h*t.n+row)*t.headDim:][:t.headDim]
			if t.splits > 1 {
				t.mergedBounds(h, row, share, bound)
			} else {
				t.rowBounds(h, row, p.lse[h*t.n+row], share, bound)
			}
		}
	}
	p.outputBounds[kind] = bounds
	return bounds
}

// rowBounds adds to bound, which is zero, how far each element of a query's output
// may be, over t's keys, whose log-sum-exp is lse.
func (t *part) rowBounds(head, row int, lse, share float64, bound []float64) {
	p := t.p
	count, score := t.seen(head, row)
	score *= t.turned(share)
	// A running maximum rescales the sum at every block of keys: at most once a key.
	rescaling := 8 * u * float64(count)
	magnitude := make([]float64, t.headDim)
	t.eachKey(row, func(key int, visible bool) {
		if !visible {
			return
		}
		x := p.scores[(head*t.n+row)*t.n+key] - lse
		relative := weightBound(x, score, count) + rescaling
		lost := 0.0
		if t.matrix {
			relative, lost = relative+halfStep, weightTiny
		}
		weight := math.Exp(x)
		for d, v := range p.value[(head*t.n+key)*t.headDim:][:t.headDim] {
			product := weight * math.Abs(float64(v))
			magnitude[d] += product
			bound[d] += product*relative + flushBound(float64(v)) + lost*math.Abs(float64(v))
		}
	})
	for d := range bound {
		bound[d] += sumsError(t.matrix) * contextBound(count, magnitude[d])
	}
}

// turned is the factor on the bound of a score whose rotation adds a share of its magnitude.
func (t *part) turned(share float64) float64 { return 1 + share/(float64(t.headDim+4)*u) }

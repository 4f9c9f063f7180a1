package engine

import (
	"fmt"

	"github.com/gazevk/gaze"
)

// A Request is one attention layer over packed sequences.
type Request struct {
	Attention gaze.Attention
	Lengths   gaze.Lengths
	Precision Precision
	Path      Path
	Weights   bool // the weights are wanted, row by row
}

// A Plan is how a request is computed on a device with some traits: a plain
// value. Steps run in order; the reads of a step follow its passes.
type Plan struct {
	Request
	Traits       Traits
	Map          *gaze.BlockMap
	Buffers      []BufferSpec
	Steps        []Step
	MultiplyAdds int64 // of all passes, in tiles that are walked
}

// A BufferSpec is one buffer of a plan.
type BufferSpec struct {
	Name   string
	Bytes  int64
	Memory Memory
}

// A Step is what is submitted together, as far as time allows.
type Step struct {
	Passes []Pass
	Reads  []Read
}

// A Pass is one dispatch. Where Kernel is empty it zeroes the one buffer that it
// binds, or copies the first of two to the second.
type Pass struct {
	Kernel       string
	Constants    map[string]uint32 // specialization
	Push         map[string]any
	Bind         []Ref  // in the order of the kernel's bindings
	Fill         uint32 // without a kernel and with one Ref: the word that fills it
	Base, Groups [3]uint32
	Tiles        []uint32 // gaze.BlockMap.First of the map that the kernel walks, nil where it walks none
	MultiplyAdds int64
	Bytes        int64 // that the pass must at least move, each element once

	call *call // what it is on a device, in a recording
}

// A Ref is a range of a plan's buffer.
type Ref struct {
	Buffer       string
	Offset, Size int64
}

// A Read brings the weights of rows of heads back to the CPU.
type Read struct {
	Ref
	FirstHead, Heads, FirstRow, Rows int
	Keys                             int // weights of a row
	Stride                           int // elements between rows
}

// Buffer names.
const (
	bufQuery, bufKey, bufValue         = "q", "k", "v"
	bufQueryTurned, bufKeyTurned       = "q rotated", "k rotated"
	bufCosine, bufSine, bufPositions   = "cosines", "sines", "positions"
	bufMap, bufOutput, bufLSE, bufWork = "block map", "output", "lse", "weights"
	bufShares, bufShareLSE             = "shares", "lse of shares"
)

// weightsBudget bounds the bytes of the explicit path's weight buffer, which
// holds as many rows as fit.
const weightsBudget = 256 << 20

// planner gathers a plan.
type planner struct {
	*Plan
	rows       int
	headStride int64 // rows, rounded up so that any head starts at an aligned offset
	tile       int
	group      headGroup
	suffix     string // of kernels that exist in both precisions
}

// A headGroup is the heads that one pass covers: as many as one binding holds.
type headGroup struct{ first, count int }

// NewPlan plans r for a device with traits t. It returns an error where the
// request has no meaning or cannot fit.
func NewPlan(t Traits, r Request) (*Plan, error) {
	r, err := r.resolve(t.Tier)
	if err != nil {
		return nil, err
	}
	p := &planner{Plan: &Plan{Request: r, Traits: t}, rows: r.Lengths.Tokens(), tile: t.QueryTile(r.Precision, r.Attention.HeadDim, r.Attention.ScoreScale()), suffix: "_" + string(r.Precision)}
	p.headStride = roundUp(int64(p.rows), 64)
	if err := p.limits(); err != nil {
		return nil, err
	}
	p.Map = gaze.NewBlockMap(r.Attention.Visible(), r.Lengths, p.tile)
	if err := p.buffers(); err != nil {
		return nil, err
	}
	groups, err := p.headGroups()
	if err != nil {
		return nil, err
	}
	for _, p.group = range groups {
		if r.Attention.RoPE.Enabled() {
			p.add(p.rope(bufQuery, bufQueryTurned), p.rope(bufKey, bufKeyTurned))
		}
		if r.Path == Fused {
			p.add(p.fused()...)
		}
		if r.Path == Explicit || r.Weights {
			if err := p.chunks(); err != nil {
				return nil, err
			}
		}
	}
	for _, s := range p.Steps {
		for _, pass := range s.Passes {
			p.MultiplyAdds += pass.MultiplyAdds
		}
	}
	return p.Plan, nil
}

func (p *planner) add(passes ...Pass) {
	if len(p.Steps) == 0 || len(p.Steps[len(p.Steps)-1].Reads) > 0 {
		p.Steps = append(p.Steps, Step{})
	}
	last := &p.Steps[len(p.Steps)-1]
	last.Passes = append(last.Passes, passes...)
}

// tensorBytes is the size of one head of q, k or v; outputBytes of the output.
func (p *planner) tensorBytes() int64 {
	return p.headStride * int64(p.Attention.HeadDim) * p.Precision.size()
}

func (p *planner) outputBytes() int64 { return p.headStride * int64(p.Attention.HeadDim) * 4 }

func (p *planner) mapBytes() int64 {
	return MapBytes(p.Map)
}

func (p *planner) buffers() error {
	heads := int64(p.Attention.Heads)
	add := func(name string, bytes int64) { p.Buffers = append(p.Buffers, BufferSpec{Name: name, Bytes: bytes}) }
	for _, name := range []string{bufQuery, bufKey, bufValue} {
		add(name, heads*p.tensorBytes())
	}
	if p.Attention.RoPE.Enabled() {
		table := int64(p.Lengths.Longest()) * int64(p.Attention.HeadDim/2) * 4
		add(bufCosine, table)
		add(bufSine, table)
		add(bufPositions, 4*int64(p.rows))
		add(bufQueryTurned, heads*p.tensorBytes())
		add(bufKeyTurned, heads*p.tensorBytes())
	}
	add(bufMap, p.mapBytes())
	add(bufOutput, heads*p.outputBytes())
	add(bufLSE, heads*p.headStride*4)
	for _, b := range p.Buffers {
		switch b.Name {
		case bufMap, bufCosine, bufSine, bufPositions:
			if err := p.fits(b.Name, b.Bytes); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *planner) headGroups() ([]headGroup, error) {
	perHead := p.outputBytes()
	fit := int(min(p.Traits.StorageRange/perHead, int64(p.Attention.Heads), int64(p.Traits.GroupCount[1])))
	if fit == 0 {
		return nil, fmt.Errorf("one head of %d tokens needs %s in one buffer; %s binds %s at most: split the batch",
			p.rows, mebibytes(perHead), p.Traits.Device, mebibytes(p.Traits.StorageRange))
	}
	var groups []headGroup
	for first := 0; first < p.Attention.Heads; first += fit {
		groups = append(groups, headGroup{first, min(fit, p.Attention.Heads-first)})
	}
	return groups, nil
}

// of returns the range of a per-head buffer that the group's heads take.
func (g headGroup) of(buffer string, perHead int64) Ref {
	return Ref{buffer, int64(g.first) * perHead, int64(g.count) * perHead}
}

func (p *Plan) whole(name string) Ref {
	for _, b := range p.Buffers {
		if b.Name == name {
			return Ref{name, 0, b.Bytes}
		}
	}
	panic("engine: no buffer " + name)
}

// turned names the buffer that attention reads: the rotated one where RoPE is on.
func (p *planner) turned(plain, rotated string) string {
	if p.Attention.RoPE.Enabled() {
		return rotated
	}
	return plain
}

func (p *planner) rope(from, to string) Pass {
	return Rotation{
		Heads: p.group.count, HeadDim: p.Attention.HeadDim, Rows: p.rows, Precision: p.Precision, From: p.layout(), To: p.layout(),
		X: p.group.of(from, p.tensorBytes()), Y: p.group.of(to, p.tensorBytes()),
		Cosines: p.whole(bufCosine), Sines: p.whole(bufSine), Positions: p.whole(bufPositions),
	}.Pass()
}

// layout is that of every tensor [heads, n, headDim] of a plan.
func (p *planner) layout() Layout {
	return Layout{Row: p.Attention.HeadDim, Head: int(p.headStride) * p.Attention.HeadDim}
}

// visit returns the push constants that every kernel which walks the block map takes.
func (p *planner) visit(more map[string]any) map[string]any {
	push := map[string]any{"rows": p.rows, "map_tiles": len(p.Map.First), "map_masks": len(p.Map.First) + 2*len(p.Map.Tiles),
		"lse_head": int(p.headStride)}
	for name, value := range more {
		push[name] = value
	}
	return push
}

// tilePairs is the number of (query, key) pairs in the tiles of query tiles [first, end).
func (p *planner) tilePairs(first, end int) int64 {
	return int64(p.Map.First[end]-p.Map.First[first]) * int64(p.tile) * gaze.KeyTile
}

// OnMatrixUnits reports whether the plan's fused attention multiplies on matrix units.
func (p *Plan) OnMatrixUnits() bool {
	f := FusedAttention{Precision: p.Precision, HeadDim: p.Attention.HeadDim, Scale: p.Attention.ScoreScale()}
	return p.Path == Fused && p.Traits.AttentionShape(f).Tier == Matrix
}

func roundUp(x, multiple int64) int64 { return (x + multiple - 1) / multiple * multiple }

// DeviceBytes returns the device memory that p's buffers take.
func (p *Plan) DeviceBytes() int64 {
	sum := int64(0)
	for _, b := range p.Buffers {
		sum += b.Bytes
	}
	return sum
}

// smaller says what takes less memory than p.
func (p *Plan) smaller() string {
	ways := "fewer tokens or heads"
	if p.Precision == F32 {
		ways += ", or f16"
	}
	if p.Path == Explicit {
		ways += ", or the fused path"
	}
	return ways
}

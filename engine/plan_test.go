package engine

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/shaders"
)

// randomRequest returns a small layer of any kind.
func randomRequest(random *rand.Rand) Request {
	r := Request{
		Attention: gaze.Attention{Heads: 1 + random.IntN(7), HeadDim: gaze.HeadDims[random.IntN(len(gaze.HeadDims))]},
		Precision: []Precision{F32, F16}[random.IntN(2)],
		Path:      []Path{Fused, Explicit}[random.IntN(2)],
		Weights:   random.IntN(2) == 0,
	}
	if random.IntN(2) == 0 {
		r.Attention.RoPE.Theta = 10000
	}
	for range 1 + random.IntN(4) {
		r.Lengths = append(r.Lengths, 1+random.IntN(150))
	}
	width := random.IntN(100)
	r.Attention.Pattern = []gaze.Pattern{
		nil, gaze.Causal{}, gaze.SlidingWindow{Left: width, Right: width / 2}, gaze.DilatedWindow{Reach: width, Dilation: 3},
		gaze.GlobalTokens{Tokens: []int{0, width}}, gaze.Any{gaze.SlidingWindow{Left: 4, Right: 4}, gaze.GlobalTokens{Tokens: []int{1}}},
	}[random.IntN(6)]
	return r
}

// randomTraits returns a device that is like many or like none.
func randomTraits(random *rand.Rand) Traits {
	t := AnyDevice
	t.Device = "test device"
	t.Tier, t.Units = Tiers[random.IntN(len(Tiers))], MatrixUnits{M: 16, N: 16, K: 16, Subgroup: 32}
	t.CPU = random.IntN(2) == 0
	t.StorageAlignment = 1 << random.IntN(9)
	t.GroupCount = [3]int{40 + random.IntN(100), 1 + random.IntN(4), 64}
	return t
}

// leastRange returns the smallest multiple of 4 that works as t's StorageRange for r.
func leastRange(tb testing.TB, t Traits, r Request) int64 {
	tb.Helper()
	low, high := int64(0), int64(1<<27)/4
	for low < high {
		t.StorageRange = (low + high) / 2 * 4
		if _, err := NewPlan(t, r); err == nil {
			high = t.StorageRange / 4
		} else {
			if !strings.Contains(err.Error(), "test device binds") && !strings.Contains(err.Error(), "test device holds") {
				tb.Fatalf("%+v on %+v: the error does not name the limit: %v", r, t, err)
			}
			low = t.StorageRange/4 + 1
		}
	}
	return high * 4
}

func TestPlansCoverEverythingOnce(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 400 {
		traits, request := randomTraits(random), randomRequest(random)
		if random.IntN(2) == 0 {
			traits = split(traits, request, 1+random.IntN(5))
		}
		switch least := leastRange(t, traits, request); i % 3 {
		case 0:
			traits.StorageRange = least
		case 1:
			traits.StorageRange = least + random.Int64N(4*least)
		}
		plan, err := NewPlan(traits, request)
		if err != nil {
			t.Fatalf("%+v on %+v: %v", request, traits, err)
		}
		c := coverage{plan: plan, tiles: map[string]int{}, turned: map[string]int{}, splits: map[int]int{}, merged: map[int]int{}}
		if err := c.plans(); err != nil {
			t.Fatalf("plan %d: %+v on %+v: %v", i, request, traits, err)
		}
		again, err := NewPlan(traits, request)
		if err != nil || !reflect.DeepEqual(plan, again) {
			t.Fatalf("plan %d: %+v is planned differently the second time (%v)", i, request, err)
		}
	}
}

// attention is what the shape of p's fused pass follows from.
func (p *Plan) attention() FusedAttention {
	return FusedAttention{HeadDim: p.Attention.HeadDim, Precision: p.Precision, Scale: p.Attention.ScoreScale()}
}

// split returns t with the keys of r's fused attention split among so many workgroups.
func split(t Traits, r Request, splits int) Traits {
	shape := t.AttentionShape(FusedAttention{HeadDim: r.Attention.HeadDim, Precision: r.Precision, Scale: r.Attention.ScoreScale()})
	shape.Splits = splits
	t.Tuning.Attention = []AttentionChoice{{Shape: shape}}
	return t
}

// A coverage follows the passes of a plan and counts what they do.
type coverage struct {
	plan   *Plan
	tiles  map[string]int // how often each kernel does each part of each query tile of each head
	turned map[string]int // how often each row of each head is rotated, by tensor
	splits map[int]int    // shares of the keys of each head that fused attention has computed
	merged map[int]int    // how often those were joined
	chunk  chunk
	read   int // weights rows that were read back
}

// A chunk is what the weights buffer holds.
type chunk struct {
	head, heads, row, rows, stride int
	stage                          string // the kernel that wrote it last
}

func (c *coverage) plans() error {
	p := c.plan
	a, n := p.Attention, p.Lengths.Tokens()
	if err := c.buffers(); err != nil {
		return err
	}
	multiplyAdds := int64(0)
	for _, s := range p.Steps {
		for _, pass := range s.Passes {
			multiplyAdds += pass.MultiplyAdds
			if err := c.pass(pass); err != nil {
				return fmt.Errorf("pass %s: %w", pass.Kernel, err)
			}
		}
		for _, read := range s.Reads {
			if err := c.reads(read); err != nil {
				return err
			}
		}
	}
	if multiplyAdds != p.MultiplyAdds {
		return fmt.Errorf("the passes sum to %d multiply-adds, the plan says %d", multiplyAdds, p.MultiplyAdds)
	}
	// Every kernel of the path has done every head and tile once.
	kernels := []string{fusedKernel(p)}
	if p.Path == Explicit {
		kernels = []string{"scores_" + string(p.Precision), "softmax", "context_" + string(p.Precision)}
	} else if p.Weights {
		kernels = append(kernels, "weights_"+string(p.Precision))
	}
	total := 0
	for _, kernel := range kernels {
		for head := range a.Heads {
			parts := c.parts(kernel, head)
			for tile := range p.Map.QueryTiles() {
				for part := range parts {
					if key := fmt.Sprint(kernel, head, tile, part); c.tiles[key] != 1 {
						return fmt.Errorf("%s does head %d, tile %d, part %d %d times", kernel, head, tile, part, c.tiles[key])
					}
					total++
				}
			}
		}
	}
	if total != len(c.tiles) {
		return fmt.Errorf("%d parts of tiles are computed, there are %d", len(c.tiles), total)
	}
	for head, splits := range c.splits {
		if want := min(splits-1, 1); c.merged[head] != want {
			return fmt.Errorf("%d shares of head %d are joined %d times", splits, head, c.merged[head])
		}
	}
	want := 0
	if a.RoPE.Enabled() {
		want = 2 * a.Heads * n
	}
	for row, times := range c.turned {
		if times != 1 {
			return fmt.Errorf("%s is rotated %d times", row, times)
		}
	}
	if len(c.turned) != want {
		return fmt.Errorf("%d rows are rotated, not %d", len(c.turned), want)
	}
	want = 0
	if p.Weights {
		want = a.Heads * n
	}
	if c.read != want {
		return fmt.Errorf("%d rows of weights are read, not %d", c.read, want)
	}
	return nil
}

// parts is the extent of a kernel's grid in dimension 2.
func (c *coverage) parts(kernel string, head int) int {
	p := c.plan
	switch {
	case kernel == "softmax":
		return p.Map.QueryTile // a workgroup a row
	case strings.HasPrefix(kernel, "context"):
		return p.Attention.HeadDim / contextPart(p.Attention.HeadDim)
	case strings.HasPrefix(kernel, "attention"):
		return c.splits[head] * p.Map.QueryTile / p.Traits.AttentionShape(p.attention()).Rows
	}
	return 1
}

func (c *coverage) buffers() error {
	seen := map[string]bool{}
	for _, b := range c.plan.Buffers {
		if seen[b.Name] || b.Bytes < 4 || b.Bytes%4 != 0 {
			return fmt.Errorf("buffer %s of %d bytes", b.Name, b.Bytes)
		}
		seen[b.Name] = true
	}
	if words := len(Words(c.plan.Map)); int64(words) != c.bytes(bufMap) {
		return fmt.Errorf("the block map's words take %d bytes, its buffer has %d", words, c.bytes(bufMap))
	}
	return nil
}

func (c *coverage) bytes(buffer string) int64 {
	for _, b := range c.plan.Buffers {
		if b.Name == buffer {
			return b.Bytes
		}
	}
	return -1
}

// head returns the first head of a binding of a per-head buffer, and how many it spans.
func (c *coverage) head(ref Ref) (first, count int, err error) {
	perHead := c.bytes(ref.Buffer) / int64(c.plan.Attention.Heads)
	if ref.Offset%perHead != 0 || ref.Size%perHead != 0 {
		return 0, 0, fmt.Errorf("%+v is no whole number of heads of %d bytes", ref, perHead)
	}
	return int(ref.Offset / perHead), int(ref.Size / perHead), nil
}

func (c *coverage) pass(pass Pass) error {
	p := c.plan
	for _, ref := range pass.Bind {
		if ref.Offset < 0 || ref.Size < 4 || ref.Offset+ref.Size > c.bytes(ref.Buffer) {
			return fmt.Errorf("%+v lies outside its buffer of %d bytes", ref, c.bytes(ref.Buffer))
		}
		if ref.Size > p.Traits.StorageRange || ref.Offset%p.Traits.StorageAlignment != 0 {
			return fmt.Errorf("%+v cannot be bound", ref)
		}
	}
	if pass.Kernel == "" {
		if len(pass.Bind) != 1 || pass.Bind[0].Buffer != bufWork || !p.Weights {
			return fmt.Errorf("a fill of %+v", pass.Bind)
		}
		c.chunk = chunk{stage: "zero"}
		return nil
	}
	kernel, err := shaders.Embedded.Kernel(pass.Kernel)
	if err != nil {
		return err
	}
	if _, err := kernel.Encode(pass.Push); err != nil {
		return err
	}
	for name := range pass.Constants {
		if _, ok := kernel.Constants[name]; !ok {
			return fmt.Errorf("no constant %s", name)
		}
	}
	if len(pass.Bind) != len(kernel.Bindings) {
		return fmt.Errorf("%d bindings, the kernel has %d", len(pass.Bind), len(kernel.Bindings))
	}
	for i, limit := range p.Traits.GroupCount {
		if pass.Groups[i] < 1 || int(pass.Base[i]+pass.Groups[i]) > limit {
			return fmt.Errorf("workgroups %v from %v on, the device has %v", pass.Groups, pass.Base, p.Traits.GroupCount)
		}
	}
	// Which heads, from every binding that has heads.
	first, count := -1, int(pass.Groups[1])
	for _, ref := range pass.Bind {
		switch ref.Buffer {
		case bufMap, bufCosine, bufSine, bufPositions:
			if ref.Offset != 0 || ref.Size != c.bytes(ref.Buffer) {
				return fmt.Errorf("only a part of the %s is bound", ref.Buffer)
			}
		case bufWork:
		case bufShares, bufShareLSE:
			width := int64(4)
			if ref.Buffer == bufShares {
				width *= int64(p.Attention.HeadDim)
			}
			if want := int64(count) * int64(pass.Constants["SPLITS"]) * int64(p.Lengths.Tokens()) * width; ref != (Ref{ref.Buffer, 0, want}) {
				return fmt.Errorf("%d bytes of shares are in %+v", want, ref)
			}
		default:
			f, n, err := c.head(ref)
			if err != nil || n != count || (first >= 0 && f != first) {
				return fmt.Errorf("%d heads are computed, but %+v: %v", count, ref, err)
			}
			first = f
		}
	}
	if strings.HasPrefix(pass.Kernel, "rope") {
		return c.rope(pass, first, count)
	}
	if strings.HasPrefix(pass.Kernel, "merge") {
		return c.merge(pass, first, count)
	}
	if push := pass.Push; push["map_tiles"] != len(p.Map.First) || push["map_masks"] != len(p.Map.First)+2*len(p.Map.Tiles) {
		return fmt.Errorf("the block map is looked for at %v and %v", push["map_tiles"], push["map_masks"])
	}
	if err := c.stage(pass, first, count); err != nil {
		return err
	}
	for head := first; head < first+count; head++ {
		if strings.HasPrefix(pass.Kernel, "attention") {
			c.splits[head] = max(int(pass.Constants["SPLITS"]), 1)
		}
		for tile := pass.Base[0]; tile < pass.Base[0]+pass.Groups[0]; tile++ {
			for part := range pass.Groups[2] {
				c.tiles[fmt.Sprint(pass.Kernel, head, tile, part)]++
			}
		}
		for _, ref := range pass.Bind {
			last := fmt.Sprint(ref.Buffer, head, p.Lengths.Tokens()-1)
			if (ref.Buffer == bufQueryTurned || ref.Buffer == bufKeyTurned) && c.turned[last] == 0 {
				return fmt.Errorf("%s of head %d is used before it is made", ref.Buffer, head)
			}
			if p.Attention.RoPE.Enabled() && (ref.Buffer == bufQuery || ref.Buffer == bufKey) {
				return fmt.Errorf("%s is used as it was before rotation", ref.Buffer)
			}
		}
	}
	return nil
}

func (c *coverage) rope(pass Pass, first, count int) error {
	from, to := pass.Bind[0].Buffer, pass.Bind[4].Buffer
	if to != from+" rotated" {
		return fmt.Errorf("%s is rotated into %s", from, to)
	}
	for head := first; head < first+count; head++ {
		for row := int(pass.Base[0]) * turnedRows; row < min(int(pass.Base[0]+pass.Groups[0])*turnedRows, c.plan.Lengths.Tokens()); row++ {
			c.turned[fmt.Sprint(to, head, row)]++
		}
	}
	return nil
}

// merge holds that the shares of just these heads were computed last.
func (c *coverage) merge(pass Pass, first, count int) error {
	if want := ceilDiv(c.plan.Lengths.Tokens(), mergedRows); pass.Groups != [3]uint32{want, uint32(count), 1} || first+count != len(c.splits) {
		return fmt.Errorf("%v workgroups join heads %d+%d of %d", pass.Groups, first, count, len(c.splits))
	}
	for head := first; head < first+count; head++ {
		if splits := int(pass.Constants["SPLITS"]); splits != c.splits[head] || splits < 2 {
			return fmt.Errorf("%d shares of head %d are joined, there are %d", splits, head, c.splits[head])
		}
		c.merged[head]++
	}
	return nil
}

// fusedKernel names the kernel of the fused pass, whose output is f32 in any case.
func fusedKernel(p *Plan) string {
	shape := p.Traits.AttentionShape(p.attention())
	name := "attention_" + string(shape.Tier) + "_" + string(p.Precision)
	if p.Precision == F16 {
		name += "_f32"
	}
	return name
}

// stage follows the weights buffer from scores to softmax to context.
func (c *coverage) stage(pass Pass, head, heads int) error {
	p := c.plan
	rows, ok := pass.Push["chunk_rows"].(int)
	if !ok {
		return nil // the fused pass has no weights
	}
	row, stride := pass.Push["first_row"].(int), pass.Push["key_stride"].(int)
	n, tile := p.Lengths.Tokens(), p.Map.QueryTile
	if row != int(pass.Base[0])*tile || rows != min(int(pass.Base[0]+pass.Groups[0])*tile, n)-row {
		return fmt.Errorf("tiles %d+%d of %d rows hold rows %d+%d", pass.Base[0], pass.Groups[0], tile, row, rows)
	}
	if stride < n || stride%gaze.KeyTile != 0 {
		return fmt.Errorf("%d keys take a stride of %d", n, stride)
	}
	for _, ref := range pass.Bind {
		if ref.Buffer == bufWork && (ref.Offset != 0 || ref.Size != int64(heads)*int64(rows)*int64(stride)*4) {
			return fmt.Errorf("%d heads, %d rows and %d keys are in %+v", heads, rows, stride, ref)
		}
	}
	name, _, _ := strings.Cut(pass.Kernel, "_")
	for h := head; name == "weights" && h < head+heads; h++ {
		if last := fmt.Sprint(fusedKernel(p), h, p.Map.QueryTiles()-1, 0); c.tiles[last] == 0 {
			return fmt.Errorf("the lse of head %d is used before it is made", h)
		}
	}
	before := map[string]string{"softmax": "scores", "context": "softmax"}[name]
	if before == "" && p.Weights {
		before = "zero"
	} else if before == "" {
		before = c.chunk.stage
	} else if c.chunk != (chunk{head, heads, row, rows, stride, before}) {
		return fmt.Errorf("of heads %d+%d, rows %d+%d, but the buffer holds %+v", head, heads, row, rows, c.chunk)
	}
	if c.chunk.stage != before {
		return fmt.Errorf("follows %q, not %q", c.chunk.stage, before)
	}
	c.chunk = chunk{head, heads, row, rows, stride, name}
	return nil
}

// reads holds a read against the buffer, and against the order that Watch promises.
func (c *coverage) reads(r Read) error {
	last := map[Path]string{Fused: "weights", Explicit: "context"}[c.plan.Path]
	if c.chunk != (chunk{r.FirstHead, r.Heads, r.FirstRow, r.Rows, r.Stride, last}) {
		return fmt.Errorf("read %+v of a buffer that holds %+v", r, c.chunk)
	}
	if want := int64(r.Heads) * int64(r.Rows) * int64(r.Stride) * 4; r.Ref != (Ref{bufWork, 0, want}) {
		return fmt.Errorf("read %+v has %d bytes", r, want)
	}
	n := c.plan.Lengths.Tokens()
	for h := range r.Heads {
		for i := range r.Rows {
			if at := (r.FirstHead+h)*n + r.FirstRow + i; at != c.read {
				return fmt.Errorf("row %d is read where row %d is due", at, c.read)
			}
			c.read++
		}
	}
	c.chunk.stage = "read"
	return nil
}

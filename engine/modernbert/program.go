package modernbert

import (
	"fmt"
	"slices"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/checkpoint"
)

// A Want says what a forward pass gives beside nothing. n is the number of
// packed tokens, D the hidden size.
type Want struct {
	Hidden       bool              // last_hidden_state: after the final norm, [n, D]
	HiddenStates bool              // the embeddings and what each layer gives, before the final norm, [n, D] each
	Logits       bool              // the head's output
	Rows         []int             // masked LM: the packed rows that logits are wanted of; nil means all
	Pool         []engine.PoolMode // pooled vectors of the final hidden states, one after another
	PoolSkip     int               // leading tokens of each sequence that pooling leaves out, a prompt's

	// Attention is what each layer computes in place of the checkpoint's own
	// ([checkpoint.Config.Attentions], with changes); nil means that. Heads and
	// HeadDim must be the checkpoint's.
	Attention []gaze.Attention
	Capture   []int // layers whose attention weights can be had afterwards, of the output's Capture
}

// A Program is a forward pass over sequences of given lengths: a plain value.
type Program struct {
	Config    checkpoint.Config
	Head      checkpoint.Head
	Precision engine.Precision
	Lengths   gaze.Lengths
	Want      Want

	Attention []gaze.Attention // [layers]: what each computes
	Maps      []*gaze.BlockMap // [layers]: their patterns over Lengths; of equal patterns the same

	Buffers  []engine.BufferSpec // ids are where the CPU writes best, outputs where it reads best
	Captured []engine.BufferSpec // what Want.Capture adds to them, for each forward pass anew
	Passes   []engine.Pass
	Complete []CompleteLayer   // those of Want.Capture, in order
	Inputs   map[string][]byte // what is uploaded once for these lengths
	// Rows and columns of the logits, and elements between two of their rows.
	LogitRows, LogitColumns, LogitStride int
}

// A CompleteLayer is a captured layer, and how many of a program's passes it takes
// until its queries, keys and log-sum-exps are there.
type CompleteLayer struct{ Layer, Passes int }

// Steps returns the program's passes, cut behind each captured layer: step i ends
// with Complete[i], and what is left is the last.
func (p *Program) Steps() []engine.Step {
	var steps []engine.Step
	first := 0
	for _, c := range p.Complete {
		steps = append(steps, engine.Step{Passes: p.Passes[first:c.Passes]})
		first = c.Passes
	}
	return append(steps, engine.Step{Passes: p.Passes[first:]})
}

// Names of activation buffers. All are [n, D] but where the comment says otherwise.
const (
	bufIDs       = "ids"       // [n] u32
	bufPositions = "positions" // [n] u32
	bufEmbedded  = "embedded"  // f32
	bufResidual  = "residual"  // f32: the stream that every layer adds to
	bufNormed    = "normed"    // the input of attention and of the MLP
	bufQuery     = "query"     // and keys: rotated, the elements of each head interleaved
	bufKey       = "key"
	bufValue     = "value"
	bufContext   = "context"
	bufGated     = "gated"  // [n, I]
	bufLSE       = "lse"    // [heads, n] f32
	bufShares    = "shares" // [heads, splits, n, D/heads] f32, of split keys
	bufShareLSE  = "lse of shares"
	bufHidden    = "hidden" // f32
	bufRows      = "rows"   // [r] u32: rows that the head works on
	bufSpans     = "spans"  // [sequences, 3] u32, of pooling
	bufHeadSpans = "head spans"
	bufPicked    = "picked" // [r, D] f32: those rows, or a pooled vector for each sequence
	bufPickNorm  = "picked normed"
	bufDense     = "head dense" // [r, D] f32
	bufHead      = "head"       // [r, D]: what the last layer multiplies
	bufLogits    = "logits"     // [r, columns] f32
	bufPooled    = "pooled"     // [sequences, modes * D] f32
)

func bufHiddenState(i int) string { return fmt.Sprintf("hidden_states.%d", i) }

// bufOutput is where the CPU reads what a forward pass left in a buffer.
func bufOutput(name string) string { return name + ", to be read" }

// builder gathers a program.
type builder struct {
	*Program
	traits    engine.Traits
	n, d      int
	size      int64 // bytes of an element in Precision
	headBatch int   // rows that the head works on
}

// NewProgram plans a forward pass for a device with traits t.
func NewProgram(t engine.Traits, c checkpoint.Config, head checkpoint.Head, precision engine.Precision, lengths gaze.Lengths, want Want) (*Program, error) {
	want.Rows, want.Pool = slices.Clone(want.Rows), slices.Clone(want.Pool) // the caller may reuse his
	want.Attention, want.Capture = slices.Clone(want.Attention), slices.Clone(want.Capture)
	b := &builder{
		Program: &Program{Config: c, Head: head, Precision: precision, Lengths: lengths, Want: want, Inputs: map[string][]byte{}},
		traits:  t, n: lengths.Tokens(), d: c.HiddenSize, size: elementSize(precision),
	}
	if b.Attention = want.Attention; b.Attention == nil {
		b.Attention = c.Attentions()
	}
	b.Maps = make([]*gaze.BlockMap, c.Layers)
	if err := b.check(); err != nil {
		return nil, err
	}
	b.embed()
	for layer := range c.Layers {
		if want.HiddenStates {
			b.output(bufHiddenState(layer), b.f32(bufResidual, b.n*b.d))
		}
		b.attention(layer)
		b.mlp(layer)
	}
	if want.HiddenStates {
		b.output(bufHiddenState(c.Layers), b.f32(bufResidual, b.n*b.d))
	}
	if want.Hidden || len(want.Pool) > 0 || b.poolsForHead() {
		b.buffer(bufHidden, int64(b.n*b.d)*4)
		b.norm("final_norm", bufResidual, bufHidden, b.n, engine.F32)
	}
	if want.Hidden {
		b.output(bufHidden, b.f32(bufHidden, b.n*b.d))
	}
	if len(want.Pool) > 0 {
		b.pool()
	}
	if want.Logits {
		if err := b.head(); err != nil {
			return nil, err
		}
	}
	return b.Program, b.fits()
}

// fits reports what no pass can bind on the device.
func (b *builder) fits() error {
	for _, pass := range b.Passes {
		if pass.Kernel == "" { // a copy binds nothing
			continue
		}
		for _, r := range pass.Bind {
			if r.Size > b.traits.StorageRange {
				return fmt.Errorf("%s takes %d bytes in one binding; %s has %d at most: use fewer tokens a batch, or f16",
					r.Buffer, r.Size, b.traits.Device, b.traits.StorageRange)
			}
		}
	}
	return nil
}

// MaxTokens returns how many packed tokens one forward pass can have on a device.
func MaxTokens(t engine.Traits, c checkpoint.Config) int {
	widest := 4 * max(c.HiddenSize, c.IntermediateSize)
	groups := t.GroupCount[0] * 4 // layernorm takes four rows a workgroup
	return min(int(t.StorageRange)/widest, groups, gaze.MaxTokens) / 64 * 64
}

func (b *builder) check() error {
	c := b.Config
	if err := b.Lengths.Validate(); err != nil {
		return err
	}
	if err := b.checkAttention(); err != nil {
		return err
	}
	if c.IntermediateSize%4 != 0 {
		return fmt.Errorf("intermediate_size is %d: kernels need a multiple of 4", c.IntermediateSize)
	}
	if limit := MaxTokens(b.traits, c); b.n > limit {
		return fmt.Errorf("%d tokens in one batch; %s takes %d of this model at a time", b.n, b.traits.Device, limit)
	}
	if b.Want.Logits && b.Head == checkpoint.NoHead {
		return fmt.Errorf("this checkpoint has no head: it gives hidden states and embeddings, no logits")
	}
	for _, row := range b.Want.Rows {
		if row < 0 || row >= b.n {
			return fmt.Errorf("row %d is wanted of %d", row, b.n)
		}
	}
	if b.Want.PoolSkip < 0 {
		return fmt.Errorf("pooling leaves out %d tokens: at least 0 are possible", b.Want.PoolSkip)
	}
	for i, length := range b.Lengths {
		if b.Want.PoolSkip >= length {
			return fmt.Errorf("sequence %d has %d tokens, and pooling leaves out %d", i, length, b.Want.PoolSkip)
		}
	}
	return nil
}

// checkAttention reports what a layer cannot compute, or no capture can be of.
func (b *builder) checkAttention() error {
	c := b.Config
	if len(b.Attention) != c.Layers {
		return fmt.Errorf("attention of %d layers is given; the model has %d", len(b.Attention), c.Layers)
	}
	for layer, a := range b.Attention {
		if err := a.Validate(); err != nil {
			return fmt.Errorf("layer %d: %w", layer, err)
		}
		if a.Heads != c.Heads || a.HeadDim != c.HeadDim() {
			return fmt.Errorf("layer %d: %d heads of %d elements are given; the checkpoint has %d of %d", layer, a.Heads, a.HeadDim, c.Heads, c.HeadDim())
		}
	}
	for i, layer := range b.Want.Capture {
		if layer < 0 || layer >= c.Layers {
			return fmt.Errorf("attention of layer %d is to be captured; the model has layers 0 to %d", layer, c.Layers-1)
		}
		if slices.Contains(b.Want.Capture[:i], layer) {
			return fmt.Errorf("attention of layer %d is to be captured twice", layer)
		}
	}
	return nil
}

func elementSize(p engine.Precision) int64 {
	if p == engine.F16 {
		return 2
	}
	return 4
}

func (b *builder) buffer(name string, bytes int64) {
	b.Buffers = append(b.Buffers, engine.BufferSpec{Name: name, Bytes: max(bytes, 4)})
}

func (b *builder) input(name string, data []byte) {
	b.buffer(name, int64(len(data)))
	b.Inputs[name] = data
}

func (b *builder) add(passes ...engine.Pass) { b.Passes = append(b.Passes, passes...) }

// ref names the first count elements of size bytes of a buffer.
func ref(buffer string, count int, size int64) engine.Ref {
	return engine.Ref{Buffer: buffer, Size: int64(count) * size}
}

// f32 and own name the first count elements of a buffer in f32 and in the
// program's precision.
func (b *builder) f32(buffer string, count int) engine.Ref { return ref(buffer, count, 4) }
func (b *builder) own(buffer string, count int) engine.Ref { return ref(buffer, count, b.size) }

// output adds what brings a part of a buffer to where the CPU reads it.
func (b *builder) output(name string, from engine.Ref) {
	to := engine.Ref{Buffer: bufOutput(name), Size: from.Size}
	b.Buffers = append(b.Buffers, engine.BufferSpec{Name: to.Buffer, Bytes: to.Size, Memory: engine.ReadbackMemory})
	b.add(engine.CopyPass(from, to))
}

// norm normalizes rows of from, f32, into to.
func (b *builder) norm(name, from, to string, rows int, precision engine.Precision) {
	l := engine.LayerNorm{Rows: rows, Width: b.d, X: b.f32(from, rows*b.d), Gain: b.f32(name+".weight", b.d), Epsilon: b.Config.NormEps, Precision: precision}
	if b.Config.NormBias {
		l.Bias = b.f32(name+".bias", b.d)
	}
	l.Y = b.f32(to, rows*b.d)
	if precision == engine.F16 {
		l.Y = ref(to, rows*b.d, 2)
	}
	b.add(l.Pass(b.traits))
}

package modernbert

import (
	"fmt"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/checkpoint"
)

// embed looks the tokens up and normalizes them (ModernBertEmbeddings).
func (b *builder) embed() {
	b.Buffers = append(b.Buffers, engine.BufferSpec{Name: bufIDs, Bytes: 4 * int64(b.n), Memory: engine.UploadMemory})
	b.input(bufPositions, engine.Bytes(b.Lengths.Positions()))
	b.buffer(bufEmbedded, int64(b.n*b.d)*4)
	b.buffer(bufResidual, int64(b.n*b.d)*4)
	for _, w := range Windows(b.traits, Padded(b.Config.VocabSize), b.d, b.size) {
		b.add(engine.Gather{Rows: b.n, Width: b.d, First: w.First, Count: min(w.End, b.Config.VocabSize) - w.First,
			Table:   b.own(windowName("embeddings.tok_embeddings.weight", w), (w.End-w.First)*b.d),
			Indices: ref(bufIDs, b.n, 4), Y: b.f32(bufEmbedded, b.n*b.d), Precision: b.Precision}.Pass())
	}
	b.norm("embeddings.norm", bufEmbedded, bufResidual, b.n, engine.F32)
	for _, name := range []string{bufNormed, bufQuery, bufKey, bufValue, bufContext} {
		b.buffer(name, int64(b.n*b.d)*b.size)
	}
	b.buffer(bufGated, int64(b.n*b.Config.IntermediateSize)*b.size)
	b.buffer(bufLSE, 4*int64(b.Config.Heads*b.n))
}

// Windows cuts the rows of a [rows, width] matrix so that each part fits in one
// binding of a device.
func Windows(t engine.Traits, rows, width int, size int64) []gaze.Span {
	perRow := int64(width) * size
	step := int(min(t.StorageRange/perRow, int64(rows)))
	if step < rows {
		step = max(step/64*64, 64) // parts of the logits begin at aligned offsets
	}
	var windows []gaze.Span
	for first := 0; first < rows; first += step {
		windows = append(windows, gaze.Span{First: first, End: min(first+step, rows)})
	}
	return windows
}

func windowName(name string, w gaze.Span) string { return fmt.Sprintf("%s[%d:]", name, w.First) }

// matmul adds x = in w^T for the linear layer of that name.
func (b *builder) matmul(name string, bias bool, m engine.MatMul) {
	m.Precision = b.Precision
	if m.OutPrecision == "" {
		m.OutPrecision = b.Precision
	}
	columns := m.Columns
	if m.Gated {
		columns *= 2
	}
	if m.W.Buffer == "" {
		m.W = b.own(name+".weight", columns*m.Depth)
	}
	if bias {
		m.Bias = b.f32(name+".bias", columns)
	}
	b.add(m.Pass(b.traits))
}

// mlp adds one layer's gated MLP to the residual stream (ModernBertMLP).
func (b *builder) mlp(layer int) {
	c := b.Config
	prefix := fmt.Sprintf("layers.%d.mlp", layer)
	b.norm(prefix+"_norm", bufResidual, bufNormed, b.n, b.Precision)
	b.matmul(prefix+".Wi", c.MLPBias, engine.MatMul{Rows: b.n, Columns: c.IntermediateSize, Depth: b.d, Gated: true,
		Activation: activation(c.Activation), A: b.own(bufNormed, b.n*b.d), Out: b.own(bufGated, b.n*c.IntermediateSize)})
	b.matmul(prefix+".Wo", c.MLPBias, engine.MatMul{Rows: b.n, Columns: b.d, Depth: c.IntermediateSize, A: b.own(bufGated, b.n*c.IntermediateSize),
		Out: b.f32(bufResidual, b.n*b.d), Residual: true, OutPrecision: engine.F32})
}

func activation(a checkpoint.Activation) engine.Activation {
	return map[checkpoint.Activation]engine.Activation{checkpoint.GELU: engine.GELU, checkpoint.GELUTanh: engine.GELUTanh,
		checkpoint.SiLU: engine.SiLU, checkpoint.ReLU: engine.ReLU, checkpoint.Tanh: engine.Tanh}[a]
}

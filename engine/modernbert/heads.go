package modernbert

import (
	"fmt"

	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/checkpoint"
)

// poolsForHead reports whether the head works on the mean of the final hidden states.
func (b *builder) poolsForHead() bool {
	return b.Want.Logits && b.pooled() && b.Config.ClassifierPooling == checkpoint.Mean
}

// pooled reports whether the head gives one row a sequence.
func (b *builder) pooled() bool {
	return b.Head == checkpoint.SequenceClassification || b.Head == checkpoint.MultipleChoice
}

// head adds the head: the rows it works on, normalized, then dense, activation
// and norm (ModernBertPredictionHead), then the decoder or classifier.
func (b *builder) head() error {
	c := b.Config
	switch {
	case b.poolsForHead():
		b.headBatch = len(b.Lengths)
		b.buffer(bufPickNorm, int64(b.headBatch*b.d)*4)
		b.spans(bufHeadSpans, 0)
		b.add(engine.Pooling{Sequences: b.headBatch, Width: b.d, Rows: b.n, Mode: engine.PoolMean, X: b.f32(bufHidden, b.n*b.d),
			Spans: ref(bufHeadSpans, 3*b.headBatch, 4), Y: b.f32(bufPickNorm, b.headBatch*b.d)}.Pass())
	default:
		rows := b.headRows()
		b.headBatch = len(rows)
		b.input(bufRows, engine.Bytes(rows))
		b.buffer(bufPicked, int64(b.headBatch*b.d)*4)
		b.buffer(bufPickNorm, int64(b.headBatch*b.d)*4)
		b.add(engine.Gather{Rows: b.headBatch, Width: b.d, Count: b.n, Table: b.f32(bufResidual, b.n*b.d), Indices: ref(bufRows, b.headBatch, 4),
			Y: b.f32(bufPicked, b.headBatch*b.d), Precision: engine.F32}.Pass())
		b.norm("final_norm", bufPicked, bufPickNorm, b.headBatch, engine.F32)
	}
	r := b.headBatch
	if r == 0 {
		return fmt.Errorf("logits are wanted of no row")
	}
	// The dense layer and the classifier are small: they stay in f32.
	b.buffer(bufDense, int64(r*b.d)*4)
	dense := engine.MatMul{Rows: r, Columns: b.d, Depth: b.d, A: b.f32(bufPickNorm, r*b.d), W: b.f32("head.dense.weight", b.d*b.d),
		Out: b.f32(bufDense, r*b.d), Activation: activation(c.ClassifierActivation), Precision: engine.F32, OutPrecision: engine.F32}
	if c.ClassifierBias {
		dense.Bias = b.f32("head.dense.bias", b.d)
	}
	b.add(dense.Pass(b.traits))
	if b.Head == checkpoint.MaskedLM {
		b.buffer(bufHead, int64(r*b.d)*b.size)
		b.norm("head.norm", bufDense, bufHead, r, b.Precision)
		return b.decoder()
	}
	b.buffer(bufHead, int64(r*b.d)*4)
	b.norm("head.norm", bufDense, bufHead, r, engine.F32)
	b.LogitRows, b.LogitColumns = r, c.Outputs(b.Head)
	b.LogitStride = Padded(b.LogitColumns)
	b.buffer(bufLogits, int64(r*b.LogitStride)*4)
	b.add(engine.MatMul{Rows: r, Columns: b.LogitStride, Depth: b.d, A: b.f32(bufHead, r*b.d), W: b.f32("classifier.weight", b.LogitStride*b.d),
		Bias: b.f32("classifier.bias", b.LogitStride), Out: b.f32(bufLogits, r*b.LogitStride),
		Precision: engine.F32, OutPrecision: engine.F32}.Pass(b.traits))
	b.output(bufLogits, b.f32(bufLogits, r*b.LogitStride))
	return nil
}

// Padded is the columns that a layer with that many outputs has on the device:
// kernels write four at a time.
func Padded(columns int) int { return (columns + 3) / 4 * 4 }

// headRows returns the packed rows that the head works on.
func (b *builder) headRows() []uint32 {
	var rows []uint32
	switch {
	case b.pooled(): // the first row of each sequence
		offset := 0
		for _, length := range b.Lengths {
			rows = append(rows, uint32(offset))
			offset += length
		}
	case b.Head == checkpoint.MaskedLM && b.Want.Rows != nil:
		for _, row := range b.Want.Rows {
			rows = append(rows, uint32(row))
		}
	default:
		for row := range b.n {
			rows = append(rows, uint32(row))
		}
	}
	return rows
}

// decoder adds the masked-LM logits, [r, VocabSize], in parts that fit in one
// binding: windows of the vocabulary, and rows of the logits.
func (b *builder) decoder() error {
	c, r := b.Config, b.headBatch
	b.LogitRows, b.LogitColumns, b.LogitStride = r, c.VocabSize, Padded(c.VocabSize)
	atOnce := int(min(b.traits.StorageRange/(4*int64(b.LogitStride)), int64(r)))
	if atOnce < r {
		atOnce = atOnce / 64 * 64
	}
	if atOnce == 0 {
		return fmt.Errorf("64 rows of logits over %d tokens do not fit in one buffer of %s", c.VocabSize, b.traits.Device)
	}
	b.buffer(bufLogits, int64(r*b.LogitStride)*4)
	name := "embeddings.tok_embeddings.weight"
	if !c.TieWordEmbeddings {
		name = "decoder.weight"
	}
	for first := 0; first < r; first += atOnce {
		rows := min(atOnce, r-first)
		for _, w := range Windows(b.traits, b.LogitStride, b.d, b.size) {
			m := engine.MatMul{Rows: rows, Columns: w.End - w.First, Depth: b.d, OutRow: b.LogitStride, FirstOut: w.First,
				A:         engine.Ref{Buffer: bufHead, Offset: int64(first*b.d) * b.size, Size: int64(rows*b.d) * b.size},
				W:         b.own(windowName(name, w), (w.End-w.First)*b.d),
				Out:       engine.Ref{Buffer: bufLogits, Offset: int64(first*b.LogitStride) * 4, Size: int64(rows*b.LogitStride) * 4},
				Precision: b.Precision, OutPrecision: engine.F32}
			if c.DecoderBias {
				m.Bias = b.f32(windowName("decoder.bias", w), w.End-w.First)
			}
			b.add(m.Pass(b.traits))
		}
	}
	b.output(bufLogits, b.f32(bufLogits, r*b.LogitStride))
	return nil
}

// spans adds the rows of each sequence that pooling covers: all but the first skip.
func (b *builder) spans(name string, skip int) {
	var words []uint32
	offset := 0
	for _, length := range b.Lengths {
		words = append(words, uint32(offset+skip), uint32(offset+length), uint32(skip))
		offset += length
	}
	b.input(name, engine.Bytes(words))
}

// pool adds the pooled vectors, [sequences, modes * D].
func (b *builder) pool() {
	modes, sequences := len(b.Want.Pool), len(b.Lengths)
	b.spans(bufSpans, b.Want.PoolSkip)
	b.buffer(bufPooled, int64(sequences*modes*b.d)*4)
	for i, mode := range b.Want.Pool {
		b.add(engine.Pooling{Sequences: sequences, Width: b.d, Rows: b.n, Mode: mode, X: b.f32(bufHidden, b.n*b.d), Spans: ref(bufSpans, 3*sequences, 4),
			Y: b.f32(bufPooled, sequences*modes*b.d), OutRow: modes * b.d, FirstOut: i * b.d}.Pass())
	}
	b.output(bufPooled, b.f32(bufPooled, sequences*modes*b.d))
}

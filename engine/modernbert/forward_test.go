package modernbert

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/modernbert/testdata/golden"
	"github.com/gazevk/gaze/reference"
)

// Every row, where the goldens have some, and the states before the final norm.
func TestLikeReference(t *testing.T) {
	m, encoder := loaded(t, "v5 nested, irregular layers, untied")
	batch := tokens(3, 131, 1, 64)
	out, want := mustForward(t, m, batch, Want{Hidden: true, HiddenStates: true, Logits: true}), encoder.Forward(batch)
	near(t, "hidden", out.Hidden, want.Last, 1e-5)
	near(t, "logits", out.Logits, encoder.Logits(want), 1e-5)
	if len(out.HiddenStates) != len(want.HiddenStates) {
		t.Fatalf("%d hidden states, expected %d", len(out.HiddenStates), len(want.HiddenStates))
	}
	for i, x := range out.HiddenStates {
		near(t, "a hidden state", x, want.HiddenStates[i], 2e-5)
	}
	if out.LogitRows != 199 || out.LogitColumns != 101 || out.Bytes <= 0 || out.Timing.Submits < 1 {
		t.Errorf("%d rows and %d columns of logits, %d bytes, timing %+v", out.LogitRows, out.LogitColumns, out.Bytes, out.Timing)
	}
}

// A sequence gives the same by itself as among others.
func TestPackedLikeAlone(t *testing.T) {
	c := caseNamed(t, "v5 nested, irregular layers, untied").Open(t)
	for _, tier := range tiers(t) {
		m := mustLoad(t, open(t, tier), c, engine.F32)
		batch := tokens(1, 66, 130, 2, 65)
		want := Want{Hidden: true, Logits: true, Pool: []engine.PoolMode{engine.PoolMean}}
		packed := mustForward(t, m, batch, want)
		first, d, v := 0, m.Config.HiddenSize, m.Config.VocabSize
		for i, sequence := range batch {
			alone, end := mustForward(t, m, [][]uint32{sequence}, want), first+len(sequence)
			near(t, "hidden", packed.Hidden[first*d:end*d], alone.Hidden, 1e-5)
			near(t, "logits", packed.Logits[first*v:end*v], alone.Logits, 1e-5)
			near(t, "pooled", packed.Pooled[i*d:(i+1)*d], alone.Pooled, 1e-5)
			first = end
		}
	}
}

func TestPooling(t *testing.T) {
	m, encoder := loaded(t, "three labels of the mean")
	batch := tokens(5, 66, 2)
	last := encoder.Forward(batch).Last
	var logits []float32
	for _, skip := range []int{0, 1} {
		out := mustForward(t, m, batch, Want{Pool: everyPool, PoolSkip: skip, Logits: true})
		spans := []gaze.Span{{First: skip, End: 5}, {First: 5 + skip, End: 71}, {First: 71 + skip, End: 73}}
		modes, d := len(everyPool), m.Config.HiddenSize
		for i, pooling := range []reference.Pooling{reference.PoolCLS, reference.PoolLast, reference.PoolMax, reference.PoolMean, reference.PoolMeanSqrt, reference.PoolWeightedMean} {
			want := reference.Pool(last, spans, pooling, skip, d)
			for s := range spans {
				near(t, string(pooling), out.Pooled[(s*modes+i)*d:][:d], want[s*d:(s+1)*d], 1e-5)
			}
		}
		if skip == 0 {
			logits = out.Logits
		} else if !slices.Equal(logits, out.Logits) {
			t.Error("what pooling leaves out changes the head's own mean")
		}
	}
}

// Logits of some rows are those of all, also when the caller's slice has changed
// since, and of a row that is wanted twice.
func TestRows(t *testing.T) {
	m, _ := loaded(t, "v4 flat")
	batch := tokens(5, 66)
	all := mustForward(t, m, batch, Want{Logits: true})
	rows := []int{70, 0, 5, 5}
	for _, first := range []int{70, 69} {
		rows[0] = first
		some := mustForward(t, m, batch, Want{Logits: true, Rows: rows})
		near(t, "logits", some.Logits, golden.Pick(all.Logits, rows, 101), 1e-5)
	}
}

// Attention knows positions by their differences alone: tables that begin at
// position 100 change what rounding does, and nothing else.
func TestPositionsAreRelative(t *testing.T) {
	m, _ := loaded(t, "v4 flat")
	batch, want := tokens(66, 130), Want{Hidden: true}
	usual := slices.Clone(mustForward(t, m, batch, want).Hidden)
	// Layer 0 is the first global one, layer 1 the first local one.
	for name, rope := range map[string]gaze.RoPE{"turns 0": m.Config.GlobalRoPE, "turns 1": m.Config.LocalRoPE} {
		const shift, headDim = 100, 32
		data := engine.Bytes(engine.Turns(rope.Table(headDim, shift+130))[shift*headDim:])
		if before := lastWork(m).program.Inputs[name]; len(before) != len(data) {
			t.Fatalf("%d bytes of %s, expected %d", len(before), name, len(data))
		}
		if err := lastWork(m).inputs.Upload(context.Background(), name, 0, data); err != nil {
			t.Fatal(err)
		}
	}
	shifted := mustForward(t, m, batch, want).Hidden // of the same lengths: the tables are still there
	near(t, "hidden", shifted, usual, 1e-4)
	if slices.Equal(shifted, usual) {
		t.Error("not even rounding differs: the shifted tables were not used")
	}
}

// A device that binds little reads the embeddings and writes the logits in parts.
func TestForwardInSmallBindings(t *testing.T) {
	c := vocabulary(t, nil)
	for _, tier := range tiers(t) {
		e := open(t, tier)
		traits := e.Traits()
		traits.StorageRange = 300_000
		parted, err := load(context.Background(), e, traits, c, engine.F32)
		if err != nil {
			t.Fatal(err)
		}
		defer parted.Close()
		whole := mustLoad(t, e, c, engine.F32)
		batch := golden.Batch(gaze.Lengths{150, 50}, 1001)
		copy(batch[0], []uint32{0, 767, 768, 1000}) // at the edges of the parts
		want := Want{Hidden: true, Logits: true}
		a, b := mustForward(t, parted, batch, want), mustForward(t, whole, batch, want)
		if lookups, products := coverage(t, lastWork(parted).program); lookups != 2 || products != 8 {
			t.Errorf("%d lookups and %d products", lookups, products)
		}
		near(t, "hidden", a.Hidden, b.Hidden, 0)
		near(t, "logits", a.Logits, b.Logits, 0)
	}
}

// A batch that cannot be run is an error, and the next one runs.
func TestForwardErrors(t *testing.T) {
	m, _ := loaded(t, "v4 flat")
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		ctx     context.Context
		batch   [][]uint32
		want    Want
		message string
	}{
		{nil, [][]uint32{{1, 2}, {3, 101}}, Want{Hidden: true}, "sequence 1, token 1: id 101 is not in the vocabulary of 101"},
		{nil, [][]uint32{{math.MaxUint32}}, Want{Hidden: true}, "id 4294967295"},
		{nil, [][]uint32{{1}, {}}, Want{Hidden: true}, "sequence 1 has 0 tokens"},
		{nil, nil, Want{Hidden: true}, "no sequences"},
		{nil, [][]uint32{{1}}, Want{Logits: true, Rows: []int{1}}, "row 1"},
		{cancelled, [][]uint32{{1, 2}}, Want{Hidden: true}, context.Canceled.Error()},
	} {
		if c.ctx == nil {
			c.ctx = context.Background()
		}
		out, err := m.Forward(c.ctx, c.batch, c.want, Watch{})
		if err == nil || out != nil || !strings.Contains(err.Error(), c.message) {
			t.Errorf("the error is %v, expected %q", err, c.message)
		}
	}
	if !errors.Is(cancelled.Err(), context.Canceled) || len(mustForward(t, m, tokens(2), Want{Hidden: true}).Hidden) != 2*64 {
		t.Error("no hidden states after errors")
	}
}

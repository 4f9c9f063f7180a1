package modernbert

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/checkpoint"
	"github.com/gazevk/gaze/engine/modernbert/testdata/golden"
)

var everyPool = []engine.PoolMode{engine.PoolCLS, engine.PoolLast, engine.PoolMax, engine.PoolMean, engine.PoolMeanSqrt, engine.PoolWeightedMean}

// vocabulary is a masked LM of 1001 tokens, not a multiple of 4, and of 96
// elements: its matrices do not divide evenly anywhere.
func vocabulary(t testing.TB, changes map[string]any) *checkpoint.Model {
	c := caseNamed(t, "v4 flat")
	config := map[string]any{"vocab_size": 1001, "hidden_size": 96, "num_attention_heads": 3, "num_hidden_layers": 2}
	maps.Copy(config, changes)
	c.Config = config
	return c.Open(t)
}

// checkProgram holds p and the weights that it reads to what a device asks for:
// every range lies in its buffer, is bound at an aligned offset and not too large.
func checkProgram(t *testing.T, traits engine.Traits, c *checkpoint.Model, p *Program) {
	t.Helper()
	buffers := map[string]int64{}
	add := func(name string, bytes int64) {
		if _, twice := buffers[name]; twice || bytes <= 0 {
			t.Errorf("buffer %s of %d bytes, there already: %v", name, bytes, twice)
		}
		buffers[name] = bytes
	}
	for _, b := range slices.Concat(p.Buffers, p.Captured) {
		add(b.Name, b.Bytes)
	}
	m := &Model{Config: c.Config, Head: c.Head, Precision: p.Precision, traits: traits}
	parts, err := m.parts(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range parts {
		add(part.name, part.bytes())
	}
	for name, data := range p.Inputs {
		if int64(len(data)) != buffers[name] {
			t.Errorf("%d bytes are uploaded to %s, which has %d", len(data), name, buffers[name])
		}
	}
	for _, pass := range p.Passes {
		for i, r := range pass.Bind {
			size, ok := buffers[r.Buffer]
			if !ok || r.Size <= 0 || r.Offset < 0 || r.Offset+r.Size > size {
				t.Errorf("%s binds bytes %d to %d of %s, which has %d", pass.Kernel, r.Offset, r.Offset+r.Size, r.Buffer, size)
			}
			if pass.Kernel != "" && (r.Offset%traits.StorageAlignment != 0 || r.Size > traits.StorageRange) {
				t.Errorf("%s binds %d bytes of %s at %d in binding %d", pass.Kernel, r.Size, r.Buffer, r.Offset, i)
			}
		}
		if pass.Kernel == "" {
			continue
		}
		for i, groups := range pass.Groups {
			if groups < 1 || int(groups) > traits.GroupCount[i] {
				t.Errorf("%s dispatches %v workgroups", pass.Kernel, pass.Groups)
			}
		}
	}
}

// Programs of every case, precision and tier for the least of all devices.
func TestProgramsBindWhatThereIs(t *testing.T) {
	for _, c := range golden.Cases() {
		m := c.Open(t)
		for _, tier := range engine.Tiers {
			traits := engine.AnyDevice
			traits.Tier, traits.Units = tier, engine.MatrixUnits{M: 16, N: 16, K: 16, Subgroup: 32}
			for _, precision := range []engine.Precision{engine.F32, engine.F16} {
				for _, lengths := range []gaze.Lengths{{1}, {63, 2, 66, 1}} {
					for _, want := range []Want{{}, {Hidden: true, HiddenStates: true, Pool: everyPool, Logits: m.Head != checkpoint.NoHead, Capture: []int{1, 0}}} {
						p, err := NewProgram(traits, m.Config, m.Head, precision, lengths, want)
						if err != nil {
							t.Fatalf("%s: %v", c.Name, err)
						}
						checkProgram(t, traits, m, p)
					}
				}
			}
		}
	}
}

// On devices that bind little, a program is whole or its error says what does
// not fit: lookups read each token's row once, and each logit is written once.
func TestProgramsInSmallBindings(t *testing.T) {
	lengths := gaze.Lengths{150, 50}
	for _, m := range []*checkpoint.Model{vocabulary(t, nil), vocabulary(t, map[string]any{"tie_word_embeddings": false})} {
		parted, whole, refused := 0, 0, 0
		// The last sizes hold 1000 to 1004 rows of the embeddings.
		sizes := []int64{1000 * 384, 1001 * 384, 1002 * 384, 1003 * 384, 1004 * 384}
		for size := int64(20_000); size < 900_000; size += 7919 {
			sizes = append(sizes, size)
		}
		for _, size := range sizes {
			for _, precision := range []engine.Precision{engine.F32, engine.F16} {
				traits := engine.AnyDevice
				traits.StorageRange = size
				p, err := NewProgram(traits, m.Config, m.Head, precision, lengths, Want{Hidden: true, Logits: true})
				if err != nil {
					refused++
					if size > 300_000 || !strings.Contains(err.Error(), traits.Device) {
						t.Errorf("%d bytes: %v", size, err)
					}
					continue
				}
				checkProgram(t, traits, m, p)
				lookups, products := coverage(t, p)
				if lookups > 1 && products > 1 {
					parted++
				} else if lookups == 1 && products == 1 {
					whole++
				}
			}
		}
		if parted == 0 || whole == 0 || refused == 0 {
			t.Errorf("%d programs in parts, %d whole and %d refused: all kinds were expected", parted, whole, refused)
		}
	}
}

// coverage returns how many passes look tokens up and how many give logits.
func coverage(t *testing.T, p *Program) (lookups, products int) {
	t.Helper()
	tokens := make([]int, p.Config.VocabSize)
	logits := make([]int, p.LogitRows*p.LogitStride)
	for _, pass := range p.Passes {
		push := func(name string) int { return pass.Push[name].(int) }
		switch {
		case strings.HasPrefix(pass.Kernel, "gather") && pass.Bind[1].Buffer == bufIDs:
			lookups++
			for i := range push("count") {
				tokens[push("first")+i]++
			}
			if size := int64(push("count")*push("groups")) * 4 * elementSize(p.Precision); size > pass.Bind[0].Size {
				t.Errorf("%d bytes of %s are read, %d bound", size, pass.Bind[0].Buffer, pass.Bind[0].Size)
			}
		case strings.HasPrefix(pass.Kernel, "matmul") && pass.Bind[3].Buffer == bufLogits:
			products++
			first := int(pass.Bind[3].Offset) / 4
			for row := range push("rows") {
				for column := range push("columns") {
					logits[first+row*push("out_row")*4+push("first_out")*4+column]++
				}
			}
		}
	}
	for i, n := range tokens {
		if n != 1 {
			t.Fatalf("token %d is looked up in %d passes of %d", i, n, lookups)
		}
	}
	for i, n := range logits {
		if n != 1 {
			t.Fatalf("logit %d is written by %d passes of %d", i, n, products)
		}
	}
	return lookups, products
}

// Every batch and wish that cannot be met has one error that says why.
func TestProgramErrors(t *testing.T) {
	masked, alone := caseNamed(t, "v4 flat").Open(t), caseNamed(t, "encoder alone").Open(t)
	with := func(change func(c *checkpoint.Config)) checkpoint.Config {
		c := masked.Config
		change(&c)
		return c
	}
	for _, c := range []struct {
		config  checkpoint.Config
		head    checkpoint.Head
		lengths gaze.Lengths
		want    Want
		message string
	}{
		{masked.Config, masked.Head, nil, Want{}, "no sequences"},
		{masked.Config, masked.Head, gaze.Lengths{3, 0}, Want{}, "sequence 1 has 0 tokens"},
		{masked.Config, masked.Head, gaze.Lengths{200_000, 62_125}, Want{}, "262125 tokens in one batch; any Vulkan device takes 262080"},
		{masked.Config, masked.Head, gaze.Lengths{3}, Want{Logits: true, Rows: []int{0, 3}}, "row 3 is wanted of 3"},
		{masked.Config, masked.Head, gaze.Lengths{3}, Want{Logits: true, Rows: []int{-1}}, "row -1 is wanted of 3"},
		{masked.Config, masked.Head, gaze.Lengths{3}, Want{Logits: true, Rows: []int{}}, "no row"},
		{masked.Config, masked.Head, gaze.Lengths{3, 2}, Want{Pool: everyPool, PoolSkip: 2}, "sequence 1 has 2 tokens, and pooling leaves out 2"},
		{masked.Config, masked.Head, gaze.Lengths{3}, Want{Pool: everyPool, PoolSkip: -1}, "pooling leaves out -1"},
		{masked.Config, masked.Head, gaze.Lengths{3}, Want{Attention: masked.Config.Attentions()[1:]}, "attention of 3 layers is given; the model has 4"},
		{masked.Config, masked.Head, gaze.Lengths{3}, Want{Attention: replaced(masked.Config, func(a *gaze.Attention) { a.Heads = 3 })}, "layer 2: 3 heads of 32 elements are given; the checkpoint has 2 of 32"},
		{masked.Config, masked.Head, gaze.Lengths{3}, Want{Attention: replaced(masked.Config, func(a *gaze.Attention) { a.HeadDim = 64 })}, "layer 2: 2 heads of 64 elements are given"},
		{masked.Config, masked.Head, gaze.Lengths{3}, Want{Attention: replaced(masked.Config, func(a *gaze.Attention) { a.Pattern = gaze.SlidingWindow{Left: -1} })}, "layer 2: sliding_window: left is -1"},
		{masked.Config, masked.Head, gaze.Lengths{3}, Want{Capture: []int{0, 4}}, "attention of layer 4 is to be captured; the model has layers 0 to 3"},
		{masked.Config, masked.Head, gaze.Lengths{3}, Want{Capture: []int{-1}}, "attention of layer -1"},
		{masked.Config, masked.Head, gaze.Lengths{3}, Want{Capture: []int{2, 1, 2}}, "attention of layer 2 is to be captured twice"},
		{alone.Config, alone.Head, gaze.Lengths{3}, Want{Logits: true}, "no head"},
		{with(func(c *checkpoint.Config) { c.Heads = 4 }), masked.Head, gaze.Lengths{3}, Want{}, "head_dim is 16"},
		{with(func(c *checkpoint.Config) { c.IntermediateSize = 98 }), masked.Head, gaze.Lengths{3}, Want{}, "intermediate_size is 98"},
		{with(func(c *checkpoint.Config) { c.IntermediateSize = 1 << 18 }), masked.Head, gaze.Lengths{3}, Want{}, "layers.0.mlp.Wi.weight takes 134217728 bytes"},
	} {
		traits := engine.AnyDevice
		traits.StorageRange-- // so that round sizes do not fit
		if !strings.Contains(c.message, "mlp.Wi") {
			traits = engine.AnyDevice
		}
		_, err := NewProgram(traits, c.config, c.head, engine.F32, c.lengths, c.want)
		if err == nil || !strings.Contains(fmt.Sprint(err), c.message) {
			t.Errorf("lengths %v: the error is %v, expected %q", c.lengths, err, c.message)
		}
	}
}

package engine

import (
	"math"
	"testing"

	"github.com/gazevk/gaze"
)

// fused is attention in f16 over heads of 64, as planned for t.
func fused(t Traits, heads int, lengths gaze.Lengths, pattern gaze.Pattern) FusedAttention {
	return FusedAttention{Heads: heads, HeadDim: 64, Scale: 0.125, Precision: F16, OutPrecision: F16,
		Map: gaze.NewBlockMap(pattern, lengths, t.QueryTile(F16, 64, 0.125))}
}

// What the rule is for: few rows are split until the device is busy or shares get
// short; many rows, short texts, windows and CPUs are not.
func TestSplitRule(t *testing.T) {
	h100 := large
	h100.Tier, h100.Cores = Matrix, 132 // of tiles of 64 queries
	unknown := h100
	unknown.Cores = 0
	integrated := h100
	integrated.Cores = 8
	tiled := h100
	tiled.Tier, tiled.Units = Tiled, MatrixUnits{}
	cpu := h100
	cpu.CPU = true
	window := gaze.SlidingWindow{Left: 64, Right: 64}
	for name, c := range map[string]struct {
		traits  Traits
		heads   int
		lengths gaze.Lengths
		pattern gaze.Pattern
		want    int
	}{
		"one head":                         {h100, 1, gaze.Lengths{1024}, gaze.Full{}, 8},                               // 16 workgroups, 32 tiles of keys
		"one head of a long text":          {h100, 1, gaze.Lengths{8192}, gaze.Full{}, 2},                               // 128 workgroups
		"one tile of queries":              {h100, 1, gaze.Lengths{64}, gaze.Full{}, 1},                                 // 2 tiles of keys
		"a short text":                     {h100, 12, gaze.Lengths{256}, gaze.Full{}, 2},                               // 48 workgroups, 8 tiles of keys
		"a text":                           {h100, 12, gaze.Lengths{512}, gaze.Full{}, 2},                               // 96 workgroups
		"a long text":                      {h100, 12, gaze.Lengths{2048}, gaze.Full{}, 1},                              // 384 workgroups
		"short texts, packed":              {h100, 1, gaze.Lengths{128, 128, 128}, gaze.Full{}, 1},                      // 4 tiles of keys
		"a window":                         {h100, 1, gaze.Lengths{1024}, window, 1},                                    // 6 tiles of keys at most
		"a wide window":                    {h100, 1, gaze.Lengths{2048}, gaze.SlidingWindow{Left: 256, Right: 256}, 4}, // 18 at most, 16 in the mean
		"nobody sees anything":             {h100, 1, gaze.Lengths{4096}, gaze.GlobalTokens{}, 1},                       // nobody sees anything
		"in f32's tier":                    {tiled, 1, gaze.Lengths{1024}, gaze.Full{}, 8},                              // as many workgroups
		"a device that does not tell":      {unknown, 1, gaze.Lengths{1024}, gaze.Full{}, 8},                            // 128 are taken to be enough
		"the same, two heads":              {unknown, 2, gaze.Lengths{1024}, gaze.Full{}, 4},
		"a small device":                   {integrated, 1, gaze.Lengths{1024}, gaze.Full{}, 1},
		"a small device, one tile of rows": {integrated, 1, gaze.Lengths{512}, gaze.Full{}, 2},
		"a CPU":                            {cpu, 1, gaze.Lengths{1024}, gaze.Full{}, 1},
	} {
		f := fused(c.traits, c.heads, c.lengths, c.pattern)
		if got := f.Splits(c.traits); got != c.want {
			t.Errorf("%s: %d splits of %d tiles of queries, %d of keys; expected %d", name, got, f.Map.QueryTiles(), len(f.Map.Tiles), c.want)
		}
		passes := f.Passes(c.traits)
		if want := min(c.want, 2); len(passes) != want {
			t.Errorf("%s: %d passes, expected %d", name, len(passes), want)
		}
		if splits, told := passes[0].Constants["SPLITS"]; told != (c.want > 1) || told && int(splits) != c.want {
			t.Errorf("%s: the constant is %d", name, splits)
		}
	}
}

// A device that binds little or dispatches few gets fewer shares, and none where
// merging them takes more workgroups than it has.
func TestSplitsFit(t *testing.T) {
	device := large
	device.Tier = Matrix
	f := fused(device, 2, gaze.Lengths{300, 33}, gaze.Full{})
	share := int64(2 * 333 * 64 * 4)
	for name, c := range map[string]struct {
		change func(*Traits)
		want   int
	}{
		"as asked":                       {func(*Traits) {}, 5},
		"five shares":                    {func(t *Traits) { t.StorageRange = 5 * share }, 5},
		"a byte less":                    {func(t *Traits) { t.StorageRange = 5*share - 1 }, 4},
		"one share":                      {func(t *Traits) { t.StorageRange = share }, 1},
		"three workgroups":               {func(t *Traits) { t.GroupCount[2] = 3 }, 3},
		"workgroups for 332 of 333 rows": {func(t *Traits) { t.GroupCount[0] = 332 / mergedRows }, 1},
	} {
		traits := device
		shape := traits.AttentionShape(f)
		shape.Splits = 5
		traits.Tuning.Attention = []AttentionChoice{{Shape: shape}}
		c.change(&traits)
		shares, lse := f.ScratchBytes(traits)
		if got := f.Splits(traits); got != c.want || c.want > 1 && (shares != int64(got)*share || lse != shares/64) || c.want == 1 && shares+lse != 0 {
			t.Errorf("%s: %d splits in %d and %d bytes, expected %d", name, got, shares, lse, c.want)
		}
	}
}

// A tuning may say how often keys are split, within reason.
func TestTunedSplits(t *testing.T) {
	for splits, want := range map[int]bool{-1: false, 0: true, 1: true, mostSplits: true, mostSplits + 1: false} {
		shape := large.AttentionShapes(64)[0]
		shape.Splits = splits
		if err := (Tuning{Attention: []AttentionChoice{{Shape: shape}}}).validate(large); (err == nil) != want {
			t.Errorf("%d splits: %v", splits, err)
		}
	}
}

// Attention of split keys is attention, in every tier, precision and pattern, where
// shares see nothing too; and it has the same bits when all workgroups are submitted
// by themselves, so that no share is joined before it is there.
func TestSplitKeys(t *testing.T) {
	e := open(t)
	for _, tier := range e.Traits().Tiers() {
		for i, pattern := range patterns {
			a := layer(2, pattern)
			in := randomInput(6, a, packed)
			request := Request{Attention: a, Lengths: packed, Precision: []Precision{F32, F16}[i%2]}
			traits := e.Traits().OfTier(tier)
			whole := run(t, e, mustPlan(t, traits, request), in)
			plan := mustPlan(t, split(traits, request, 3), request)
			if steps := plan.Steps[0].Passes; steps[len(steps)-1].Kernel != "merge_f32" {
				t.Fatalf("%s, %v: nothing is split", tier, a.Visible())
			}
			got := run(t, e, plan, in)
			limit := 1e-5
			if plan.OnMatrixUnits() {
				limit = 0x1p-10 // weights are rounded to f16
			}
			if d := max(far(got.Output, whole.Output), far(got.LSE, whole.LSE)); !(d <= limit) {
				t.Errorf("%s, %v: split, the result is %v away", tier, a.Visible(), d)
			}
			if i > 0 {
				continue
			}
			cut, workgroups := runPiecemeal(t, e, plan, in)
			if cut.Submits != workgroups || !same(cut, got) {
				t.Errorf("%s: in %d submits of %d workgroups, the result is %v away", tier, cut.Submits, workgroups, far(cut.Output, got.Output))
			}
			if math.IsInf(float64(got.LSE[0]), 0) {
				t.Errorf("%s: the first query sees nothing", tier)
			}
		}
	}
}

package engine

import (
	"strings"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/vk"
)

func TestHeatmapPass(t *testing.T) {
	good := Heatmap{
		Heads: 3, HeadDim: 64, Map: gaze.NewBlockMap(gaze.SlidingWindow{Left: 64, Right: 64}, gaze.Lengths{2000}, HeatmapTile), Precision: F16, Cell: gaze.Square(8),
		Rectangle: gaze.Rectangle{Queries: gaze.Span{First: 64, End: 200}, Keys: gaze.Span{First: 504, End: 1100}},
	}
	p, err := good.Pass(Traits{Tier: Tiled})
	// Tiles 1 to 3 of 64 queries, chunks 0 to 2 of 512 keys.
	if err != nil || p.Groups != [3]uint32{3, 3, 3} || p.Kernel != "heatmap_tiled_f16" || p.Push["cell_rows"] != 17 || p.Push["cell_columns"] != 75 || len(p.Tiles) != 4 {
		t.Errorf("%+v, %v", p, err)
	}
	if p.MultiplyAdds != 0 { // the window ends at key 264
		t.Errorf("%d multiply-adds where nothing is visible", p.MultiplyAdds)
	}
	good.Rectangle.Keys = gaze.Span{First: 0, End: 64}
	if p, err = good.Pass(Traits{Tier: Lanes, CPU: true}); err != nil || p.MultiplyAdds != 3*2*64*32*64 { // the first of the three tiles alone sees keys 0 to 63
		t.Errorf("%d multiply-adds, %v", p.MultiplyAdds, err)
	}
	for want, change := range map[string]func(*Heatmap){
		"of 3 x 8 pairs":   func(h *Heatmap) { h.Cell.Queries = 3 },
		"of 8 x 128 pairs": func(h *Heatmap) { h.Cell.Keys = 128 },
		"of 0 x 8 pairs":   func(h *Heatmap) { h.Cell.Queries = 0 },
		"of 2000 tokens":   func(h *Heatmap) { h.Rectangle.Keys.End = 2001 },
		"tiles of 32":      func(h *Heatmap) { h.Map = gaze.NewBlockMap(gaze.Full{}, gaze.Lengths{2000}, 32) },
	} {
		bad := good
		change(&bad)
		if _, err := bad.Pass(Traits{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("expected an error with %q, got %v", want, err)
		}
	}
}

// Which kernels pictures get: CPU drivers those in registers, but for subgroups of
// 4, and GPUs those in shared memory.
func TestPictureTier(t *testing.T) {
	for _, c := range []struct {
		kind     vk.Kind
		subgroup int
		shuffle  bool
		want     Tier
		rows     uint32 // of specialization constant ROWS; 0: it has none
		parts    uint32
	}{
		{vk.CPU, 8, true, Lanes, 16, 4},
		{vk.CPU, 4, true, Tiled, 0, 1},
		{vk.CPU, 8, false, Tiled, 0, 1},
		{vk.Discrete, 32, true, Tiled, 0, 1},
	} {
		var a vk.Adapter
		a.Kind, a.Limits.SubgroupSize, a.Features.SubgroupShuffle = c.kind, c.subgroup, c.shuffle
		traits := TraitsOf(a)
		if got := traits.ForPictures(); got != c.want {
			t.Errorf("%v with subgroups of %d: tier %s for pictures, expected %s", c.kind, c.subgroup, got, c.want)
		}
		p, err := RowStatistics{Heads: 1, HeadDim: 64, Map: gaze.NewBlockMap(gaze.Full{}, gaze.Lengths{64}, HeatmapTile), Precision: F32}.Pass(traits)
		if err != nil || p.Kernel != "statistics_"+string(c.want)+"_f32" || p.Constants["ROWS"] != c.rows || p.Groups[2] != c.parts {
			t.Errorf("%v with subgroups of %d: %+v, %v", c.kind, c.subgroup, p, err)
		}
	}
}

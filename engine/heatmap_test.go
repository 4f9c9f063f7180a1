package engine

import (
	"strings"
	"testing"

	"github.com/gazevk/gaze"
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
		"of 0 to 2000":     func(h *Heatmap) { h.Rectangle.Keys.End = 2001 },
		"tiles of 32":      func(h *Heatmap) { h.Map = gaze.NewBlockMap(gaze.Full{}, gaze.Lengths{2000}, 32) },
	} {
		bad := good
		change(&bad)
		if _, err := bad.Pass(Traits{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("expected an error with %q, got %v", want, err)
		}
	}
}

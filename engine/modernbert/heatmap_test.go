package modernbert

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gazevk/gaze"
	"github.com/gazevk/gaze/engine"
	"github.com/gazevk/gaze/engine/modernbert/testdata/golden"
)

// Cells are what the weights themselves give, whichever heads and part are shown.
func TestHeatmap(t *testing.T) {
	c := caseNamed(t, "v4 flat").Open(t)
	lengths := gaze.Lengths{100, 1, 130}
	n := lengths.Tokens()
	for precision, tolerance := range map[engine.Precision]float64{engine.F32: 1e-6, engine.F16: 1e-6} {
		m := mustLoad(t, open(t, ""), c, precision)
		out := mustForward(t, m, golden.Batch(lengths, 101), Want{Capture: []int{0, 1}})
		defer out.Capture.Close()
		for layer := range 2 {
			all := weights(t, out.Capture, layer)
			for _, v := range []View{
				{layer, gaze.Span{End: 2}, gaze.Rectangle{Queries: gaze.Span{End: n}, Keys: gaze.Span{End: n}}, gaze.Square(1), false, engine.Weight},
				{layer, gaze.Span{First: 1, End: 2}, gaze.Rectangle{Queries: gaze.Span{First: 64, End: 229}, Keys: gaze.Span{First: 16, End: 131}}, gaze.Square(16), false, engine.Weight},
				{layer, gaze.Span{End: 2}, gaze.Rectangle{Queries: gaze.Span{First: 3, End: 200}, Keys: gaze.Span{First: 5, End: 129}}, gaze.Cell{Queries: 64, Keys: 1}, true, engine.Weight},
				{layer, gaze.Span{End: 2}, gaze.Rectangle{Queries: gaze.Span{First: 3, End: 200}, Keys: gaze.Span{First: 5, End: 129}}, gaze.Cell{Queries: 2, Keys: 64}, false, engine.Weight},
				{layer, gaze.Span{First: 1, End: 2}, gaze.Rectangle{Queries: gaze.Span{End: n}, Keys: gaze.Span{First: 64, End: n}}, gaze.Square(64), true, engine.Weight},
				{layer, gaze.Span{End: 2}, gaze.Rectangle{Queries: gaze.Span{End: n}, Keys: gaze.Span{End: n}}, gaze.Square(1), false, engine.OfRowMaximum},
				{layer, gaze.Span{End: 2}, gaze.Rectangle{Queries: gaze.Span{End: n}, Keys: gaze.Span{End: n}}, gaze.Square(4), true, engine.OverUniform},
				{layer, gaze.Span{First: 1, End: 2}, gaze.Rectangle{Queries: gaze.Span{First: 90, End: n}, Keys: gaze.Span{First: 1, End: 130}}, gaze.Square(1), false, engine.OfRowMaximum},
			} {
				cells, timing, err := out.Capture.Heatmap(context.Background(), v)
				if err != nil || timing.Submits < 1 {
					t.Fatal(err)
				}
				rows, columns := v.Rectangle.Cells(v.Cell)
				pattern := m.Config.Attention(layer).Visible()
				want := make([]float64, len(cells))
				for i := range want {
					want[i] = engine.HiddenCell
				}
				offset := 0
				for _, length := range lengths {
					for i := range length {
						for _, s := range pattern.AppendKeys(nil, i, length) {
							for j := s.First; j < s.End; j++ {
								q, k := offset+i, offset+j
								if q < v.Rectangle.Queries.First || k < v.Rectangle.Keys.First || q >= v.Rectangle.Queries.End || k >= v.Rectangle.Keys.End {
									continue
								}
								row, column := q/v.Cell.Queries-v.Rectangle.Queries.First/v.Cell.Queries, k/v.Cell.Keys-v.Rectangle.Keys.First/v.Cell.Keys
								for head := v.Heads.First; head < v.Heads.End; head++ {
									w := float64(all[(head*n+q)*n+k]) * factor(all[(head*n+q)*n:][:n], pattern.AppendKeys(nil, i, length), v.Measure)
									cell := &want[((head-v.Heads.First)*rows+row)*columns+column]
									switch {
									case *cell == engine.HiddenCell:
										*cell = w
									case v.Sum:
										*cell += w
									default:
										*cell = max(*cell, w)
									}
								}
							}
						}
					}
					offset += length
				}
				scale := 1.0
				switch {
				case v.Measure == engine.OverUniform: // of up to 130 keys, four rows of them
					scale = 600
				case v.Sum: // of up to 64 rows
					scale = 64
				case v.Measure == engine.OfRowMaximum:
					scale = 10
				}
				near(t, v.Rectangle.String(), cells, want, tolerance*scale)
			}
		}
	}
}

// What is placed in a room is what the heat map shows, of any captured layer.
func TestPlace(t *testing.T) {
	m, _ := loaded(t, "v4 flat")
	out := mustForward(t, m, tokens(70, 131), Want{Capture: []int{0, 1}})
	if !m.engine.Adapter().Features.SharedMemory {
		t.Skipf("%s shares no memory", m.engine.Adapter().Name)
	}
	pool, err := m.engine.NewPool(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	room := pool.Room(2 * 100 * 100)
	mix := engine.Mix{First: 7, Factor: 0.5, Fresh: true, Apart: true}
	view := View{0, gaze.Span{End: 2}, gaze.Rectangle{Queries: gaze.Span{First: 3, End: 200}, Keys: gaze.Span{First: 5, End: 129}}, gaze.Square(2), true, engine.OverUniform}
	for view.Layer = range 2 {
		cells, _, err := out.Capture.Heatmap(context.Background(), view)
		if err != nil {
			t.Fatal(err)
		}
		if timing, err := out.Capture.Place(context.Background(), view, room, mix); err != nil || timing.Submits < 1 {
			t.Fatal(err)
		}
		placed, err := room.Read(context.Background(), 7, 0, 1, 1, len(cells))
		if err != nil {
			t.Fatal(err)
		}
		for i, cell := range cells {
			if hidden := math.Float32bits(placed[i]) == engine.HiddenWord; hidden != (cell == engine.HiddenCell) || !hidden && placed[i] != cell/2 {
				t.Fatalf("layer %d: cell %d is %v, of %v", view.Layer, i, placed[i], cell)
			}
		}
	}
	view.Layer = 2
	if _, err := out.Capture.Place(context.Background(), view, room, mix); err == nil || !strings.Contains(err.Error(), "layer 2 was not captured") {
		t.Errorf("the error is %v", err)
	}
	view.Layer = 1
	out.Capture.Close()
	if _, err := out.Capture.Place(context.Background(), view, room, mix); err == nil || !strings.Contains(err.Error(), "is closed") {
		t.Errorf("the error is %v", err)
	}
}

// factor is what a measure multiplies the weights of a row by.
func factor(row []float32, visible []gaze.Span, measure engine.Measure) float64 {
	switch measure {
	case engine.OfRowMaximum:
		return 1 / float64(slices.Max(row))
	case engine.OverUniform:
		count := 0
		for _, s := range visible {
			count += s.End - s.First
		}
		return float64(count)
	}
	return 1
}

func TestHeatmapErrors(t *testing.T) {
	m, _ := loaded(t, "v4 flat")
	out := mustForward(t, m, tokens(70), Want{Capture: []int{1}})
	defer out.Capture.Close()
	all := gaze.Rectangle{Queries: gaze.Span{End: 70}, Keys: gaze.Span{End: 70}}
	for want, v := range map[string]View{
		"layer 0 was not captured":     {0, gaze.Span{End: 1}, all, gaze.Square(1), false, engine.Weight},
		"heads 1 to 3 of 2: expected":  {1, gaze.Span{First: 1, End: 3}, all, gaze.Square(1), false, engine.Weight},
		"heads 1 to 1 of 2: expected":  {1, gaze.Span{First: 1, End: 1}, all, gaze.Square(1), false, engine.Weight},
		"cells of 0 x 0 pairs":         {1, gaze.Span{End: 1}, all, gaze.Square(0), false, engine.Weight},
		"keys 9 to 2":                  {1, gaze.Span{End: 1}, gaze.Rectangle{Queries: all.Keys, Keys: gaze.Span{First: 9, End: 2}}, gaze.Square(1), false, engine.Weight},
		"queries 0 to 71 of 70 tokens": {1, gaze.Span{End: 1}, gaze.Rectangle{Queries: gaze.Span{End: 71}, Keys: all.Keys}, gaze.Square(1), false, engine.Weight},
	} {
		if _, _, err := out.Capture.Heatmap(context.Background(), v); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, expected %q", v, err, want)
		}
	}
}

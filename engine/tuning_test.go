package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

func sortedText(constants map[string]uint32) string {
	text := ""
	for _, name := range slices.Sorted(maps.Keys(constants)) {
		text += fmt.Sprintf("%s %d ", name, constants[name])
	}
	return text
}

// The first choice that fits decides; gates count as columns of weights.
func TestTuningChooses(t *testing.T) {
	shape := func(rows, columns, invocations int) MatMulShape {
		return MatMulShape{Tier: Tiled, Rows: rows, Columns: columns, Invocations: invocations, Step: 4, Unroll: 1}
	}
	few, middle, narrow, rest := shape(16, 64, 32), shape(32, 64, 64), shape(64, 64, 128), shape(128, 64, 128)
	matrix := large.OfTier(Matrix).MatMulShapes()[0]
	tuned := large
	tuned.Tuning.MatMul = []MatMulChoice{
		{Precision: F32, Rows: 16, Columns: 1024, Shape: few},
		{Precision: F32, Rows: 16, Shape: middle},
		{Precision: F32, Columns: 1024, Shape: narrow},
		{Precision: F32, Shape: rest},
		{Precision: F16, Rows: 64, Shape: matrix},
	}
	if err := tuned.Tuning.validate(large); err != nil {
		t.Fatal(err)
	}
	rule := large.MatMulShape(MatMul{Rows: 8, Columns: 8, Depth: 8})
	for _, c := range []struct {
		m    MatMul
		want MatMulShape
	}{
		{MatMul{Rows: 16, Columns: 1024, Depth: 64, Precision: F32}, few},
		{MatMul{Rows: 16, Columns: 1028, Depth: 64, Precision: F32}, middle},
		{MatMul{Rows: 16, Columns: 1024, Depth: 64, Gated: true, Precision: F32}, middle},
		{MatMul{Rows: 17, Columns: 1024, Depth: 64, Precision: F32}, narrow},
		{MatMul{Rows: 17, Columns: 516, Depth: 64, Gated: true, Precision: F32}, rest},
		{MatMul{Rows: 64, Columns: 768, Depth: 64, Precision: F16}, matrix},
		{MatMul{Rows: 64, Columns: 768, Depth: 68, Precision: F16}, rule}, // matrix units take groups of eight
		{MatMul{Rows: 65, Columns: 768, Depth: 64, Precision: F16}, rule},
	} {
		c.m.OutPrecision = F32
		if got := tuned.MatMulShape(c.m); got != c.want {
			t.Errorf("%+v: %+v, expected %+v", c.m, got, c.want)
		}
		if got := tuned.Untuned().MatMulShape(c.m); got != rule {
			t.Errorf("%+v untuned: %+v, expected %+v", c.m, got, rule)
		}
	}
	// What is planned follows.
	p := MatMul{Rows: 100, Columns: 768, Depth: 64, Precision: F32, OutPrecision: F32}.Pass(tuned)
	if p.Kernel != "matmul_tiled_f32" || p.Groups != [3]uint32{12, 2, 1} || p.Constants["ROWS"] != 64 || p.Constants["INVOCATIONS"] != 128 {
		t.Errorf("%s on %v with %v", p.Kernel, p.Groups, p.Constants)
	}
	p = MatMul{Rows: 30, Columns: 768, Depth: 64, Gated: true, Precision: F16, OutPrecision: F16}.Pass(tuned)
	if p.Kernel != "matmul_matrix_f16" || p.Groups != [3]uint32{12, 1, 1} || p.Constants["DOWN"] != 2 || p.Constants["LANES"] != 32 {
		t.Errorf("%s on %v with %v", p.Kernel, p.Groups, p.Constants)
	}
	// A tier alone keeps its own choices.
	if of := tuned.OfTier(Matrix); len(of.Tuning.MatMul) != 1 || of.Tier != Matrix {
		t.Errorf("tier matrix alone: %+v", of.Tuning)
	}
	if of := tuned.OfTier(Lanes); !of.Tuning.Empty() || of.MatMulShape(MatMul{Rows: 8, Precision: F32}).Tier != Lanes {
		t.Errorf("tier lanes alone: %+v", of.Tuning)
	}
}

// Attention's choice brings its tile of queries along.
func TestTuningChoosesAttention(t *testing.T) {
	tuned := large
	tuned.Tuning.Attention = []AttentionChoice{{Precision: F16, HeadDim: 64, Shape: AttentionShape{Tier: Matrix, Rows: 64, Own: 16}}, {Precision: F32, Shape: AttentionShape{Tier: Lanes, Rows: 8}}}
	if err := tuned.Tuning.validate(large); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		p     Precision
		dim   int
		scale float64
		want  AttentionShape
		tile  int
	}{
		{F16, 64, 0.125, AttentionShape{Tier: Matrix, Rows: 64, Own: 16}, 64},
		{F16, 64, 1e25, AttentionShape{Tier: Tiled, Rows: 64, Own: 4}, 64}, // beyond f16
		{F16, 32, 0.125, AttentionShape{Tier: Tiled, Rows: 64, Own: 4}, 64},
		{F32, 128, 0.125, AttentionShape{Tier: Lanes, Rows: 8}, 32},
	} {
		if got, tile := tuned.AttentionShape(FusedAttention{Precision: c.p, HeadDim: c.dim, Scale: c.scale}), tuned.QueryTile(c.p, c.dim, c.scale); got != c.want || tile != c.tile {
			t.Errorf("%s, heads of %d, scale %v: %+v and tiles of %d, expected %+v and %d", c.p, c.dim, c.scale, got, tile, c.want, c.tile)
		}
	}
	plan := mustPlan(t, tuned, Request{Attention: layer(2, nil), Lengths: []int{100}})
	found := false
	for _, step := range plan.Steps {
		for _, pass := range step.Passes {
			if strings.HasPrefix(pass.Kernel, "attention_") {
				found = true
				if pass.Kernel != "attention_lanes_f32" || pass.Constants["ROWS"] != 8 || pass.Groups != [3]uint32{4, 2, 4} {
					t.Errorf("%s on %v with %v", pass.Kernel, pass.Groups, pass.Constants)
				}
			}
		}
	}
	if !found {
		t.Error("no pass of attention")
	}
}

func TestImpossibleTunings(t *testing.T) {
	good := tiledShapes[0]
	with := func(change func(*MatMulShape)) MatMulShape {
		s := good
		change(&s)
		return s
	}
	for want, tuning := range map[string]Tuning{
		"matmul[0]: precision is \"f64\"":   {MatMul: []MatMulChoice{{Precision: "f64", Shape: good}}},
		"matmul[1]: rows -1":                {MatMul: []MatMulChoice{{Shape: good}, {Rows: -1, Shape: good}}},
		"columns -4":                        {MatMul: []MatMulChoice{{Columns: -4, Shape: good}}},
		"any Vulkan device has no shape":    {MatMul: []MatMulChoice{{Shape: with(func(s *MatMulShape) { s.Rows = 48 })}}},
		"Invocations:256":                   {MatMul: []MatMulChoice{{Shape: tiledShapes[len(tiledShapes)-1]}}},
		"matmul[0]: any Vulkan device has":  {MatMul: []MatMulChoice{{}}},
		"Tier:lanes":                        {MatMul: []MatMulChoice{{Shape: with(func(s *MatMulShape) { s.Tier = Lanes })}}},
		"attention[0]: precision is \"f8\"": {Attention: []AttentionChoice{{Precision: "f8", Shape: AttentionShape{Tier: Tiled, Rows: 64, Own: 4}}}},
		"head_dim 64":                       {Attention: []AttentionChoice{{HeadDim: 64, Shape: AttentionShape{Tier: Tiled, Rows: 64, Own: 16}}}},
		"head_dim 32":                       {Attention: []AttentionChoice{{Shape: AttentionShape{Tier: Lanes, Rows: 8}}}},
	} {
		if err := tuning.validate(AnyDevice); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, expected %q in it", err, want)
		}
	}
	if _, err := Open("auto", Options{Tuning: Tuning{Attention: []AttentionChoice{{Shape: AttentionShape{Tier: Tiled, Rows: 5}}}}}); err == nil || !strings.Contains(err.Error(), "tuning: attention[0]") {
		t.Errorf("opened with an impossible tuning: %v", err)
	}
}

package engine

import "slices"

// A MatMulShape is how the kernel of a tier divides a matrix product. Shapes give
// the same numbers within the same bounds; they differ in speed.
type MatMulShape struct {
	Tier        Tier `json:"kernel_tier"`
	Rows        int  `json:"rows"`    // of a workgroup's tile of sums
	Columns     int  `json:"columns"` // of the tile, those of the gates among them
	Invocations int  `json:"invocations"`
	Step        int  `json:"step,omitempty"`    // of tier tiled: groups of four in k between two barriers
	Unroll      int  `json:"unroll,omitempty"`  // of tier tiled: elements of k a turn of the inner loop
	Uniform     bool `json:"uniform,omitempty"` // of tier lanes: all read each row of a themselves
	Down        int  `json:"down,omitempty"`    // of tier matrix: subgroups below one another
}

// An AttentionShape is how the kernel of a tier divides fused attention.
type AttentionShape struct {
	Tier Tier `json:"kernel_tier"`
	Rows int  `json:"rows"`          // queries of a workgroup
	Own  int  `json:"own,omitempty"` // of tier tiled: queries of an invocation; of tier matrix: of a subgroup
	// Reductions, of tier matrix: scores stay in registers (attention_matrix2.comp).
	Reductions bool `json:"reductions,omitempty"`
	// Splits is among how many workgroups the keys of a tile of queries are split; 0: as
	// many as keep the device busy.
	Splits int `json:"splits,omitempty"`
}

// A tierShapes is what the kernels of a tier offer. The rule is what a device gets
// that nobody has tuned.
type tierShapes struct {
	// matMul lists all that a device with these traits can run.
	matMul     func(Traits) []MatMulShape
	matMulRule func(Traits, MatMul) MatMulShape
	// constants are the specialization constants that make a shape.
	constants func(Traits, MatMulShape) map[string]uint32

	attention     func(t Traits, headDim int) []AttentionShape
	attentionRule func(t Traits, headDim int) AttentionShape
	// attentionConstants are those beside HEAD_DIM.
	attentionConstants func(Traits, AttentionShape) map[string]uint32
}

// shapesOf holds every tier's shapes. A tier that is added gets its line here;
// planning, verification and tuning follow.
var shapesOf = map[Tier]tierShapes{
	Lanes:  lanesShapes(Lanes),
	Texels: lanesShapes(Texels),
	Tiled:  {tiledMatMul, tiledMatMulRule, tiledMatMulConstants, tiledAttention, tiledAttentionRule, tiledAttentionConstants},
	Matrix: {matrixMatMul, matrixMatMulRule, matrixMatMulConstants, matrixAttention, matrixAttentionRule, matrixAttentionConstants},
}

// MatMulShapes lists the shapes that kernels of t's tier can have on its device,
// what tuning may choose from and verification must cover.
func (t Traits) MatMulShapes() []MatMulShape { return shapesOf[t.Tier].matMul(t) }

// AttentionShapes lists those of fused attention over heads of headDim.
func (t Traits) AttentionShapes(headDim int) []AttentionShape {
	return shapesOf[t.Tier].attention(t, headDim)
}

// lanesShapes are those of tiers [Lanes] and [Texels], whose kernels differ in how
// they read alone.
func lanesShapes(tier Tier) tierShapes {
	return tierShapes{
		func(t Traits) []MatMulShape { return lanesMatMul(t, tier) },
		func(t Traits, m MatMul) MatMulShape { return lanesMatMulRule(t, m, tier) },
		lanesMatMulConstants,
		func(t Traits, headDim int) []AttentionShape { return lanesAttention(t, headDim, tier) },
		func(t Traits, headDim int) AttentionShape { return lanesAttentionRule(t, headDim, tier) },
		lanesAttentionConstants,
	}
}

func lanesMatMulRule(t Traits, m MatMul, tier Tier) MatMulShape {
	lanes, most := t.lanes(), 32
	if m.Rows <= 16 || !t.CPU || tier == Texels {
		// A GPU's registers have no room for more sums, and where loads are cheap they
		// are no quicker, but take twice as long to compile.
		most = 16
	}
	return MatMulShape{Tier: tier, Rows: most, Columns: 4 * lanes, Invocations: lanes, Uniform: tier == Lanes && t.CPU && lanes == 4}
}

func lanesMatMul(t Traits, tier Tier) []MatMulShape {
	rows, uniforms := []int{8, 16}, []bool{false}
	if t.CPU {
		rows = []int{16, 32}
	}
	// Not of a texel buffer, nor on a CPU with wide subgroups: there it is the slowest way.
	if tier == Lanes && !(t.CPU && t.lanes() == 8) {
		uniforms = append(uniforms, true)
	}
	var shapes []MatMulShape
	for _, uniform := range uniforms {
		for _, r := range rows {
			shapes = append(shapes, MatMulShape{Tier: tier, Rows: r, Columns: 4 * t.lanes(), Invocations: t.lanes(), Uniform: uniform})
		}
	}
	return shapes
}

func lanesMatMulConstants(_ Traits, s MatMulShape) map[string]uint32 {
	constants := map[string]uint32{"LANES": uint32(s.Invocations), "ROWS": uint32(s.Rows), "UNIFORM": 0}
	if s.Uniform {
		constants["UNIFORM"] = 1
	}
	return constants
}

// tiledShapes are those of matmul_tiled.comp, with 4 x 8 or 8 x 8 sums an
// invocation: the default, which any Vulkan device runs; smaller tiles, which keep
// more of a large device busy where rows are few; larger ones, which read less.
var tiledShapes = []MatMulShape{
	{Tier: Tiled, Rows: 64, Columns: 64, Invocations: 64, Step: 4, Unroll: 1},
	{Tier: Tiled, Rows: 16, Columns: 64, Invocations: 32, Step: 4, Unroll: 1},
	{Tier: Tiled, Rows: 16, Columns: 128, Invocations: 64, Step: 4, Unroll: 1},
	{Tier: Tiled, Rows: 32, Columns: 32, Invocations: 32, Step: 4, Unroll: 1},
	{Tier: Tiled, Rows: 32, Columns: 64, Invocations: 64, Step: 4, Unroll: 1},
	{Tier: Tiled, Rows: 64, Columns: 64, Invocations: 128, Step: 4, Unroll: 1},
	{Tier: Tiled, Rows: 128, Columns: 64, Invocations: 128, Step: 4, Unroll: 1},
	{Tier: Tiled, Rows: 128, Columns: 128, Invocations: 256, Step: 2, Unroll: 1},
	{Tier: Tiled, Rows: 128, Columns: 128, Invocations: 256, Step: 4, Unroll: 1},
}

// tiledUnroll is the other choice of MatMulShape.Unroll; each step has a multiple of it.
const tiledUnroll = 4

func tiledMatMulRule(Traits, MatMul) MatMulShape { return tiledShapes[0] }

func tiledMatMul(t Traits) []MatMulShape {
	var shapes []MatMulShape
	for _, unroll := range []int{1, tiledUnroll} {
		for _, s := range tiledShapes {
			if s.Unroll = unroll; s.Invocations <= max(t.Invocations, AnyDevice.Invocations) && s.sharedMemory() <= max(t.SharedMemory, AnyDevice.SharedMemory) {
				shapes = append(shapes, s)
			}
		}
	}
	return shapes
}

// sharedMemory returns the bytes that a workgroup of tier tiled takes.
func (s MatMulShape) sharedMemory() int {
	padding := 2 * 8 / s.Step
	return 16 * 4 * s.Step * ((s.Rows+s.Columns)/4 + padding)
}

func tiledMatMulConstants(_ Traits, s MatMulShape) map[string]uint32 {
	return map[string]uint32{"INVOCATIONS": uint32(s.Invocations), "ROWS": uint32(s.Rows), "COLUMNS": uint32(s.Columns),
		"STEP": uint32(s.Step), "UNROLL": uint32(s.Unroll)}
}

// lanesAttentionRule has as many queries as are quick to compile, and as fit in a
// GPU's registers.
func lanesAttentionRule(t Traits, headDim int, tier Tier) AttentionShape {
	shapes := lanesAttention(t, headDim, tier)
	if t.lanes() == 4 {
		return shapes[0]
	}
	return shapes[len(shapes)-1]
}

func lanesAttention(t Traits, headDim int, tier Tier) []AttentionShape {
	shapes := []AttentionShape{{Tier: tier, Rows: 8}}
	if t.CPU && headDim <= 64 {
		shapes = append(shapes, AttentionShape{Tier: tier, Rows: 16})
	}
	return shapes
}

func lanesAttentionConstants(t Traits, s AttentionShape) map[string]uint32 {
	return map[string]uint32{"LANES": uint32(t.lanes()), "ROWS": uint32(s.Rows)}
}

// tiledSharers are the invocations of attention_tiled.comp that share a query.
const tiledSharers = 8

// tiledAttentionRule has 4 queries an invocation, which leaves every GPU room for
// more than one workgroup a core.
func tiledAttentionRule(t Traits, headDim int) AttentionShape { return tiledAttention(t, headDim)[0] }

// tiledAttention lists 4 queries an invocation and 8: the more it has, the less it
// loads, and the fewer invocations a GPU has room for.
func tiledAttention(_ Traits, headDim int) []AttentionShape {
	shapes := []AttentionShape{{Tier: Tiled, Rows: Tiled.QueryTile(), Own: 4}}
	if headDim <= 64 {
		shapes = append(shapes, AttentionShape{Tier: Tiled, Rows: Tiled.QueryTile(), Own: 8})
	}
	return shapes
}

func tiledAttentionConstants(_ Traits, s AttentionShape) map[string]uint32 {
	return map[string]uint32{"INVOCATIONS": uint32(s.Rows / s.Own * tiledSharers)}
}

// has reports whether a device with traits t runs s.
func (t Traits) hasMatMul(s MatMulShape) bool {
	if !slices.Contains(t.Tiers(), s.Tier) {
		return false
	}
	t.Tier = s.Tier
	return slices.Contains(t.MatMulShapes(), s)
}

func (t Traits) hasAttention(s AttentionShape, headDim int) bool {
	if !slices.Contains(t.Tiers(), s.Tier) {
		return false
	}
	t.Tier = s.Tier
	splits := s.Splits
	s.Splits = 0 // any shape's keys can be split
	return splits >= 0 && splits <= mostSplits && slices.Contains(t.AttentionShapes(headDim), s)
}

// What every kernel on matrix units begins with: the shape of a product that the
// device offers for f16 with sums in f32, and matrices of that shape, each held by
// a whole subgroup. f16 operands come from shared memory, which is an array of
// uvec4: eight elements that one instruction moves.
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require

layout(local_size_x_id = 0) in; // whole subgroups
layout(constant_id = 0) const uint INVOCATIONS = 128;
layout(constant_id = 10) const uint LANES = 32; // invocations of a subgroup
layout(constant_id = 11) const uint M = 16;
layout(constant_id = 12) const uint N = 16;
layout(constant_id = 13) const uint K = 16;

// Loops over matrices are written out, which keeps them in registers, except for
// drivers that run on a CPU: those take seconds to compile a hundred products.
layout(constant_id = 14) const bool ROLLED = false;

const uint SUBGROUPS = INVOCATIONS / LANES;

#define LEFT coopmat<float16_t, gl_ScopeSubgroup, M, K, gl_MatrixUseA>
#define RIGHT coopmat<float16_t, gl_ScopeSubgroup, K, N, gl_MatrixUseB>
#define SUMS coopmat<float, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator>
#define BY_ROWS gl_CooperativeMatrixLayoutRowMajor
#define BY_COLUMNS gl_CooperativeMatrixLayoutColumnMajor

// Makes what the subgroup's invocations wrote to shared memory theirs to read.
void meet()
{
    subgroupMemoryBarrierShared();
    subgroupBarrier();
}

// The multiply-adds that matrix units can do at most (engine.PeakMatrix): four
// independent chains of products of M x K and K x N matrices a subgroup, with
// nothing to load. Where all of x is 1, which no compiler knows, every element of
// a sum gains K a product:
//   y[subgroup][row][column] = 4 (workgroup % 16 + 2 rounds K)
// Operands are f16 and sums f32, as in attention.
//
// Grid: as large as keeps the device busy.
#version 450
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require

layout(local_size_x_id = 0) in; // whole subgroups
layout(constant_id = 0) const uint LANES = 128;
layout(constant_id = 1) const uint M = 16;
layout(constant_id = 2) const uint N = 16;
layout(constant_id = 3) const uint K = 16;

layout(binding = 0) readonly buffer X { float x[]; }; // [64]
layout(binding = 1) buffer Y { float y[]; }; // [subgroups, M, N]

layout(push_constant) uniform Push {
    uint rounds; // of two products a chain
};

void main()
{
    // Each element from a place of its own: of equal ones a compiler would
    // multiply one, and only add the others.
    coopmat<float16_t, gl_ScopeSubgroup, M, K, gl_MatrixUseA> a;
    coopmat<float16_t, gl_ScopeSubgroup, K, N, gl_MatrixUseB> b;
    for (int i = 0; i < a.length(); ++i) {
        a[i] = float16_t(x[(gl_LocalInvocationID.x + 5u * uint(i)) % 32u]);
    }
    for (int i = 0; i < b.length(); ++i) {
        b[i] = float16_t(x[32u + (gl_LocalInvocationID.x + 5u * uint(i)) % 32u]);
    }
    float start = float(gl_WorkGroupID.x % 16u);
#define SUMS coopmat<float, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator>
    SUMS s0 = SUMS(start), s1 = SUMS(start), s2 = SUMS(start), s3 = SUMS(start);
    for (uint r = 0; r < rounds; ++r) {
        s0 = coopMatMulAdd(a, b, s0);
        s1 = coopMatMulAdd(a, b, s1);
        s2 = coopMatMulAdd(a, b, s2);
        s3 = coopMatMulAdd(a, b, s3);
        s0 = coopMatMulAdd(a, b, s0);
        s1 = coopMatMulAdd(a, b, s1);
        s2 = coopMatMulAdd(a, b, s2);
        s3 = coopMatMulAdd(a, b, s3);
    }
    uint subgroup = gl_WorkGroupID.x * (LANES / gl_SubgroupSize) + gl_SubgroupID;
    coopMatStore(s0 + s1 + s2 + s3, y, subgroup * M * N, N, gl_CooperativeMatrixLayoutRowMajor);
}

// Matrix product for drivers that run on a CPU: ROWS x 4 sums an invocation. See
// include/matmul.glsl.
//
// What such a driver makes dear is loads, which fetch lane by lane: a group of
// four elements in all invocations costs as much as 40 to 150 multiply-adds, and a
// third of that or less through texel buffers (include/inputs.glsl). So an
// invocation keeps many sums, and of a each fetches other rows, which shuffles
// then hand to all. The sums' epilogue is rolled, by way of shared memory: such
// drivers compile at the first dispatch.
//
// Grid: (columns of out / (4 LANES), or / (2 LANES) if GATED; rows / ROWS).
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require

layout(local_size_x_id = 0) in; // one subgroup, or a part of one
layout(constant_id = 0) const uint LANES = 8;
layout(constant_id = 5) const uint ROWS = 32; // a multiple of LANES
// Whether all read each row of a themselves, at uniform addresses: where a driver
// shuffles lane by lane, as newer ones do in subgroups of 4.
layout(constant_id = 6) const bool UNIFORM = false;

const uint WIDTH = 4u;
const uint FETCHED = ROWS / LANES; // rows of a that an invocation fetches

#include "include/elements.glsl"
#include "include/matmul.glsl"

shared vec4 sums[ROWS * LANES];

void main()
{
    uint lane = gl_SubgroupInvocationID;
    uint first_row = gl_WorkGroupID.y * ROWS;
    uint first = gl_WorkGroupID.x * LANES * (GATED ? WIDTH / 2u : WIDTH);

    uint a_at[FETCHED];
    for (uint r = 0u; r < FETCHED; r++) {
        a_at[r] = min(first_row + r * LANES + lane, rows - 1u) * a_row;
    }
    uint w_at[WIDTH];
    for (uint c = 0u; c < WIDTH; c++) {
        w_at[c] = weight_row(first, lane * WIDTH + c, LANES * WIDTH) * depth;
    }
    float sum[ROWS][WIDTH];
    [[unroll]] for (uint r = 0u; r < ROWS; r++) {
        [[unroll]] for (uint c = 0u; c < WIDTH; c++) {
            sum[r][c] = 0.0;
        }
    }
    [[dont_unroll]] for (uint k = 0u; k < depth; k++) {
        vec4 x[FETCHED], y[WIDTH];
        if (!UNIFORM) {
            [[unroll]] for (uint r = 0u; r < FETCHED; r++) {
                x[r] = READ(a, a_at[r] + k);
            }
        }
        [[unroll]] for (uint c = 0u; c < WIDTH; c++) {
            y[c] = READ(w, w_at[c] + k);
        }
        [[unroll]] for (uint r = 0u; r < ROWS; r++) {
            vec4 z = UNIFORM ? READ(a, min(first_row + r, rows - 1u) * a_row + k) : subgroupShuffle(x[r / LANES], r % LANES);
            [[unroll]] for (uint c = 0u; c < WIDTH; c++) {
                sum[r][c] += (z.x * y[c].x + z.y * y[c].y) + (z.z * y[c].z + z.w * y[c].w);
            }
        }
    }

    [[unroll]] for (uint r = 0u; r < ROWS; r++) {
        sums[r * LANES + lane] = vec4(sum[r][0], sum[r][1], sum[r][2], sum[r][3]);
    }
    subgroupMemoryBarrierShared();
    subgroupBarrier();
    const uint GROUPS = GATED ? LANES / 2u : LANES; // of four columns in a row
    [[dont_unroll]] for (uint i = lane; i < ROWS * GROUPS; i += LANES) {
        uint row = i / GROUPS, group = i % GROUPS;
        vec4 u = sums[row * LANES + group];
        vec4 g = GATED ? sums[row * LANES + GROUPS + group] : u;
        write4(first_row + row, first + group * WIDTH, u, g);
    }
}

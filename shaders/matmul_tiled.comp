// Matrix product for GPUs of any kind: 64 x 64 sums a workgroup of 64
// invocations, 8 x 8 each, from tiles of a and w in 8.5 KiB of shared memory. See
// include/matmul.glsl.
//
// Grid: (columns of out / 64, or / 32 if GATED; rows / 64).
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x = 64) in;

const uint TILE = 64u;
const uint SIDE = 8u;  // invocations along one side, and sums of one along it
const uint STEP = 4u;  // groups of four in k at a time
const uint PITCH = TILE / 4u + 1u;

#include "include/elements.glsl"
#include "include/matmul.glsl"

// Transposed: element k of rows 4i .. 4i+3 is tile[k * PITCH + i].
shared vec4 tile_a[4u * STEP * PITCH];
shared vec4 tile_w[4u * STEP * PITCH];

void main()
{
    uint id = gl_LocalInvocationID.x, across = id % SIDE, down = id / SIDE;
    uint out_tile = GATED ? TILE / 2u : TILE;
    uint first_row = gl_WorkGroupID.y * TILE, first = gl_WorkGroupID.x * out_tile;

    // Each invocation fetches one row of a and one of w for every step.
    uint a_at = min(first_row + id, rows - 1u) * a_row;
    uint w_at = weight_row(first, id, TILE) * depth;

    vec4 sum[SIDE][2]; // [row][low or high columns]
    for (uint r = 0u; r < SIDE; r++) {
        sum[r][0] = vec4(0.0);
        sum[r][1] = vec4(0.0);
    }
    [[dont_unroll]] for (uint k = 0u; k < depth; k += STEP) {
        barrier();
        for (uint s = 0u; s < STEP; s++) {
            bool inside = k + s < depth;
            vec4 x = inside ? widen(a[a_at + k + s]) : vec4(0.0);
            vec4 y = inside ? widen(w[w_at + k + s]) : vec4(0.0);
            for (uint e = 0u; e < 4u; e++) {
                uint to = (4u * s + e) * PITCH + id / 4u;
                tile_a[to][id % 4u] = x[e];
                tile_w[to][id % 4u] = y[e];
            }
        }
        barrier();
        [[dont_unroll]] for (uint e = 0u; e < 4u * STEP; e++) {
            // Rows down*4.. and 32+down*4.., columns across*4.. and 32+across*4..: neighbours
            // read neighbouring banks, and with GATED a gate's column is 32 past its own.
            vec4 low = tile_w[e * PITCH + across], high = tile_w[e * PITCH + SIDE + across];
            vec4 x = tile_a[e * PITCH + down], y = tile_a[e * PITCH + SIDE + down];
            [[unroll]] for (uint r = 0u; r < 4u; r++) {
                sum[r][0] += x[r] * low;
                sum[r][1] += x[r] * high;
                sum[r + 4u][0] += y[r] * low;
                sum[r + 4u][1] += y[r] * high;
            }
        }
    }
    for (uint r = 0u; r < SIDE; r++) {
        uint row = first_row + (r < 4u ? down * 4u + r : 32u + down * 4u + r - 4u);
        write4(row, first + across * 4u, sum[r][0], sum[r][1]);
        if (!GATED) {
            write4(row, first + 32u + across * 4u, sum[r][1], sum[r][1]);
        }
    }
}

// Matrix product for drivers that run on a CPU: 8 x 8 sums an invocation, no
// shared memory, no barrier. The invocations of a workgroup share their rows of
// a, which are read at uniform addresses. See include/matmul.glsl.
//
// Grid: (columns of out / (8 LANES), or / (4 LANES) if GATED; rows / 8).
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x_id = 0) in;
layout(constant_id = 0) const uint LANES = 8;

const uint ROWS = 8u;
const uint WIDTH = 8u;

#include "include/elements.glsl"
#include "include/matmul.glsl"

void main()
{
    uint first_row = gl_WorkGroupID.y * ROWS;
    uint out_width = GATED ? WIDTH / 2u : WIDTH;
    uint first = (gl_WorkGroupID.x * LANES + gl_LocalInvocationID.x) * out_width;

    uint a_at[ROWS];
    for (uint r = 0u; r < ROWS; r++) {
        a_at[r] = min(first_row + r, rows - 1u) * a_row;
    }
    uint w_at[WIDTH];
    float sum[ROWS][WIDTH];
    for (uint c = 0u; c < WIDTH; c++) {
        w_at[c] = weight_row(first, c, WIDTH) * depth;
        for (uint r = 0u; r < ROWS; r++) {
            sum[r][c] = 0.0;
        }
    }
    [[dont_unroll]] for (uint k = 0u; k < depth; k++) {
        vec4 x[ROWS];
        [[unroll]] for (uint r = 0u; r < ROWS; r++) {
            x[r] = widen(a[a_at[r] + k]);
        }
        [[unroll]] for (uint c = 0u; c < WIDTH; c++) {
            vec4 y = widen(w[w_at[c] + k]);
            [[unroll]] for (uint r = 0u; r < ROWS; r++) {
                sum[r][c] += x[r].x * y.x;
                sum[r][c] += x[r].y * y.y;
                sum[r][c] += x[r].z * y.z;
                sum[r][c] += x[r].w * y.w;
            }
        }
    }
    for (uint r = 0u; r < ROWS; r++) {
        vec4 low = vec4(sum[r][0], sum[r][1], sum[r][2], sum[r][3]);
        vec4 high = vec4(sum[r][4], sum[r][5], sum[r][6], sum[r][7]);
        write4(first_row + r, first, low, high);
        if (!GATED) {
            write4(first_row + r, first + 4u, high, high);
        }
    }
}

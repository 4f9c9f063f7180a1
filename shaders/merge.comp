// Joins the shares of keys that fused attention was split into (reference.Merge,
// include/attention.glsl):
//   lse[head, i]    = log sum over shares s of exp(lse_s[head, i])
//   output[head, i] = sum over shares s of exp(lse_s[head, i] - lse[head, i]) output_s[head, i]
// A share of which a query sees nothing has an lse of minus infinity and counts for
// nothing. A query that sees nothing of any gets zeros and minus infinity.
//
// Grid: (rows / 4, heads). 16 invocations join a row.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x = 64) in;
layout(constant_id = 20) const uint SPLITS = 2;

#include "include/elements.glsl"
#include "include/limits.glsl"

layout(binding = 0) readonly buffer Shares { vec4 shares[]; };         // [heads, SPLITS, rows, groups]
layout(binding = 1) readonly buffer ShareLSE { float share_lse[]; };   // [heads, SPLITS, rows]
layout(binding = 2) writeonly buffer Output { ELEMENTS result[]; };
layout(binding = 3) writeonly buffer LogSumExp { float lse[]; };       // [heads, lse_head]

layout(push_constant) uniform Push {
    uint rows;
    uint groups;            // of four elements in a row
    uint out_row, out_head; // of the output, in groups
    uint lse_head;          // elements between two heads' first log-sum-exp
};

void main()
{
    const uint PER_ROW = 16u;
    uint head = gl_WorkGroupID.y, lane = gl_LocalInvocationID.x % PER_ROW;
    uint row = gl_WorkGroupID.x * (64u / PER_ROW) + gl_LocalInvocationID.x / PER_ROW;
    if (row >= rows) {
        return;
    }
    uint first = head * SPLITS * rows + row; // the row of the first share
    float greatest = NOTHING_SEEN;
    [[unroll]] for (uint s = 0u; s < SPLITS; s++) {
        greatest = max(greatest, share_lse[first + s * rows]);
    }
    for (uint c = lane; c < groups; c += PER_ROW) {
        float total = 0.0;
        vec4 sum = vec4(0.0);
        [[unroll]] for (uint s = 0u; s < SPLITS; s++) {
            float own = share_lse[first + s * rows];
            // Any log-sum-exp of a visible key is far above it.
            float weight = own > NOTHING_SEEN ? exp2((own - greatest) * LOG2_E) : 0.0;
            total += weight;
            sum += weight * shares[(first + s * rows) * groups + c];
        }
        float inverse = total == 0.0 ? 0.0 : 1.0 / total;
        result[head * out_head + row * out_row + c] = narrow(sum * inverse);
        if (c == 0u) {
            lse[head * lse_head + row] = total == 0.0 ? MINUS_INFINITY : greatest + log2(total) * LN_2;
        }
    }
}

// Fused attention with one query row an invocation and no shared memory.
// Key and value rows are addressed uniformly over the workgroup: on a CPU driver
// each element is one broadcast load for a whole vector of queries, and there is
// no barrier. See include/attention.glsl for what is computed.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x_id = 0) in;
layout(constant_id = 0) const uint QUERY_TILE = 16;
layout(constant_id = 1) const uint HEAD_DIM = 64;
// Whether the query row stays in registers beside the sums: more than a GPU gives
// one invocation, but a CPU's stack does not mind.
layout(constant_id = 2) const bool KEEP_QUERY = true;

const uint GROUPS = HEAD_DIM / 4u;
const uint STEP = 4u; // keys between two updates of the running maximum

#include "include/elements.glsl"
#include "include/attention.glsl"

// What one group of four elements adds to the scores of four keys.
vec4 products(vec4 x, uint key0, uint key1, uint key2, uint key3)
{
    return vec4(dot(x, widen(keys[key0])), dot(x, widen(keys[key1])),
                dot(x, widen(keys[key2])), dot(x, widen(keys[key3])));
}

void main()
{
    uint query_tile = gl_WorkGroupID.x, head = gl_WorkGroupID.y;
    uint lane = gl_LocalInvocationID.x;
    uint row = query_tile * QUERY_TILE + lane;
    uint query = head * in_head + min(row, rows - 1u) * in_row;
    uint base = head * in_head, last = rows - 1u;
    float factor = scale * LOG2_E;

    vec4 q[KEEP_QUERY ? GROUPS : 1u];
    vec4 sum[GROUPS];
    for (uint c = 0u; c < GROUPS; c++) {
        if (KEEP_QUERY) {
            q[c] = widen(queries[query + c]);
        }
        sum[c] = vec4(0.0);
    }
    float maximum = NOTHING_SEEN, total = 0.0;

    uint end = map_end(query_tile);
    for (uint entry = map_begin(query_tile); entry < end; entry++) {
        uint first_key = map_key_tile(entry) * KEY_TILE;
        uint visible = map_visible(entry, lane);
        for (uint k = 0u; k < KEY_TILE; k += STEP) {
            uint row0 = base + min(first_key + k, last) * in_row;
            uint row1 = base + min(first_key + k + 1u, last) * in_row;
            uint row2 = base + min(first_key + k + 2u, last) * in_row;
            uint row3 = base + min(first_key + k + 3u, last) * in_row;
            vec4 s = vec4(0.0);
            if (KEEP_QUERY) {
                [[unroll]] for (uint c = 0u; c < GROUPS; c++) {
                    s += products(q[c], row0 + c, row1 + c, row2 + c, row3 + c);
                }
            } else {
                [[dont_unroll]] for (uint c = 0u; c < GROUPS; c++) {
                    s += products(widen(queries[query + c]), row0 + c, row1 + c, row2 + c, row3 + c);
                }
            }
            bvec4 seen = notEqual(uvec4(visible) & (uvec4(1u, 2u, 4u, 8u) << k), uvec4(0u));
            s = mix(vec4(NOTHING_SEEN), clamp(s * factor, -SCORE_LIMIT, SCORE_LIMIT), seen);
            float larger = max(maximum, max(max(s.x, s.y), max(s.z, s.w)));
            float shrink = exp2(maximum - larger);
            vec4 p = mix(vec4(0.0), exp2(s - larger), seen);
            maximum = larger;
            total = total * shrink + (p.x + p.y) + (p.z + p.w);
            for (uint c = 0u; c < GROUPS; c++) {
                sum[c] = sum[c] * shrink
                       + (p.x * widen(values[row0 + c]) + p.y * widen(values[row1 + c])
                        + p.z * widen(values[row2 + c]) + p.w * widen(values[row3 + c]));
            }
        }
    }
    if (row < rows) {
        float inverse = total == 0.0 ? 0.0 : 1.0 / total;
        for (uint c = 0u; c < GROUPS; c++) {
            write_output(head * out_head + row * out_row + c, sum[c] * inverse);
        }
        write_lse(head, row, maximum, total);
    }
}

// Fused attention for drivers that run on a CPU: many sums an invocation, few
// barriers, loops left rolled so that the driver compiles quickly. See
// include/attention.glsl for what is computed.
//
// A workgroup of 32 invocations takes 64 queries and walks tiles of 32 keys. An
// invocation computes 8 x 8 scores, then the softmax of two rows, then an eighth
// of the queries by a quarter of the output's elements. Each element that it
// loads is used eight times: on a CPU a load at an address of its own in every
// invocation costs as much as several multiply-adds.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x = 32) in;
layout(constant_id = 1) const uint HEAD_DIM = 64;
// Workgroups, in z, that share the output's elements, each forming the weights
// again: 1 on a CPU, whose stack has room for all sums, and as many on a GPU as
// leave them in registers.
layout(constant_id = 2) const uint PARTS = 1;

const uint QUERY_TILE = 64u;
const uint OWN_ROWS = 8u; // of the scores, an invocation's own
const uint GROUPS = HEAD_DIM / 4u; // of four elements in a row
const uint OWN = GROUPS / 4u / PARTS; // of the output, an invocation's own

#include "include/elements.glsl"
#include "include/attention.glsl"
#include "include/products.glsl"

shared float tile[QUERY_TILE * KEY_TILE]; // scores, then weights
shared float shrinks[QUERY_TILE];         // what the sums so far are to be multiplied by
shared float totals[QUERY_TILE];

void main()
{
    uint query_tile = gl_WorkGroupID.x, head = gl_WorkGroupID.y, id = gl_LocalInvocationID.x;
    uint first_row = query_tile * QUERY_TILE, base = head * in_head, last = rows - 1u;
    float factor = scale * LOG2_E;
    uint own_row = id / 4u * 8u; // of the tile: the first of eight whose scores and sums are this invocation's
    uint quarter = id % 4u;      // of the tile's keys, then of the output's elements
    uint own_group = (gl_WorkGroupID.z * 4u + quarter) * OWN;

    uint query[8];
    vec4 sum[8][OWN];
    for (uint i = 0u; i < 8u; i++) {
        query[i] = base + min(first_row + own_row + i, last) * in_row;
        for (uint g = 0u; g < OWN; g++) {
            sum[i][g] = vec4(0.0);
        }
    }
    float maximum[2] = float[2](NOTHING_SEEN, NOTHING_SEEN), total[2] = float[2](0.0, 0.0); // of rows 2 id and 2 id + 1

    uint end = map_end(query_tile);
    for (uint entry = map_begin(query_tile); entry < end; entry++) {
        uint first_key = map_key_tile(entry) * KEY_TILE;

        uint key[8];
        vec4 low[8], high[8]; // scores of keys 0 to 3 and 4 to 7 of the quarter
        for (uint i = 0u; i < 8u; i++) {
            key[i] = base + min(first_key + quarter * 8u + i, last) * in_row;
        }
        products(query, key, low, high);
        barrier(); // the last tile's weights are used up
        for (uint i = 0u; i < 8u; i++) {
            uint visible = map_visible(entry, own_row + i) >> (quarter * 8u);
            uint at = (own_row + i) * KEY_TILE + quarter * 8u;
            [[unroll]] for (uint j = 0u; j < 4u; j++) {
                tile[at + j] = (visible >> j & 1u) == 0u ? NOTHING_SEEN : clamp(low[i][j] * factor, -SCORE_LIMIT, SCORE_LIMIT);
                tile[at + 4u + j] = (visible >> (4u + j) & 1u) == 0u ? NOTHING_SEEN : clamp(high[i][j] * factor, -SCORE_LIMIT, SCORE_LIMIT);
            }
        }
        barrier();

        [[unroll]] for (uint t = 0u; t < 2u; t++) {
            uint row = 2u * id + t, at = row * KEY_TILE;
            float larger = maximum[t];
            [[dont_unroll]] for (uint j = 0u; j < KEY_TILE; j++) {
                larger = max(larger, tile[at + j]);
            }
            float shrink = exp2(maximum[t] - larger), part = 0.0;
            [[dont_unroll]] for (uint j = 0u; j < KEY_TILE; j++) {
                float s = tile[at + j];
                // Scores are clamped far above it: only a masked key has this one.
                float p = s == NOTHING_SEEN ? 0.0 : exp2(s - larger);
                tile[at + j] = p;
                part += p;
            }
            maximum[t] = larger;
            total[t] = total[t] * shrink + part;
            shrinks[row] = shrink;
        }
        barrier();

        [[unroll]] for (uint i = 0u; i < 8u; i++) {
            float shrink = shrinks[own_row + i];
            [[unroll]] for (uint g = 0u; g < OWN; g++) {
                sum[i][g] *= shrink;
            }
        }
        [[dont_unroll]] for (uint j = 0u; j < KEY_TILE; j++) {
            uint value = base + min(first_key + j, last) * in_row + own_group;
            vec4 v[OWN];
            [[unroll]] for (uint g = 0u; g < OWN; g++) {
                v[g] = widen(values[value + g]);
            }
            [[unroll]] for (uint i = 0u; i < 8u; i++) {
                float p = tile[(own_row + i) * KEY_TILE + j];
                [[unroll]] for (uint g = 0u; g < OWN; g++) {
                    sum[i][g] += p * v[g];
                }
            }
        }
    }

    for (uint t = 0u; t < 2u; t++) {
        uint row = 2u * id + t;
        totals[row] = total[t];
        if (first_row + row < rows && gl_WorkGroupID.z == 0u) {
            write_lse(head, first_row + row, maximum[t], total[t]);
        }
    }
    barrier();
    for (uint i = 0u; i < 8u; i++) {
        uint row = first_row + own_row + i;
        float all = totals[own_row + i];
        if (row < rows) {
            float inverse = all == 0.0 ? 0.0 : 1.0 / all;
            for (uint g = 0u; g < OWN; g++) {
                write_output(head * out_head + row * out_row + own_group + g, sum[i][g] * inverse);
            }
        }
    }
}

// Fused attention for GPUs of any kind: 128 invocations, under 16 KiB of shared
// memory, no subgroup operations and no 16-bit features. See
// include/attention.glsl for what is computed.
//
// PARTS = 4 invocations share one of the 32 query rows. Each computes the scores
// of every fourth key of a block, then every fourth group of the output's
// elements, so that scores stay in registers until they are weights and a block
// of keys or values is read from memory once for 32 queries.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x = 128) in;
layout(constant_id = 1) const uint HEAD_DIM = 64;

const uint QUERY_TILE = 32u;
const uint PARTS = 4u;
const uint GROUPS = HEAD_DIM / 4u;                 // of four elements in a row
const uint BLOCK = HEAD_DIM <= 64u ? 32u : 16u;    // keys in shared memory at a time
const uint OWN_KEYS = BLOCK / PARTS;
const uint OWN_GROUPS = GROUPS / PARTS;
// A wide query row beside the sums would leave a GPU one wave, and one of f16 that is
// widened once and for all half of those it has without: read it again instead.
const bool KEEP_QUERY = HEAD_DIM <= 64u && F16 == 0;

#include "include/elements.glsl"
#include "include/attention.glsl"

// Elements as they are stored, which for f16 is half as much to and from shared
// memory. Rows are one group longer than needed, so that equal columns of neighbouring
// rows lie in different banks.
shared ELEMENTS block[BLOCK * (GROUPS + 1u)];
shared float probabilities[QUERY_TILE * (BLOCK + 1u)];
shared float parts[QUERY_TILE * PARTS];

void main()
{
    uint query_tile = gl_WorkGroupID.x, head = gl_WorkGroupID.y;
    uint share = own_share(1u), result_head = head * SPLITS + share;
    uint id = gl_LocalInvocationID.x, tile_row = id / PARTS, part = id % PARTS;
    uint row = query_tile * QUERY_TILE + tile_row;
    uint query = head * in_head + min(row, rows - 1u) * in_row;
    uint base = head * in_head, last = rows - 1u;
    float factor = scale * LOG2_E;

    vec4 q[KEEP_QUERY ? GROUPS : 1u];
    if (KEEP_QUERY) {
        [[unroll]] for (uint c = 0u; c < GROUPS; c++) {
            q[c] = widen(queries[query + c]);
        }
    }
    vec4 sum[OWN_GROUPS];
    for (uint c = 0u; c < OWN_GROUPS; c++) {
        sum[c] = vec4(0.0);
    }
    // maximum is the same in all parts of a row; total counts a part's own keys.
    float maximum = NOTHING_SEEN, total = 0.0;

    uint end = share_end(query_tile, share);
    for (uint entry = share_begin(query_tile, share); entry < end; entry++) {
        uint visible = map_visible(entry, tile_row);
        for (uint k = 0u; k < KEY_TILE; k += BLOCK) {
            uint first_key = map_key_tile(entry) * KEY_TILE + k;
            barrier(); // the last block's values are used up
            for (uint i = id; i < BLOCK * GROUPS; i += gl_WorkGroupSize.x) {
                block[i / GROUPS * (GROUPS + 1u) + i % GROUPS] = keys[base + min(first_key + i / GROUPS, last) * in_row + i % GROUPS];
            }
            barrier();

            float s[OWN_KEYS];
            for (uint j = 0u; j < OWN_KEYS; j++) {
                s[j] = 0.0;
            }
            if (KEEP_QUERY) {
                [[unroll]] for (uint c = 0u; c < GROUPS; c++) {
                    for (uint j = 0u; j < OWN_KEYS; j++) {
                        s[j] += dot(q[c], widen(block[(j * PARTS + part) * (GROUPS + 1u) + c]));
                    }
                }
            } else {
                [[dont_unroll]] for (uint c = 0u; c < GROUPS; c++) {
                    vec4 x = widen(queries[query + c]);
                    for (uint j = 0u; j < OWN_KEYS; j++) {
                        s[j] += dot(x, widen(block[(j * PARTS + part) * (GROUPS + 1u) + c]));
                    }
                }
            }
            float larger = NOTHING_SEEN;
            for (uint j = 0u; j < OWN_KEYS; j++) {
                bool seen = (visible >> (k + j * PARTS + part) & 1u) != 0u;
                s[j] = seen ? clamp(s[j] * factor, -SCORE_LIMIT, SCORE_LIMIT) : NOTHING_SEEN;
                larger = max(larger, s[j]);
            }
            parts[id] = larger;
            barrier(); // the keys are used up, the parts' maxima are there

            uint first_part = tile_row * PARTS;
            larger = max(max(parts[first_part], parts[first_part + 1u]), max(parts[first_part + 2u], parts[first_part + 3u]));
            larger = max(larger, maximum);
            float shrink = exp2(maximum - larger);
            maximum = larger;
            total *= shrink;
            for (uint j = 0u; j < OWN_KEYS; j++) {
                uint key = j * PARTS + part;
                bool seen = (visible >> (k + key) & 1u) != 0u;
                float p = seen ? exp2(s[j] - larger) : 0.0;
                total += p;
                probabilities[tile_row * (BLOCK + 1u) + key] = p;
            }
            for (uint i = id; i < BLOCK * GROUPS; i += gl_WorkGroupSize.x) {
                block[i / GROUPS * (GROUPS + 1u) + i % GROUPS] = values[base + min(first_key + i / GROUPS, last) * in_row + i % GROUPS];
            }
            barrier();

            for (uint c = 0u; c < OWN_GROUPS; c++) {
                sum[c] *= shrink;
            }
            for (uint key = 0u; key < BLOCK; key++) {
                float p = probabilities[tile_row * (BLOCK + 1u) + key];
                for (uint c = 0u; c < OWN_GROUPS; c++) {
                    sum[c] += p * widen(block[key * (GROUPS + 1u) + c * PARTS + part]);
                }
            }
        }
    }

    barrier();
    parts[id] = total;
    barrier();
    uint first_part = tile_row * PARTS;
    total = (parts[first_part] + parts[first_part + 1u]) + (parts[first_part + 2u] + parts[first_part + 3u]);
    if (row < rows) {
        float inverse = total == 0.0 ? 0.0 : 1.0 / total;
        for (uint c = 0u; c < OWN_GROUPS; c++) {
            write_output(result_head * out_head + row * out_row + c * PARTS + part, sum[c] * inverse);
        }
        if (part == 0u) {
            write_lse(result_head, row, maximum, total);
        }
    }
}

// Fused attention for drivers that run on a CPU. See include/attention.glsl for
// what is computed, and matmul_lanes.comp for what such drivers make dear.
//
// A workgroup is one subgroup and takes ROWS queries. For a tile of 32 keys its
// invocations first own keys: each computes the scores of all rows with its own
// ones. Then they own elements of the output: each sums its own ones of the
// values, with the weights handed round. Nothing waits at a barrier.
//
// Grid: (query tiles, heads, SPLITS * 32 / ROWS).
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require

const uint QUERY_TILE = 32u;

#include "include/elements.glsl"
#include "include/attention.glsl"
#include "include/query_key_lanes.glsl"

const uint OWN = GROUPS / LANES; // groups of the output, an invocation's own

shared vec4 sums[ROWS * GROUPS]; // the output, so that writing it is rolled

void main()
{
    uint query_tile = gl_WorkGroupID.x, head = gl_WorkGroupID.y, lane = gl_SubgroupInvocationID;
    uint share = own_share(QUERY_TILE / ROWS), result_head = head * SPLITS + share;
    uint tile_row = (gl_WorkGroupID.z - share * (QUERY_TILE / ROWS)) * ROWS;
    uint first_row = query_tile * QUERY_TILE + tile_row, base = head * in_head, last = rows - 1u;
    float factor = scale * LOG2_E;

    uint query[FETCHED];
    float maximum[FETCHED]; // of rows lane, LANES + lane, ...
    [[unroll]] for (uint f = 0u; f < FETCHED; f++) {
        query[f] = base + min(first_row + f * LANES + lane, last) * in_row;
        maximum[f] = NOTHING_SEEN;
    }
    float total[ROWS]; // of an invocation's own keys
    vec4 sum[ROWS][OWN];
    [[unroll]] for (uint r = 0u; r < ROWS; r++) {
        total[r] = 0.0;
        [[unroll]] for (uint g = 0u; g < OWN; g++) {
            sum[r][g] = vec4(0.0);
        }
    }

    uint end = share_end(query_tile, share);
    [[dont_unroll]] for (uint entry = share_begin(query_tile, share); entry < end; entry++) {
        uint first_key = map_key_tile(entry) * KEY_TILE;
        uint key[OWN_KEYS];
        float score[ROWS][OWN_KEYS];
        [[unroll]] for (uint j = 0u; j < OWN_KEYS; j++) {
            key[j] = base + min(first_key + lane * OWN_KEYS + j, last) * in_row;
        }
        products(query, key, score);

        // Scores, masked; and the maximum of each row, in the invocation that fetches it.
        uint visible[FETCHED];
        float larger[FETCHED], shrink[FETCHED];
        [[unroll]] for (uint f = 0u; f < FETCHED; f++) {
            visible[f] = map_visible(entry, tile_row + f * LANES + lane);
            larger[f] = maximum[f];
        }
        [[unroll]] for (uint r = 0u; r < ROWS; r++) {
            uint bits = OF_ROW(visible, r) >> (lane * OWN_KEYS);
            float most = NOTHING_SEEN;
            [[unroll]] for (uint j = 0u; j < OWN_KEYS; j++) {
                float s = clamp(score[r][j] * factor, -SCORE_LIMIT, SCORE_LIMIT);
                score[r][j] = (bits >> j & 1u) == 0u ? NOTHING_SEEN : s;
                most = max(most, score[r][j]);
            }
            most = max(most, subgroupShuffleXor(most, 1u));
            most = max(most, subgroupShuffleXor(most, 2u));
            if (LANES > 4u) {
                most = max(most, subgroupShuffleXor(most, 4u));
            }
            larger[r / LANES] = lane == r % LANES ? max(larger[r / LANES], most) : larger[r / LANES];
        }
        [[unroll]] for (uint f = 0u; f < FETCHED; f++) {
            shrink[f] = exp2(maximum[f] - larger[f]);
            maximum[f] = larger[f];
        }
        [[unroll]] for (uint r = 0u; r < ROWS; r++) {
            float most = OF_ROW(larger, r), less = OF_ROW(shrink, r);
            float part = 0.0;
            [[unroll]] for (uint j = 0u; j < OWN_KEYS; j++) {
                // Scores are clamped far above it: only a masked key has this one.
                score[r][j] = score[r][j] == NOTHING_SEEN ? 0.0 : exp2(score[r][j] - most);
                part += score[r][j];
            }
            total[r] = total[r] * less + part;
            [[unroll]] for (uint g = 0u; g < OWN; g++) {
                sum[r][g] *= less;
            }
        }

        // The weights, which lie with the keys' owners, times the values.
        [[dont_unroll]] for (uint owner = 0u; owner < LANES; owner++) {
            [[unroll]] for (uint j = 0u; j < OWN_KEYS; j++) {
                uint value = base + min(first_key + owner * OWN_KEYS + j, last) * in_row + lane * OWN;
                vec4 v[OWN];
                [[unroll]] for (uint g = 0u; g < OWN; g++) {
                    v[g] = READ(values, value + g);
                }
                [[unroll]] for (uint r = 0u; r < ROWS; r++) {
                    float p = subgroupShuffle(score[r][j], owner);
                    [[unroll]] for (uint g = 0u; g < OWN; g++) {
                        sum[r][g] += p * v[g];
                    }
                }
            }
        }
    }

    [[unroll]] for (uint r = 0u; r < ROWS; r++) {
        float all = total[r];
        all += subgroupShuffleXor(all, 1u);
        all += subgroupShuffleXor(all, 2u);
        if (LANES > 4u) {
            all += subgroupShuffleXor(all, 4u);
        }
        float inverse = all == 0.0 ? 0.0 : 1.0 / all;
        [[unroll]] for (uint g = 0u; g < OWN; g++) {
            sums[r * GROUPS + lane * OWN + g] = sum[r][g] * inverse;
        }
        total[r / LANES] = lane == r % LANES ? all : total[r / LANES];
    }
    subgroupMemoryBarrierShared();
    subgroupBarrier();
    [[unroll]] for (uint f = 0u; f < FETCHED; f++) {
        uint row = first_row + f * LANES + lane;
        if (row < rows) {
            write_lse(result_head, row, maximum[f], total[f]);
        }
    }
    [[dont_unroll]] for (uint i = lane; i < ROWS * GROUPS; i += LANES) {
        uint row = first_row + i / GROUPS;
        if (row < rows) {
            write_output(result_head * out_head + row * out_row + i % GROUPS, sums[i]);
        }
    }
}

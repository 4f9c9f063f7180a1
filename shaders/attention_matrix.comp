// Fused attention on matrix units: f16 in, sums in f32. See include/attention.glsl
// for what is computed.
//
// A subgroup owns OWN rows of matrices, so that no softmax crosses subgroups. The
// queries stay in registers, and the output's sums too. For a tile of 32 keys it
// multiplies scores, lays them in shared memory, where an invocation finds the
// rows that it turns into weights, and takes those up again as f16. The next keys
// and values are on their way to registers meanwhile.
//
// Weights are relative to a maximum that may lag behind by GROWTH, so that the
// sums are seldom scaled, and lifted by 2^LIFT: f16 begins to lose the small ones
// 25 powers of two below the greatest (Dao et al. 2022; Shah et al. 2024).
//
// Grid: (tiles of 64 queries, heads, SPLITS).
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_vote : require
#extension GL_KHR_shader_subgroup_shuffle : require

#include "include/matrices.glsl"

layout(constant_id = 1) const uint HEAD_DIM = 64;
layout(constant_id = 5) const uint OWN = 1;

const uint QUERY_TILE = 64u;
const uint OWN_ROWS = OWN * M; // SUBGROUPS of them are QUERY_TILE
const uint COLUMNS = HEAD_DIM / N;
const float GROWTH = 4.0, LIFT = 11.0;

#define ELEMENTS uvec4
#include "include/attention.glsl"

// Keys, then values, HEAD_DIM / 8 chunks of eight elements a row; an odd pitch puts
// equal chunks of neighbouring rows in different banks.
const uint CHUNKS = HEAD_DIM / 8u;
const uint PITCH = CHUNKS + 1u;
const uint EACH = (KEY_TILE * CHUNKS + INVOCATIONS - 1u) / INVOCATIONS; // chunks that an invocation fetches
shared uvec4 stage[2u * KEY_TILE * PITCH];         // at first the queries

// Of each subgroup, a row of 32 scores, four to a uvec4, then weights, eight to
// one; what is left holds a number of the row.
const uint SLAB_PITCH = KEY_TILE / 4u + 1u;
shared uvec4 slabs[QUERY_TILE * SLAB_PITCH];
// The factor by which a row's sums shrink, as often as a matrix has columns.
const uint SHRINK_PITCH = N / 4u + 1u;
shared uvec4 shrinks[QUERY_TILE * SHRINK_PITCH];

// A row has SHARERS invocations, or an invocation has TURNS rows.
const uint SHARERS = LANES > OWN_ROWS ? LANES / OWN_ROWS : 1u;
const uint TURNS = LANES > OWN_ROWS ? 1u : OWN_ROWS / LANES;
const uint BLOCKS = KEY_TILE / 8u / SHARERS; // of eight keys, an invocation's own

LEFT q[OWN][HEAD_DIM / K];  // queries
LEFT p[OWN][KEY_TILE / K];  // weights
SUMS s[OWN];                // scores with N keys
SUMS sums[OWN][COLUMNS];    // the output

void scores_begin()
{
    [[unroll]] for (uint o = 0u; o < OWN; o++) {
        s[o] = SUMS(0.0);
    }
}

// Adds the products with elements e of keys c, matrices of each.
void scores_add(uint c, uint e)
{
    RIGHT k;
    coopMatLoad(k, stage, c * N * PITCH + e * K / 8u, PITCH, BY_COLUMNS);
    [[unroll]] for (uint o = 0u; o < OWN; o++) {
        s[o] = coopMatMulAdd(q[o][e], k, s[o]);
    }
}

void scores_end(uint c, uint slab)
{
    [[unroll]] for (uint o = 0u; o < OWN; o++) {
        coopMatStore(s[o], slabs, slab + o * M * SLAB_PITCH + c * N / 4u, SLAB_PITCH, BY_ROWS);
    }
}

// Adds the products of weights e with columns c of the values, matrices of each.
void values_add(uint c, uint e)
{
    RIGHT v;
    coopMatLoad(v, stage, (KEY_TILE + e * K) * PITCH + c * N / 8u, PITCH, BY_ROWS);
    [[unroll]] for (uint o = 0u; o < OWN; o++) {
        sums[o][c] = coopMatMulAdd(p[o][e], v, sums[o][c]);
    }
}

void main()
{
    uint query_tile = gl_WorkGroupID.x, head = gl_WorkGroupID.y;
    uint share = own_share(1u), result_head = head * SPLITS + share;
    uint id = gl_LocalInvocationID.x, lane = gl_SubgroupInvocationID;
    uint base = head * (in_head / 2u), last = rows - 1u, row_pitch = in_row / 2u;
    uint slab = gl_SubgroupID * OWN_ROWS * SLAB_PITCH, part = lane % SHARERS;
    float factor = scale * LOG2_E;

    for (uint i = id; i < QUERY_TILE * CHUNKS; i += INVOCATIONS) {
        stage[i / CHUNKS * PITCH + i % CHUNKS] = queries[base + min(query_tile * QUERY_TILE + i / CHUNKS, last) * row_pitch + i % CHUNKS];
    }
    barrier();
    [[unroll]] for (uint o = 0u; o < OWN; o++) {
        [[unroll]] for (uint e = 0u; e < HEAD_DIM / K; e++) {
            coopMatLoad(q[o][e], stage, (gl_SubgroupID * OWN + o) * M * PITCH + e * K / 8u, PITCH, BY_ROWS);
        }
        [[unroll]] for (uint c = 0u; c < COLUMNS; c++) {
            sums[o][c] = SUMS(0.0);
        }
    }
    // The maximum is the same in all sharers of a row; the total is of an invocation's own keys.
    float maximum[TURNS], total[TURNS];
    [[unroll]] for (uint t = 0u; t < TURNS; t++) {
        maximum[t] = NOTHING_SEEN;
        total[t] = 0.0;
    }

    uvec4 next_keys[EACH], next_values[EACH];
    uint begin = share_begin(query_tile, share), end = share_end(query_tile, share);
    [[dont_unroll]] for (uint next = begin; next <= end; next++) {
        barrier(); // the queries, or the last keys and values, are used up
        if (next > begin) {
            [[unroll]] for (uint i = 0u; i < EACH; i++) {
                uint key = (id + i * INVOCATIONS) / CHUNKS, at = key * PITCH + (id + i * INVOCATIONS) % CHUNKS;
                if (key < KEY_TILE) { // the last may be past them
                    stage[at] = next_keys[i];
                    stage[KEY_TILE * PITCH + at] = next_values[i];
                }
            }
            barrier();
        }
        if (next < end) {
            uint first_key = map_key_tile(next) * KEY_TILE;
            [[unroll]] for (uint i = 0u; i < EACH; i++) {
                uint at = base + min(first_key + (id + i * INVOCATIONS) / CHUNKS, last) * row_pitch + (id + i * INVOCATIONS) % CHUNKS;
                next_keys[i] = keys[at];
                next_values[i] = values[at];
            }
        }
        if (next == begin) {
            continue;
        }

        if (ROLLED) {
            [[dont_unroll]] for (uint c = 0u; c < KEY_TILE / N; c++) {
                scores_begin();
                [[dont_unroll]] for (uint e = 0u; e < HEAD_DIM / K; e++) {
                    scores_add(c, e);
                }
                scores_end(c, slab);
            }
        } else {
            [[unroll]] for (uint c = 0u; c < KEY_TILE / N; c++) {
                scores_begin();
                [[unroll]] for (uint e = 0u; e < HEAD_DIM / K; e++) {
                    scores_add(c, e);
                }
                scores_end(c, slab);
            }
        }
        meet();

        vec4 score[TURNS][2u * BLOCKS];
        float larger[TURNS];
        bool grew = false;
        [[unroll]] for (uint t = 0u; t < TURNS; t++) {
            uint row = lane / SHARERS + t * LANES;
            uint visible = map_visible(next - 1u, gl_SubgroupID * OWN_ROWS + row);
            larger[t] = NOTHING_SEEN;
            [[unroll]] for (uint b = 0u; b < 2u * BLOCKS; b++) {
                uint four = part * 2u * BLOCKS + b; // keys
                uint bits = visible >> 4u * four;
                vec4 s = uintBitsToFloat(slabs[slab + row * SLAB_PITCH + four]) * factor;
                s = mix(vec4(NOTHING_SEEN), s, notEqual(uvec4(bits) & uvec4(1u, 2u, 4u, 8u), uvec4(0u)));
                score[t][b] = s;
                larger[t] = max(larger[t], max(max(s.x, s.y), max(s.z, s.w)));
            }
            [[unroll]] for (uint other = 1u; other < SHARERS; other *= 2u) {
                larger[t] = max(larger[t], subgroupShuffleXor(larger[t], other));
            }
            grew = grew || larger[t] > maximum[t] + GROWTH;
        }
        meet(); // the scores are read
        // No barrier stands in a branch: there are drivers (lavapipe) at which the
        // subgroups of a workgroup wait for one another even so.
        grew = subgroupAny(grew);
        [[unroll]] for (uint t = 0u; t < TURNS; t++) {
            if (grew) {
                larger[t] = max(larger[t], maximum[t]);
                float shrink = exp2(maximum[t] - larger[t]);
                maximum[t] = larger[t];
                total[t] *= shrink;
                for (uint i = part; i < N / 4u; i += SHARERS) {
                    shrinks[(gl_SubgroupID * OWN_ROWS + lane / SHARERS + t * LANES) * SHRINK_PITCH + i] = floatBitsToUint(vec4(shrink));
                }
            }
        }
        [[unroll]] for (uint t = 0u; t < TURNS; t++) {
            [[unroll]] for (uint b = 0u; b < BLOCKS; b++) {
                // Only a masked key has this score: no sum of f16 products comes near it.
                vec4 low = score[t][2u * b], high = score[t][2u * b + 1u];
                low = mix(exp2(low - (maximum[t] - LIFT)), vec4(0.0), equal(low, vec4(NOTHING_SEEN)));
                high = mix(exp2(high - (maximum[t] - LIFT)), vec4(0.0), equal(high, vec4(NOTHING_SEEN)));
                vec4 both = low + high;
                total[t] += (both.x + both.y) + (both.z + both.w);
                slabs[slab + (lane / SHARERS + t * LANES) * SLAB_PITCH + part * BLOCKS + b] =
                    uvec4(packHalf2x16(low.xy), packHalf2x16(low.zw), packHalf2x16(high.xy), packHalf2x16(high.zw));
            }
        }
        meet();
        [[unroll]] for (uint o = 0u; o < OWN; o++) {
            if (grew) {
                SUMS shrink;
                coopMatLoad(shrink, shrinks, (gl_SubgroupID * OWN + o) * M * SHRINK_PITCH, SHRINK_PITCH, BY_ROWS);
                [[unroll]] for (uint c = 0u; c < COLUMNS; c++) {
                    sums[o][c] = sums[o][c] * shrink;
                }
            }
            [[unroll]] for (uint e = 0u; e < KEY_TILE / K; e++) {
                coopMatLoad(p[o][e], slabs, slab + o * M * SLAB_PITCH + e * K / 8u, SLAB_PITCH, BY_ROWS);
            }
        }
        if (ROLLED) {
            [[dont_unroll]] for (uint c = 0u; c < COLUMNS; c++) {
                [[dont_unroll]] for (uint e = 0u; e < KEY_TILE / K; e++) {
                    values_add(c, e);
                }
            }
        } else {
            [[unroll]] for (uint c = 0u; c < COLUMNS; c++) {
                [[unroll]] for (uint e = 0u; e < KEY_TILE / K; e++) {
                    values_add(c, e);
                }
            }
        }
    }

    // The sums, 32 columns at a time, divided by the total behind each row.
    uint first_row = query_tile * QUERY_TILE + gl_SubgroupID * OWN_ROWS;
    meet();
    [[unroll]] for (uint t = 0u; t < TURNS; t++) {
        [[unroll]] for (uint other = 1u; other < SHARERS; other *= 2u) {
            total[t] += subgroupShuffleXor(total[t], other);
        }
        uint row = lane / SHARERS + t * LANES;
        slabs[slab + row * SLAB_PITCH + SLAB_PITCH - 1u].x = floatBitsToUint(total[t] == 0.0 ? 0.0 : 1.0 / total[t]);
        if (part == 0u && first_row + row < rows) {
            write_lse(result_head, first_row + row, maximum[t] - LIFT, total[t]);
        }
    }
    const uint SIDE = 32u / N; // matrices side by side
    [[unroll]] for (uint c = 0u; c < COLUMNS; c += SIDE) {
        [[unroll]] for (uint o = 0u; o < OWN; o++) {
            [[unroll]] for (uint s = 0u; s < SIDE; s++) {
                if (c + s < COLUMNS) {
                    coopMatStore(sums[o][c + s], slabs, slab + o * M * SLAB_PITCH + s * N / 4u, SLAB_PITCH, BY_ROWS);
                }
            }
        }
        meet();
        [[dont_unroll]] for (uint i = lane; i < OWN_ROWS * 8u; i += LANES) {
            uint row = i / 8u, group = c * N / 4u + i % 8u;
            if (first_row + row < rows && group < HEAD_DIM / 4u) {
                float inverse = uintBitsToFloat(slabs[slab + row * SLAB_PITCH + SLAB_PITCH - 1u].x);
                vec4 value = uintBitsToFloat(slabs[slab + row * SLAB_PITCH + i % 8u]);
                write_output(result_head * out_head + (first_row + row) * out_row + group, value * inverse);
            }
        }
        meet();
    }
}

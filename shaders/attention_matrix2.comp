// Fused attention on matrix units that also reduce the rows of a matrix, apply a
// function to each element and its place, and take sums for factors
// (VK_NV_cooperative_matrix2): f16 in, sums in f32. See include/attention.glsl for
// what is computed.
//
// As in attention_matrix.comp a subgroup owns OWN rows of matrices, and the next
// keys and values are on their way to registers meanwhile. But scores, weights and
// what is known of a row never leave registers (Dao 2023): the number of a row fills
// it in a matrix of sums. Shared memory holds keys, values and masks alone. Weights
// are M x N, so K must be N.
//
// Weights are relative to a maximum that may lag behind by GROWTH, so that the
// sums are seldom scaled, and lifted by 2^LIFT: f16 begins to lose the small ones
// 25 powers of two below the greatest.
//
// Grid: (tiles of 64 queries, heads, SPLITS).
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_vote : require
#extension GL_NV_cooperative_matrix2 : require

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
const uint PITCH = (CHUNKS > N / 4u ? CHUNKS : N / 4u) + 1u;
const uint EACH = (KEY_TILE * CHUNKS + INVOCATIONS - 1u) / INVOCATIONS; // chunks that an invocation fetches
shared uvec4 stage[2u * KEY_TILE * PITCH];         // at first the queries, at last the output

// Which of the keys each query sees, one bit each.
const uint WORDS = (QUERY_TILE + INVOCATIONS - 1u) / INVOCATIONS; // that an invocation fetches
shared uint visible[QUERY_TILE];

const uint TILES = KEY_TILE / N; // matrices side by side
#define WEIGHTS coopmat<float16_t, gl_ScopeSubgroup, M, N, gl_MatrixUseA>
#define VALUES coopmat<float16_t, gl_ScopeSubgroup, N, N, gl_MatrixUseB>

LEFT q[OWN][HEAD_DIM / K]; // queries
SUMS s[OWN][TILES];        // scores, then weights
WEIGHTS p[OWN];            // those of N keys
SUMS sums[OWN][COLUMNS];   // the output
SUMS level[OWN];           // of a row: the maximum of its exponents, less LIFT
SUMS total[OWN];           // of weights, each matrix's column by itself

float larger(const in float a, const in float b)
{
    return max(a, b);
}

float larger_element(const in uint row, const in uint column, const in float a, const in float b)
{
    return max(a, b);
}

float sum(const in float a, const in float b)
{
    return a + b;
}

// The score, unless the query does not see the key. No sum of f16 products comes near
// NOTHING_SEEN.
float seen(const in uint row, const in uint column, const in float score, const in uint first_row, const in uint first_key)
{
    return (visible[first_row + row] >> first_key + column & 1u) == 0u ? NOTHING_SEEN : score;
}

// The weight, unless the key is not seen: in a row that has seen nothing yet the
// exponential makes 1 of that.
float seen_weight(const in uint row, const in uint column, const in float weight, const in float score)
{
    return score == NOTHING_SEEN ? 0.0 : weight;
}

float weight(const in uint row, const in uint column, const in float score, const in float level, const in float factor)
{
    return exp2(score * factor - level);
}

// The level that follows from the largest score of a row.
float risen(const in uint row, const in uint column, const in float score, const in float level, const in float factor)
{
    return max(score * factor - LIFT, level);
}

float shrink(const in uint row, const in uint column, const in float before, const in float after)
{
    return exp2(before - after);
}

float inverse(const in uint row, const in uint column, const in float total)
{
    return total == 0.0 ? 0.0 : 1.0 / total;
}

// Both numbers of a row.
float both(const in uint row, const in uint column, const in float level, const in float total)
{
    return column == 0u ? level : total;
}

// Adds the products with elements e of keys c, matrices of each.
void scores_add(uint c, uint e)
{
    RIGHT k;
    coopMatLoad(k, stage, c * N * PITCH + e * K / 8u, PITCH, BY_COLUMNS);
    [[unroll]] for (uint o = 0u; o < OWN; o++) {
        s[o][c] = coopMatMulAdd(q[o][e], k, s[o][c]);
    }
}

// Takes weights e for factors.
void values_begin(uint e)
{
    [[unroll]] for (uint o = 0u; o < OWN; o++) {
        p[o] = WEIGHTS(s[o][e]);
    }
}

// Adds their products with columns c of the values, matrices of each.
void values_add(uint c, uint e)
{
    VALUES v;
    coopMatLoad(v, stage, (KEY_TILE + e * N) * PITCH + c * N / 8u, PITCH, BY_ROWS);
    [[unroll]] for (uint o = 0u; o < OWN; o++) {
        sums[o][c] = coopMatMulAdd(p[o], v, sums[o][c]);
    }
}

// Makes weights of the scores of rows o of matrices, and scales the sums if their
// maximum grew.
void weigh(uint o, bool masked, float factor)
{
    SUMS top = SUMS(NOTHING_SEEN);
    [[unroll]] for (uint c = 0u; c < TILES; c++) {
        if (masked) {
            coopMatPerElementNV(s[o][c], s[o][c], seen, (gl_SubgroupID * OWN + o) * M, c * N);
        }
        coopMatPerElementNV(top, top, larger_element, s[o][c]);
    }
    coopMatReduceNV(top, top, gl_CooperativeMatrixReduceRowNV, larger);
    coopMatPerElementNV(top, top, risen, level[o], factor);
    bool grew = false;
    for (int i = 0; i < top.length(); i++) {
        grew = grew || top[i] > level[o][i] + GROWTH;
    }
    if (subgroupAny(grew)) {
        SUMS less;
        coopMatPerElementNV(less, level[o], shrink, top);
        level[o] = top;
        total[o] = total[o] * less;
        [[unroll]] for (uint c = 0u; c < COLUMNS; c++) {
            sums[o][c] = sums[o][c] * less;
        }
    }
    [[unroll]] for (uint c = 0u; c < TILES; c++) {
        SUMS w;
        coopMatPerElementNV(w, s[o][c], weight, level[o], factor);
        if (masked) {
            coopMatPerElementNV(w, w, seen_weight, s[o][c]);
        }
        s[o][c] = w;
        total[o] = total[o] + w;
    }
}

void main()
{
    uint query_tile = gl_WorkGroupID.x, head = gl_WorkGroupID.y;
    uint share = own_share(1u), result_head = head * SPLITS + share;
    uint id = gl_LocalInvocationID.x, lane = gl_SubgroupInvocationID;
    uint base = head * (in_head / 2u), last = rows - 1u, row_pitch = in_row / 2u;
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
        level[o] = SUMS(NOTHING_SEEN);
        total[o] = SUMS(0.0);
    }

    uvec4 next_keys[EACH], next_values[EACH];
    uint next_visible[WORDS];
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
            [[unroll]] for (uint i = 0u; i < WORDS; i++) {
                if (id + i * INVOCATIONS < QUERY_TILE) {
                    visible[id + i * INVOCATIONS] = next_visible[i];
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
            [[unroll]] for (uint i = 0u; i < WORDS; i++) {
                next_visible[i] = map_visible(next, min(id + i * INVOCATIONS, QUERY_TILE - 1u));
            }
        }
        if (next == begin) {
            continue;
        }

        [[unroll]] for (uint o = 0u; o < OWN; o++) {
            [[unroll]] for (uint c = 0u; c < TILES; c++) {
                s[o][c] = SUMS(0.0);
            }
        }
        bool masked = map_masked(next - 1u);
        if (ROLLED) {
            [[dont_unroll]] for (uint c = 0u; c < TILES; c++) {
                [[dont_unroll]] for (uint e = 0u; e < HEAD_DIM / K; e++) {
                    scores_add(c, e);
                }
            }
            [[dont_unroll]] for (uint o = 0u; o < OWN; o++) {
                weigh(o, masked, factor);
            }
            [[dont_unroll]] for (uint e = 0u; e < TILES; e++) {
                values_begin(e);
                [[dont_unroll]] for (uint c = 0u; c < COLUMNS; c++) {
                    values_add(c, e);
                }
            }
        } else {
            [[unroll]] for (uint c = 0u; c < TILES; c++) {
                [[unroll]] for (uint e = 0u; e < HEAD_DIM / K; e++) {
                    scores_add(c, e);
                }
            }
            [[unroll]] for (uint o = 0u; o < OWN; o++) {
                weigh(o, masked, factor);
            }
            [[unroll]] for (uint e = 0u; e < TILES; e++) {
                values_begin(e);
                [[unroll]] for (uint c = 0u; c < COLUMNS; c++) {
                    values_add(c, e);
                }
            }
        }
    }

    // Each subgroup's output through its own part of the stage, half of the columns at
    // a time.
    barrier(); // the last keys and values are used up
    const uint SIDE = COLUMNS % 2u == 0u ? COLUMNS / 2u : 1u; // matrices side by side
    uint first_row = query_tile * QUERY_TILE + gl_SubgroupID * OWN_ROWS, from = gl_SubgroupID * OWN_ROWS * PITCH;
    [[unroll]] for (uint o = 0u; o < OWN; o++) {
        SUMS number;
        coopMatReduceNV(total[o], total[o], gl_CooperativeMatrixReduceRowNV, sum);
        coopMatPerElementNV(number, level[o], both, total[o]);
        coopMatStore(number, stage, from + o * M * PITCH, PITCH, BY_ROWS);
        coopMatPerElementNV(number, total[o], inverse);
        [[unroll]] for (uint c = 0u; c < COLUMNS; c++) {
            sums[o][c] = sums[o][c] * number;
        }
    }
    meet();
    for (uint row = lane; row < OWN_ROWS; row += LANES) {
        if (first_row + row < rows) {
            vec2 number = uintBitsToFloat(stage[from + row * PITCH].xy);
            write_lse(result_head, first_row + row, number.x, number.y);
        }
    }
    meet();
    [[unroll]] for (uint c = 0u; c < COLUMNS; c += SIDE) {
        [[unroll]] for (uint o = 0u; o < OWN; o++) {
            [[unroll]] for (uint d = 0u; d < SIDE; d++) {
                coopMatStore(sums[o][c + d], stage, from + o * M * PITCH + d * N / 4u, PITCH, BY_ROWS);
            }
        }
        meet();
        const uint GROUPS = SIDE * N / 4u; // of four columns
        [[dont_unroll]] for (uint i = lane; i < OWN_ROWS * GROUPS; i += LANES) {
            uint row = i / GROUPS, group = i % GROUPS;
            if (first_row + row < rows) {
                write_output(result_head * out_head + (first_row + row) * out_row + c * N / 4u + group, uintBitsToFloat(stage[from + row * PITCH + group]));
            }
        }
        meet();
    }
}

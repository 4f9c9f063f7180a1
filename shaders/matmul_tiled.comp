// Matrix product for GPUs of any kind: ROWS x COLUMNS sums a workgroup, 4 x 8 to
// 8 x 8 an invocation, from tiles of a and w in shared memory. See
// include/matmul.glsl.
//
// Which shape is quickest differs from device to device and with the rows that
// there are: engine/shapes.go lists those offered, and gaze tune chooses.
//
// Grid: (columns of out / COLUMNS, or / (COLUMNS / 2) if GATED; rows / ROWS).
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x_id = 0) in;
layout(constant_id = 0) const uint INVOCATIONS = 64;
layout(constant_id = 5) const uint ROWS = 64;    // of a tile: a multiple of 16
layout(constant_id = 6) const uint COLUMNS = 64; // of a tile, those of the gates among them: a multiple of 32
layout(constant_id = 7) const uint STEP = 4;     // groups of four in k at a time: 2, 4 or 8
layout(constant_id = 8) const uint UNROLL = 1;   // words of k a turn of the inner loop: a divisor of 4

// Groups of four sums that an invocation has along each side: one or two of rows,
// and two of columns, so that a gate and what it multiplies meet in one invocation.
const uint DOWN = ROWS * COLUMNS / (32u * INVOCATIONS);
const uint ACROSS = 2u;
// Invocations along each side of the tile, which is also how far an invocation's
// groups are apart: neighbours read neighbouring banks.
const uint HIGH = ROWS / (4u * DOWN);
const uint WIDE = COLUMNS / (4u * ACROSS);

// Rows of a and of w that an invocation fetches a group of, and what they are at most.
const uint MOST_A = 4u, MOST_W = 8u;
const uint FETCHED_A = ROWS * STEP / INVOCATIONS;
const uint FETCHED_W = COLUMNS * STEP / INVOCATIONS;
// Groups between two elements of k: the padding keeps the STEP invocations that
// store one row's groups in banks of their own.
const uint PADDING = 8u / STEP;
const uint PITCH_A = ROWS / 4u + PADDING;
const uint PITCH_W = COLUMNS / 4u + PADDING;

#include "include/elements.glsl"
#include "include/matmul.glsl"

// Transposed, word by word: rows 4i .. 4i+3 of word e of group s are tile[(e * STEP
// + s) * PITCH + i]. The order in k does not matter as long as both tiles share it.
// A word is one element, or two of f16, which stay packed: half as much goes to and
// from shared memory, and converting costs less than that.
#if F16
const uint WORDS = 2u;
#define TILE uvec4
#else
const uint WORDS = 4u;
#define TILE vec4
#endif
shared TILE tile_a[WORDS * STEP * PITCH_A];
shared TILE tile_w[WORDS * STEP * PITCH_W];

// Sums of 4 DOWN rows, of the first four columns and of the second.
vec4 low[8], high[8];

#if F16
vec4 even(uvec4 words)
{
    return vec4(unpackHalf2x16(words.x).x, unpackHalf2x16(words.y).x, unpackHalf2x16(words.z).x, unpackHalf2x16(words.w).x);
}

vec4 odd(uvec4 words)
{
    return vec4(unpackHalf2x16(words.x).y, unpackHalf2x16(words.y).y, unpackHalf2x16(words.z).y, unpackHalf2x16(words.w).y);
}
#endif

// Adds the products of four rows from tile_a[at_a] with eight columns to the sums from
// `to` on.
void multiply4(uint at_a, TILE first, TILE second, uint to)
{
    TILE x = tile_a[at_a];
#if F16
    vec4 first_even = even(first), first_odd = odd(first), second_even = even(second), second_odd = odd(second);
    [[unroll]] for (uint r = 0u; r < 4u; r++) {
        vec2 pair = unpackHalf2x16(x[r]);
        low[to + r] += pair.x * first_even;
        low[to + r] += pair.y * first_odd;
        high[to + r] += pair.x * second_even;
        high[to + r] += pair.y * second_odd;
    }
#else
    [[unroll]] for (uint r = 0u; r < 4u; r++) {
        low[to + r] += x[r] * first;
        high[to + r] += x[r] * second;
    }
#endif
}

// Adds the products of one word of k, of a from tile_a[at_a] and of w from tile_w[at_w].
void multiply(uint at_a, uint at_w)
{
    TILE first = tile_w[at_w], second = tile_w[at_w + WIDE];
    multiply4(at_a, first, second, 0u);
    if (DOWN > 1u) {
        multiply4(at_a + HIGH, first, second, 4u);
    }
}

void main()
{
    uint id = gl_LocalInvocationID.x, across = id % WIDE, down = id / WIDE;
    uint first_row = gl_WorkGroupID.y * ROWS, first = gl_WorkGroupID.x * (GATED ? COLUMNS / 2u : COLUMNS);

    // STEP neighbours fetch a row's groups, so that they read in one piece.
    uint group = id % STEP, fetched = id / STEP;
    const uint APART = INVOCATIONS / STEP;
    // Loops to be unrolled have literal bounds, and what a shape lacks is skipped: to
    // drivers that do not unroll by themselves arrays would be memory.
    uint a_at[MOST_A], w_at[MOST_W];
    [[unroll]] for (uint f = 0u; f < MOST_A; f++) {
        if (f < FETCHED_A) {
            a_at[f] = min(first_row + fetched + f * APART, rows - 1u) * a_row;
        }
    }
    [[unroll]] for (uint f = 0u; f < MOST_W; f++) {
        if (f < FETCHED_W) {
            w_at[f] = weight_row(first, fetched + f * APART, COLUMNS) * depth;
        }
    }

    [[unroll]] for (uint r = 0u; r < 8u; r++) {
        low[r] = vec4(0.0);
        high[r] = vec4(0.0);
    }
    [[dont_unroll]] for (uint k = 0u; k < depth; k += STEP) {
        ELEMENTS x[MOST_A], y[MOST_W];
        uint at = min(k + group, depth - 1u);
        [[unroll]] for (uint f = 0u; f < MOST_A; f++) {
            if (f < FETCHED_A) {
                x[f] = a[a_at[f] + at];
            }
        }
        [[unroll]] for (uint f = 0u; f < MOST_W; f++) {
            if (f < FETCHED_W) {
                y[f] = w[w_at[f] + at];
            }
        }
        if (k + group >= depth) { // in the last turn
            [[unroll]] for (uint f = 0u; f < MOST_A; f++) {
                x[f] = ELEMENTS(0);
            }
            [[unroll]] for (uint f = 0u; f < MOST_W; f++) {
                y[f] = ELEMENTS(0);
            }
        }
        barrier(); // the last tiles are used up
        [[unroll]] for (uint e = 0u; e < WORDS; e++) {
            uint to = e * STEP + group;
            [[unroll]] for (uint f = 0u; f < MOST_A; f++) {
                uint row = fetched + f * APART;
                if (f < FETCHED_A) {
                    tile_a[to * PITCH_A + row / 4u][row % 4u] = x[f][e];
                }
            }
            [[unroll]] for (uint f = 0u; f < MOST_W; f++) {
                uint row = fetched + f * APART;
                if (f < FETCHED_W) {
                    tile_w[to * PITCH_W + row / 4u][row % 4u] = y[f][e];
                }
            }
        }
        barrier();
        if (UNROLL == 1u) {
            [[dont_unroll]] for (uint e = 0u; e < WORDS * STEP; e++) {
                multiply(e * PITCH_A + down, e * PITCH_W + across);
            }
        } else {
            [[dont_unroll]] for (uint e = 0u; e < WORDS * STEP; e += UNROLL) {
                [[unroll]] for (uint n = 0u; n < UNROLL; n++) {
                    multiply((e + n) * PITCH_A + down, (e + n) * PITCH_W + across);
                }
            }
        }
    }
    [[unroll]] for (uint r = 0u; r < 4u * DOWN; r++) { // left to the driver: epilogues are long
        uint row = first_row + (r / 4u * HIGH + down) * 4u + r % 4u;
        write4(row, first + across * 4u, low[r], high[r]);
        if (!GATED) {
            write4(row, first + (WIDE + across) * 4u, high[r], high[r]);
        }
    }
}

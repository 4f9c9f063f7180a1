// Matrix product on matrix units, in f16 with sums in f32. See include/matmul.glsl
// for what is computed; here depth and a_row are even, so that eight elements are
// fetched at a time.
//
// A workgroup's subgroups lie DOWN by ACROSS, and each has ROWS by COLUMNS matrices
// of sums: half its columns from the first half of the tile and half from the
// second, so that with GATED a gate is in the hands that hold what it gates. While
// one step in k is multiplied from shared memory, the next is on its way to registers.
//
// Grid: (columns of out / TILE_COLUMNS, or / half of it if GATED; rows / TILE_ROWS).
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

#include "include/matrices.glsl"

layout(constant_id = 5) const uint DOWN = 2;
layout(constant_id = 6) const uint ROWS = 4;
layout(constant_id = 7) const uint COLUMNS = 4; // even

const uint ACROSS = SUBGROUPS / DOWN;
const uint TILE_ROWS = DOWN * ROWS * M;
const uint TILE_COLUMNS = ACROSS * COLUMNS * N;

const uint STEP = 32u;               // in k
const uint CHUNKS = STEP / 8u;       // of eight elements, in a row of a step
const uint PITCH = CHUNKS + 1u;      // odd: equal chunks of neighbouring rows lie in different banks
const uint TILES = (TILE_ROWS + TILE_COLUMNS) * PITCH;
const uint EACH_A = (TILE_ROWS * CHUNKS + INVOCATIONS - 1u) / INVOCATIONS; // chunks that an invocation fetches
const uint EACH_W = (TILE_COLUMNS * CHUNKS + INVOCATIONS - 1u) / INVOCATIONS;

// At the end a subgroup lays a row of its matrices side by side.
const uint SLAB_PITCH = COLUMNS * N / 4u + 1u; // in groups of four sums
const uint SLAB = M * SLAB_PITCH;

#define ELEMENTS uvec4
#include "include/matmul.glsl"

shared uvec4 stage[TILES > SUBGROUPS * SLAB ? TILES : SUBGROUPS * SLAB];

SUMS sums[ROWS][COLUMNS];

// Adds the products of matrices e in k of the step in shared memory.
void multiply(uint e, uint down, uint across)
{
    LEFT x[ROWS];
    [[unroll]] for (uint r = 0u; r < ROWS; r++) {
        coopMatLoad(x[r], stage, (down * ROWS + r) * M * PITCH + e * K / 8u, PITCH, BY_ROWS);
    }
    [[unroll]] for (uint c = 0u; c < COLUMNS; c++) {
        uint column = c < COLUMNS / 2u ? across * (COLUMNS / 2u) + c : (ACROSS + across - 1u) * (COLUMNS / 2u) + c;
        RIGHT y;
        coopMatLoad(y, stage, (TILE_ROWS + column * N) * PITCH + e * K / 8u, PITCH, BY_COLUMNS);
        [[unroll]] for (uint r = 0u; r < ROWS; r++) {
            sums[r][c] = coopMatMulAdd(x[r], y, sums[r][c]);
        }
    }
}

void main()
{
    uint id = gl_LocalInvocationID.x, lane = gl_SubgroupInvocationID;
    uint down = gl_SubgroupID / ACROSS, across = gl_SubgroupID % ACROSS;
    uint out_tile = GATED ? TILE_COLUMNS / 2u : TILE_COLUMNS;
    uint first_row = gl_WorkGroupID.y * TILE_ROWS, first = gl_WorkGroupID.x * out_tile;
    uint chunks = depth / 2u; // of eight elements in k

    uint a_at[EACH_A], w_at[EACH_W];
    [[unroll]] for (uint i = 0u; i < EACH_A; i++) {
        a_at[i] = min(first_row + (id + i * INVOCATIONS) / CHUNKS, rows - 1u) * (a_row / 2u);
    }
    [[unroll]] for (uint i = 0u; i < EACH_W; i++) {
        w_at[i] = weight_row(first, (id + i * INVOCATIONS) / CHUNKS, TILE_COLUMNS) * chunks;
    }

    [[unroll]] for (uint r = 0u; r < ROWS; r++) {
        [[unroll]] for (uint c = 0u; c < COLUMNS; c++) {
            sums[r][c] = SUMS(0.0);
        }
    }
    uvec4 next_a[EACH_A], next_w[EACH_W];
    [[dont_unroll]] for (uint k = 0u; k < chunks + CHUNKS; k += CHUNKS) {
        if (k > 0u) {
            barrier(); // the last step is used up
            [[unroll]] for (uint i = 0u; i < EACH_A; i++) {
                uint at = id + i * INVOCATIONS;
                if (at < TILE_ROWS * CHUNKS) {
                    stage[at / CHUNKS * PITCH + at % CHUNKS] = next_a[i];
                }
            }
            [[unroll]] for (uint i = 0u; i < EACH_W; i++) {
                uint at = id + i * INVOCATIONS;
                if (at < TILE_COLUMNS * CHUNKS) {
                    stage[(TILE_ROWS + at / CHUNKS) * PITCH + at % CHUNKS] = next_w[i];
                }
            }
            barrier();
        }
        if (k < chunks) {
            uint own = k + id % CHUNKS; // INVOCATIONS is a multiple of CHUNKS
            [[unroll]] for (uint i = 0u; i < EACH_A; i++) {
                next_a[i] = own < chunks ? a[a_at[i] + own] : uvec4(0u);
            }
            [[unroll]] for (uint i = 0u; i < EACH_W; i++) {
                next_w[i] = own < chunks ? w[w_at[i] + own] : uvec4(0u);
            }
        }
        if (k > 0u) {
            if (ROLLED) {
                [[dont_unroll]] for (uint e = 0u; e < STEP / K; e++) {
                    multiply(e, down, across);
                }
            } else {
                [[unroll]] for (uint e = 0u; e < STEP / K; e++) {
                    multiply(e, down, across);
                }
            }
        }
    }

    barrier();
    const uint HALF = COLUMNS * N / 8u; // groups of four sums in a half of a slab's row
    const uint WRITTEN = GATED ? HALF : 2u * HALF;
    uint slab = gl_SubgroupID * SLAB;
    [[unroll]] for (uint r = 0u; r < ROWS; r++) {
        [[unroll]] for (uint c = 0u; c < COLUMNS; c++) {
            coopMatStore(sums[r][c], stage, slab + c * N / 4u, SLAB_PITCH, BY_ROWS);
        }
        meet();
        [[dont_unroll]] for (uint i = lane; i < M * WRITTEN; i += LANES) {
            uint row = i / WRITTEN, group = i % WRITTEN, at = slab + row * SLAB_PITCH + group;
            uint column = group < HALF ? across * HALF + group : (ACROSS + across - 1u) * HALF + group;
            write4(first_row + (down * ROWS + r) * M + row, first + 4u * column, uintBitsToFloat(stage[at]),
                uintBitsToFloat(stage[GATED ? at + HALF : at]));
        }
        meet();
    }
}

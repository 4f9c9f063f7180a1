// A picture of a rectangle of attention weights for drivers that run on a CPU. See
// include/heatmap.glsl for what is computed.
//
// A workgroup is one subgroup and takes a tile of 64 queries, ROWS at a time, and
// those of its tiles of keys that lie in one chunk. It pools in registers: what is
// computed of a tile lies pooled in the first of them, whatever the cell, so that
// as many stores run as there are cells, or a few more.
//
// Grid: (query tiles from the rectangle's first, heads from first_head on, chunks from that of its first key).
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require

#include "include/elements.glsl"
#include "include/heatmap.glsl"
#include "include/query_key_lanes.glsl"

const uint STORED = 4u; // rows that are stored at a time

// The weight of an exponent, which is NOTHING_SEEN where it is hidden.
float weight(float exponent)
{
    return exponent == NOTHING_SEEN ? HIDDEN : exp2(exponent);
}

void main()
{
    uint query_tile = first_query / QUERY_TILE + gl_WorkGroupID.x, head = first_head + gl_WorkGroupID.y, lane = gl_SubgroupInvocationID;
    uint base = head * in_head, last = rows - 1u;
    uint query_shift = findMSB(cell_queries), key_shift = findMSB(cell_keys);
    uint pooled_rows = max(ROWS >> query_shift, 1u), pooled_keys = max(OWN_KEYS >> key_shift, 1u);
    bool first_of_cell = (lane * OWN_KEYS & (cell_keys - 1u)) == 0u;
    bool whole = cell_queries <= ROWS && cell_keys <= KEY_TILE; // no cell has weights of two tiles

    uint begin, end;
    chunk_entries(query_tile, begin, end);
    uint first_row = max(query_tile * QUERY_TILE, first_query / ROWS * ROWS);
    uint end_row = min((query_tile + 1u) * QUERY_TILE, end_query);
    [[dont_unroll]] for (uint row = first_row; row < end_row; row += ROWS) {
        uint query[FETCHED], inside[FETCHED];
        float row_lse[FETCHED];
        [[unroll]] for (uint f = 0u; f < FETCHED; f++) {
            uint own = row + f * LANES + lane;
            query[f] = base + min(own, last) * in_row;
            row_lse[f] = lse[head * lse_head + min(own, last)];
            inside[f] = own >= first_query && own < end_query ? 0xffffffffu : 0u;
        }
        uint cell_row = (row >> query_shift) - (first_query >> query_shift);
        uint row_at = ((head - first_head) * cell_rows + cell_row) * cell_columns - (first_key >> key_shift);
        [[dont_unroll]] for (uint entry = begin; entry < end; entry++) {
            uint tile_key = map_key_tile(entry) * KEY_TILE, own_key = tile_key + lane * OWN_KEYS;
            uint columns = 0xffffffffu << (max(first_key, tile_key) - tile_key) & 0xffffffffu >> (tile_key + KEY_TILE - min(end_key, tile_key + KEY_TILE));
            uint key[OWN_KEYS], visible[FETCHED];
            float w[ROWS][OWN_KEYS];
            [[unroll]] for (uint j = 0u; j < OWN_KEYS; j++) {
                key[j] = base + min(own_key + j, last) * in_row;
            }
            products(query, key, w);
            [[unroll]] for (uint f = 0u; f < FETCHED; f++) {
                visible[f] = map_visible(entry, row % QUERY_TILE + f * LANES + lane) & inside[f] & columns;
            }
            [[unroll]] for (uint r = 0u; r < ROWS; r++) {
                uint bits = OF_ROW(visible, r) >> (lane * OWN_KEYS);
                float less = OF_ROW(row_lse, r);
                [[unroll]] for (uint j = 0u; j < OWN_KEYS; j++) {
                    float score = clamp(w[r][j] * scale, -SCORE_LIMIT, SCORE_LIMIT);
                    w[r][j] = (bits >> j & 1u) == 0u ? NOTHING_SEEN : (score - less) * LOG2_E;
                }
            }
            // The greatest weight is that of the greatest exponent; only sums need all.
            if (sum != 0u) {
                [[unroll]] for (uint r = 0u; r < ROWS; r++) {
                    [[unroll]] for (uint j = 0u; j < OWN_KEYS; j++) {
                        w[r][j] = weight(w[r][j]);
                    }
                }
            }

            // Pairs of rows, of pairs, ..., as far as cells reach; then of keys.
            [[unroll]] for (uint j = 0u; j < OWN_KEYS; j++) {
                [[unroll]] for (uint r = 0u; r < ROWS / 2u; r++) {
                    w[r][j] = cell_queries > 1u ? pool(w[2u * r][j], w[2u * r + 1u][j]) : w[r][j];
                }
                [[unroll]] for (uint r = 0u; r < ROWS / 4u; r++) {
                    w[r][j] = cell_queries > 2u ? pool(w[2u * r][j], w[2u * r + 1u][j]) : w[r][j];
                }
                [[unroll]] for (uint r = 0u; r < ROWS / 8u; r++) {
                    w[r][j] = cell_queries > 4u ? pool(w[2u * r][j], w[2u * r + 1u][j]) : w[r][j];
                }
                [[unroll]] for (uint r = 0u; r < ROWS / 16u; r++) {
                    w[r][j] = cell_queries > 8u ? pool(w[2u * r][j], w[2u * r + 1u][j]) : w[r][j];
                }
                [[unroll]] for (uint r = 0u; r < ROWS / 32u; r++) {
                    w[r][j] = cell_queries > 16u ? pool(w[2u * r][j], w[2u * r + 1u][j]) : w[r][j];
                }
            }
            [[unroll]] for (uint r = 0u; r < ROWS; r++) {
                [[unroll]] for (uint j = 0u; j < OWN_KEYS / 2u; j++) {
                    w[r][j] = cell_keys > 1u ? pool(w[r][2u * j], w[r][2u * j + 1u]) : w[r][j];
                }
                [[unroll]] for (uint j = 0u; j < OWN_KEYS / 4u; j++) {
                    w[r][j] = cell_keys > 2u ? pool(w[r][2u * j], w[r][2u * j + 1u]) : w[r][j];
                }
                [[unroll]] for (uint j = 0u; j < OWN_KEYS / 8u; j++) {
                    w[r][j] = cell_keys > 4u ? pool(w[r][2u * j], w[r][2u * j + 1u]) : w[r][j];
                }
                w[r][0] = cell_keys > OWN_KEYS ? pool(w[r][0], subgroupShuffleXor(w[r][0], 1u)) : w[r][0];
                w[r][0] = cell_keys > 2u * OWN_KEYS ? pool(w[r][0], subgroupShuffleXor(w[r][0], 2u)) : w[r][0];
                if (LANES > 4u) {
                    w[r][0] = cell_keys > 4u * OWN_KEYS ? pool(w[r][0], subgroupShuffleXor(w[r][0], 4u)) : w[r][0];
                }
            }

            [[dont_unroll]] for (uint from = 0u; from < pooled_rows; from += STORED) {
                [[unroll]] for (uint r = 0u; r < STORED; r++) {
                    uint at = row_at + (from + r) * cell_columns + (own_key >> key_shift);
                    [[unroll]] for (uint j = 0u; j < OWN_KEYS; j++) {
                        float value = sum == 0u ? weight(w[r][j]) : w[r][j];
                        if (value != HIDDEN && first_of_cell && from + r < pooled_rows && j < pooled_keys) {
                            cells[at + j] = whole ? value : pool(cells[at + j], value);
                        }
                    }
                }
                [[unroll]] for (uint r = 0u; r < ROWS - STORED; r++) {
                    [[unroll]] for (uint j = 0u; j < OWN_KEYS; j++) {
                        w[r][j] = w[r + STORED][j];
                    }
                }
            }
        }
    }
}

// What rows of attention weights amount to, for drivers that run on a CPU. See
// include/statistics.glsl for what is computed.
//
// A workgroup is one subgroup and takes ROWS queries. An invocation sums over its
// own keys; what all have is added up at the end.
//
// Grid: (query tiles, heads, 64 / ROWS).
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require

#include "include/elements.glsl"
#include "include/statistics.glsl"
#include "include/query_key_lanes.glsl"

// Of each row, over the keys of an invocation.
shared float parts[COLUMNS * ROWS * LANES];

void main()
{
    uint query_tile = gl_WorkGroupID.x, head = gl_WorkGroupID.y, lane = gl_SubgroupInvocationID;
    uint tile_row = gl_WorkGroupID.z * ROWS;
    uint first_row = query_tile * QUERY_TILE + tile_row, base = head * in_head, last = rows - 1u;

    uint query[FETCHED];
    float row_lse[FETCHED];
    uint row_id[FETCHED], row_begin[FETCHED], row_end[FETCHED];
    [[unroll]] for (uint f = 0u; f < FETCHED; f++) {
        uint row = min(first_row + f * LANES + lane, last);
        query[f] = base + row * in_row;
        row_lse[f] = lse[head * lse_head + row];
        row_id[f] = tokens[row];
        row_begin[f] = tokens[rows + row];
        row_end[f] = tokens[2u * rows + row];
    }
    float total[ROWS], entropy[ROWS], distances[ROWS], greatest[ROWS];
    float self[ROWS], previous[ROWS], next[ROWS], first_token[ROWS], last_token[ROWS], copies[ROWS];
    [[unroll]] for (uint r = 0u; r < ROWS; r++) {
        total[r] = entropy[r] = distances[r] = greatest[r] = 0.0;
        self[r] = previous[r] = next[r] = first_token[r] = last_token[r] = copies[r] = 0.0;
    }

    uint end = map_end(query_tile);
    [[dont_unroll]] for (uint entry = map_begin(query_tile); entry < end; entry++) {
        uint own_key = map_key_tile(entry) * KEY_TILE + lane * OWN_KEYS;
        uint key[OWN_KEYS], id[OWN_KEYS], visible[FETCHED];
        float w[ROWS][OWN_KEYS];
        [[unroll]] for (uint j = 0u; j < OWN_KEYS; j++) {
            key[j] = base + min(own_key + j, last) * in_row;
        }
        products(query, key, w);
        [[unroll]] for (uint j = 0u; j < OWN_KEYS; j++) {
            id[j] = tokens[min(own_key + j, last)];
        }
        [[unroll]] for (uint f = 0u; f < FETCHED; f++) {
            visible[f] = map_visible(entry, tile_row + f * LANES + lane);
        }
        int ahead = int(own_key) - int(first_row); // from the first row to the first of the invocation's keys
        [[unroll]] for (uint r = 0u; r < ROWS; r++) {
            uint bits = OF_ROW(visible, r) >> (lane * OWN_KEYS);
            float less = OF_ROW(row_lse, r);
            uint same = OF_ROW(row_id, r), begin_key = OF_ROW(row_begin, r) - own_key, end_key = OF_ROW(row_end, r) - own_key;
            [[unroll]] for (uint j = 0u; j < OWN_KEYS; j++) {
                float exponent = (clamp(w[r][j] * scale, -SCORE_LIMIT, SCORE_LIMIT) - less) * LOG2_E;
                bool shown = (bits >> j & 1u) == 1u;
                float x = shown ? exp2(exponent) : 0.0;
                int offset = int(j) - int(r); // constants, so that rows share what follows from it
                total[r] += x;
                entropy[r] -= shown ? x * exponent : 0.0;
                distances[r] += x * abs(float(ahead) + float(offset));
                greatest[r] = max(greatest[r], x);
                self[r] = ahead == -offset ? x : self[r];
                previous[r] = ahead == -offset - 1 ? x : previous[r];
                next[r] = ahead == -offset + 1 ? x : next[r];
                first_token[r] = j == begin_key ? x : first_token[r];
                last_token[r] = j == end_key ? x : last_token[r];
                copies[r] += id[j] == same && ahead != -offset ? x : 0.0;
            }
        }
    }

    [[unroll]] for (uint r = 0u; r < ROWS; r++) {
        uint at = r * COLUMNS * LANES + lane;
        parts[at] = total[r];
        parts[at + LANES] = entropy[r];
        parts[at + 2u * LANES] = distances[r];
        parts[at + 3u * LANES] = greatest[r];
        parts[at + 4u * LANES] = self[r];
        parts[at + 5u * LANES] = previous[r];
        parts[at + 6u * LANES] = next[r];
        parts[at + 7u * LANES] = first_token[r];
        parts[at + 8u * LANES] = last_token[r];
        parts[at + 9u * LANES] = copies[r];
    }
    subgroupMemoryBarrierShared();
    subgroupBarrier();
    [[dont_unroll]] for (uint i = lane; i < ROWS * COLUMNS; i += LANES) {
        float value = parts[i * LANES];
        [[unroll]] for (uint l = 1u; l < LANES; l++) {
            float part = parts[i * LANES + l];
            value = i % COLUMNS == 3u ? max(value, part) : value + part;
        }
        if (first_row + i / COLUMNS < rows) {
            statistics[(head * rows + first_row) * COLUMNS + i] = value;
        }
    }
}

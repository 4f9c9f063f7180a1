// What every fused attention kernel (reference.Attention) binds and is told:
//   output[head, i] = sum over visible j of exp(s[i, j] - lse[i]) v[head, j]
//   lse[head, i]    = log sum over visible j of exp(s[i, j]),  s[i, j] = scale * q[head, i] . k[head, j]
// in one pass with a running maximum and sum (Milakov and Gimelshein 2018; Dao
// et al. 2022), over the tiles that the block map lists. The weights are never
// stored. Exponents are kept in base 2, with log2(e) folded into the scale. A
// query that sees nothing gets zeros and the lse of minus infinity.
//
// Where rows are few, the keys of a query tile are split among SPLITS workgroups, so
// that a large device is busy (Dao, Haziza, Massa and Sizov, "Flash-Decoding for
// long-context inference", 2023). A share of them gives its own output and lse, in
// f32, as if it were head head * SPLITS + share, and merge.comp joins them. One that
// sees nothing gives what a query that sees nothing gets.
//
// Grid: (query tiles, heads, SPLITS).
#include "inputs.glsl"

INPUT(0, Queries, queries);
INPUT(1, Keys, keys);
INPUT(2, Values, values);
layout(binding = 3) readonly buffer BlockMap { uint block_map[]; };
#if OUT16
layout(binding = 4) writeonly buffer Output { uvec2 result[]; };
#else
layout(binding = 4) writeonly buffer Output { vec4 result[]; };
#endif
layout(binding = 5) writeonly buffer LogSumExp { float lse[]; }; // [heads, lse_head]

// Strides count groups of four elements.
layout(push_constant) uniform Push {
    uint rows;
    uint map_tiles, map_masks;
    uint in_row, in_head;   // of queries, keys and values
    uint out_row, out_head; // of the output
    uint lse_head; // elements between two heads' first log-sum-exp
    float scale;
};

layout(constant_id = 20) const uint SPLITS = 1;

#include "blockmap.glsl"
#include "limits.glsl"

// The share of a workgroup, where so many in dimension 2 have the same.
uint own_share(uint workgroups)
{
    return SPLITS == 1u ? 0u : gl_WorkGroupID.z / workgroups;
}

// A share's tiles of the query tile are share_begin .. share_end-1.
uint share_begin(uint query_tile, uint share)
{
    uint begin = map_begin(query_tile);
    if (SPLITS == 1u) {
        return begin;
    }
    return begin + (map_end(query_tile) - begin) * share / SPLITS;
}

uint share_end(uint query_tile, uint share)
{
    if (SPLITS == 1u) {
        return map_end(query_tile);
    }
    return share_begin(query_tile, share + 1u);
}

void write_output(uint at, vec4 value)
{
#if OUT16
    value = clamp(value, -65504.0, 65504.0);
    result[at] = uvec2(packHalf2x16(value.xy), packHalf2x16(value.zw));
#else
    result[at] = value;
#endif
}

void write_lse(uint head, uint row, float maximum, float sum)
{
    lse[head * lse_head + row] = sum == 0.0 ? MINUS_INFINITY : (maximum + log2(sum)) * LN_2;
}

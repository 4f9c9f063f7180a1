// The block map (gaze.BlockMap) as one array of words:
//   [query tiles + 1]      first[t]: the tiles of query tile t are first[t] .. first[t+1]-1
//   [tiles, 2]             from map_tiles on: key tile, and 0 or 1 + index of its mask
//   [masks, QUERY_TILE]    from map_masks on: bit j of a word is set where that query sees key j
// The push constants name map_tiles and map_masks.
const uint KEY_TILE = 32u;

uint map_begin(uint query_tile)
{
    return block_map[query_tile];
}

uint map_end(uint query_tile)
{
    return block_map[query_tile + 1u];
}

uint map_key_tile(uint entry)
{
    return block_map[map_tiles + 2u * entry];
}

// The first of the entries begin .. end-1, which ascend, whose key tile is not before
// `tile`, or end.
uint map_seek(uint begin, uint end, uint tile)
{
    while (begin < end) {
        uint middle = (begin + end) / 2u;
        if (map_key_tile(middle) < tile) {
            begin = middle + 1u;
        } else {
            end = middle;
        }
    }
    return begin;
}

// Whether there are keys of the tile that not everybody in the query tile sees.
bool map_masked(uint entry)
{
    return block_map[map_tiles + 2u * entry + 1u] != 0u;
}

// The 32 keys of the tile that row `row` of the query tile sees, one bit each.
uint map_visible(uint entry, uint row)
{
    uint mask = block_map[map_tiles + 2u * entry + 1u];
    return mask == 0u ? 0xffffffffu : block_map[map_masks + (mask - 1u) * QUERY_TILE + row];
}

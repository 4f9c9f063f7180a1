// Products of ROWS queries with a tile of 32 keys in one subgroup, for drivers that
// run on a CPU: matmul_lanes.comp says what these make dear. An invocation owns
// OWN_KEYS neighbours of the keys, beside all queries; of these it fetches lane,
// LANES + lane, ..., which shuffles then hand to all.
layout(local_size_x_id = 0) in; // one subgroup, or a part of one
layout(constant_id = 0) const uint LANES = 8;
layout(constant_id = 1) const uint HEAD_DIM = 64;
layout(constant_id = 2) const uint ROWS = 16; // queries at a time, a multiple of LANES

const uint FETCHED = ROWS / LANES; // queries that an invocation fetches
const uint GROUPS = HEAD_DIM / 4u; // of four elements in a row
const uint OWN_KEYS = KEY_TILE / LANES;

// What the invocation that fetches row r has of it.
#define OF_ROW(fetched, r) subgroupShuffle(fetched[(r) / LANES], (r) % LANES)

// score[r][j] = q . k of row r and the invocation's key j. `query` and `key` say
// where the rows that it fetches begin, in groups of four elements.
void products(uint query[FETCHED], uint key[OWN_KEYS], out float score[ROWS][OWN_KEYS])
{
    [[unroll]] for (uint r = 0u; r < ROWS; r++) {
        [[unroll]] for (uint j = 0u; j < OWN_KEYS; j++) {
            score[r][j] = 0.0;
        }
    }
    [[dont_unroll]] for (uint c = 0u; c < GROUPS; c++) {
        vec4 x[FETCHED], y[OWN_KEYS];
        [[unroll]] for (uint f = 0u; f < FETCHED; f++) {
            x[f] = READ(queries, query[f] + c);
        }
        [[unroll]] for (uint j = 0u; j < OWN_KEYS; j++) {
            y[j] = READ(keys, key[j] + c);
        }
        [[unroll]] for (uint r = 0u; r < ROWS; r++) {
            vec4 z = OF_ROW(x, r);
            [[unroll]] for (uint j = 0u; j < OWN_KEYS; j++) {
                score[r][j] += (z.x * y[j].x + z.y * y[j].y) + (z.z * y[j].z + z.w * y[j].w);
            }
        }
    }
}

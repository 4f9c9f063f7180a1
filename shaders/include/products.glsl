// Products of OWN_ROWS queries with 8 keys, one invocation's block: each element of
// a query that it loads is used eight times, of a key OWN_ROWS times. `query` and
// `key` say where the rows begin, in groups of four elements; low[i] gets the
// products of query i with keys 0 to 3, high[i] with keys 4 to 7.
//
// Rolled over the elements: CPU drivers compile at the first dispatch.
void products(uint query[OWN_ROWS], uint key[8], out vec4 low[OWN_ROWS], out vec4 high[OWN_ROWS])
{
    for (uint i = 0u; i < OWN_ROWS; i++) {
        low[i] = high[i] = vec4(0.0);
    }
    [[dont_unroll]] for (uint c = 0u; c < GROUPS; c++) {
        vec4 k[8];
        [[unroll]] for (uint j = 0u; j < 8u; j++) {
            k[j] = widen(keys[key[j] + c]);
        }
        [[unroll]] for (uint i = 0u; i < OWN_ROWS; i++) {
            vec4 q = widen(queries[query[i] + c]);
            low[i] += vec4(dot(q, k[0]), dot(q, k[1]), dot(q, k[2]), dot(q, k[3]));
            high[i] += vec4(dot(q, k[4]), dot(q, k[5]), dot(q, k[6]), dot(q, k[7]));
        }
    }
}

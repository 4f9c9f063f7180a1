// Fused attention for GPUs of any kind: at most 128 invocations, under 16 KiB of
// shared memory, no subgroup operations and no 16-bit features. See
// include/attention.glsl for what is computed.
//
// Multiply-adds wait for shared memory unless what comes from there is used more than
// once. So an invocation has the scores of OWN queries with 4 keys, then an eighth of
// the output of the same queries: an element of a key or a value that it loads serves
// all its queries, one of a query 4 keys, a weight all its elements. 8 invocations
// share a query; what they make known to one another in shared memory is the
// greatest score, then the weights.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x_id = 0) in;
layout(constant_id = 0) const uint INVOCATIONS = 128; // or 64, with more registers and less to load
layout(constant_id = 1) const uint HEAD_DIM = 64;

const uint QUERY_TILE = 64u;
const uint GROUPS = HEAD_DIM / 4u;       // of four elements in a row
const uint ACROSS = 8u, DOWN = INVOCATIONS / ACROSS;
const uint OWN = QUERY_TILE / DOWN;      // queries of an invocation: 4 or 8
const uint QUADS = OWN / 4u;             // of queries
const uint OWN_GROUPS = GROUPS / ACROSS; // of the output

// What is in shared memory at a time: so many groups of each query and key, and so
// many values. An invocation fetches 4 groups of queries and 2 of keys.
const uint APART = 16u, STEP = INVOCATIONS / APART;
const uint VALUES = HEAD_DIM <= 32u ? 32u : HEAD_DIM <= 64u ? 16u : 8u;
const uint FETCHED_VALUES = (VALUES * GROUPS + INVOCATIONS - 1u) / INVOCATIONS;

#include "include/elements.glsl"
#include "include/attention.glsl"

// Of queries and keys, equal groups of all rows lie side by side; weights are of one key
// and four queries. One place more than needed after each keeps invocations that store
// to equal places in banks of their own. Keys and values stay as they are stored, which
// for f16 is half as much to and from shared memory.
const uint QUERIES_PITCH = QUERY_TILE + 1u, KEYS_PITCH = KEY_TILE + 1u, WEIGHTS_PITCH = QUERY_TILE / 4u + 1u;
const uint KEYS_SIZE = STEP * KEYS_PITCH, VALUES_SIZE = FETCHED_VALUES * INVOCATIONS;
const uint QUERIES_SIZE = STEP * QUERIES_PITCH, WEIGHTS_SIZE = KEY_TILE * WEIGHTS_PITCH;
shared ELEMENTS keys_or_values[KEYS_SIZE > VALUES_SIZE ? KEYS_SIZE : VALUES_SIZE];
shared vec4 queries_or_weights[QUERIES_SIZE > WEIGHTS_SIZE ? QUERIES_SIZE : WEIGHTS_SIZE];
shared float parts[QUERY_TILE * ACROSS]; // of those that share a query, side by side

vec4 scores[OWN];           // of an own query with keys across, across + 8, + 16, + 24; then its weights
vec4 sum[OWN * OWN_GROUPS]; // of an own query, of groups across, across + 8, ...

// Adds the products of all own queries with the own keys, of one group of elements.
void multiply(uint queries_at, uint keys_at)
{
    vec4 a = widen(keys_or_values[keys_at]), b = widen(keys_or_values[keys_at + ACROSS]);
    vec4 c = widen(keys_or_values[keys_at + 2u * ACROSS]), d = widen(keys_or_values[keys_at + 3u * ACROSS]);
    [[unroll]] for (uint r = 0u; r < OWN; r++) {
        vec4 q = queries_or_weights[queries_at + r * DOWN], s = scores[r];
        s += q.x * vec4(a.x, b.x, c.x, d.x);
        s += q.y * vec4(a.y, b.y, c.y, d.y);
        s += q.z * vec4(a.z, b.z, c.z, d.z);
        s += q.w * vec4(a.w, b.w, c.w, d.w);
        scores[r] = s;
    }
}

// Adds the own elements of one value, weighted, to the sums of all own queries.
void accumulate(uint weights_at, uint values_at)
{
    vec4 v[OWN_GROUPS];
    [[unroll]] for (uint c = 0u; c < OWN_GROUPS; c++) {
        v[c] = widen(keys_or_values[values_at + c * ACROSS]);
    }
    [[unroll]] for (uint h = 0u; h < QUADS; h++) {
        vec4 weight = queries_or_weights[weights_at + h * DOWN];
        [[unroll]] for (uint c = 0u; c < OWN_GROUPS; c++) {
            uint i = 4u * h * OWN_GROUPS + c;
            sum[i] += weight.x * v[c];
            sum[i + OWN_GROUPS] += weight.y * v[c];
            sum[i + 2u * OWN_GROUPS] += weight.z * v[c];
            sum[i + 3u * OWN_GROUPS] += weight.w * v[c];
        }
    }
}

void main()
{
    uint query_tile = gl_WorkGroupID.x, head = gl_WorkGroupID.y;
    uint share = own_share(1u), result_head = head * SPLITS + share;
    uint first_row = query_tile * QUERY_TILE, base = head * in_head, last = rows - 1u;
    float factor = scale * LOG2_E;

    // Neighbours share queries, those two apart share keys: NVIDIA's shared memory serves
    // twice as many at once where such load the same 16 bytes.
    uint id = gl_LocalInvocationID.x;
    uint across = (id & 1u) | (id >> 1u & 6u), down = (id >> 1u & 1u) | (id >> 4u) * 2u;

    // STEP neighbours fetch a row's groups, so that they read in one piece. Row i of the
    // queries in shared memory is query i / DOWN of the invocations that are i % DOWN
    // down: neighbours read neighbouring rows. Past the end the last row is fetched.
    uint group = id % STEP, fetched = id / STEP;
    uint query_at = base + (first_row + fetched % DOWN * OWN + fetched / DOWN) * in_row;
    uint key_at = base + fetched * in_row, last_at = base + last * in_row;

    // maximum is the same in all that share a query; total counts the own keys.
    float maximum[OWN], total[OWN];
    [[unroll]] for (uint r = 0u; r < OWN; r++) {
        maximum[r] = NOTHING_SEEN;
        total[r] = 0.0;
    }
    [[unroll]] for (uint i = 0u; i < OWN * OWN_GROUPS; i++) {
        sum[i] = vec4(0.0);
    }

    uint end = share_end(query_tile, share);
    for (uint entry = share_begin(query_tile, share); entry < end; entry++) {
        uint first_key = map_key_tile(entry) * KEY_TILE;
        [[unroll]] for (uint r = 0u; r < OWN; r++) {
            scores[r] = vec4(0.0);
        }
        [[dont_unroll]] for (uint step = 0u; step < GROUPS; step += STEP) {
            ELEMENTS q[4], k[2];
            [[unroll]] for (uint f = 0u; f < 4u; f++) {
                q[f] = queries[min(query_at + f * (APART / DOWN) * in_row, last_at) + (step + group)];
            }
            [[unroll]] for (uint f = 0u; f < 2u; f++) {
                k[f] = keys[min(key_at + (first_key + f * APART) * in_row, last_at) + (step + group)];
            }
            barrier(); // the last step, or the last values and weights, are used up
            [[unroll]] for (uint f = 0u; f < 4u; f++) {
                queries_or_weights[group * QUERIES_PITCH + fetched + f * APART] = widen(q[f]);
            }
            [[unroll]] for (uint f = 0u; f < 2u; f++) {
                keys_or_values[group * KEYS_PITCH + fetched + f * APART] = k[f];
            }
            barrier();
            [[dont_unroll]] for (uint c = 0u; c < STEP; c++) {
                multiply(c * QUERIES_PITCH + down, c * KEYS_PITCH + across);
            }
        }

        uint visible[OWN];
        [[unroll]] for (uint r = 0u; r < OWN; r++) {
            visible[r] = 0xffffffffu;
        }
        if (map_masked(entry)) { // one branch, so that the words are under way together
            [[unroll]] for (uint r = 0u; r < OWN; r++) {
                visible[r] = map_visible(entry, down * OWN + r);
            }
        }
        [[unroll]] for (uint r = 0u; r < OWN; r++) {
            bvec4 seen = notEqual(uvec4(visible[r] >> across) & uvec4(1u, 1u << 8u, 1u << 16u, 1u << 24u), uvec4(0u));
            vec4 s = mix(vec4(NOTHING_SEEN), clamp(scores[r] * factor, -SCORE_LIMIT, SCORE_LIMIT), seen);
            scores[r] = s;
            parts[(r * DOWN + down) * ACROSS + across] = max(max(s.x, s.y), max(s.z, s.w));
        }
        barrier(); // queries and keys are used up, the parts' maxima are there

        [[unroll]] for (uint r = 0u; r < OWN; r++) {
            float larger = maximum[r];
            [[unroll]] for (uint i = 0u; i < ACROSS; i++) {
                larger = max(larger, parts[(r * DOWN + down) * ACROSS + i]);
            }
            float shrink = exp2(maximum[r] - larger);
            maximum[r] = larger;
            vec4 weight = mix(exp2(scores[r] - larger), vec4(0.0), equal(scores[r], vec4(NOTHING_SEEN)));
            scores[r] = weight;
            total[r] = total[r] * shrink + ((weight.x + weight.y) + (weight.z + weight.w));
            [[unroll]] for (uint c = 0u; c < OWN_GROUPS; c++) {
                sum[r * OWN_GROUPS + c] *= shrink;
            }
        }
        [[unroll]] for (uint h = 0u; h < QUADS; h++) {
            vec4 a = scores[4u * h], b = scores[4u * h + 1u], c = scores[4u * h + 2u], d = scores[4u * h + 3u];
            [[unroll]] for (uint j = 0u; j < 4u; j++) {
                queries_or_weights[(j * ACROSS + across) * WEIGHTS_PITCH + h * DOWN + down] = vec4(a[j], b[j], c[j], d[j]);
            }
        }
        [[dont_unroll]] for (uint first = 0u; first < KEY_TILE; first += VALUES) {
            ELEMENTS v[FETCHED_VALUES];
            [[unroll]] for (uint f = 0u; f < FETCHED_VALUES; f++) {
                uint i = id + f * INVOCATIONS;
                v[f] = values[min(base + (first_key + first + i / GROUPS) * in_row, last_at) + i % GROUPS];
            }
            if (first > 0u) {
                barrier(); // the last values are used up
            }
            [[unroll]] for (uint f = 0u; f < FETCHED_VALUES; f++) {
                keys_or_values[id + f * INVOCATIONS] = v[f];
            }
            barrier();
            [[dont_unroll]] for (uint key = 0u; key < VALUES; key += 2u) {
                accumulate((first + key) * WEIGHTS_PITCH + down, key * GROUPS + across);
                accumulate((first + key + 1u) * WEIGHTS_PITCH + down, (key + 1u) * GROUPS + across);
            }
        }
    }

    [[unroll]] for (uint r = 0u; r < OWN; r++) {
        parts[(r * DOWN + down) * ACROSS + across] = total[r];
    }
    barrier();
    [[unroll]] for (uint r = 0u; r < OWN; r++) {
        uint row = first_row + down * OWN + r;
        if (row < rows) {
            float all = 0.0;
            [[unroll]] for (uint i = 0u; i < ACROSS; i++) {
                all += parts[(r * DOWN + down) * ACROSS + i];
            }
            float inverse = all == 0.0 ? 0.0 : 1.0 / all;
            [[unroll]] for (uint c = 0u; c < OWN_GROUPS; c++) {
                write_output(result_head * out_head + row * out_row + c * ACROSS + across, sum[r * OWN_GROUPS + c] * inverse);
            }
            if (across == 0u) {
                write_lse(result_head, row, maximum[r], all);
            }
        }
    }
}

// Cells of heads, added up to what a map shows, or some cells of a map picked
// (reference.Cells):
//   to[p, r, c] = before + sum over heads h of factor * from[p, h, r, c] / pairs[r, c]
// Before is what lies in to, or nothing where that is to be forgotten; pairs[r, c] is
// how many pairs of a rectangle the cell has, 1 where no mean is wanted. A cell of
// which no pair is visible adds nothing: it is NaN in to, NaN or the word hidden in
// from. Where nothing was added to nothing, to is NaN. Cells are read and written as
// words, since not every device keeps a NaN that it computes with.
//
// Grid: (columns / 64, rows, planes).
#version 450

layout(local_size_x = 64) in;

layout(binding = 0) readonly buffer From { uint from[]; }; // [planes, heads, rows, columns], apart as told
layout(binding = 1) buffer To { uint to[]; };              // [planes, rows, columns] from first_to on

layout(push_constant) uniform Push {
    uint heads; // of from, added up to each plane
    uint rows, columns;
    uint first_from, from_head, from_row, from_column; // the first cell, and how far it is to the next
    uint first_to;
    float factor;
    uint hidden;
    uint fresh; // 1: forget what lies in to
    uint first_query, end_query, first_key, end_key; // the rectangle
    uint cell_queries, cell_keys; // pairs of a cell: 1 and 1 where no mean is wanted
};

const uint INFINITY = 0x7f800000u, NAN = 0x7fc00000u;

bool is_nan(uint word) { return (word & 0x7fffffffu) > INFINITY; }

// extent returns how many of first .. end-1 the i-th cell has along one side; cells
// begin at multiples of size, a power of two.
uint extent(uint i, uint size, uint first, uint end)
{
    uint begin = (first & ~(size - 1u)) + i * size;
    return min(begin + size, end) - max(begin, first);
}

void main()
{
    uint column = gl_WorkGroupID.x * 64u + gl_LocalInvocationID.x, row = gl_WorkGroupID.y, plane = gl_WorkGroupID.z;
    if (column >= columns) {
        return;
    }
    uint pairs = extent(row, cell_queries, first_query, end_query) * extent(column, cell_keys, first_key, end_key);
    uint at = first_to + (plane * rows + row) * columns + column;
    uint head_at = first_from + plane * heads * from_head + row * from_row + column * from_column;
    bool shown = fresh == 0u && !is_nan(to[at]);
    precise float sum = shown ? uintBitsToFloat(to[at]) : 0.0; // no fused operation: as a CPU adds them up
    for (uint h = 0u; h < heads; h++) {
        uint word = from[head_at + h * from_head];
        if (word != hidden && !is_nan(word)) {
            float value = uintBitsToFloat(word);
            if (pairs > 1u) {
                value /= float(pairs);
            }
            sum += value * factor;
            shown = true;
        }
    }
    to[at] = shown ? floatBitsToUint(sum) : NAN;
}

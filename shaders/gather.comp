// Rows of a table by their indices (reference.Gather):
//   y[i] = table[indices[i] - first]    where first <= indices[i] < first + count
// Rows whose index lies elsewhere are left alone, so that a table too large for
// one binding, such as the embeddings of a large vocabulary, is read in windows,
// a pass each.
//
// Grid: (rows / 4). 16 invocations copy a row.
#version 450
#extension GL_GOOGLE_include_directive : require

layout(local_size_x = 64) in;

#include "include/elements.glsl"

layout(binding = 0) readonly buffer Table { ELEMENTS table[]; };      // [count, groups]
layout(binding = 1) readonly buffer Indices { uint indices[]; };      // [rows]
layout(binding = 2) writeonly buffer Y { vec4 y[]; };                 // [rows, groups]

layout(push_constant) uniform Push {
    uint rows;
    uint groups; // of four elements in a row
    uint first, count;
};

void main()
{
    const uint PER_ROW = 16u;
    uint row = gl_WorkGroupID.x * (64u / PER_ROW) + gl_LocalInvocationID.x / PER_ROW;
    if (row >= rows) {
        return;
    }
    uint index = indices[row] - first; // wraps to a large number below first
    if (index >= count) {
        return;
    }
    for (uint c = gl_LocalInvocationID.x % PER_ROW; c < groups; c += PER_ROW) {
        y[row * groups + c] = widen(table[index * groups + c]);
    }
}
